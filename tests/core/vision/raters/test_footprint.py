"""edit-footprint: drawn expressions, repainted mouths, recoded, brightened and remade pictures."""

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from core.faces import demo, emotions, render
from core.vision import detect, image, weights
from core.vision.detect import Detector
from core.vision.mesh import Landmarker
from core.vision.rater import Comparer, Compute, Opinion
from core.vision.raters import footprint
from core.vision.sight import Sight

LABEL = "footprint"
Values = dict[str, float]


@pytest.fixture(scope="module")
def comparer() -> Comparer:
    found = footprint.ENTRIES[0].load([], Compute())
    assert isinstance(found, footprint.Comparer)
    return found


@pytest.fixture(scope="module")
def sitter() -> render.Sitter:
    return render.Sitter(demo.cast(1)[0])


@pytest.fixture(scope="module")
def neutral(sitter: render.Sitter, yunet: Detector, landmarker: Landmarker) -> Sight:
    return sight(sitter.portrait({}), yunet, landmarker)


@pytest.fixture(scope="module")
def portrait(faces: dict[str, bytes], yunet: Detector, landmarker: Landmarker) -> Sight:
    return sight(image.read(faces["img6.jpg"]), yunet, landmarker)


def sight(pixels: np.ndarray, detector: Detector, landmarker: Landmarker | None = None) -> Sight:
    face = detect.face(pixels, detector)
    assert face is not None
    return Sight(pixels, face, landmarker)


def same_face(portrait: Sight, pixels: np.ndarray) -> Sight:
    """Another picture with the portrait's face at its place: the detector would move by a hair."""
    return Sight(pixels, portrait.face, portrait.landmarker)


def values(opinion: Opinion) -> Values:
    assert not opinion.abstains, opinion.reason
    return {score.scale_id: score.value for score in opinion.scores if score.value is not None}


def label(opinion: Opinion) -> str | None:
    return opinion.scores[0].label


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


def other_mouth(portrait: Sight) -> np.ndarray:
    """The mouth stretched smoothly, nothing else touched."""
    pixels, face = portrait.image, portrait.face
    (x0, y0), (x1, y1) = face.points[3:]
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]].astype(np.float64)
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    near = np.exp(-(((x - cx) / (0.25 * face.width)) ** 2 + ((y - cy) / (0.18 * face.height)) ** 2))
    across, down = x - 0.35 * near * (x - cx), y + 0.03 * near * face.height
    return cv2.remap(pixels, across.astype(np.float32), down.astype(np.float32), cv2.INTER_LINEAR)


@pytest.mark.parametrize("emotion", ["angry", "sad", "happy", "disgust", "surprise", "fear"])
def test_a_drawn_expression_is_in_painted(
    emotion: str, comparer: Comparer, sitter: render.Sitter, neutral: Sight, yunet: Detector
) -> None:
    drawn = sight(sitter.portrait(emotions.PROTOTYPES[emotion]), yunet, neutral.landmarker)
    opinion = comparer.compare(drawn, neutral)
    found = values(opinion)
    assert (label(opinion), opinion.reason) == ("in_painted", "")
    assert found["changed_inside"] > 0.05
    assert found["changed_outside"] < 0.02  # the neck below a dropped jaw
    assert found["registered_shift"] == 0


def test_a_stronger_expression_leaves_a_larger_footprint(
    comparer: Comparer, sitter: render.Sitter, neutral: Sight
) -> None:
    found = []
    for share in (0.25, 0.5, 1.0):
        units = {unit: share * strength for unit, strength in emotions.PROTOTYPES["happy"].items()}
        found.append(values(comparer.compare(same_face(neutral, sitter.portrait(units)), neutral)))
    for scale_id, sign in (("changed_inside", 1), ("difference_inside", 1), ("ssim_inside", -1)):
        ordered = [sign * one[scale_id] for one in found]
        assert ordered == sorted(ordered)
        assert len(set(ordered)) == 3


def test_the_same_picture_again_changed_nothing_at_all(comparer: Comparer, portrait: Sight) -> None:
    opinion = comparer.compare(portrait, portrait)
    found = values(opinion)
    assert label(opinion) == "nothing"
    changes = [found.pop(gives.scale_id) for gives in footprint.GIVES[1:] if gives.zero == 0]
    assert changes == [0] * len(changes)
    assert found == pytest.approx({"ssim_inside": 1, "ssim_outside": 1, "registered_scale": 1})


@pytest.mark.parametrize("quality", [90, 50])
def test_coding_a_picture_again_changed_nothing(comparer: Comparer, portrait: Sight, quality: int) -> None:
    opinion = comparer.compare(same_face(portrait, jpeg(portrait.image, quality)), portrait)
    found = values(opinion)
    assert label(opinion) == "nothing"
    assert 0 < found["difference_outside"] < 3
    assert 0.95 < found["ssim_outside"] < 1


