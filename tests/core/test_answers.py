import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import answers, study
from core.errors import AnswerError
from core.records import Answer, Evidence, Expected, Response, Shown, Trial
from tests import variants

DEMO = study.parse(variants.one_block(), path="demo.yaml")
IN_TASKS = study.read(variants.DEMO)
TRIAL = Trial("t1", 1, 1, (Shown("target", "abc"),))
RESPONSE = {
    "scale_id": "valence",
    "status": "answered",
    "value": 40.5,
    "label": None,
    "rt_first_ms": 800.2,
    "rt_submit_ms": 2000,
    "n_changes": 2,
}
EVIDENCE = {
    "onset_ok": True,
    "decode_ms": 3.1,
    "paint_ms": 7.5,
    "shown_ms": 200.1,
    "frame_sd_ms": 0.4,
    "blur_count": 0,
    "hidden_count": 1,
    "input_device": "touch",
    "viewport": "375x667@2.625",
    "app": "0123456789abcdef",
}
ANSWER = {"trial_id": "t1", "revision": 1, "evidence": EVIDENCE, "responses": [RESPONSE]}


def body(**changes: object) -> bytes:
    return json.dumps({"answers": [{**ANSWER, **changes}]}).encode()


def with_response(**changes: object) -> bytes:
    return body(responses=[{**RESPONSE, **changes}])


def test_a_body_is_read_into_records():
    (answer,) = answers.parse(body())
    assert answer == Answer("t1", 1, (Response(**RESPONSE),), Evidence(**EVIDENCE))


def test_optional_members_have_the_defaults_of_the_records():
    raw = {"trial_id": "t1", "revision": 1, "evidence": {"onset_ok": False}}
    raw["responses"] = [{"scale_id": "emotion", "status": "answered", "label": "sad"}]
    (answer,) = answers.parse(json.dumps({"answers": [raw]}).encode())
    assert answer.evidence == Evidence(onset_ok=False)
    assert answer.responses == (Response("emotion", "answered", label="sad"),)


MALFORMED = [
    b"",
    b"\xff\xfe",
    b"null",
    b"[]",
    b"{}",
    b'{"answers": []}',
    b'{"answers": {}}',
    b'{"answers": [1]}',
    b"[" * 200_000,
    b'{"a":' * 100_000,
    body() + b"x",
    body()[:-1],
    body().replace(b'"trial_id": "t1"', b'"trial_id": "t1", "trial_id": "t2"'),
    body().replace(b'"onset_ok": true', b'"onset_ok": true, "onset_ok": true'),
    body().replace(b"40.5", b"NaN"),
    body().replace(b"40.5", b"Infinity"),
    body().replace(b"40.5", b"-Infinity"),
    body().replace(b"40.5", b"1e999"),
    body().replace(b"40.5", b"1e300"),
    body().replace(b"40.5", b"9" * 400),
    body().replace(b"40.5", b"9" * 6000),
    body().replace(b"t1", b"\\ud800"),
    body().replace(b"t1", b"\\u0000"),
    body().decode().encode("utf-16"),
    body(trial_id=""),
    body(trial_id="a b"),
    body(trial_id="x" * 65),
    body(trial_id="t1\n"),
    body(trial_id=1),
    body(revision=0),
    body(revision=1.0),
    body(revision="1"),
    body(revision=True),
    body(revision=10**30),
    body(evidence=None),
    body(evidence={}),
    body(evidence={**EVIDENCE, "onset_ok": 1}),
    body(evidence={**EVIDENCE, "blur_count": -1}),
    body(evidence={**EVIDENCE, "hidden_count": 1.5}),
    body(evidence={**EVIDENCE, "paint_ms": -0.1}),
    body(evidence={**EVIDENCE, "shown_ms": "200"}),
    body(evidence={**EVIDENCE, "frame_sd_ms": 1e12}),
    body(evidence={**EVIDENCE, "app": "=cmd()"}),
    body(evidence={**EVIDENCE, "viewport": "<script>"}),
    body(evidence={**EVIDENCE, "viewport": "３７５x667"}),
    body(evidence={**EVIDENCE, "input_device": "=cmd()"}),
    body(evidence={**EVIDENCE, "user_agent": "x"}),
    body(responses=[]),
    body(responses=[RESPONSE] * 101),
    with_response(status="skipped"),
    with_response(value="40"),
    with_response(value=True),
    with_response(rt_first_ms=-1),
    with_response(rt_submit_ms=1e12),
    with_response(n_changes=1.5),
    with_response(n_changes=-1),
    with_response(label="Sad!"),
    with_response(scale_id="Valence"),
    with_response(extra=1),
    json.dumps({"answers": [ANSWER] * (answers.MAX_ANSWERS + 1)}).encode(),
    b" " * (answers.MAX_BYTES + 1),
]


