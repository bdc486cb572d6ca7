"""emfacs: the rule on proxies made up for it, and on real portraits."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import codes
from core.faces import emotions
from core.vision import detect, image
from core.vision.action_units import BY_NUMBER
from core.vision.detect import Detector
from core.vision.mesh import MediaPipe
from core.vision.rater import Compute
from core.vision.raters import action_units, emfacs
from core.vision.raters.emfacs import PROTOTYPES
from core.vision.sight import Sight

LEVELS = st.floats(0, 1)


def proxies(**units: float) -> dict[int, float]:
    """A face at rest but for these units."""
    return {number: 0.0 for number in BY_NUMBER} | {int(name[2:]): value for name, value in units.items()}


def answer(found: Mapping[int, float], lopsided: Mapping[int, float] | None = None) -> str:
    strengths = {code: emfacs.strength(parts, found, lopsided) for code, parts in PROTOTYPES.items()}
    shares = emfacs.probabilities(strengths)
    return max(shares, key=lambda code: shares[code])


@pytest.mark.parametrize("emotion", sorted(PROTOTYPES.keys() - {"contempt"}))
def test_a_whole_prototype_is_recognised(emotion: str) -> None:
    first = {part.units[0]: 1.0 for part in PROTOTYPES[emotion]}
    assert answer(proxies() | first) == emotion
    assert emfacs.strength(PROTOTYPES[emotion], proxies() | first) == 1


@pytest.mark.parametrize("emotion", ["angry", "disgust", "fear", "happy", "sad", "surprise"])
def test_prototypes_share_most_units_with_those_of_the_renderer(emotion: str) -> None:
    # Written from the same table at another time, with AU9 and AU23, which the landmarker lacks.
    ours = {unit for part in PROTOTYPES[emotion] for unit in part.units}
    theirs = set(emotions.PROTOTYPES[emotion]) - {9, 23}
    assert len(ours & theirs) >= 0.6 * len(theirs)


def test_one_raised_lip_corner_is_contempt_and_two_are_not() -> None:
    one, both = proxies(au12=0.3), proxies(au12=0.8)
    assert answer(one, {12: 0.6, 14: 0.0}) == "contempt"
    assert answer(both, {12: 0.1, 14: 0.0}) == "happy"


def test_a_face_at_rest_is_neutral_though_it_squints() -> None:
    resting = proxies(au6=0.35, au7=0.35, au12=0.1, au2=0.1)
    assert answer(resting) == "neutral"
    assert emfacs.because("neutral", resting) == "no prototype of units is clear"


def test_raised_brows_alone_are_no_fear() -> None:
    assert answer(proxies(au1=0.9, au2=0.9)) in {"surprise", "neutral"}


@given(st.dictionaries(st.sampled_from(sorted(PROTOTYPES)), LEVELS, min_size=1))
def test_probabilities_sum_to_1(strengths: dict[str, float]) -> None:
    shares = emfacs.probabilities(strengths)
    assert sum(shares.values()) == pytest.approx(1, abs=1e-12)
    assert all(0 <= share <= 1 for share in shares.values())
    assert set(shares) == {*strengths, "neutral"}


@given(level=st.floats(0, 0.9), more=st.floats(0.01, 0.1), emotion=st.sampled_from(sorted(PROTOTYPES)))
def test_more_of_a_prototype_never_lowers_its_strength(level: float, more: float, emotion: str) -> None:
    parts = PROTOTYPES[emotion]
    weak, strong = (proxies() | {p.units[0]: value for p in parts} for value in (level, level + more))
    assert emfacs.strength(parts, strong) >= emfacs.strength(parts, weak)


@pytest.mark.parametrize(
    ("au12", "au6", "kind"),
    [
        (0.8, 0.5, "duchenne"),
        (0.3, 0.45, "duchenne"),
        (0.8, 0.44, "social"),
        (0.29, 0.9, "none"),
        (0.0, 0.0, "none"),
    ],
)
def test_smiles_are_told_by_the_documented_thresholds(au12: float, au6: float, kind: str) -> None:
    assert emfacs.smile(proxies(au12=au12, au6=au6)) == kind


def test_the_reason_names_the_units_that_spoke_strongest_first() -> None:
    found = proxies(au12=0.9, au6=0.5)
    assert emfacs.because("happy", found) == "for happy: AU12 0.90, AU6 0.50"
    assert emfacs.because("happy", proxies(au12=0.9)) == "for happy: AU12 0.90"
    assert emfacs.because("disgust", proxies(au10=0.5, au16=0.8)) == "for disgust: AU16 0.80, AU10 0.50"


def test_labels_are_the_projects_codes() -> None:
    emotion, smile = emfacs.DECLARATION.gives
    assert set(emotion.labels) == set(codes.EMOTIONS) - {"other"} == {*PROTOTYPES, "neutral"}
    assert smile.labels == emfacs.SMILES


@pytest.fixture(scope="module")
def rater(folders: list[Path]) -> emfacs.Rater:
    return emfacs.load(folders, Compute())


@pytest.mark.parametrize(
    ("name", "smile"),
    [("img3.jpg", "duchenne"), ("img6.jpg", "duchenne"), ("img8.jpg", "duchenne"), ("img9.jpg", "duchenne")],
)
def test_smiling_portraits_are_happy_for_a_reason(
    name: str,
    smile: str,
    rater: emfacs.Rater,
    faces: dict[str, bytes],
    landmarker: MediaPipe,
    yunet: Detector,
) -> None:
    pixels = image.read(faces[name])
    face = detect.face(pixels, yunet)
    assert face is not None
    (opinion,) = rater.rate([rater.prepare(Sight(pixels, face, landmarker))])
    assert [score.label for score in opinion.scores] == ["happy", smile]
    assert sum(opinion.probabilities.values()) == pytest.approx(1, abs=1e-12)
    assert opinion.reason.startswith("for happy: AU")
    assert "AU12" in opinion.reason
    blind = rater.prepare(Sight(np.full_like(pixels, 128), face, landmarker))
    assert blind.abstains
    assert blind.reason == action_units.NO_MESH
