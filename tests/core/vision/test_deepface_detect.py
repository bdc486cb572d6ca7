"""deepface_detect: RetinaFace at the scale that matters, and DeepFace's other detectors by name."""

import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import ModelError
from core.vision import deep, deepface_detect, detect, image
from core.vision.deepface_detect import RetinaFace
from core.vision.detect import Box
from tests.core.vision import generated

WHITE = (255, 255, 255)


class Spots(RetinaFace):
    """RetinaFace's code around a network made by hand: a white cell of 8 x 8 is a face of 31 x 31."""

    clear_px = 31


@pytest.fixture(scope="module")
def spots(tmp_path_factory: pytest.TempPathFactory) -> RetinaFace:
    return Spots(generated.spots(tmp_path_factory.mktemp("spots")), "0" * 64)


def painted(height: int, width: int, *cells: tuple[int, int, int]) -> np.ndarray:
    """A black picture with white squares: column, row and side in pixels."""
    picture = np.zeros((height, width, 3), np.uint8)
    for x, y, side in cells:
        picture[y : y + side, x : x + side] = 255
    return picture


def test_with_a_network_made_by_hand_a_white_cell_is_a_face_with_its_box_and_points(
    spots: RetinaFace,
) -> None:
    # Cell (16, 12) of 8 x 8: the anchor is 32 x 32, from 8 before the cell to 23 behind it.
    (box,) = spots.detect(painted(256, 320, (128, 96, 8)))
    assert (box.x, box.y, box.width, box.height) == (120, 88, 31, 31)
    assert box.score == pytest.approx(1)
    middle = np.array([135.5, 103.5])
    expected = middle + 32 * np.array([[-0.25, -0.25], [0.25, -0.25], [0, 0], [-0.25, 0.25], [0.25, 0.25]])
    np.testing.assert_allclose(box.points, expected, atol=1e-4)


def test_with_a_network_made_by_hand_boxes_of_a_large_picture_are_in_its_own_pixels(
    spots: RetinaFace,
) -> None:
    # 2048 x 1024 is seen at 512 x 256: a white square of 32 is a cell of 8; at 320 x 160 it is none.
    (box,) = spots.detect(painted(1024, 2048, (512, 384, 32)))
    assert (box.x, box.y, box.width, box.height) == (480, 352, 124, 124)
    assert np.mean(box.points, axis=0) == pytest.approx([4 * 135.5, 4 * 103.5])


@pytest.mark.parametrize(
    ("side", "scales"),
    [
        (24, [320, 512]),
        (12, [320, 512, 1024]),
        (8, [320, 512, 1024, 1536]),
        (1, [320, 512, 1024, 1536]),
    ],
)
def test_a_face_that_is_not_found_is_looked_for_at_a_larger_scale(
    spots: RetinaFace, side: int, scales: list[int]
) -> None:
    seen: list[int] = []
    counted = Spots(spots.path, spots.sha256)
    real = deep.retinaface(spots.path, spots.compute)
    counted._faces = lambda picture, threshold: seen.append(max(picture.shape)) or real(picture, threshold)
    boxes = counted.detect(painted(1024, 1536, (480, 384, side)))
    assert seen == scales
    assert len(boxes) == (side > 1)


def test_a_face_that_is_seen_but_not_clearly_is_looked_at_at_larger_scales(spots: RetinaFace) -> None:
    seen: list[int] = []
    demanding = RetinaFace(spots.path, spots.sha256)  # 80 pixels, and the network's faces have 31
    real = deep.retinaface(spots.path, spots.compute)
    demanding._faces = lambda picture, threshold: seen.append(max(picture.shape)) or real(picture, threshold)
    (box,) = demanding.detect(painted(1024, 1536, (480, 384, 12)))
    assert seen == [320, 512, 1024, 1536]
    assert box.width == 31


def test_a_small_picture_is_looked_at_once_and_as_it_is(spots: RetinaFace) -> None:
    seen: list[tuple[int, ...]] = []
    counted = RetinaFace(spots.path, spots.sha256)
    counted._faces = lambda picture, threshold: seen.append(picture.shape) or {}
    assert counted.detect(painted(100, 300)) == ()
    assert seen == [(100, 300, 3)]


def test_all_faces_are_given(spots: RetinaFace) -> None:
    picture = painted(256, 256, (64, 64, 8), (160, 128, 8))
    assert len(spots.detect(picture)) == 2
    face = detect.face(picture, spots)
    assert face is not None
    assert (face.n_faces, face.detector, len(face.points)) == (2, "retinaface", 5)


def test_it_is_pickled_and_may_be_called_from_several_threads(spots: RetinaFace) -> None:
    picture = painted(256, 320, (128, 96, 8))
    expected = spots.detect(picture)
    again = pickle.loads(pickle.dumps(spots))
    assert again.version.startswith(spots.version.partition(" until")[0])
    with ThreadPoolExecutor(4) as pool:
        assert all(boxes == expected for boxes in pool.map(lambda _: again.detect(picture), range(8)))


