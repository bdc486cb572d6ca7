"""Finds the face that is rated: once for each picture, for all raters."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import Face
from core.vision.image import Pixels

Points = tuple[tuple[float, float], ...]
BORDER = 0.02  # of the box's longer side: a face that lies further outside is cut


@dataclass(frozen=True, slots=True)
class Box:
    """One face that a detector saw, in pixels of the whole picture."""

    x: float
    y: float
    width: float
    height: float
    score: float | None = None
    points: Points = ()  # in the order of core.records.Face


class Detector(Protocol):
    """Finds all faces of a picture; may be called from several threads, and pickled.

    detector: its code; version: the library, the weights and the settings that made the boxes.
    """

    @property
    def detector(self) -> str:
        """The detector's code, as stored with each result."""

    @property
    def version(self) -> str:
        """What another box would come from: library, weights and settings."""

    def detect(self, image: Pixels) -> Sequence[Box]:
        """All faces in pixels of the picture, in any order."""


def face(image: Pixels, detector: Detector) -> Face | None:
    """The largest face of the picture (of equal ones the leftmost), or None."""
    boxes = detector.detect(image)
    if not boxes:
        return None
    box = min(boxes, key=lambda box: (-box.width * box.height, box.x, box.y))
    return Face(
        x=box.x,
        y=box.y,
        width=box.width,
        height=box.height,
        score=box.score,
        points=box.points,
        detector=detector.detector,
        detector_version=detector.version,
        rule=f"largest of {len(boxes)}",
        n_faces=len(boxes),
    )


def remark(face: Face, *, width_px: int, height_px: int) -> str:
    """What to know of the face that was chosen: that there were others, that the border cuts it."""
    said = [face.rule] if face.n_faces > 1 else []
    margin = BORDER * max(face.width, face.height)  # a box is no exact outline
    beyond = {
        "left": -face.x,
        "top": -face.y,
        "right": face.x + face.width - width_px,
        "bottom": face.y + face.height - height_px,
    }
    if cut := [side for side, past in beyond.items() if past > margin]:
        said.append(f"cut by the picture's {' and '.join(cut)} border")
    return "; ".join(said)


def shrink(image: Pixels, longer_px: int) -> tuple[Pixels, float]:
    """The picture with its longer side at most `longer_px`, and the factor back to full size."""
    height, width = image.shape[:2]
    factor = max(height, width) / longer_px
    if factor <= 1:
        return image, 1.0
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), factor


class Haar:
    """Viola and Jones's cascade on the grey picture, longer side at most 640."""

    detector = "haar"
    longer_px = 640
    scale_step = 1.1
    neighbours = 5
    smallest_px = 48

    def __init__(self, path: Path, sha256: str) -> None:
        self.path, self.sha256 = path, sha256
        self._mine = threading.local()  # OpenCV's objects keep scratch space: one for each thread

    def __reduce__(self) -> tuple[type[Haar], tuple[Path, str]]:
        return Haar, (self.path, self.sha256)

    @property
    def version(self) -> str:
        """OpenCV's version, the cascade and the scan's settings."""
        return (
            f"opencv {cv2.__version__}, weights {self.sha256[:12]}, at most {self.longer_px} px, "
            f"step {self.scale_step}, neighbours {self.neighbours}, from {self.smallest_px} px"
        )

    def detect(self, image: Pixels) -> tuple[Box, ...]:
        """All upright frontal faces; a cascade gives no score and no points."""
        if not hasattr(self._mine, "cascade"):
            self._mine.cascade = cv2.CascadeClassifier(str(self.path))
        small, factor = shrink(image, self.longer_px)
        found = self._mine.cascade.detectMultiScale(
            cv2.cvtColor(small, cv2.COLOR_RGB2GRAY),
            scaleFactor=self.scale_step,
            minNeighbors=self.neighbours,
            minSize=(self.smallest_px, self.smallest_px),
        )
        scaled = np.reshape(found, (-1, 4)) * factor
        return tuple(Box(x, y, width, height) for x, y, width, height in scaled.tolist())


class YuNet:
    """YuNet on the picture at 640, and at 320 when nothing was found: it misses large faces."""

    detector = "yunet"
    longer_px = (640, 320)
    threshold = 0.6

    def __init__(self, path: Path, sha256: str) -> None:
        self.path, self.sha256 = path, sha256
        self._mine = threading.local()

    def __reduce__(self) -> tuple[type[YuNet], tuple[Path, str]]:
        return YuNet, (self.path, self.sha256)

    @property
    def version(self) -> str:
        """OpenCV's version, the weights, the scales tried and the threshold."""
        scales = " then ".join(str(side) for side in self.longer_px)
        return f"opencv {cv2.__version__}, weights {self.sha256[:12]}, {scales} px, score {self.threshold}"

    def detect(self, image: Pixels) -> tuple[Box, ...]:
        """All faces with their scores and five points, from the first scale that shows any."""
        for longer_px in self.longer_px:
            small, factor = shrink(image, longer_px)
            if boxes := self._at_scale(small, factor):
                return boxes
        return ()

    def _at_scale(self, small: Pixels, factor: float) -> tuple[Box, ...]:
        network = self._network()
        network.setInputSize((small.shape[1], small.shape[0]))
        _, rows = network.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        return () if rows is None else tuple(_box(row, factor) for row in rows)

    def _network(self) -> cv2.FaceDetectorYN:
        if not hasattr(self._mine, "network"):
            with quiet():
                self._mine.network = cv2.FaceDetectorYN.create(str(self.path), "", (320, 320), self.threshold)
        network: cv2.FaceDetectorYN = self._mine.network
        return network


def _box(row: NDArray[np.float32], factor: float) -> Box:
    """One of YuNet's rows: x, y, width, height, five points, score."""
    x, y, width, height, *points = (float(value) * factor for value in row[:14])
    pairs = tuple(zip(points[::2], points[1::2], strict=True))
    return Box(x, y, width, height, float(row[14]), pairs)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep OpenCV 5 from printing that its new engine cannot choose a device: there is only the CPU."""
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)
