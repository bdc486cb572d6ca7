import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import scales
from core.errors import StudyError
from core.study import Anchors, Scale

ENDS = Anchors(low={"en": "low"}, high={"en": "high"})


def scale(kind: str, polarity: str, zero: float, points: int | None = None) -> Scale:
    return Scale(
        kind=kind,
        question={"en": "?"},
        source="ours",
        status="draft",
        polarity=polarity,
        zero=zero,
        points=points,
        anchors=ENDS,
    )


CHOICE = Scale(
    kind="choice",
    question={"en": "?"},
    source="ours",
    status="draft",
    options={"sad": {"en": "Sad"}, "happy": {"en": "Happy"}},
)


@pytest.mark.parametrize(
    ("each", "raw", "canonical"),
    [
        # By hand, from the definition: zero at 0, both ends full.
        (scale("vas", "bipolar", 50), (0, 25, 50, 75, 100), (-1, -0.5, 0, 0.5, 1)),
        (scale("vas", "unipolar", 0), (0, 50, 100), (0, 0.5, 1)),
        (scale("vas", "unipolar", 100), (0, 50, 100), (1, 0.5, 0)),
        (scale("vas", "bipolar", 20), (0, 10, 20, 60, 100), (-1, -0.5, 0, 0.5, 1)),
        (scale("likert", "bipolar", 4, 7), (1, 2, 4, 5, 7), (-1, -2 / 3, 0, 1 / 3, 1)),
        (scale("likert", "unipolar", 1, 5), (1, 2, 3, 5), (0, 0.25, 0.5, 1)),
    ],
)
def test_raw_points_become_canonical_units(each, raw, canonical):
    assert [scales.canonical(value, each) for value in raw] == pytest.approx(canonical)


@given(st.sampled_from(["unipolar", "bipolar"]), st.integers(1, 99), st.floats(0, 100), st.floats(0, 100))
def test_canonical_values_stay_in_bounds_and_in_order(polarity, zero, first, second):
    each = scale("vas", polarity, zero if polarity == "bipolar" else 0)
    low, high = scales.canonical_bounds(each)
    one, two = scales.canonical(min(first, second), each), scales.canonical(max(first, second), each)
    assert low <= one <= two <= high


def test_bounds_are_those_of_the_kind():
    assert scales.bounds(scale("vas", "unipolar", 0)) == (0, 100)
    assert scales.bounds(scale("likert", "unipolar", 1, 9)) == (1, 9)
    assert scales.canonical_bounds(scale("vas", "bipolar", 50)) == (-1, 1)
    assert scales.canonical_bounds(scale("vas", "unipolar", 0)) == (0, 1)


@pytest.mark.parametrize("value", [-0.001, 100.001, float("nan"), float("inf")])
def test_a_value_outside_the_scale_is_an_error(value):
    with pytest.raises(StudyError, match="from 0 to 100"):
        scales.canonical(value, scale("vas", "unipolar", 0))


def test_a_choice_has_no_units():
    for function in (scales.bounds, scales.canonical_bounds):
        with pytest.raises(StudyError, match="choice"):
            function(CHOICE)
    with pytest.raises(StudyError, match="choice"):
        scales.canonical(1, CHOICE)
