"""The demo drawn once, and MediaPipe's landmarker as a judge that we did not write."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.faces import demo
from core.vision import detect, mesh, registry
from core.vision.mesh import MediaPipe, Mesh

SEED = 1
Pixels = np.ndarray


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's folder as `demo.write` leaves it."""
    folder = tmp_path_factory.mktemp("demo") / "faces"
    demo.write(folder, seed=SEED)
    return folder


@pytest.fixture(scope="session")
def portraits(written: Path) -> dict[str, Pixels]:
    """The demo's pictures in RGB by file name."""
    paths = sorted(written.glob("*.jpg"))
    return {path.name: cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in paths}


@pytest.fixture(scope="session")
def landmarker(shared: Path) -> MediaPipe:
    """MediaPipe with its real weights."""
    return mesh.open_landmarker([shared / "models"])


@pytest.fixture(scope="session")
def see(shared: Path, landmarker: MediaPipe) -> Callable[[Pixels], Mesh]:
    """A function that gives the landmarks of the face that YuNet finds in a picture."""
    yunet = registry.detector("yunet", [shared / "models"])

    def seen(picture: Pixels) -> Mesh:
        face = detect.face(picture, yunet)
        assert face is not None
        found = landmarker.mesh(picture, face)
        assert found is not None
        return found

    return seen
