"""overlay: what is drawn, where, and that words never stand on the face."""

import io

import numpy as np
import pytest
from PIL import Image

from core.vision import detect, image, overlay
from core.vision.action_units import BY_NUMBER
from core.vision.detect import Detector
from core.vision.mesh import MediaPipe, Mesh

STILL = dict.fromkeys(BY_NUMBER, 0.0)


@pytest.fixture(scope="module")
def seen(faces: dict[str, bytes], landmarker: MediaPipe, yunet: Detector) -> tuple[np.ndarray, Mesh]:
    pixels = image.read(faces["img6.jpg"])
    face = detect.face(pixels, yunet)
    assert face is not None
    mesh = landmarker.mesh(pixels, face)
    assert mesh is not None
    return pixels, mesh


def drawn(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == "WEBP"
        return np.asarray(picture.convert("RGB")).astype(int)


def test_words_stand_below_the_picture_and_nothing_else_changes_with_them(
    seen: tuple[np.ndarray, Mesh],
) -> None:
    plain = drawn(overlay.overlay(*seen, seen[1], STILL))
    named = drawn(overlay.overlay(*seen, seen[1], {**STILL, 12: 0.6, 4: -0.3, 1: 0.05}))
    assert named.shape[0] == plain.shape[0] + overlay.ROW_PX  # two rows where one said that nothing moved
    side = overlay.SIDE_PX
    assert plain.shape[1] == side
    assert np.abs(plain[: side - 16] - named[: side - 16]).max() < 60  # letters on it would be 150, WebP 24
    assert (named[side:].max(axis=2) > 200).sum() > 1000


def test_a_line_is_drawn_through_each_landmark_of_the_lips(seen: tuple[np.ndarray, Mesh]) -> None:
    pixels, mesh = seen
    content = drawn(overlay.overlay(pixels, mesh, None, STILL))
    box = overlay.hull(mesh)
    side = max(box.width, box.height) * overlay.MARGIN
    corner = np.array([box.x + box.width / 2, box.y + box.height / 2]) - side / 2
    for point in (61, 291, 0, 17):
        x, y = np.round((mesh.points[point, :2] - corner) * overlay.SIDE_PX / side).astype(int)
        near = content[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 3)
        assert np.abs(near - overlay.NOW).sum(axis=1).min() < 90, point


def test_the_neutral_is_laid_on_by_what_does_not_move(seen: tuple[np.ndarray, Mesh]) -> None:
    points = seen[1].points[:, :2]
    turn = np.array([[0.8, -0.3], [0.3, 0.8]])
    np.testing.assert_allclose(overlay.laid(points @ turn + (40, -7), points), points, atol=1e-6)
    moved = points.copy()
    moved[[61, 291]] += (0, 25)  # the lips' corners are not steady: the rest stays where it was
    found = overlay.laid(moved, points)
    np.testing.assert_allclose(found[[33, 263]], points[[33, 263]], atol=1e-6)
    np.testing.assert_allclose(found[61] - points[61], (0, 25), atol=1e-6)


def test_units_are_named_by_size_and_once_where_one_proxy_stands_for_two() -> None:
    changes = {**STILL, 12: 0.2, 6: -0.5, 7: -0.5, 26: 0.09, 1: 0.1}
    assert overlay.moved(changes) == [(6, -0.5), (12, 0.2), (1, 0.1)]


def test_many_changes_are_cut_short_and_counted(seen: tuple[np.ndarray, Mesh]) -> None:
    six = {1: 0.9, 2: 0.8, 4: 0.7, 5: 0.6, 10: 0.5, 12: 0.4}
    more, fewer = (
        drawn(overlay.overlay(*seen, None, changes)).shape[0] for changes in ({**six, 14: 0.3, 15: 0.2}, six)
    )
    assert more - overlay.ROW_PX == fewer > overlay.SIDE_PX + overlay.ROWS * overlay.ROW_PX
