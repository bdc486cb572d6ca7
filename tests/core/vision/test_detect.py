"""detect: real detectors on real portraits, and the rule that chooses the face."""

import pickle
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from core.vision import detect, image, registry
from core.vision.detect import Box, Detector, YuNet
from core.vision.image import Pixels

GREY = np.full((480, 640, 3), 128, np.uint8)


@dataclass(frozen=True)
class Sees:
    """A detector that sees what it is told."""

    boxes: tuple[Box, ...]
    detector: str = "sees"
    version: str = "1"

    def detect(self, image: Pixels) -> Sequence[Box]:
        return self.boxes


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    both = max(width, 0) * max(height, 0)
    return both / (one.width * one.height + other.width * other.height - both)


def test_the_largest_face_is_chosen_and_the_rule_recorded() -> None:
    small, large = Box(0, 0, 10, 10, 0.99), Box(5, 5, 20, 30, 0.7, ((1.0, 2.0),))
    chosen = detect.face(GREY, Sees((small, large)))
    assert chosen is not None
    assert (chosen.x, chosen.width, chosen.height, chosen.score, chosen.points) == (5, 20, 30, 0.7, ((1, 2),))
    assert (chosen.rule, chosen.n_faces) == ("largest of 2", 2)
    assert (chosen.detector, chosen.detector_version) == ("sees", "1")


def test_of_equal_faces_the_leftmost_is_chosen_in_any_order() -> None:
    left, right = Box(0, 50, 10, 10), Box(60, 0, 10, 10)
    assert detect.face(GREY, Sees((left, right))) == detect.face(GREY, Sees((right, left)))


def test_a_picture_without_a_face_has_none() -> None:
    assert detect.face(GREY, Sees(())) is None


@pytest.fixture(params=["yunet", "haar"])
def detector(request: pytest.FixtureRequest) -> Detector:
    found: Detector = request.getfixturevalue(request.param)
    return found


def test_real_detectors_see_nothing_in_a_plain_picture(detector: Detector) -> None:
    assert detect.face(GREY, detector) is None


def test_every_portrait_shows_a_face_and_the_couple_two(detector: Detector, faces: dict[str, bytes]) -> None:
    for name, content in faces.items():
        face = detect.face(image.read(content), detector)
        assert face is not None, name
        assert name != "couple.jpg" or face.n_faces == 2


def test_haar_and_yunet_agree_where_the_face_is(
    haar: Detector, yunet: Detector, faces: dict[str, bytes]
) -> None:
    # Two detectors of different kinds are each other's oracle; Haar's squares are wider.
    faces = {name: content for name, content in faces.items() if name != "couple.jpg"}
    for name, content in faces.items():
        pixels = image.read(content)
        boxes = [max(one.detect(pixels), key=lambda box: box.width) for one in (haar, yunet)]
        assert overlap(*boxes) > 0.4, name


def test_boxes_and_points_are_in_pixels_of_the_whole_picture(
    yunet: Detector, faces: dict[str, bytes]
) -> None:
    pixels = image.read(faces["img6.jpg"])
    double = np.asarray(cv2.resize(pixels, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
    (once,), (twice,) = yunet.detect(pixels), yunet.detect(double)
    halved = Box(twice.x / 2, twice.y / 2, twice.width / 2, twice.height / 2)
    assert overlap(once, halved) > 0.95
    np.testing.assert_allclose(np.array(twice.points) / 2, once.points, atol=once.width * 0.03)


def test_yunets_points_stand_as_a_face_does(yunet: Detector, faces: dict[str, bytes]) -> None:
    # Upright frontal portraits: the subject's right eye is on the left of the picture.
    face = detect.face(image.read(faces["img11.jpg"]), yunet)
    assert face is not None
    right_eye, left_eye, nose, right_mouth, left_mouth = face.points
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
    assert 0.6 <= (face.score or 0) <= 1


def test_yunet_tries_the_next_scale_when_it_finds_nothing(yunet: YuNet, faces: dict[str, bytes]) -> None:
    class Large(YuNet):
        longer_px = (4096,)
        threshold = 0.9

    class LargeThenSmall(Large):
        longer_px = (4096, 320)

    pixels = image.read(faces["img3.jpg"])  # 2048 x 1536, the face over 600 px wide
    assert Large(yunet.path, yunet.sha256).detect(pixels) == ()
    (box,) = LargeThenSmall(yunet.path, yunet.sha256).detect(pixels)
    assert overlap(box, yunet.detect(pixels)[0]) > 0.9


def test_threads_and_copies_see_what_one_detector_sees(detector: Detector, faces: dict[str, bytes]) -> None:
    pictures = [image.read(faces[name]) for name in ("img5.jpg", "img12.jpg", "emonet_example.png")] * 4
    alone = [detector.detect(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(detector.detect, pictures)) == alone
    copy: Detector = pickle.loads(pickle.dumps(detector))
    assert copy.detect(pictures[0]) == alone[0]
    assert copy.version == detector.version


def test_the_version_names_library_weights_and_settings(detector: Detector) -> None:
    assert f"opencv {cv2.__version__}" in detector.version
    assert registry.DETECTORS[detector.detector].weights in {"yunet", "haar-frontalface"}
    assert "640" in detector.version


def test_shrinking_keeps_small_pictures_and_the_shape_of_thin_ones() -> None:
    assert detect.shrink(GREY, 640)[0] is GREY
    thin, factor = detect.shrink(np.zeros((2000, 3, 3), np.uint8), 200)
    assert thin.shape == (200, 1, 3)
    assert factor == 10
