"""What the check lets pass never fails, and what it refuses has no plan."""

import itertools
import random
import re
import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from core import plan
from core.errors import StudyError
from core.plan import fill
from core.plan.blocks import Load
from core.plan.build import block_of
from core.records import Places
from tests.core.plans import EMOTIONS, FULL, ONE_BLOCK, blocks, drawn, face, faces, hold, main, of

MANIFESTS = st.lists(st.sets(st.sampled_from(EMOTIONS), min_size=1), min_size=1, max_size=9)
TRIALS = st.fixed_dictionaries(
    {
        "identity_gap": st.sampled_from([0, 1, 1, 2, 3, 5]),
        "most_per_identity": st.sampled_from([None, None, 1, 2, 4]),
        "most_emotion_run": st.sampled_from([None, None, 1, 2, 3]),
    }
)
REPEATS = st.fixed_dictionaries(
    {"share": st.sampled_from([0, 0.1, 0.3, 1]), "gap": st.sampled_from([1, 3, 10])}
)


def manifest(shape):
    return [face(f"id{at}", emotion) for at, emotions in enumerate(shape) for emotion in sorted(emotions)]


def refusal(study, stimuli) -> str:
    try:
        plan.check(study, stimuli)
    except StudyError as refused:
        return str(refused)
    return ""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MANIFESTS, TRIALS, REPEATS, st.integers(0, 3), st.integers(0, 2), st.booleans(), st.data())
def test_a_study_is_refused_with_numbers_or_200_draws_meet_its_constraints(
    shape, trials, repeats, instructed, n_gold, several, data
):
    stimuli = manifest(shape)
    gold = [{"file": one.stim_file, "answer": one.intended_emotion} for one in stimuli[:n_gold]]
    k = data.draw(st.integers(1, len(stimuli)))
    study = of(
        FULL if several else ONE_BLOCK,
        trials={**trials, "per_participant": k},
        repeats=repeats,
        attention={"instructed": instructed, "gold": gold},
    )
    said = refusal(study, stimuli)
    event("refused" if said else "drawn")
    if said:
        assert re.search(r"found .*\d.*; needed", said)
        return
    counts = {}
    for seed in range(200 if not several else 70):
        found = drawn(study, stimuli, seed, Places(ratings=counts))
        hold(study, stimuli, found)
        for trials_ in blocks(found).values():
            counts.setdefault(trials_[0].task, Counter()).update(main(trials_))
    # No picture is forgotten, however tight the constraints are: recruiting would never end.
    for rated in counts.values():
        assert len(rated) == len(stimuli) - len(gold) or study.trials.most_per_identity


def has_a_plan(stimuli, load: Load, gap, most, run) -> bool:
    """Try every order there is, one trial after the other; written apart from the program."""

    def fits(shown, one):
        lately = shown[max(0, len(shown) - gap) :]
        row = list(itertools.takewhile(lambda s: s.intended_emotion == one.intended_emotion, shown[::-1]))
        own = {each.stimulus_id for each in [*shown, one] if each.identity_id == one.identity_id}
        return (
            all(each.identity_id != one.identity_id for each in lately)
            and len(row) < (run or 99)
            and len(own) <= (most or 99)
        )

    def go(shown, kinds, rated, again):
        if len(shown) == load.trials:
            return True
        nexts = []
        if len(rated) < load.main:
            nexts += [
                (one, "main", {one.stimulus_id}, set()) for one in stimuli if one.stimulus_id not in rated
            ]
        if len(again) < load.repeats:
            nexts += [
                (one, "repeat", set(), {one.stimulus_id})
                for one in stimuli
                if one.stimulus_id in rated - again
            ]
        if kinds.count("check") < load.instructed and kinds and kinds[-1] != "check":
            nexts += [(one, "check", set(), set()) for one in stimuli]
        return any(
            fits(shown, one) and go([*shown, one], [*kinds, kind], rated | new, again | more)
            for one, kind, new, more in nexts
        )

    return go([], [], frozenset(), frozenset())


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sets(st.sampled_from(EMOTIONS[:3]), min_size=1), min_size=1, max_size=4),
    st.integers(0, 2),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([None, 1, 2]),
    st.integers(0, 1),
    st.integers(0, 1),
    st.data(),
)
def test_what_is_refused_has_no_plan(shape, gap, most, run, repeats, instructed, data):
    stimuli = manifest(shape)
    load = Load(data.draw(st.integers(1, min(5, len(stimuli)))), repeats, (), instructed)
    study = of(trials={"identity_gap": gap, "most_per_identity": most, "most_emotion_run": run})
    found = fill.witness(block_of(study, load, stimuli))
    assert (found is not None) == has_a_plan(stimuli, load, gap, most, run)


