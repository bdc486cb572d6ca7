"""MediaPipe's face landmarker: 478 points, 52 blendshapes and the head's pose."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.records import Face
from core.vision import align, weights
from core.vision.detect import Box
from core.vision.image import Pixels

WEIGHTS = "face-landmarker"  # its name in models.toml
FACES = 5  # the most that are looked for in one picture

_STDERR = threading.Lock()  # a process has one


@dataclass(frozen=True, slots=True)
class Mesh:
    """What the landmarker sees of one face.

    points: shape (478, 3): x and y in pixels of the picture, z in the same units, smaller is nearer.
    blendshapes: 52 coefficients from 0 to 1 by MediaPipe's names (left and right are the subject's).
    pose: shape (4, 4), the transformation from MediaPipe's canonical face to the camera, in cm.
    """

    points: NDArray[np.float64]
    blendshapes: Mapping[str, float]
    pose: NDArray[np.float64]


class Landmarker(Protocol):
    """Finds the landmarks of a face that a detector has found."""

    @property
    def version(self) -> str:
        """What other landmarks would come from: library, weights and settings."""

    def mesh(self, image: Pixels, face: Face) -> Mesh | None:
        """The landmarks of this face of the picture; None where none is seen there."""


class MediaPipe:
    """The landmarker on the square around a face; may be called from several threads, and pickled.

    The square, twice the box's longer side, is cut first: in whole pictures MediaPipe misses
    faces under a seventh of the side, and its camera would look past a face near the border.
    """

    scale = 2.0
    size_px = 512
    overlap = 0.3  # of the box and the landmarks' own, for them to be of this face

    def __init__(self, path: Path, sha256: str) -> None:
        self.path, self.sha256 = path, sha256
        self._mine = threading.local()  # one network for each thread: a network serves its calls in turn

    def __reduce__(self) -> tuple[type[MediaPipe], tuple[Path, str]]:
        return type(self), (self.path, self.sha256)

    @property
    def version(self) -> str:
        """MediaPipe's version, the weights and the crop."""
        return f"{library(self.sha256)}, {self.scale} boxes at {self.size_px} px, overlap {self.overlap}"

    def mesh(self, image: Pixels, face: Face) -> Mesh | None:
        """The landmarks whose hull overlaps the face's box most; None where none does well."""
        left, top, side = align.window(face, scale=self.scale)
        crop = align.square(image, face, scale=self.scale, size_px=self.size_px)
        factor = side / self.size_px
        seen = [_moved(mesh, factor, (left, top)) for mesh in self.meshes(crop)]
        best = max(seen, key=lambda mesh: overlap(hull(mesh), face), default=None)
        return best if best is not None and overlap(hull(best), face) >= self.overlap else None

    def meshes(self, image: Pixels) -> tuple[Mesh, ...]:
        """The landmarks of all faces that MediaPipe finds in a picture."""
        import mediapipe

        network = self._network()
        picture = mediapipe.Image(
            image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image, np.uint8)
        )
        found = network.detect(picture)
        faces = zip(
            found.face_landmarks, found.face_blendshapes, found.facial_transformation_matrixes, strict=True
        )
        return tuple(_mesh(*face, image.shape) for face in faces)

    def _network(self) -> Any:
        if not hasattr(self._mine, "opened"):
            self._mine.opened = _Opened(self.path)
        return self._mine.opened.network


class _Opened:
    """A network that is closed when its thread or the program ends."""

    def __init__(self, path: Path) -> None:
        with _quiet():
            self.network = _open(path)
        weakref.finalize(self, _close, self.network)


def _open(path: Path) -> Any:
    try:
        import mediapipe

        vision = mediapipe.tasks.vision
        options = vision.FaceLandmarkerOptions(
            base_options=mediapipe.tasks.BaseOptions(model_asset_path=str(path)),
            num_faces=FACES,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        return vision.FaceLandmarker.create_from_options(options)
    except (ImportError, OSError) as error:
        raise ModelError(
            f"MediaPipe cannot start: {error}. It needs the system libraries libEGL.so.1 and "
            "libGLESv2.so.2; on Debian and Ubuntu: apt-get install libegl1 libgles2"
        ) from error


def _close(network: Any) -> None:
    try:
        network.close()
    except RuntimeError:
        # At exit the network's thread has ended before us, and closing once more in __del__ would print
        # a traceback; the end of the process frees what is left.
        network._handle = None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep MediaPipe from writing what it chose onto standard error: it takes no other word for it."""
    with _STDERR, open(os.devnull, "wb") as nowhere, contextlib.ExitStack() as after:
        kept = os.dup(2)
        after.callback(os.close, kept)
        after.callback(os.dup2, kept, 2)
        os.dup2(nowhere.fileno(), 2)
        yield


def _mesh(landmarks: Any, shapes: Any, pose: Any, size: tuple[int, ...]) -> Mesh:
    """MediaPipe's result of one face, its points in pixels; z has the scale of x."""
    height, width = size[:2]
    points = np.array([(point.x, point.y, point.z) for point in landmarks]) * (width, height, width)
    return Mesh(points, {shape.category_name: shape.score for shape in shapes}, np.array(pose, np.float64))


def _moved(mesh: Mesh, factor: float, by: tuple[int, int]) -> Mesh:
    return Mesh(mesh.points * factor + (*by, 0), mesh.blendshapes, mesh.pose)


def hull(mesh: Mesh) -> Box:
    """The box around the landmarks."""
    (left, top), (right, bottom) = mesh.points[:, :2].min(axis=0), mesh.points[:, :2].max(axis=0)
    return Box(float(left), float(top), float(right - left), float(bottom - top))


def overlap(one: Box | Face, other: Box | Face) -> float:
    """Intersection over union."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    both = max(width, 0) * max(height, 0)
    return both / (one.width * one.height + other.width * other.height - both)


def library(sha256: str) -> str:
    """MediaPipe's version and its weights, for what is computed with them."""
    return f"mediapipe {metadata.version('mediapipe')}, weights {sha256[:12]}"


def open_landmarker(folders: Sequence[Path]) -> MediaPipe:
    """The landmarker with the weights of these folders; ModelError says how to get them."""
    return MediaPipe(weights.need(WEIGHTS, folders), weights.entry(WEIGHTS).sha256)
