from collections import Counter

import pytest

from core import plan
from core.errors import StudyError
from core.plan.checks import instruction
from core.records import Expected, Places
from core.study_rules import EMOTION
from core.tasks import sets
from tests.core.plans import FULL, ONE_BLOCK, blocks, drawn, face, faces, hold, main, of, target

GOLD = [{"file": "id000_happy.png", "answer": "happy"}, {"file": "id001_sad.png", "answer": "sad"}]
PRACTICE = ["id002_sad.png", "id000_neutral.png", "id003_happy.png"]


def checks(trials):
    return [trial for trial in trials if trial.is_attention]


def test_practice_comes_first_in_the_order_of_the_file_and_knows_the_right_answers():
    study = of(FULL, practice={"files": PRACTICE})
    for seed in range(10):
        found = drawn(study, faces(8), seed)
        practice = [trial for trial in found.trials if trial.is_practice]
        assert practice == list(found.trials[:3])
        assert [trial.shown[0].stimulus_id + ".png" for trial in practice] == PRACTICE
        assert {(trial.block, trial.task) for trial in practice} == {(0, "expression")}
        assert [trial.expected for trial in practice] == [
            Expected(EMOTION, instructed=False, label=label) for label in ("sad", "neutral", "happy")
        ]
        assert [trial.trial_index for trial in found.trials] == list(range(1, len(found.trials) + 1))


def test_practice_without_a_question_for_the_emotion_has_no_right_answer():
    study = of(FULL, practice={"files": PRACTICE}, tasks={"design": "between"})
    need = {"expression": {one.stimulus_id: 9 for one in faces(8)}}
    found = drawn(study, faces(8), places=Places(ratings=need))
    assert found.task_order != ("expression",)
    assert {trial.task for trial in found.trials if trial.is_practice} == set(found.task_order)
    assert {trial.expected for trial in found.trials if trial.is_practice} == {None}


def test_practice_and_gold_pictures_are_not_rated_otherwise():
    stimuli = faces(8)
    study = of(FULL, practice={"files": PRACTICE}, attention={"gold": GOLD, "instructed": 2})
    kept = {name.removesuffix(".png") for name in [*PRACTICE, *(each["file"] for each in GOLD)]}
    for seed in range(30):
        found = drawn(study, stimuli, seed)
        hold(study, stimuli, found)
        assert not kept & set(main(found.trials))
        assert not kept & {target(trial) for trial in found.trials if trial.is_foil or trial.is_repeat}
        gold = [trial for trial in checks(found.trials) if not trial.expected.instructed]
        assert {(target(trial) + ".png", trial.expected.label) for trial in gold} == {
            (each["file"], each["answer"]) for each in GOLD
        }
        assert {trial.task for trial in gold} == {"expression"}
        instructed = [target(trial) for trial in checks(found.trials) if trial.expected.instructed]
        assert not set(instructed) & {each["file"].removesuffix(".png") for each in GOLD}


