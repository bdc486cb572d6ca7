import itertools
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from core import plan
from core.errors import StudyError
from core.records import Places, Shown, Stimulus
from tests.core import plans
from tests.core.plans import FULL, ONE_BLOCK, blocks, drawn, face, faces, main, of, target

ANYHOW = {"identity_gap": 0}


def identities(trials, stimuli) -> list[str]:
    by_id = {each.stimulus_id: each.identity_id for each in stimuli}
    return [by_id[target(trial)] for trial in trials]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=4, max_size=20), st.integers(1, 4), st.integers(0, 2**32))
def test_the_least_rated_stimuli_are_drawn_first(done, wanted, seed):
    stimuli = faces(len(done), ["sad"])
    counts = {each.stimulus_id: n for each, n in zip(stimuli, done, strict=True) if n}
    study = of(trials={"per_participant": wanted})
    found = drawn(study, stimuli, seed, Places(ratings={"all": counts}))
    assert sorted(counts.get(name, 0) for name in main(found.trials)) == sorted(done)[:wanted]


def test_many_participants_rate_every_stimulus_equally_often():
    stimuli, counts, study = faces(8), Counter(), of(trials={"per_participant": 20})
    for seed in range(30):
        found = drawn(study, stimuli, seed, Places(ratings={"all": counts}))
        counts.update(main(found.trials))
    assert sum(counts.values()) == 600
    assert max(counts.values()) - min(counts.values()) <= 1


def test_every_stimulus_is_equally_likely_to_be_drawn_and_to_come_first():
    stimuli, study = faces(4, ["sad", "happy", "angry"]), of(trials={"per_participant": 6})
    counted, first = Counter(), Counter()
    for seed in range(1500):
        found = drawn(study, stimuli, seed)
        counted.update(main(found.trials))
        first[target(found.trials[0])] += 1
    # Seeds are fixed: this can only fail when the draw changes.
    assert chisquare(list(counted.values())).pvalue > 0.001
    assert chisquare(list(first.values())).pvalue > 0.001


def test_without_constraints_every_order_is_equally_likely():
    stimuli = faces(1, ["sad", "happy", "angry"])
    study = of(trials={"per_participant": 3, **ANYHOW})
    orders = Counter(tuple(main(drawn(study, stimuli, seed).trials)) for seed in range(1500))
    assert len(orders) == 6
    assert chisquare(list(orders.values())).pvalue > 0.001


def test_trials_are_numbered_through_and_have_ids_of_their_own():
    stimuli = faces(8)
    found = drawn(FULL, stimuli, 5)
    assert [trial.trial_index for trial in found.trials] == list(range(1, len(found.trials) + 1))
    assert len({trial.trial_id for trial in found.trials}) == len(found.trials)
    assert [trial.block for trial in found.trials] == sorted(trial.block for trial in found.trials)
    assert {trial.block for trial in found.trials} == {1, 2, 3, 4}
    assert found == drawn(FULL, stimuli, 5)
    assert found != drawn(FULL, stimuli, 6)


def test_each_set_is_a_block_and_the_pairs_are_the_last():
    found = drawn(FULL, faces(8), 5)
    tasks = [next(trial.task for trial in found.trials if trial.block == n) for n in (1, 2, 3, 4)]
    assert tuple(tasks[:3]) == found.task_order
    assert found.task_order[2] == "naturalness"  # of the second stage
    assert tasks[3] == "identity_pairs"


def test_a_person_rates_one_sample_in_all_sets_where_counts_allow_it():
    stimuli = faces(8)
    first, second, third = (sorted(main(trials)) for trials in blocks(drawn(FULL, stimuli)).values())
    assert first == second == third
    # One picture of the sample has ratings on the dimensions already: another takes its place there.
    ahead = Places(ratings={"dimensions": {first[0]: 1}})
    found = drawn(FULL, stimuli, places=ahead)
    sets = {trials[0].task: set(main(trials)) for trials in blocks(found).values()}
    assert len(sets["expression"] & sets["dimensions"]) >= 23
    assert first[0] not in sets["dimensions"]


def test_between_participants_the_set_with_the_most_need_is_drawn():
    stimuli, counts = faces(8), {"expression": Counter(), "dimensions": Counter(), "naturalness": Counter()}
    study = of(FULL, tasks={"design": "between"})
    seen = Counter()
    for seed in range(30):
        found = drawn(study, stimuli, seed, Places(ratings=counts))
        (task,) = found.task_order
        assert {trial.task for trial in found.trials} == {task, "identity_pairs"}
        counts[task].update(main(trial for trial in found.trials if trial.task == task))
        seen[task] += 1
    assert set(seen.values()) == {10}


def test_what_the_study_asks_to_show_is_shown_in_that_order():
    stimuli = [Stimulus(name, f"{name}.png", name, name, 9, 9, name, "sad", "src.png") for name in ("a", "b")]
    stimuli.append(Stimulus("src", "src.png", "src", "src", 9, 9, "c", None, rated=False))
    found = drawn(of(trials={"per_participant": 2, "show": ("reference", "target")}), stimuli)
    assert {trial.shown for trial in found.trials} == {
        (Shown("reference", "src"), Shown("target", "a")),
        (Shown("reference", "src"), Shown("target", "b")),
    }


def test_a_reference_that_is_asked_for_must_exist():
    with pytest.raises(StudyError, match="'reference', but 6 rated stimuli have none"):
        plan.check(of(trials={"per_participant": 1, "show": ("target", "reference")}), faces(1))


def test_more_trials_than_stimuli_are_refused():
    with pytest.raises(StudyError, match="found 24; needed at most the 12 rated stimuli; lower it"):
        plan.check(ONE_BLOCK, faces(2))


def test_a_version_from_before_the_check_gets_the_widest_gap_that_its_pictures_allow():
    stimuli = faces(1)
    study = of(trials={"per_participant": 6})
    with pytest.raises(StudyError, match="identity_gap: found 1"):
        plan.check(study, stimuli)
    assert len(drawn(study, stimuli).trials) == 6
    stimuli = [*faces(1), face("id999")]
    found = identities(drawn(of(trials={"per_participant": 2}), stimuli).trials, stimuli)
    assert not any(a == b for a, b in itertools.pairwise(found))


def test_a_plan_of_hundreds_of_pictures_holds_its_constraints():
    stimuli = faces(100)
    study = of(
        FULL,
        trials={"per_participant": 60, "identity_gap": 5, "most_per_identity": 2, "most_emotion_run": 2},
        attention={"instructed": 3},
    )
    plan.check(study, stimuli)
    for seed in range(20):
        plans.hold(study, stimuli, drawn(study, stimuli, seed))


def test_a_random_order_of_options_keeps_neutral_and_other_last():
    orders = {plan.option_order(FULL, rng=random.Random(seed))["emotion"] for seed in range(200)}
    assert len(orders) > 150  # of 720
    for order in orders:
        assert order[-2:] == ("neutral", "other")
        assert sorted(order) == sorted(FULL.scales["emotion"].options)


def test_a_fixed_order_of_options_is_the_declared_one_and_only_asked_scales_have_one():
    emotion = FULL.scales["emotion"].model_copy(update={"option_order": "fixed"})
    fixed = FULL.model_copy(update={"scales": {**FULL.scales, "emotion": emotion}})
    assert plan.option_order(fixed, rng=random.Random(1)) == {"emotion": tuple(emotion.options)}
