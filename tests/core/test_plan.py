import itertools
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from core import plan, study
from core.errors import StudyError
from core.records import Shown, Stimulus
from core.study import Study, Trials

DEMO = study.read(Path(__file__).resolve().parents[2] / "assets" / "studies" / "demo.yaml")


def with_trials(number: int, *show: str) -> Study:
    trials = Trials(per_participant=number, ratings_per_stimulus=20, show=show or ("target",))
    return DEMO.model_copy(update={"trials": trials})


def stimulus(name: str, identity: str, *, reference: str | None = None, rated: bool = True) -> Stimulus:
    return Stimulus(name, f"{name}.png", name, name, 9, 9, identity, "sad", reference, rated=rated)


def faces(sizes: list[int]) -> list[Stimulus]:
    return [stimulus(f"{i}-{n}", f"id{i}") for i, size in enumerate(sizes) for n in range(size)]


def identities(trials, stimuli) -> list[str]:
    by_id = {each.stimulus_id: each.identity_id for each in stimuli}
    return [by_id[trial.shown[0].stimulus_id] for trial in trials]


def repeats(names) -> int:
    return sum(one == two for one, two in itertools.pairwise(names))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=8), st.integers(0, 2**32))
def test_an_identity_comes_twice_in_a_row_only_where_it_must(sizes, seed):
    stimuli = faces(sizes)
    trials = plan.build(with_trials(len(stimuli)), stimuli, {}, rng=random.Random(seed))
    # Pigeonhole: m of n pictures of one identity leave n - m + 1 gaps for the m.
    least = max(0, 2 * max(sizes) - len(stimuli) - 1)
    assert repeats(identities(trials, stimuli)) == least
    assert sorted(trial.shown[0].stimulus_id for trial in trials) == sorted(
        each.stimulus_id for each in stimuli
    )


@pytest.mark.parametrize("sizes", [[1, 1], [3, 1], [2, 2, 1], [4, 1, 1], [3, 3], [2, 2, 2], [5, 1]])
def test_no_other_order_has_fewer_repeats(sizes):
    stimuli = faces(sizes)
    names = [each.identity_id for each in stimuli]
    least = min(map(repeats, itertools.permutations(names)))  # every order there is
    trials = plan.build(with_trials(len(stimuli)), stimuli, {}, rng=random.Random(1))
    assert repeats(identities(trials, stimuli)) == least


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=4, max_size=20), st.integers(1, 4), st.integers(0, 2**32))
def test_the_least_rated_stimuli_are_drawn_first(done, wanted, seed):
    stimuli = faces([1] * len(done))
    counts = {each.stimulus_id: n for each, n in zip(stimuli, done, strict=True) if n}
    trials = plan.build(with_trials(wanted), stimuli, counts, rng=random.Random(seed))
    drawn = sorted(counts.get(trial.shown[0].stimulus_id, 0) for trial in trials)
    assert drawn == sorted(done)[:wanted]


def test_many_participants_rate_every_stimulus_equally_often():
    stimuli, counts = faces([6] * 8), Counter()
    for seed in range(30):
        trials = plan.build(with_trials(20), stimuli, counts, rng=random.Random(seed))
        counts.update(trial.shown[0].stimulus_id for trial in trials)
    assert sum(counts.values()) == 600
    assert max(counts.values()) - min(counts.values()) <= 1


def test_every_stimulus_is_equally_likely_to_be_drawn_and_to_come_first():
    stimuli = faces([3, 3, 3, 3])
    drawn, first = Counter(), Counter()
    for seed in range(3000):
        trials = plan.build(with_trials(6), stimuli, {}, rng=random.Random(seed))
        drawn.update(trial.shown[0].stimulus_id for trial in trials)
        first[trials[0].shown[0].stimulus_id] += 1
    # Seeds are fixed: this can only fail when the draw changes.
    assert chisquare(list(drawn.values())).pvalue > 0.001
    assert chisquare(list(first.values())).pvalue > 0.001


def test_trials_are_numbered_and_have_ids_of_their_own():
    stimuli = faces([6] * 8)
    trials = plan.build(DEMO, stimuli, {}, rng=random.Random(5))
    assert [trial.trial_index for trial in trials] == list(range(1, 25))
    assert len({trial.trial_id for trial in trials}) == 24
    assert {trial.block for trial in trials} == {1}
    assert trials == plan.build(DEMO, stimuli, {}, rng=random.Random(5))
    assert trials != plan.build(DEMO, stimuli, {}, rng=random.Random(6))


def test_a_reference_is_shown_in_its_role_and_never_rated():
    stimuli = [
        stimulus("a", "id1", reference="src.png"),
        stimulus("b", "id1", reference="src.png"),
        stimulus("src", "id1", rated=False),
    ]
    trials = plan.build(with_trials(2, "reference", "target"), stimuli, {}, rng=random.Random(1))
    assert {trial.shown for trial in trials} == {
        (Shown("reference", "src"), Shown("target", "a")),
        (Shown("reference", "src"), Shown("target", "b")),
    }
    with pytest.raises(StudyError, match="at most the 2 rated"):
        plan.build(with_trials(3), stimuli, {}, rng=random.Random(1))


def test_a_reference_that_is_asked_for_must_exist():
    with pytest.raises(StudyError, match="'reference'"):
        plan.check(with_trials(1, "target", "reference"), faces([1]))


def test_more_trials_than_stimuli_are_an_error():
    with pytest.raises(StudyError, match="found 24; needed at most the 8"):
        plan.check(DEMO, faces([4, 4]))


def test_a_random_order_of_options_keeps_neutral_and_other_last():
    orders = {plan.option_order(DEMO, rng=random.Random(seed))["emotion"] for seed in range(200)}
    assert len(orders) > 150  # of 720
    for order in orders:
        assert order[-2:] == ("neutral", "other")
        assert sorted(order) == sorted(DEMO.scales["emotion"].options)


def test_a_fixed_order_of_options_is_the_declared_one_and_only_asked_scales_have_one():
    emotion = DEMO.scales["emotion"].model_copy(update={"option_order": "fixed"})
    fixed = DEMO.model_copy(update={"scales": {**DEMO.scales, "emotion": emotion}})
    assert plan.option_order(fixed, rng=random.Random(1)) == {"emotion": tuple(emotion.options)}