@pytest.mark.parametrize("malformed", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_body_is_refused_in_few_words(malformed):
    with pytest.raises(AnswerError) as caught:
        answers.parse(malformed)
    assert len(str(caught.value)) < 500


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


def _places(value: object, here: tuple = ()) -> list[tuple]:
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [here] + [place for key, child in children for place in _places(child, (*here, key))]


def _replaced(value: object, place: tuple, new: object) -> object:
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = _replaced(copy[place[0]], place[1:], new)
    return copy


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(_places({"answers": [ANSWER]})), JSON_VALUES)
def test_any_value_in_any_place_is_read_or_refused(place, value):
    content = json.dumps(_replaced({"answers": [ANSWER]}, place, value)).encode()
    try:
        for answer in answers.parse(content):
            answers.check(DEMO, TRIAL, answer)
    except AnswerError:
        return


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(body())), st.integers(0, 20))
def test_any_bytes_are_read_or_refused(noise, start, length):
    whole = body()
    for content in (noise, whole[:start] + noise + whole[start + length :]):
        try:
            answers.parse(content)
        except AnswerError:
            continue


def given_answer(**changes: Response) -> Answer:
    responses = {
        "emotion": Response("emotion", "answered", label="sad", rt_first_ms=1.0, rt_submit_ms=2.0),
        "intensity": Response("intensity", "answered", value=100),
        "valence": Response("valence", "answered", value=0),
        "arousal": Response("arousal", "answered", value=50.25),
        "naturalness": Response("naturalness", "answered", value=1),
    }
    return Answer("t1", 1, tuple({**responses, **changes}.values()), Evidence(True))


NEUTRAL = Response("emotion", "answered", label="neutral")
PASSED_OVER = Response("intensity", "not_applicable")


