"""picture-quality: closed forms on drawn pictures, OpenCV's own colour conversion, real portraits."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.records import Face
from core.vision import detect, image
from core.vision.detect import Detector
from core.vision.rater import Compute
from core.vision.raters import picture_quality as quality
from core.vision.sight import Sight

SIDE = quality.HEIGHT_PX


def boxed(x: float, y: float, width: float, height: float) -> Face:
    return Face(x, y, width, height, None, (), "none", "", "largest of 1", 1)


def grey(rows: np.ndarray) -> np.ndarray:
    """A picture of SIDE x SIDE, each row the same."""
    return np.repeat(np.tile(rows.astype(np.uint8), (SIDE, 1))[..., None], 3, axis=2)


def measured(picture: np.ndarray) -> dict[str, float]:
    return quality.measure(picture, boxed(0, 0, picture.shape[1], picture.shape[0]))


@settings(deadline=None, max_examples=30)
@given(level=st.integers(0, 255))
def test_a_constant_face_has_no_edges_no_contrast_and_the_lightness_of_its_grey(level: int) -> None:
    found = measured(grey(np.full(SIDE, level)))
    assert (found["sharpness"], found["contrast"]) == (0, 0)
    assert (found["exposure_dark"], found["exposure_bright"]) == (level <= 5, level >= 250)
    # Oracle: OpenCV's conversion; it interpolates in tables.
    lab = cv2.cvtColor(np.full((1, 1, 3), level / 255, np.float32), cv2.COLOR_RGB2LAB)
    assert found["luminance"] == pytest.approx(float(lab[0, 0, 0]), abs=0.25)


def test_lightness_of_colours_is_opencvs(rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    assert quality.luminance(picture) == pytest.approx(float(lab[..., 0].mean()), abs=0.15)


@pytest.mark.parametrize(
    ("colour", "lightness"),
    [((255, 0, 0), 53.2408), ((0, 255, 0), 87.7347), ((0, 0, 255), 32.297), ((255, 255, 255), 100)],
)
def test_lightness_of_the_primaries_is_as_published(colour: tuple[int, ...], lightness: float) -> None:
    # Oracle: L* of the sRGB primaries under D65 as colour science tables print them.
    assert quality.luminance(np.array([[colour]], np.uint8)) == pytest.approx(lightness, abs=0.01)


@pytest.mark.parametrize(("low", "high"), [(0, 255), (100, 101), (40, 200)])
def test_a_step_edge_has_the_sharpness_and_contrast_of_its_height(low: int, high: int) -> None:
    # Its Laplacian is +d beside the edge on one side, -d on the other, else 0.
    d = high - low
    found = measured(grey(np.where(np.arange(SIDE) < SIDE // 2, low, high)))
    assert found["sharpness"] == pytest.approx(2 * d**2 / (SIDE - 2))
    assert found["contrast"] == pytest.approx(d / 2 / 255)


def test_a_gradient_has_contrast_and_no_sharpness() -> None:
    found = measured(grey(np.arange(SIDE)))
    assert found["sharpness"] == 0
    assert found["contrast"] == pytest.approx(np.sqrt((SIDE**2 - 1) / 12) / 255)  # of a uniform distribution
    assert found["exposure_dark"] == pytest.approx(6 / 256)
    assert found["exposure_bright"] == pytest.approx(6 / 256)


def test_a_chessboard_of_pixels_is_as_sharp_and_rich_in_contrast_as_can_be() -> None:
    board = np.indices((SIDE, SIDE)).sum(axis=0) % 2 * 255
    found = measured(np.repeat(board[..., None], 3, axis=2).astype(np.uint8))
    assert found["sharpness"] == pytest.approx(quality.SHARPEST)
    assert found["contrast"] == pytest.approx(0.5)


def test_blur_makes_a_real_face_less_sharp_and_size_alone_changes_nothing(
    faces: dict[str, bytes], yunet: Detector
) -> None:
    pixels = image.read(faces["img3.jpg"])
    face = detect.face(pixels, yunet)
    assert face is not None
    values = [
        quality.measure(cv2.GaussianBlur(pixels, (0, 0), sigma), face)["sharpness"]
        for sigma in (1e-6, 2, 4, 8)
    ]
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0] / 3
    half = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    same = quality.measure(half, boxed(face.x / 2, face.y / 2, face.width / 2, face.height / 2))
    whole = quality.measure(pixels, face)
    for scale_id in ("luminance", "contrast", "face_height"):
        assert same[scale_id] == pytest.approx(whole[scale_id], rel=0.02), scale_id
    assert same["sharpness"] == pytest.approx(whole["sharpness"], rel=0.35)  # averaged twice is a bit softer


@settings(deadline=None)
@given(x=st.floats(-2, 2), y=st.floats(-2, 2), width=st.floats(0.001, 3), height=st.floats(0.001, 3))
def test_a_box_beyond_the_picture_is_cut_at_its_border(
    x: float, y: float, width: float, height: float
) -> None:
    picture = np.full((40, 30, 3), 90, np.uint8)
    found = quality.measure(picture, boxed(x * 30, y * 40, width * 30, height * 40))
    assert 0 < found["face_height"] <= 1
    assert found["sharpness"] == found["contrast"] == 0


def test_scores_stand_in_the_order_of_the_declaration_within_its_bounds(
    faces: dict[str, bytes], yunet: Detector
) -> None:
    rater = quality.load([], Compute())
    for content in faces.values():
        pixels = image.read(content)
        face = detect.face(pixels, yunet)
        assert face is not None
        (opinion,) = rater.rate([rater.prepare(Sight(pixels, face))])
        assert [score.scale_id for score in opinion.scores] == [gives.scale_id for gives in quality.GIVES]
        for score in opinion.scores:
            assert score.value is not None
            assert score.scale_min is not None
            assert score.scale_max is not None
            assert score.scale_min <= score.value <= score.scale_max


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(8)
