"""deepface_crop: our crop from one detection is the one that DeepFace makes from its own."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.records import Face
from core.vision import deep, deepface_crop, detect, image
from core.vision.detect import Detector
from tests.core.vision.deepface_oracle import Oracle, oracle

NAMES = ("img3.jpg", "img5.jpg", "img8.jpg", "img12.jpg", "couple.jpg", "emonet_example.png")


@pytest.fixture(scope="module")
def deepface() -> Iterator[Oracle]:
    with oracle() as opened:
        yield opened


def turned(face: Face, degrees: float) -> Face:
    """The same box with its eyes on a line that leans."""
    centre = np.array([face.x + face.width / 2, face.y + face.height / 2])
    half = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]) * face.width / 4
    eyes = [tuple(centre - half), tuple(centre + half)]
    return replace(face, points=(*eyes, *face.points[2:]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("degrees", [None, 0, 17, -40, 100])
def test_the_crop_is_that_of_deepface_with_align(
    faces: dict[str, bytes], yunet: Detector, deepface: Oracle, name: str, degrees: float | None
) -> None:
    # Oracle: DeepFace's extract_faces on the whole picture, its detector finding the same face.
    picture = image.read(faces[name])
    face = detect.face(picture, yunet)
    assert face is not None
    if degrees is not None:
        face = turned(face, degrees)
    expected = deepface.face(picture, face).astype(int)
    found = deepface_crop.upright(picture, face).astype(int)
    assert found.shape == expected.shape
    # OpenCV takes source places to 1/32 pixel, and the shift decides which way one is rounded.
    assert np.abs(found - expected).mean() < 0.05
    assert (np.abs(found - expected) > 16).mean() < 1e-4


@pytest.mark.parametrize("corner", [(-40, 30), (30, -35), (150, 20), (20, 160)])
def test_beyond_the_picture_all_is_black_as_in_deepface(deepface: Oracle, corner: tuple[int, int]) -> None:
    picture = np.random.default_rng(1).integers(1, 256, (200, 200, 3), dtype=np.uint8)
    box = Face(*corner, 81, 90, None, (), "none", "0", "largest of 1", 1)
    for face in (turned(box, 0), turned(box, 25)):
        expected = deepface.face(picture, face).astype(int)
        found = deepface_crop.upright(picture, face).astype(int)
        assert np.abs(found - expected).mean() < 0.3  # noise has the steepest edges there are
        assert ((found == 0) == (expected == 0)).mean() > 0.99


def test_without_points_the_box_is_cut_as_it_stands() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    face = Face(20.9, 10.2, 50.6, 61.3, None, (), "none", "0", "largest of 1", 1)
    assert np.array_equal(deepface_crop.upright(picture, face), picture[10:71, 20:70])


@given(
    crop=st.tuples(st.integers(1, 90), st.integers(1, 90)).flatmap(
        lambda size: arrays.arrays(np.uint8, (*size, 3))
    ),
    size_px=st.sampled_from([48, 112, 160, 224]),
)
def test_the_letterbox_is_that_of_deepface(crop: np.ndarray, size_px: int) -> None:
    # Oracle: DeepFace's resize_image on the crop from 0 to 1, as it gets it from extract_faces.
    if min(crop.shape[:2]) * size_px < max(crop.shape[:2]):
        return  # thinner than a pixel: DeepFace itself fails there
    resize = deep.load("deepface.modules.preprocessing").resize_image
    expected = resize(crop / 255, (size_px, size_px))[0]
    np.testing.assert_allclose(deepface_crop.letterbox(crop, size_px), expected, atol=2e-6)


@given(
    width=st.floats(0.01, 300), height=st.floats(0.01, 300), x=st.floats(-400, 400), y=st.floats(-400, 400)
)
def test_any_box_gives_a_face_of_the_wanted_size(width: float, height: float, x: float, y: float) -> None:
    picture = np.full((50, 70, 3), 255, np.uint8)
    face = Face(x, y, width, height, None, (), "none", "0", "largest of 1", 1)
    scaled = deepface_crop.scaled(deepface_crop.upright(picture, face), size_px=112)
    assert (scaled.shape, scaled.dtype) == ((112, 112, 3), np.float32)
    assert 0 <= scaled.min() <= scaled.max() <= 1
