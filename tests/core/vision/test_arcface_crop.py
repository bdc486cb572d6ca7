"""arcface_crop: five points brought to their places."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import optimize

from core.records import Face
from core.vision import arcface_crop, detect, image, mesh
from core.vision.arcface_crop import PLACES
from core.vision.detect import Detector
from core.vision.mesh import Landmarker
from core.vision.sight import Sight

POINTS = arrays.arrays(np.float64, (5, 2), elements=st.floats(-500, 500, width=16))


def applied(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


@settings(max_examples=40, deadline=None)
@given(degrees=st.floats(-180, 180), scale=st.floats(0.05, 20), shift=st.tuples(*[st.floats(-900, 900)] * 2))
def test_a_face_that_is_only_moved_turned_and_scaled_is_put_right(
    degrees: float, scale: float, shift: tuple[float, float]
) -> None:
    turn = cv2.getRotationMatrix2D((0.0, 0.0), degrees, scale)
    points = applied(turn, PLACES) + shift
    np.testing.assert_allclose(applied(arcface_crop.similarity(points, PLACES), points), PLACES, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(points=POINTS)
def test_no_other_similarity_is_nearer(points: np.ndarray) -> None:
    # Oracle: scipy's least_squares over angle's cosine and sine times scale, and the shift.
    assume(np.ptp(points, axis=0).max() > 1)
    matrix = arcface_crop.similarity(points, PLACES)

    def residuals(given: np.ndarray) -> np.ndarray:
        a, b, x, y = given
        return (applied(np.array([[a, -b, x], [b, a, y]]), points) - PLACES).ravel()

    best = optimize.least_squares(residuals, [0.1, 0, 50, 50], x_scale="jac")
    ours = np.sum((applied(matrix, points) - PLACES) ** 2)
    assert ours <= 2 * best.cost * (1 + 1e-6) + 1e-6  # scipy's cost is half the sum of squares


def test_the_matrix_neither_shears_nor_mirrors() -> None:
    matrix = arcface_crop.similarity(np.random.default_rng(1).normal(size=(5, 2)) * 50, PLACES)
    (a, b, _), (c, d, _) = matrix
    assert (a, b) == (d, -c)
    assert a * d - b * c > 0


@pytest.mark.parametrize("size_px", [112, 224])
def test_the_points_come_to_lie_at_arcface_s_places(size_px: int) -> None:
    picture = np.zeros((700, 900, 3), np.uint8)
    turn = cv2.getRotationMatrix2D((0.0, 0.0), 20.0, 4.0)
    points = applied(turn, PLACES) + np.array([150, 250])
    for x, y in points:
        cv2.circle(picture, (round(x), round(y)), 9, (255, 255, 255), -1)
    crop = arcface_crop.crop(picture, points, size_px=size_px)
    assert crop.shape == (size_px, size_px, 3)
    found = cv2.connectedComponentsWithStats((crop[..., 0] > 127).astype(np.uint8))[3][1:]
    expected = PLACES * size_px / 112
    for place in expected:
        assert np.linalg.norm(found - place, axis=1).min() < 0.5 * size_px / 112


def test_beyond_the_border_it_is_black() -> None:
    picture = np.full((40, 40, 3), 200, np.uint8)
    crop = arcface_crop.crop(picture, PLACES - 60, size_px=112)
    assert (crop[70:, 70:] == 0).all() or (crop[:50, :50] == 0).all()
    assert crop.max() == 200


@pytest.mark.parametrize("name", ["img3.jpg", "img5.jpg", "img9.jpg", "emonet_example.png"])
def test_the_landmarks_five_points_are_near_yunet_s(
    faces: dict[str, bytes], yunet: Detector, landmarker: Landmarker, name: str
) -> None:
    picture = image.read(faces[name])
    face = detect.face(picture, yunet)
    assert face is not None
    found = landmarker.mesh(picture, face)
    assert found is not None
    points = np.array(face.points)
    apart = np.linalg.norm(points[0] - points[1])
    # Two networks, two ideas of where a nose ends: within an eighth of the distance between the eyes.
    assert (np.linalg.norm(arcface_crop.of_mesh(found) - points, axis=1) < apart / 8).all()


def test_the_detector_s_points_come_first_then_the_landmarks_then_nothing() -> None:
    picture = np.zeros((9, 9, 3), np.uint8)
    points = tuple((float(number), 1.0) for number in range(5))
    with_points = Face(0, 0, 9, 9, None, points, "yunet", "1", "largest of 1", 1)
    bare = Face(0, 0, 9, 9, None, (), "haar", "1", "largest of 1", 1)
    found, reason = arcface_crop.five_points(Sight(picture, with_points))
    assert found is not None
    assert (found.tolist(), reason) == ([list(point) for point in points], "")
    none, reason = arcface_crop.five_points(Sight(picture, bare))
    assert none is None
    assert "haar gives none" in reason
    assert "facenorm models fetch face-landmarker" in reason


@pytest.fixture(scope="module")
def landmarker(folders: list) -> Landmarker:
    return mesh.open_landmarker(folders)
