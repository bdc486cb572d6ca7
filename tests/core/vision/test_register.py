"""register: planted shifts, rotations and scales come back though the mouth changed; no strangers."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.records import Face
from core.vision import detect, image, register
from core.vision.detect import Detector
from core.vision.register import Registration

HEIGHT = 512
Shown = tuple[np.ndarray, Face]


def shown(content: bytes, detector: Detector) -> Shown:
    pixels = image.read(content)
    factor = HEIGHT / pixels.shape[0]
    small = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    face = detect.face(small, detector)
    assert face is not None
    return small, face


def grey(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float64)


def edited(picture: np.ndarray, face: Face) -> np.ndarray:
    """Another mouth, painted, and the whole a little darker and of less contrast."""
    painted = picture.copy()
    (x0, y0), (x1, y1) = face.points[3:]
    cv2.circle(painted, (int(x0 + x1) // 2, int(y0 + y1) // 2), int(face.height * 0.14), (70, 20, 25), -1)
    return np.clip(painted * 0.85 + 10, 0, 255).astype(np.uint8)


def planted(picture: np.ndarray, *, turned: float, scale: float, x: float, y: float) -> np.ndarray:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -turned, scale)
    matrix[:, 2] += (x, y)
    return matrix


def moved(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    size = picture.shape[1::-1]
    return cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REFLECT)


def found(one: Shown, other: Shown) -> Registration:
    return register.register(grey(one[0]), grey(other[0]), face=one[1], edited=other[1])


@pytest.mark.parametrize("name", ["img3.jpg", "img6.jpg", "img12.jpg"])
@pytest.mark.parametrize(
    ("turned", "scale", "x", "y"), [(3, 1.05, 6.3, -4.2), (-6, 0.9, -12, 20), (0, 1, 0.7, 0.4)]
)
def test_a_planted_similarity_is_found_though_mouth_and_light_changed(
    faces: dict[str, bytes], yunet: Detector, name: str, turned: float, scale: float, x: float, y: float
) -> None:
    picture, face = shown(faces[name], yunet)
    matrix = planted(picture, turned=turned, scale=scale, x=x, y=y)
    other = moved(edited(picture, face), matrix)
    result = found((picture, face), (other, detect.face(other, yunet) or face))
    height, width = picture.shape[:2]
    corners = np.array([(a, b, 1) for a in (0, width) for b in (0, height)]).T
    assert np.abs((result.matrix - matrix) @ corners).max() < 0.5  # pixels, of 512
    assert result.rotation == pytest.approx(turned, abs=0.05)
    assert result.scale == pytest.approx(scale, abs=0.002)
    centre = np.array([face.x + face.width / 2, face.y + face.height / 2, 1])
    expected = np.linalg.norm(matrix @ centre - centre[:2]) / face.height
    assert result.shift == pytest.approx(expected, abs=0.003)
    assert result.reason == ""


def test_the_same_place_is_the_very_identity_and_laying_it_changes_no_pixel(
    faces: dict[str, bytes], yunet: Detector
) -> None:
    picture, face = shown(faces["img5.jpg"], yunet)
    other = edited(picture, face)
    result = found((picture, face), (other, face))
    assert result.matrix.tolist() == [[1, 0, 0], [0, 1, 0]]
    assert (result.shift, result.rotation, result.scale) == (0, 0, 1)
    assert register.lay(other, result.matrix, picture.shape) is other
    assert register.covered(other, result.matrix, picture.shape).all()


def test_laying_brings_the_edit_back_and_says_where_it_shows_nothing(
    faces: dict[str, bytes], yunet: Detector
) -> None:
    picture, face = shown(faces["img3.jpg"], yunet)
    other = moved(picture, planted(picture, turned=0, scale=1, x=40, y=0))
    result = found((picture, face), (other, replace(face, x=face.x + 40)))
    seen = register.covered(other, result.matrix, picture.shape)
    assert not seen[:, -38:].any()
    assert seen[2:-2, 2:-43].all()
    laid = register.lay(other, result.matrix, picture.shape)
    assert np.abs(laid[seen].astype(float) - picture[seen]).mean() < 1


def test_strangers_and_far_shifts_are_refused_with_the_reason(
    faces: dict[str, bytes], yunet: Detector
) -> None:
    one, other = shown(faces["img10.jpg"], yunet), shown(faces["img11.jpg"], yunet)
    assert "they correlate by" in found(one, other).reason
    picture, face = one
    far = moved(picture, planted(picture, turned=0, scale=1, x=0.4 * face.height, y=0))
    reason = found(one, (far, replace(face, x=face.x + 0.4 * face.height))).reason
    assert "the face is shifted by 0.40 of its height" in reason
    turned = moved(picture, planted(picture, turned=14, scale=1, x=0, y=0))
    assert "turned by 14 degrees" in found(one, (turned, face)).reason
    large = moved(picture, planted(picture, turned=0, scale=1.4, x=0, y=0))
    assert "1.40 times as large" in found(one, (large, detect.face(large, yunet) or face)).reason


def test_a_picture_without_anything_to_hold_on_to_is_refused() -> None:
    face = Face(10, 10, 30, 40, None, (), "none", "", "largest of 1", 1)
    flat = np.full((90, 70), 128.0)
    assert "correlate by 0.00" in register.register(flat, flat, face=face, edited=face).reason