def test_another_mouth_in_a_real_portrait_is_in_painted_wherever_the_picture_was_moved(
    comparer: Comparer, portrait: Sight, yunet: Detector
) -> None:
    painted = other_mouth(portrait)
    height, width = painted.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 2, 1.04)
    moved = cv2.warpAffine(painted, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    half = cv2.resize(painted, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    there = values(comparer.compare(same_face(portrait, painted), portrait))
    assert there["changed_outside"] == 0
    for picture in (moved, half):
        opinion = comparer.compare(sight(picture, yunet, portrait.landmarker), portrait)
        found = values(opinion)
        assert label(opinion) == "in_painted"
        assert found["changed_inside"] == pytest.approx(there["changed_inside"], abs=0.02)
        assert found["changed_outside"] < 0.01
    turned = values(comparer.compare(sight(moved, yunet, portrait.landmarker), portrait))
    assert turned["registered_rotation"] == pytest.approx(-2, abs=0.05)
    assert turned["registered_scale"] == pytest.approx(1.04, abs=0.003)


def test_a_brighter_picture_is_a_whole_picture_and_its_luminance_says_how_much(
    comparer: Comparer, portrait: Sight
) -> None:
    brighter = np.clip(portrait.image.astype(float) * 1.15, 0, 255).astype(np.uint8)
    opinion = comparer.compare(same_face(portrait, brighter), portrait)
    found = values(opinion)
    assert label(opinion) == "whole_picture"
    assert found["luminance_change"] > 4
    assert found["contrast_change"] > 0
    assert found["ssim_inside"] > 0.97  # the structure is the same


def test_blur_shows_as_a_loss_of_sharpness(comparer: Comparer, portrait: Sight) -> None:
    blurred = cv2.GaussianBlur(portrait.image, (0, 0), 3)
    found = values(comparer.compare(same_face(portrait, blurred), portrait))
    assert found["sharpness_change"] < -0.5
    back = values(comparer.compare(portrait, same_face(portrait, blurred)))
    assert back["sharpness_change"] == pytest.approx(-found["sharpness_change"])


def test_another_face_in_the_same_picture_is_too_much(comparer: Comparer, portrait: Sight) -> None:
    pixels, face = portrait.image.copy(), portrait.face
    rows, columns = (
        slice(int(start), int(start + side)) for start, side in ((face.y, face.height), (face.x, face.width))
    )
    pixels[rows, columns] = pixels[rows, columns][::-1]  # upside down
    opinion = comparer.compare(same_face(portrait, pixels), portrait)
    assert label(opinion) == "too_much"


def test_strangers_are_not_compared_and_the_reason_is_given(
    comparer: Comparer, faces: dict[str, bytes], portrait: Sight, yunet: Detector
) -> None:
    opinion = comparer.compare(sight(image.read(faces["img11.jpg"]), yunet), portrait)
    assert opinion.abstains
    assert opinion.pictures == {}
    assert "cannot be laid over its reference" in opinion.reason


def test_without_landmarks_it_takes_an_ellipse_and_says_so(comparer: Comparer, portrait: Sight) -> None:
    bare = Sight(portrait.image, portrait.face)
    painted = Sight(other_mouth(portrait), portrait.face)
    opinion = comparer.compare(painted, bare)
    assert label(opinion) == "in_painted"
    assert "an ellipse in its box" in opinion.reason


def test_a_face_that_fills_the_picture_and_a_tiny_one_are_not_compared(
    comparer: Comparer, portrait: Sight
) -> None:
    height, width = portrait.image.shape[:2]
    whole = Sight(
        portrait.image, replace(portrait.face, x=-width, y=-height, width=3 * width, height=3 * height)
    )
    assert "the face fills the picture" in comparer.compare(whole, whole).reason
    tiny = Sight(portrait.image, replace(portrait.face, width=width / 20, height=height / 20))
    assert "too small to compare" in comparer.compare(tiny, tiny).reason
    assert comparer.compare(whole, whole).abstains
    assert comparer.compare(tiny, tiny).abstains


def test_the_map_is_a_small_webp_with_colour_where_the_mouth_changed(
    comparer: Comparer, portrait: Sight
) -> None:
    opinion = comparer.compare(same_face(portrait, other_mouth(portrait)), portrait)
    content = opinion.pictures["difference"]
    assert len(content) <= 60_000
    drawn = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), float)
    spread = drawn.max(axis=2) - drawn.min(axis=2)
    factor = drawn.shape[0] / portrait.image.shape[0]
    x, y = (np.mean([point[axis] for point in portrait.face.points[3:]]) * factor for axis in (0, 1))
    mouth = spread[int(y) - 12 : int(y) + 12, int(x) - 20 : int(x) + 20].mean()
    assert mouth > 60
    assert np.median(spread) < 10


@pytest.mark.parametrize(
    ("inside", "outside", "alike", "expected"),
    [
        (0.0, 0.0, 1.0, "nothing"),
        (0.0, 0.5, 1.0, "whole_picture"),
        (0.2, 0.0, 0.8, "in_painted"),
        (0.2, 0.2, 0.8, "whole_picture"),
        (0.9, 0.0, 0.3, "too_much"),
        (0.9, 0.9, 0.3, "too_much"),
    ],
)
def test_the_label_follows_the_thresholds(inside: float, outside: float, alike: float, expected: str) -> None:
    assert footprint.verdict(inside, outside, alike) == expected


def test_every_score_is_declared_and_lies_within_its_bounds(
    comparer: Comparer, portrait: Sight, yunet: Detector
) -> None:
    opinion = comparer.compare(same_face(portrait, other_mouth(portrait)), portrait)
    declared = {gives.scale_id: gives for gives in footprint.DECLARATION.gives}
    assert [score.scale_id for score in opinion.scores] == list(declared)
    assert opinion.scores[0].label in declared[LABEL].labels
    for score in opinion.scores[1:]:
        gives = declared[score.scale_id]
        assert gives.low is not None
        assert gives.high is not None
        assert score.value is not None
        assert gives.low <= score.value <= gives.high
        assert (score.scale_min, score.scale_max) == (gives.low, gives.high)


def test_its_landmarks_come_from_a_file_of_the_catalogue() -> None:
    assert weights.entry(footprint.DECLARATION.helpful[0]).file == "face_landmarker.task"
