import itertools
import random
from collections import Counter

from core import plan
from core.design_rules import PAIRS
from core.plan import pairs
from core.records import Places
from tests.core.plans import FULL as DEMO
from tests.core.plans import drawn, face, faces, of

FULL = of(DEMO, identity_pairs={"match": ["gender", "age_group", "ethnicity"]})
EMOTIONS = ("neutral", "angry", "sad", "happy")
MATCHED = [{"gender": "f", "age_group": "young"}, {"gender": "m", "age_group": "young"}]


def people(n, emotions=EMOTIONS):
    """Identities by turns women and men, each with a neutral and its edits."""
    return [
        face(
            f"id{i:03}",
            emotion,
            extra=MATCHED[i % 2],
            reference_file=None if emotion == "neutral" else f"id{i:03}_neutral.png",
        )
        for i in range(n)
        for emotion in emotions
    ]


def shown(found, stimuli):
    """Each pair as (neutral, edit, is_foil, neutral is left)."""
    by_id = {one.stimulus_id: one for one in stimuli}
    trials = [trial for trial in found.trials if trial.task == PAIRS]
    for trial in trials:
        roles = {each.role: by_id[each.stimulus_id] for each in trial.shown}
        yield roles["reference"], roles["target"], trial.is_foil, trial.shown[0].role == "reference"


def test_half_are_foils_of_another_person_who_is_like_them():
    stimuli = people(8)
    for seed in range(50):
        found = list(shown(drawn(FULL, stimuli, seed), stimuli))
        assert len(found) == 12
        assert Counter(is_foil for _, _, is_foil, _ in found) == {True: 6, False: 6}
        for neutral, edit, is_foil, _ in found:
            assert neutral.intended_emotion == "neutral"
            assert edit.intended_emotion != "neutral"
            assert (neutral.identity_id != edit.identity_id) == is_foil
            assert neutral.extra == edit.extra
        of_kind = [Counter(e.intended_emotion for _, e, foil, _ in found if foil == kind) for kind in (0, 1)]
        assert of_kind[0] == of_kind[1] == {"angry": 2, "sad": 2, "happy": 2}


def test_sides_are_balanced_for_pairs_and_for_foils_and_random():
    stimuli, first = people(8), Counter()
    for seed in range(200):
        found = list(shown(drawn(FULL, stimuli, seed), stimuli))
        for kind in (True, False):
            assert sum(left for *_, is_foil, left in found if is_foil == kind) == 3
        first[found[0][3]] += 1
    assert min(first.values()) > 60


def test_nobody_is_in_two_pairs_in_a_row_where_that_can_be_avoided():
    stimuli = people(8)
    for seed in range(50):
        found = [{n.identity_id, e.identity_id} for n, e, *_ in shown(drawn(FULL, stimuli, seed), stimuli)]
        assert not any(a & b for a, b in itertools.pairwise(found))


def test_the_edits_with_the_fewest_ratings_come_first_and_foils_do_not_count():
    stimuli, counts = people(8), Counter()
    for seed in range(40):
        found = drawn(FULL, stimuli, seed, Places(ratings={PAIRS: counts}))
        counts.update(edit.stimulus_id for _, edit, is_foil, _ in shown(found, stimuli) if not is_foil)
        assert len(counts) == min(24, 6 * (seed + 1))
        assert max(counts.values()) - min(counts.values() if len(counts) == 24 else [0]) <= 1
    assert set(counts.values()) == {10}


def test_an_edit_without_a_named_source_takes_the_neutral_of_its_identity():
    stimuli = faces(4, EMOTIONS)
    assert pairs.count(FULL, stimuli) == (6, 6)
    for neutral, edit, is_foil, _ in shown(drawn(of(FULL, trials={"per_participant": 12}), stimuli), stimuli):
        assert neutral.intended_emotion == "neutral"
        assert is_foil or neutral.identity_id == edit.identity_id


def test_a_source_that_is_not_rated_is_shown_beside_its_edit():
    stimuli = [face(f"id{i}", "sad", reference_file=f"id{i}_src.png") for i in range(6)]
    stimuli += [face(f"id{i}", None, rated=False) for i in range(6)]
    stimuli = [one if one.rated else face_of_source(one) for one in stimuli]
    found = list(shown(drawn(of(FULL, trials={"per_participant": 6}), stimuli), stimuli))
    assert len(found) == 12
    assert all(not neutral.rated and edit.rated for neutral, edit, *_ in found)


def face_of_source(one):
    import dataclasses

    return dataclasses.replace(one, stim_file=f"{one.identity_id}_src.png")


def test_there_are_as_many_pairs_as_the_pictures_allow():
    wanted = {"per_participant": 2}
    for n, emotions, expected in ((2, ["neutral", "sad"], 4), (3, ["neutral", "sad"], 6), (8, EMOTIONS, 12)):
        stimuli = faces(n, emotions)
        found = list(shown(drawn(of(FULL, trials=wanted), stimuli), stimuli))
        assert len(found) == sum(pairs.count(FULL, stimuli)) == expected
    # Without a foil every pair would be of one person, without a neutral there is none.
    for stimuli in (faces(1, ["neutral", "sad"]), faces(6, ["sad", "happy"])):
        assert pairs.count(FULL, stimuli) == (0, 0)
        assert not list(
            shown(
                drawn(of(FULL, trials={"per_participant": 1}, attention={"instructed": 0}), stimuli), stimuli
            )
        )


def test_an_odd_number_has_one_foil_less_and_none_are_made_when_they_are_off():
    stimuli = people(8)
    found = list(shown(drawn(of(FULL, identity_pairs={"per_participant": 5}), stimuli), stimuli))
    assert [is_foil for _, _, is_foil, _ in found].count(True) == 2
    assert len(found) == 5
    off = of(FULL, identity_pairs={"per_participant": 0})
    assert PAIRS not in {trial.task for trial in drawn(off, stimuli).trials}
    assert plan.warnings(off, stimuli) == ()


def test_without_an_equal_the_one_with_the_most_equal_columns_is_taken_and_the_check_warns():
    ages = ("young", "young", "old")
    extra = [{"gender": g, "age_group": a} for g, a in zip("fmm", ages, strict=True)]
    stimuli = [face(f"id{i}", e, extra=extra[i]) for i in range(3) for e in ("neutral", "sad")]
    rng = random.Random(1)
    found = [pair for _ in range(30) for pair in pairs.draw(FULL, stimuli, Places(), rng=rng) if pair.is_foil]
    # The second equals the first in age and the third in gender; these two equal each other in nothing.
    assert {frozenset(pair.identities) for pair in found} == {
        frozenset(("id0", "id1")),
        frozenset(("id1", "id2")),
    }
    said = plan.warnings(FULL, stimuli)
    assert said == (
        "identity_pairs: 6 of 12 pairs for each participant: 3 edits have a neutral and 3 of these a foil "
        "of the same emotion",
        "identity_pairs: no other identity equals 'id0' in gender, age_group for a foil that shows 'sad' "
        "(3 of 3 edits); the one with the most equal columns is taken",
    )


def test_columns_that_the_manifest_does_not_have_are_not_missed():
    assert plan.warnings(FULL, people(8)) == ()
    assert plan.warnings(FULL, faces(8)) == ()
