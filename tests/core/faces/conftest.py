"""The demo drawn once, and MediaPipe's landmarker as a judge that we did not write."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.faces import demo

SEED = 1
Pixels = np.ndarray
Blendshapes = dict[str, float]


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
def landmarker(shared: Path) -> Iterator[Callable[[Pixels], list[Blendshapes]]]:
    """A function that gives the blendshapes of every face MediaPipe finds in a picture."""
    weights = shared / "models" / "face_landmarker.task"
    if not weights.is_file():
        pytest.skip(f"{weights} is missing")
    mediapipe = pytest.importorskip("mediapipe")
    vision = mediapipe.tasks.vision
    options = vision.FaceLandmarkerOptions(
        base_options=mediapipe.tasks.BaseOptions(model_asset_path=str(weights)),
        output_face_blendshapes=True,
        num_faces=3,
    )
    # Its __del__ raises at exit unless it was closed: the context manager closes it.
    with vision.FaceLandmarker.create_from_options(options) as network:

        def blendshapes(picture: Pixels) -> list[Blendshapes]:
            image = mediapipe.Image(
                image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(picture)
            )
            found = network.detect(image).face_blendshapes
            return [{shape.category_name: shape.score for shape in face} for face in found]

        yield blendshapes
