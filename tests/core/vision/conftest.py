"""Model folders for the tests of vision, and few threads for a shared machine."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from core import settings
from core.errors import ModelError
from core.vision import detect, image, mesh, registry, weights
from core.vision.detect import Detector
from core.vision.mesh import MediaPipe
from core.vision.rater import Rater
from core.vision.sight import Sight


@pytest.fixture(scope="session", autouse=True)
def _few_threads() -> Iterator[None]:
    import torch

    torch.set_num_threads(1)
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.fixture(scope="session")
def folders(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Where the real weights lie; what is not there is fetched into a folder of the tests' own."""
    return [tmp_path_factory.mktemp("models"), shared / "models", *settings.load().model_folders]


@pytest.fixture(scope="session")
def yunet(folders: list[Path]) -> Detector:
    return registry.detector("yunet", folders)


@pytest.fixture(scope="session")
def haar(folders: list[Path]) -> Detector:
    try:
        weights.fetch("haar-frontalface", folders)
    except ModelError as error:
        pytest.skip(f"Haar's cascade could not be fetched from the package index: {error}")
    return registry.detector("haar", folders)


@pytest.fixture(scope="session")
def landmarker(folders: list[Path]) -> MediaPipe:
    return mesh.open_landmarker(folders)


@pytest.fixture(scope="session")
def mini_xception(folders: list[Path]) -> Rater:
    return registry.rater("mini-xception", folders)


@pytest.fixture(scope="session")
def faces(shared: Path) -> dict[str, bytes]:
    """Nine portraits and couple.jpg: their bytes by name."""
    return {path.name: path.read_bytes() for path in sorted((shared / "faces").iterdir())}


@pytest.fixture(scope="session")
def sights(faces: dict[str, bytes], yunet: Detector) -> list[Sight]:
    """Three portraits with their faces."""
    found = []
    for name in ("img3.jpg", "img8.jpg", "emonet_example.png"):
        pixels = image.read(faces[name])
        face = detect.face(pixels, yunet)
        assert face is not None
        found.append(Sight(pixels, face))
    return found
