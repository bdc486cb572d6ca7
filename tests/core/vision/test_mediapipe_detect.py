"""mediapipe_detect: MediaPipe's faces beside YuNet's, another detector of another kind."""

import pickle

import cv2
import numpy as np
import pytest

from core.vision import detect, image
from core.vision.detect import Box
from core.vision.mediapipe_detect import Detector
from core.vision.mesh import MediaPipe, overlap

GREY = np.full((480, 640, 3), 128, np.uint8)


@pytest.fixture(scope="module")
def mediapipe(landmarker: MediaPipe) -> Detector:
    return Detector(landmarker.path, landmarker.sha256)


def test_it_sees_the_faces_and_points_that_yunet_sees(
    mediapipe: Detector, yunet: detect.Detector, faces: dict[str, bytes]
) -> None:
    for name, content in faces.items():
        pixels = image.read(content)
        mine, theirs = (sorted(one.detect(pixels), key=lambda box: box.x) for one in (mediapipe, yunet))
        assert len(mine) == len(theirs) == (2 if name == "couple.jpg" else 1)
        for box, other in zip(mine, theirs, strict=True):
            assert overlap(box, other) > 0.7, name
            points = np.array(other.points)
            apart = np.linalg.norm(points[0] - points[1])
            assert np.linalg.norm(np.array(box.points) - points, axis=1).max() < 0.17 * apart, name


def test_a_small_face_is_found_in_a_part_of_the_picture_once(
    mediapipe: Detector, yunet: detect.Detector, faces: dict[str, bytes]
) -> None:
    pixels = image.read(faces["img5.jpg"])
    (box,) = yunet.detect(pixels)
    factor = 100 / box.height
    small = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    canvas = np.full((1000, 1000, 3), 128, np.uint8)
    canvas[420 : 420 + len(small), 430 : 430 + small.shape[1]] = small
    (found,) = mediapipe.detect(canvas)
    there = Box(box.x * factor + 430, box.y * factor + 420, box.width * factor, box.height * factor)
    assert overlap(found, there) > 0.6


def test_it_sees_nothing_in_plain_and_tiny_pictures(mediapipe: Detector) -> None:
    assert detect.face(GREY, mediapipe) is None
    assert mediapipe.detect(GREY[:1, :1]) == ()
    assert mediapipe.detect(GREY[:3]) == ()


def test_copies_see_what_it_sees(mediapipe: Detector, faces: dict[str, bytes]) -> None:
    pixels = image.read(faces["emonet_example.png"])
    copy: Detector = pickle.loads(pickle.dumps(mediapipe))
    assert copy.detect(pixels) == mediapipe.detect(pixels)
    assert (copy.version, copy.detector) == (mediapipe.version, "mediapipe")
    assert mediapipe.sha256[:12] in mediapipe.version
