"""labels: a rater's emotions onto a study's."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core import codes
from core.errors import ModelError
from core.vision.labels import Mapped, onto
from core.vision.raters import emonet, hsemotion, mini_xception

STUDY = ("angry", "disgust", "happy", "neutral", "sad", "surprise")
RATERS = {
    "emonet-8": emonet.LABELS["emonet-8"],
    "emonet-5": emonet.LABELS["emonet-5"],
    "hsemotion": hsemotion.LABELS,
    "mini-xception": mini_xception.LABELS,
}


@st.composite
def answers(draw: st.DrawFn) -> dict[str, float]:
    """A rater's probabilities over some of the codes, in any order."""
    own = draw(st.lists(st.sampled_from(codes.EMOTIONS), min_size=1, unique=True))
    parts = draw(st.lists(st.floats(0, 1), min_size=len(own), max_size=len(own)))
    total = math.fsum(parts)
    assume(total > 1e-3)
    return {code: part / total for code, part in zip(own, parts, strict=True)}


studies = st.lists(st.sampled_from(codes.EMOTIONS), min_size=1, unique=True)


def inside(answer: dict[str, float], study: list[str]) -> float:
    return math.fsum(value for code, value in answer.items() if code in study)


@given(answer=answers(), study=studies)
def test_probabilities_over_the_study_sum_to_1_and_keep_their_ratios(
    answer: dict[str, float], study: list[str]
) -> None:
    mass = inside(answer, study)
    assume(mass > 0)
    mapped = onto(answer, study)
    assert list(mapped.probabilities) == study
    assert math.fsum(mapped.probabilities.values()) == pytest.approx(1, abs=1e-12)
    for code in study:
        assert mapped.probabilities[code] * mass == pytest.approx(answer.get(code, 0), abs=1e-12)


@given(answer=answers(), study=studies)
def test_nothing_is_lost_what_the_study_lacks_stays_under_its_own_code(
    answer: dict[str, float], study: list[str]
) -> None:
    mass = inside(answer, study)
    assume(mass > 0)
    mapped = onto(answer, study)
    assert mapped.unmapped == {code: value for code, value in answer.items() if code not in study}
    assert mapped.unmapped_mass + mass == pytest.approx(1, abs=1e-9)
    assert set(mapped.unknown) == set(study) - set(answer)
    assert all(mapped.probabilities[code] == 0 for code in mapped.unknown)


@given(answer=answers(), study=studies)
def test_an_answer_that_lies_wholly_outside_the_study_is_refused(
    answer: dict[str, float], study: list[str]
) -> None:
    assume(inside(answer, study) == 0)
    with pytest.raises(ModelError, match="nothing of the rater's answer"):
        onto(answer, study)


@given(answer=answers(), study=studies, data=st.data())
def test_the_order_of_the_raters_emotions_is_irrelevant(
    answer: dict[str, float], study: list[str], data: st.DataObject
) -> None:
    assume(inside(answer, study) > 0)
    shuffled = dict(data.draw(st.permutations(list(answer.items()))))
    assert onto(shuffled, study).probabilities == pytest.approx(onto(answer, study).probabilities, abs=1e-12)


@given(answer=answers())
def test_onto_its_own_emotions_an_answer_stays_what_it_is(answer: dict[str, float]) -> None:
    mapped = onto(answer, list(answer))
    assert mapped.probabilities == pytest.approx(answer, abs=1e-12)
    assert mapped.unmapped == {}
    assert mapped.unknown == ()
    assert answer[mapped.label] == max(answer.values())


@pytest.mark.parametrize("rater", RATERS)
def test_the_sets_of_the_raters_leave_out_what_the_study_does_not_ask(rater: str) -> None:
    even = dict.fromkeys(RATERS[rater], 1 / len(RATERS[rater]))
    mapped = onto(even, STUDY)
    left = {"emonet-8": {"fear", "contempt"}, "hsemotion": {"fear", "contempt"}, "emonet-5": {"other"}}
    assert set(mapped.unmapped) == left.get(rater, {"fear"})
    assert mapped.unknown == (("angry", "disgust") if rater == "emonet-5" else ())


def test_a_worked_example() -> None:
    mapped = onto({"happy": 0.3, "fear": 0.4, "sad": 0.1, "contempt": 0.2}, ["sad", "happy", "angry"])
    # .3 and .1 of .4 that the study asks for
    assert mapped == Mapped(
        pytest.approx({"sad": 0.25, "happy": 0.75, "angry": 0}), {"fear": 0.4, "contempt": 0.2}, ("angry",)
    )
    assert mapped.label == "happy"
    assert mapped.unmapped_mass == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("answer", "study", "words"),
    [
        ({"happy": 0.5}, ["happy"], r"sum to 0\.5; probabilities sum to 1"),
        ({"happy": 1.5, "sad": -0.5}, ["happy"], "are no probabilities"),
        ({"happy": math.nan}, ["happy"], "are no probabilities"),
        ({}, ["happy"], "sum to 0"),
        ({"happy": 1.0}, [], "each once, at least one"),
        ({"happy": 1.0}, ["happy", "happy"], "each once"),
        ({"fear": 1.0, "happy": 0.0}, ["happy"], r"answer \(fear\) is among the study's emotions \(happy\)"),
    ],
)
def test_what_cannot_be_mapped_is_refused_in_words(
    answer: dict[str, float], study: list[str], words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        onto(answer, study)
