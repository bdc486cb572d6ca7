"""landmarks: the iBUG mark-up on MediaPipe's own contours."""

import numpy as np
import pytest
from mediapipe.tasks.python import vision

from core.vision import image
from core.vision.landmarks import (
    IBUG_68,
    INNER_LIPS,
    JAW,
    LEFT_BROW,
    LEFT_EYE,
    NOSE_BASE,
    NOSE_BRIDGE,
    OUTER_LIPS,
    RIGHT_BROW,
    RIGHT_EYE,
    ibug_box,
)
from core.vision.mesh import MediaPipe

CONTOURS = vision.FaceLandmarksConnections
CURVES = {
    "FACE_LANDMARKS_FACE_OVAL": JAW,
    "FACE_LANDMARKS_RIGHT_EYEBROW": RIGHT_BROW,
    "FACE_LANDMARKS_LEFT_EYEBROW": LEFT_BROW,
    "FACE_LANDMARKS_NOSE": NOSE_BRIDGE + NOSE_BASE,
    "FACE_LANDMARKS_RIGHT_EYE": RIGHT_EYE,
    "FACE_LANDMARKS_LEFT_EYE": LEFT_EYE,
    "FACE_LANDMARKS_LIPS": OUTER_LIPS + INNER_LIPS,
}
# The mark-up's own mirror image: Sagonas et al. (2013), figure 1, counted from 0.
MIRROR = (
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
)  # fmt: skip


@pytest.fixture(scope="module")
def portraits(landmarker: MediaPipe, faces: dict[str, bytes]) -> dict[str, np.ndarray]:
    """MediaPipe's 478 points of each portrait, x and y in pixels."""
    return {name: points(landmarker, image.read(faces[name])) for name in faces if name != "couple.jpg"}


def points(landmarker: MediaPipe, pixels: np.ndarray) -> np.ndarray:
    (mesh,) = landmarker.meshes(pixels)
    return mesh.points[:, :2]


def test_there_are_68_different_landmarks() -> None:
    assert len(IBUG_68) == len(set(IBUG_68)) == 68


@pytest.mark.parametrize("name", CURVES)
def test_each_curve_lies_on_the_contour_that_mediapipe_names_so(name: str) -> None:
    contour = {end for line in getattr(CONTOURS, name) for end in (line.start, line.end)}
    assert set(CURVES[name]) <= contour


def test_the_landmarks_of_a_mirrored_picture_are_those_of_the_mark_ups_mirror(
    landmarker: MediaPipe, faces: dict[str, bytes]
) -> None:
    pixels = image.read(faces["img11.jpg"])
    seen, flipped = (points(landmarker, shown)[list(IBUG_68)] for shown in (pixels, pixels[:, ::-1]))
    flipped[:, 0] = pixels.shape[1] - flipped[:, 0]
    apart = np.linalg.norm(flipped[list(MIRROR)] - seen, axis=1) / np.ptp(seen[:, 0])
    assert apart.max() < 0.03  # of the face's width; neighbours on the jaw are .1 apart


def test_the_curves_run_as_the_mark_up_does(portraits: dict[str, np.ndarray]) -> None:
    for portrait in portraits.values():
        x, y = portrait[list(IBUG_68)].T
        # Of the jaw not its ends: a turned head's outline folds them over.
        rightwards = [(5, 12), (17, 22), (22, 27), (31, 36), (36, 40), (42, 46), (48, 55), (60, 65)]
        for start, end in rightwards:
            assert (np.diff(x[start:end]) > 0).all()
        assert (np.diff(y[27:31]) > 0).all()
        assert 6 <= y.argmax() <= 10  # the chin of a head that may be tilted
        assert 17 <= y.argmin() < 27  # the brows
        assert (y[[40, 41]] > y[[38, 37]]).all()
        assert (y[[47, 46]] > y[[43, 44]]).all()
        assert y[57] > max(y[66], y[62]) >= min(y[66], y[62]) > y[51]  # inside the lips, which may be shut


def test_the_box_is_tight(portraits: dict[str, np.ndarray]) -> None:
    portrait = portraits["img11.jpg"]
    left, top, width, height = ibug_box(portrait)
    x, y = portrait[list(IBUG_68)].T
    assert (left, top) == (x.min(), y.min())
    assert (left + width, top + height) == pytest.approx((x.max(), y.max()), rel=1e-12)
