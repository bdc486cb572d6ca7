"""Face detectors that come with DeepFace: RetinaFace, and any other of them by name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import codes
from core.errors import ModelError
from core.vision import deep, weights
from core.vision.detect import Box, Detector, quiet, shrink
from core.vision.image import Pixels
from core.vision.rater import Compute

PREFIX = "deepface:"
POINTS = ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")  # in the order of core.records.Face
OURS = MappingProxyType(
    {
        "mediapipe": "DeepFace's mediapipe detector cannot run on MediaPipe 1.x; take our own: mediapipe",
        "retinaface": "DeepFace's RetinaFace is here under its own name: take retinaface",
    }
)


class RetinaFace:
    """RetinaFace (DeepFace's) with the longer side at 320, then 512, 1024 and in full until a face is clear.

    A face is clear from 80 pixels on its shorter side: enough for the box and the five points, and far
    above the 16 pixels of the smallest faces that the network looks for. DeepFace itself enlarges every
    picture until its shorter side has 1024 pixels: a portrait costs ten times as much so. "In full" ends
    where the package shrinks by itself: at 1024 pixels on the shorter side, or 1980 on the longer one.
    """

    detector = "retinaface"
    longer_px = (320, 512, 1024)
    clear_px = 80
    threshold = 0.9

    def __init__(self, path: Path, sha256: str, compute: Compute | None = None) -> None:
        self.path, self.sha256, self.compute = path, sha256, compute or Compute()
        self._lock = threading.Lock()
        self._faces: Callable[[NDArray[np.uint8], float], Mapping[str, Any]] | None = None

    def __reduce__(self) -> tuple[type[RetinaFace], tuple[Path, str, Compute]]:
        return RetinaFace, (self.path, self.sha256, self.compute)

    @property
    def version(self) -> str:
        """DeepFace's version, the weights, the scales tried and the threshold."""
        scales = " then ".join(str(side) for side in self.longer_px)
        return (
            f"deepface {deep.version()}, weights {self.sha256[:12]}, "
            f"{scales} px then in full until {self.clear_px} px, score {self.threshold}"
        )

    def detect(self, image: Pixels) -> tuple[Box, ...]:
        """All faces with their scores and five points, from the first scale that shows one clearly."""
        boxes: tuple[Box, ...] = ()
        for longer_px in (*self.longer_px, max(image.shape[:2])):
            small, factor = shrink(image, longer_px)
            boxes = self._at_scale(small, factor) or boxes
            if factor == 1 or any(min(box.width, box.height) >= self.clear_px * factor for box in boxes):
                break
        return boxes

    def _at_scale(self, small: Pixels, factor: float) -> tuple[Box, ...]:
        with self._lock:  # one network for all threads: it is large, and may be run by several at once
            self._faces = self._faces or deep.retinaface(self.path, self.compute)
        found = self._faces(np.ascontiguousarray(small[..., ::-1]), self.threshold)
        return tuple(_box(one, factor) for one in found.values())


def _box(found: Mapping[str, Any], factor: float) -> Box:
    """One of RetinaFace's answers: two corners in whole pixels, five points, score."""
    left, top, right, bottom = (float(value) * factor for value in found["facial_area"])
    points = [found["landmarks"][name] for name in POINTS]
    pairs = tuple((float(x) * factor, float(y) * factor) for x, y in points)
    return Box(left, top, right - left, bottom - top, float(found["score"]), pairs)


class Backend:
    """One of DeepFace's detectors, on files that lie in the model folders under their own names."""

    def __init__(self, backend: str, folders: Sequence[Path]) -> None:
        self.backend, self.folders = backend, tuple(folders)
        self.files: dict[str, Path] = {}
        with deep.locating(self._locate):
            try:
                self._client = deep.detector(backend)
            except (ImportError, ValueError) as error:  # a missing package, or a version that will not do
                raise ModelError(f"DeepFace's detector {backend}: {' '.join(str(error).split())}") from error

    def __reduce__(self) -> tuple[type[Backend], tuple[str, tuple[Path, ...]]]:
        return Backend, (self.backend, self.folders)

    @property
    def detector(self) -> str:
        """The detector's code: DeepFace's name for it behind "deepface:"."""
        return PREFIX + self.backend

    @property
    def version(self) -> str:
        """DeepFace's version, and the checksum of each file that the detector read."""
        read = (f"{name} {weights.checksum(path)[:12]}" for name, path in sorted(self.files.items()))
        return ", ".join((f"deepface {deep.version()}", *read))

    def detect(self, image: Pixels) -> tuple[Box, ...]:
        """All faces; five points where the detector gives five."""
        # One at a time: few of these detectors may be shared, and some load their files again each time.
        with deep.locating(self._locate), quiet():
            areas = self._client.detect_faces(np.ascontiguousarray(image[..., ::-1]))
        return tuple(_region(area) for area in areas)

    def _locate(self, name: str, source: str) -> Path:
        """The file of that name in the first folder that has one."""
        path = next((folder / name for folder in self.folders if (folder / name).is_file()), None)
        if path is None:
            raise ModelError(
                f"DeepFace's detector {self.backend} needs the file {name}, which is not in "
                f"{', '.join(str(folder) for folder in self.folders)}. Get it from {source} "
                "(unpack it if it is packed) and put it into one of them under this name"
            )
        self.files[name] = path
        return path


def _region(area: Any) -> Box:
    five = (area.right_eye, area.left_eye, area.nose, area.mouth_right, area.mouth_left)
    points = tuple((float(point[0]), float(point[1])) for point in five if point is not None)
    score = None if area.confidence is None else float(area.confidence)
    corner = (float(area.x), float(area.y), float(area.w), float(area.h))
    return Box(*corner, score, points if len(points) == len(five) else ())


def backend(name: str, folders: Sequence[Path]) -> Detector:
    """DeepFace's detector of that name; ModelError says what is missing, or what to take instead."""
    if name in OURS:
        raise ModelError(OURS[name])
    if name not in (known := deep.backends()):
        raise ModelError(
            f"DeepFace has no detector {name!r} (it has {codes.listed(known)}); {codes.mend(name, known)}"
        )
    return Backend(name, folders)