def test_checks_are_spread_over_the_blocks_and_within_them():
    study, places, blocks_with = of(FULL, attention={"instructed": 4}), Counter(), Counter()
    for seed in range(200):
        found = drawn(study, faces(8), seed)
        n = [len(checks(trials)) for trials in blocks(found).values()]
        assert sorted(n) == [1, 1, 2]
        blocks_with[n.index(2)] += 1
        for trials in blocks(found).values():
            halves = [at * 2 // len(trials) for at, trial in enumerate(trials) if trial.is_attention]
            assert len(halves) == 1 or sorted(halves) == [0, 1]
            places.update(at * 4 // len(trials) for at, trial in enumerate(trials) if trial.is_attention)
    assert min(blocks_with.values()) > 40
    assert min(places.values()) > 100  # of 800, in each quarter


def test_an_instructed_check_shows_a_picture_that_the_participant_does_not_rate():
    for seed in range(50):
        found = drawn(FULL, faces(8), seed)
        (check,) = checks(found.trials)
        rated = {target(trial) for trials in blocks(found).values() for trial in trials if trial is not check}
        assert target(check) not in rated


def test_an_instructed_check_asks_for_an_option_or_an_end_of_a_scale():
    import random

    wanted = Counter()
    for task in sets(FULL):
        for seed in range(200):
            found = instruction(FULL, task, face("id000", "sad"), rng=random.Random(seed))
            assert found.instructed
            wanted[found.scale_id, found.label, found.low, found.high] += 1
    labels = {label for scale, label, *_ in wanted if scale == EMOTION}
    assert labels == set(FULL.scales[EMOTION].options) - {"sad"}
    # The outer tenth of a line from 0 to 100; intensity is about an emotion that was not asked.
    ends = {(scale, low, high) for scale, _, low, high in wanted if scale != EMOTION}
    lines = ("valence", "arousal", "naturalness")
    assert ends == {(name, *end) for name in lines for end in ((0, 10), (90, 100))}


def test_an_instructed_check_never_asks_for_what_the_face_shows():
    stimuli = faces(8)
    shown = {one.stimulus_id: one.intended_emotion for one in stimuli}
    study, asked = of(FULL, attention={"instructed": 6}), Counter()
    for seed in range(60):
        for check in checks(drawn(study, stimuli, seed).trials):
            assert check.expected.label != shown[target(check)]
            asked[check.expected.label] += 1
    assert set(asked) - {None} == set(FULL.scales[EMOTION].options)


def test_of_a_scale_with_steps_only_the_last_one_passes():
    import random

    scale = {**FULL.scales["valence"].model_dump(mode="json"), "kind": "likert", "points": 7, "zero": 4}
    study = of(ONE_BLOCK, scales={"valence": scale})
    (task,) = sets(study)
    found = [instruction(study, task, face("id000"), rng=random.Random(seed)) for seed in range(300)]
    assert {(one.low, one.high) for one in found if one.scale_id == "valence"} == {(1, 1), (7, 7)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"practice": {"files": ["id000_hapy.png"]}},
            "practice.files: found 'id000_hapy.png'; needed a picture of the manifest; "
            "did you mean 'id000_happy.png'?",
        ),
        (
            {"attention": {"gold": [{"file": "nobody.jpg", "answer": "sad"}]}},
            "attention.gold: found 'nobody.jpg'; needed a picture of the manifest; add it to the manifest "
            "or remove it",
        ),
        (
            {"practice": {"files": ["id000_happy.png"]}, "attention": {"gold": GOLD}},
            "attention.gold: found 'id000_happy.png', which is in practice.files too; needed each once",
        ),
        (
            {"attention": {"gold": [GOLD[0], GOLD[0]]}},
            "attention.gold: found 'id000_happy.png', which is in attention.gold too",
        ),
        (
            {
                "attention": {"gold": [GOLD[0], {"file": "id000_sad.png", "answer": "sad"}]},
                "trials": {"most_per_identity": 1, "per_participant": 6},
            },
            "trials.most_per_identity: found 1 with 2 gold checks of identity 'id000'; needed 2 or more",
        ),
        (
            {"trials": {"per_participant": 46}, "practice": {"files": PRACTICE}},
            "trials.per_participant: found 46; needed at most the 45 rated stimuli (3 more are kept for "
            "practice and gold checks)",
        ),
    ],
)
def test_pictures_of_checks_that_cannot_be_used_are_refused(changes, message):
    with pytest.raises(StudyError) as refused:
        plan.check(of(FULL, **changes), faces(8))
    assert message in str(refused.value)


def test_all_of_it_is_told_at_once():
    study = of(FULL, practice={"files": ["a.png", "b.png"]}, attention={"gold": GOLD[:1]})
    with pytest.raises(StudyError) as refused:
        plan.check(study, faces(8, ["sad"]))
    assert len(str(refused.value).splitlines()) == 3