def test_its_version_names_what_makes_other_boxes(spots: RetinaFace) -> None:
    assert spots.version == (
        f"deepface {deep.version()}, weights 000000000000, "
        "320 then 512 then 1024 px then in full until 31 px, score 0.9"
    )


def test_with_generated_weights_the_true_architecture_runs_at_any_size_and_finds_nobody(
    tmp_path: Path,
) -> None:
    network = RetinaFace(generated.retinaface(tmp_path), "0" * 64)
    assert network.detect(np.random.default_rng(1).integers(0, 255, (90, 131, 3), dtype=np.uint8)) == ()


@pytest.fixture
def backend_folder(tmp_path: Path, shared: Path) -> Path:
    """A folder with a network for DeepFace's own YuNet: an earlier export with the same outputs."""
    name = "face_detection_yunet_2023mar.onnx"
    (tmp_path / name).symlink_to(shared / "models" / "yunet_n_640_640.onnx")
    return tmp_path


def test_a_backend_of_deepface_finds_real_faces_with_files_from_our_folders(
    backend_folder: Path, faces: dict[str, bytes], yunet: detect.Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("yunet_score_threshold", "0.6")
    backend = deepface_detect.backend("yunet", [backend_folder])
    for name in ("img5.jpg", "img8.jpg", "img12.jpg"):
        picture = image.read(faces[name])
        ours, theirs = detect.face(picture, yunet), detect.face(picture, backend)
        assert ours is not None
        assert theirs is not None
        assert _overlap(ours, theirs) > 0.9  # the same network; DeepFace shrinks with another filter
        assert theirs.points == ()  # it gives the eyes alone
        assert theirs.detector == "deepface:yunet"
    assert "face_detection_yunet_2023mar.onnx 25a606a145a5" in backend.version
    assert pickle.loads(pickle.dumps(backend)).detect(picture) == backend.detect(picture)


def _overlap(one: Any, other: Any) -> float:
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(width, 0) * max(height, 0)
    return float(shared / (one.width * one.height + other.width * other.height - shared))


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What would be downloaded; nothing is."""
    asked: list[str] = []
    monkeypatch.setattr("gdown.download", lambda url, *_, **__: asked.append(url))
    monkeypatch.setattr("requests.head", lambda url, **_: asked.append(url))
    yield asked
    assert asked == []


@pytest.mark.parametrize("name", ["yunet", "opencv", "centerface"])
def test_a_missing_file_is_named_with_its_source_and_never_downloaded(
    tmp_path: Path, offline: list[str], name: str
) -> None:
    with pytest.raises(ModelError, match=rf"{name} needs the file \S+, which is not in .*https://\S+"):
        deepface_detect.backend(name, [tmp_path]).detect(painted(64, 64))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mtcnn", "pip install mtcnn"),
        ("fastmtcnn", "pip install facenet-pytorch"),
        ("dlib", "pip install dlib"),
        ("yolov8n", "pip install ultralytics"),
        ("yolov12l", "pip install ultralytics"),
        ("ssd", "opencv-python < 5"),
        ("mediapipe", "take our own: mediapipe"),
        ("retinaface", "take retinaface"),
        ("yunett", "did you mean 'yunet'"),
    ],
)
def test_what_cannot_be_used_says_what_to_install_or_to_take(
    tmp_path: Path, offline: list[str], name: str, said: str
) -> None:
    with pytest.raises(ModelError) as raised:
        deepface_detect.backend(name, [tmp_path])
    assert said in str(raised.value)


def test_every_backend_is_known_or_refused_in_words(tmp_path: Path, offline: list[str]) -> None:
    for name in deep.backends():
        with pytest.raises(ModelError):
            deepface_detect.backend(name, [tmp_path]).detect(painted(64, 64))


def test_five_points_are_taken_and_fewer_are_none() -> None:
    region = deep.load("deepface.models.Detector").FacialAreaRegion
    eyes = {"right_eye": (1, 2), "left_eye": (3, 4)}
    five = {**eyes, "nose": (5, 6), "mouth_right": (7, 8), "mouth_left": (9, 10)}
    assert deepface_detect._region(region(1, 2, 3, 4, **eyes)) == Box(1, 2, 3, 4, None, ())
    assert deepface_detect._region(region(1, 2, 3, 4, confidence=0.5, **five)) == Box(
        1, 2, 3, 4, 0.5, ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10))
    )


def test_after_locating_the_package_is_as_it_was() -> None:
    module = deep.load("deepface.commons.weight_utils")
    before = module.download_weights_if_necessary
    with pytest.raises(KeyError):
        _located_and_failed(module)
    assert module.download_weights_if_necessary is before


def _located_and_failed(module: Any) -> None:
    with deep.locating(lambda name, source: Path(name)):
        assert module.download_weights_if_necessary("a.onnx", ["https://b"]) == "a.onnx"
        raise KeyError