@pytest.mark.parametrize(
    ("stimuli", "trials", "message"),
    [
        (
            faces(4),
            {"per_participant": 12, "identity_gap": 4},
            "trials.identity_gap: found 4 in a block of 12 trials (12 pictures, 0 repeats, 0 attention "
            "checks) with faces of 4 identities; needed 3 or less; write 'identity_gap: 3'",
        ),
        (
            faces(4),
            {"per_participant": 12, "most_per_identity": 2},
            "trials.most_per_identity: found 2, which leaves 8 pictures of 4 identities for a block; "
            "needed 12 (trials.per_participant); write 'most_per_identity: 3'",
        ),
        (
            [*faces(9, ["sad"]), *faces(2, ["happy"])],
            {"per_participant": 11, "most_emotion_run": 2},
            "trials.most_emotion_run: found 2 in a block of 11 trials (11 pictures, 0 repeats, 0 attention "
            "checks) with 9 sad, 2 happy pictures to draw from; needed 3 or more; write "
            "'most_emotion_run: 3'",
        ),
        (
            # Alone each can be met: the happy ones must come between the sad ones, but all are of one person.
            [*faces(4, ["sad"]), *[face("id900", "happy", str(n)) for n in range(3)]],
            {"per_participant": 7, "most_emotion_run": 1, "identity_gap": 2},
            "trials: found no order for a block of 7 trials (7 pictures, 0 repeats, 0 attention checks) from "
            "7 pictures of 5 identities in which identity_gap 2, most_emotion_run 1 hold together; needed "
            "one; write 'identity_gap: 1' or write 'most_emotion_run: 2' or remove one of them",
        ),
    ],
)
def test_a_constraint_that_cannot_be_met_is_refused_with_the_numbers(stimuli, trials, message):
    with pytest.raises(StudyError) as refused:
        plan.check(of(trials=trials), stimuli)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("stimuli", "trials"),
    [
        (faces(4), {"per_participant": 12, "identity_gap": 3}),
        (faces(4), {"per_participant": 12, "most_per_identity": 3}),
        ([*faces(9, ["sad"]), *faces(2, ["happy"])], {"per_participant": 11, "most_emotion_run": 3}),
    ],
)
def test_what_the_message_says_to_write_is_accepted(stimuli, trials):
    plan.check(of(trials=trials), stimuli)


def test_the_least_filled_are_passed_over_only_as_far_as_a_constraint_demands():
    stimuli = faces(6)
    # All pictures of the first two people are far behind: at most two of each may be taken.
    ahead = {one.stimulus_id: 5 for one in stimuli if one.identity_id not in {"id000", "id001"}}
    study = of(trials={"per_participant": 6, "most_per_identity": 2})
    for seed in range(50):
        found = main(drawn(study, stimuli, seed, Places(ratings={"all": ahead})).trials)
        assert Counter(name in ahead for name in found) == {False: 4, True: 2}


def test_a_check_follows_the_picture_that_it_shows_when_that_is_exchanged():
    stimuli = [face(f"id{at}", "sad", variant) for at in range(3) for variant in ("", "2")]
    study = of(trials={"per_participant": 3, "most_per_identity": 1})
    block = block_of(study, Load(3, 0, (), 1), stimuli)
    exchanged = set()
    for order in itertools.combinations(stimuli, 2):  # two are not enough, so that the witness is taken
        slots = fill.fill(block, [], order, rng=random.Random(1))
        each = {slot.stimulus.stimulus_id: slot.stimulus.identity_id for slot in slots}
        assert Counter(each.values()) == {"id0": 1, "id1": 1, "id2": 1}
        exchanged.update(each)
    assert len(exchanged) == 6


def test_too_many_checks_for_a_block_are_refused():
    study = of(trials={"per_participant": 2}, attention={"instructed": 3})
    with pytest.raises(StudyError, match="found 3 checks in a block of 2 other trials"):
        plan.check(study, faces(4))


def test_repeats_come_as_late_as_is_asked_or_as_late_as_a_short_block_allows():
    stimuli = faces(20)
    for k, share, gap in ((24, 0.25, 10), (24, 1, 20), (4, 0.5, 10), (3, 1, 10), (60, 0.1, 30)):
        study = of(trials={"per_participant": k}, repeats={"share": share, "gap": gap})
        for seed in range(40):
            trials = drawn(study, stimuli, seed).trials
            at = {trial.trial_id: trial.trial_index for trial in trials}
            gaps = [trial.trial_index - at[trial.repeat_of] - 1 for trial in trials if trial.is_repeat]
            # Shown again in the same order after all of them, each has all others between.
            assert min(gaps) >= min(gap, k - 1)


def test_repeats_are_drawn_from_the_whole_block_and_lie_anywhere_behind():
    stimuli = faces(20)
    study = of(trials={"per_participant": 40}, repeats={"share": 0.1, "gap": 10})
    originals, places = Counter(), Counter()
    for seed in range(400):
        trials = drawn(study, stimuli, seed).trials
        at = {trial.trial_id: trial.trial_index for trial in trials}
        originals.update(at[trial.repeat_of] // 11 for trial in trials if trial.is_repeat)
        places.update(trial.trial_index // 11 for trial in trials if trial.is_repeat)
    assert set(originals) >= {0, 1, 2}
    assert set(places) == {1, 2, 3, 4}


def test_a_random_study_is_planned_within_a_fraction_of_a_second():
    stimuli, study = faces(100), of(FULL, trials={"per_participant": 60, "most_emotion_run": 3})
    began = time.process_time()
    for seed in range(10):
        plan.build(study, stimuli, Places(), rng=random.Random(seed))
    # 17 ms each where this was written; the bound only catches a change of order.
    assert (time.process_time() - began) / 10 < 0.2