@pytest.mark.parametrize("label", ["neutral", "other"])
def test_fitting_answers_pass(label):
    answers.check(DEMO, TRIAL, given_answer())
    answers.check(DEMO, TRIAL, given_answer(emotion=replace(NEUTRAL, label=label), intensity=PASSED_OVER))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"emotion": Response("emotion", "answered", label="hapy")}, "emotion: found 'hapy'.*'happy'"),
        ({"emotion": Response("emotion", "answered", label=None)}, "emotion: found None"),
        ({"emotion": Response("emotion", "answered", value=1, label="sad")}, "emotion: found the number"),
        ({"emotion": Response("emotion", "not_applicable")}, "emotion: found the status"),
        ({"valence": Response("valence", "answered", value=100.5)}, "valence: found 100.5.*0 to 100"),
        ({"valence": Response("valence", "answered", value=-1)}, "valence: found -1"),
        ({"valence": Response("valence", "answered")}, "valence: found None"),
        ({"valence": Response("valence", "answered", value=float("nan"))}, "valence: found nan"),
        ({"valence": Response("valence", "answered", value=1, label="sad")}, "valence: found the label"),
        ({"valence": Response("valence", "not_applicable")}, "valence: found the status"),
        ({"intensity": PASSED_OVER}, "intensity: found the status"),
        ({"emotion": NEUTRAL}, "intensity: found the status 'answered'"),
        ({"emotion": NEUTRAL, "intensity": replace(PASSED_OVER, value=3)}, "intensity: found a value"),
        ({"realism": Response("realism", "answered", label="photograph")}, "realism: .*not asked"),
        ({"more": Response("valence", "answered", value=3)}, "twice"),
        ({"valence": Response("valence", "answered", value=1, rt_first_ms=2, rt_submit_ms=1)}, "after Next"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_by_its_scale(changes, words):
    with pytest.raises(AnswerError, match=words):
        answers.check(DEMO, TRIAL, given_answer(**changes))


def test_every_scale_needs_a_response():
    whole = given_answer()
    for missing in whole.responses:
        part = replace(whole, responses=tuple(each for each in whole.responses if each is not missing))
        with pytest.raises(AnswerError, match=missing.scale_id):
            answers.check(DEMO, TRIAL, part)


def test_an_answer_belongs_to_its_trial():
    with pytest.raises(AnswerError, match="t2"):
        answers.check(DEMO, TRIAL, replace(given_answer(), trial_id="t2"))


def test_a_likert_takes_whole_points_alone():
    valence = DEMO.scales["valence"].model_copy(update={"kind": "likert", "points": 7, "zero": 4.0})
    seven = DEMO.model_copy(update={"scales": {**DEMO.scales, "valence": valence}})
    answers.check(seven, TRIAL, given_answer(valence=Response("valence", "answered", value=7)))
    for value, words in ((6.5, "whole"), (0, "1 to 7"), (8, "1 to 7")):
        with pytest.raises(AnswerError, match=words):
            answers.check(seven, TRIAL, given_answer(valence=Response("valence", "answered", value=value)))


def test_a_scale_of_the_whole_face_always_applies():
    intensity = DEMO.scales["intensity"].model_copy(update={"of": "overall", "not_applicable_after": ()})
    overall = DEMO.model_copy(update={"scales": {**DEMO.scales, "intensity": intensity}})
    answers.check(overall, TRIAL, given_answer(emotion=NEUTRAL))


def trial(task: str, expected: Expected | None = None) -> Trial:
    return replace(TRIAL, task=task, expected=expected, is_attention=expected is not None)


def answered(**values: float | str) -> Answer:
    return Answer(
        "t1",
        1,
        tuple(
            Response(name, "answered", label=value)
            if isinstance(value, str)
            else Response(name, "answered", value=value)
            for name, value in values.items()
        ),
        Evidence(True),
    )


def test_a_trial_takes_the_scales_of_its_task_alone():
    answers.check(IN_TASKS, trial("expression"), answered(emotion="sad", intensity=40))
    answers.check(IN_TASKS, trial("dimensions"), answered(valence=10, arousal=90))
    answers.check(IN_TASKS, trial("identity_pairs"), answered(same_identity=7))
    with pytest.raises(AnswerError, match="arousal: found a scale that is not asked"):
        answers.check(IN_TASKS, trial("expression"), answered(emotion="sad", intensity=40, arousal=90))
    with pytest.raises(AnswerError, match="same_identity: found 8"):
        answers.check(IN_TASKS, trial("identity_pairs"), answered(same_identity=8))


def test_an_instructed_check_takes_its_scale_alone_and_any_answer_to_it():
    """Whether the participant did as told is for those who read the data: a wrong choice is data."""
    told = trial("expression", Expected("emotion", instructed=True, label="fear"))
    for label in ("fear", "happy", "neutral"):
        answers.check(IN_TASKS, told, answered(emotion=label))
    with pytest.raises(AnswerError, match="intensity: found a scale that is not asked"):
        answers.check(IN_TASKS, told, answered(emotion="fear", intensity=40))
    with pytest.raises(AnswerError, match="emotion: found no response"):
        answers.check(IN_TASKS, told, replace(answered(), responses=()))


def test_an_instructed_intensity_applies_without_an_emotion():
    told = trial("expression", Expected("intensity", instructed=True, low=90, high=100))
    answers.check(IN_TASKS, told, answered(intensity=95))
    with pytest.raises(AnswerError, match="status 'not_applicable'"):
        answers.check(IN_TASKS, told, replace(answered(), responses=(PASSED_OVER,)))


def test_a_gold_check_takes_the_scales_of_its_task_like_any_trial():
    gold = trial("expression", Expected("emotion", instructed=False, label="happy"))
    answers.check(IN_TASKS, gold, answered(emotion="sad", intensity=40))
    with pytest.raises(AnswerError, match="intensity: found no response"):
        answers.check(IN_TASKS, gold, answered(emotion="happy"))


def test_cannot_tell_is_taken_where_the_scale_offers_it():
    unsure = Response("valence", "cannot_tell")
    with pytest.raises(AnswerError, match="valence: found the status 'cannot_tell'; needed answered"):
        answers.check(DEMO, TRIAL, given_answer(valence=unsure))
    valence = DEMO.scales["valence"].model_copy(update={"cannot_tell": True})
    offered = DEMO.model_copy(update={"scales": {**DEMO.scales, "valence": valence}})
    answers.check(offered, TRIAL, given_answer(valence=unsure))
    answers.check(offered, TRIAL, given_answer())
    for extra in ({"value": 3.0}, {"label": "sad"}):
        with pytest.raises(AnswerError, match="valence: found a value"):
            answers.check(offered, TRIAL, given_answer(valence=replace(unsure, **extra)))


def test_nothing_more_is_asked_of_an_emotion_that_nobody_could_tell():
    emotion = DEMO.scales["emotion"].model_copy(update={"cannot_tell": True})
    offered = DEMO.model_copy(update={"scales": {**DEMO.scales, "emotion": emotion}})
    unsure = Response("emotion", "cannot_tell")
    answers.check(offered, TRIAL, given_answer(emotion=unsure, intensity=PASSED_OVER))
    with pytest.raises(AnswerError, match="intensity: found the status 'answered'; needed not_applicable"):
        answers.check(offered, TRIAL, given_answer(emotion=unsure))
