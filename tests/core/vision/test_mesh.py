"""mesh: the real landmarker on real portraits, with YuNet's points as the oracle."""

import dataclasses
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.errors import ModelError
from core.records import Face
from core.vision import detect, image, mesh
from core.vision.detect import Box, Detector
from core.vision.image import Pixels
from core.vision.mesh import MediaPipe, Mesh

CORNERS = (468, 473, 4, 61, 291)  # pupils, nose tip, mouth corners: the subject's right first


def boxed(box: Box, factor: float = 1.0) -> Face:
    """A detector's box as the face that is rated, grown about its centre."""
    width, height = box.width * factor, box.height * factor
    left, top = box.x + (box.width - width) / 2, box.y + (box.height - height) / 2
    return Face(left, top, width, height, box.score, box.points, "yunet", "", "", 1)


def off(seen: Mesh, box: Box) -> float:
    """The farthest of the five points from YuNet's, in distances between the eyes."""
    points = np.array(box.points)
    apart = np.linalg.norm(points[0] - points[1])
    return float(np.linalg.norm(seen.points[list(CORNERS), :2] - points, axis=1).max() / apart)


def values(seen: Mesh) -> np.ndarray:
    return np.array(list(seen.blendshapes.values()))


def test_each_face_of_each_picture_gets_its_own_landmarks(
    landmarker: MediaPipe, yunet: Detector, faces: dict[str, bytes]
) -> None:
    for name, content in faces.items():
        pixels = image.read(content)
        boxes = yunet.detect(pixels)
        assert len(boxes) == (2 if name == "couple.jpg" else 1)
        for box in boxes:
            seen = landmarker.mesh(pixels, boxed(box))
            assert seen is not None
            assert seen.points.shape == (478, 3)
            assert len(seen.blendshapes) == 52
            assert all(0 <= value <= 1 for value in seen.blendshapes.values())
            # Faces of the couple are five eye distances apart; two detectors agree to a sixth of one.
            assert off(seen, box) < 0.17, name


def workers() -> int:
    """How many threads of pools there are; each network keeps one."""
    return sum(thread.name.startswith("ThreadPoolExecutor") for thread in threading.enumerate())


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_landmarks_hardly_depend_on_the_box(
    landmarker: MediaPipe, yunet: Detector, faces: dict[str, bytes], factor: float
) -> None:
    for name in ("img5.jpg", "img6.jpg", "img9.jpg", "img11.jpg"):
        pixels = image.read(faces[name])
        (box,) = yunet.detect(pixels)
        plain, other = landmarker.mesh(pixels, boxed(box)), landmarker.mesh(pixels, boxed(box, factor))
        assert plain is not None
        assert other is not None
        assert np.abs(values(plain) - values(other)).mean() < 0.03
        assert np.abs(plain.points - other.points)[:, :2].max() < 0.06 * box.width


def test_a_face_too_small_for_the_whole_picture_is_seen_in_its_square(
    landmarker: MediaPipe, yunet: Detector, faces: dict[str, bytes]
) -> None:
    pixels = image.read(faces["img10.jpg"])
    (box,) = yunet.detect(pixels)
    canvas = np.full((4000, 4000, 3), 128, np.uint8)
    canvas[3000 : 3000 + len(pixels), 200 : 200 + pixels.shape[1]] = pixels
    there = Box(
        box.x + 200,
        box.y + 3000,
        box.width,
        box.height,
        1.0,
        tuple((x + 200, y + 3000) for x, y in box.points),
    )
    assert landmarker.meshes(canvas) == ()
    seen = landmarker.mesh(canvas, boxed(there))
    assert seen is not None
    assert off(seen, there) < 0.17


def test_the_mirror_image_has_the_mirrored_mesh(
    landmarker: MediaPipe, yunet: Detector, faces: dict[str, bytes]
) -> None:
    pixels = image.read(faces["img12.jpg"])
    (box,) = yunet.detect(pixels)
    seen = landmarker.mesh(pixels, boxed(box))
    there = dataclasses.replace(boxed(box), x=pixels.shape[1] - box.x - box.width)
    mirrored = landmarker.mesh(np.ascontiguousarray(pixels[:, ::-1]), there)
    assert seen is not None
    assert mirrored is not None
    swapped = pixels.shape[1] - mirrored.points[[473, 468, 4, 291, 61], 0]
    np.testing.assert_allclose(swapped, seen.points[list(CORNERS), 0], atol=0.04 * box.width)
    assert np.sign(seen.pose[0, 2]) == -np.sign(mirrored.pose[0, 2])


def test_where_there_is_no_face_or_another_one_there_is_no_mesh(
    landmarker: MediaPipe, yunet: Detector, faces: dict[str, bytes]
) -> None:
    pixels = image.read(faces["couple.jpg"])
    one, other = yunet.detect(pixels)
    between = dataclasses.replace(boxed(one), x=(one.x + other.x) / 2)
    for face in (between, dataclasses.replace(between, x=0.0, y=0.0, width=60, height=60)):
        assert landmarker.mesh(pixels, face) is None
    grey = np.full((300, 300, 3), 128, np.uint8)
    assert landmarker.mesh(grey, dataclasses.replace(between, x=-500, y=900)) is None


def test_threads_and_copies_see_what_one_landmarker_sees(
    landmarker: MediaPipe, yunet: Detector, faces: dict[str, bytes]
) -> None:
    shown: list[tuple[Pixels, Face]] = []
    for name in ("img5.jpg", "img12.jpg", "emonet_example.png"):
        pixels = image.read(faces[name])
        face = detect.face(pixels, yunet)
        assert face is not None
        shown.append((pixels, face))

    def rate(one: tuple[Pixels, Face], by: MediaPipe = landmarker) -> list[float]:
        seen = by.mesh(*one)
        assert seen is not None
        return list(seen.blendshapes.values())

    alone = [rate(one) for one in shown]
    before = workers()
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(rate, shown * 2)) == alone * 2
    assert workers() == before  # the networks' own threads ended with those that opened them
    copy: MediaPipe = pickle.loads(pickle.dumps(landmarker))
    assert rate(shown[0], copy) == alone[0]
    assert copy.version == landmarker.version


PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from core.errors import ModelError
from core.vision.mesh import MediaPipe
judge = MediaPipe(Path(sys.argv[1]), "0" * 64)
try:
    print(len(judge.meshes(np.full((64, 64, 3), 128, np.uint8))))
except ModelError as error:
    print(error)
"""


def run(landmarker: MediaPipe, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(landmarker.path)],
        env={"PYTHONPATH": str(Path(mesh.__file__).parents[2]), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_program_that_never_closes_the_landmarker_ends_without_a_word(landmarker: MediaPipe) -> None:
    done = run(landmarker)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


def test_without_egl_the_error_names_the_packages_to_install(landmarker: MediaPipe, tmp_path: Path) -> None:
    # The loader takes the first file of that name, and an empty one is no library.
    (tmp_path / "libEGL.so.1").touch()
    done = run(landmarker, LD_LIBRARY_PATH=str(tmp_path))
    assert "libEGL.so.1" in done.stdout
    assert "apt-get install libegl1 libgles2" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


def test_without_its_weights_the_error_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="facenorm models fetch face-landmarker"):
        mesh.open_landmarker([tmp_path])


def test_the_version_names_library_weights_and_settings(landmarker: MediaPipe) -> None:
    assert landmarker.version.startswith("mediapipe ")
    assert landmarker.sha256[:12] in landmarker.version
    assert "512 px" in landmarker.version
