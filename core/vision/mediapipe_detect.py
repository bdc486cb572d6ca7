"""MediaPipe as a detector: boxes and five points from its landmarks."""

from __future__ import annotations

from pathlib import Path

from core.vision.detect import Box
from core.vision.image import Pixels
from core.vision.mesh import FACES, MediaPipe, Mesh, hull, library, overlap

# Pupils, nose tip, mouth corners in the order of core.records.Face: of MediaPipe's points those that lie
# nearest to YuNet's, by .04 to .08 of the distance between the eyes in nine portraits.
POINTS = (468, 473, 4, 61, 291)
SHARE = 0.5  # of the picture's sides: a tile; with tiles half a tile apart a face lies whole in one of them


class Detector:
    """MediaPipe on the whole picture, and on nine overlapping quarters of it when nothing was found.

    Its own detector sees faces from a seventh of the picture's side, so quarters show those
    from a fourteenth.
    """

    detector = "mediapipe"
    same = 0.3  # overlap of two boxes, intersection over union, from which they are one face

    def __init__(self, path: Path, sha256: str) -> None:
        self.path, self.sha256 = path, sha256
        self._landmarks = MediaPipe(path, sha256)

    def __reduce__(self) -> tuple[type[Detector], tuple[Path, str]]:
        return type(self), (self.path, self.sha256)

    @property
    def version(self) -> str:
        """MediaPipe's version, the weights and the settings."""
        return (
            f"{library(self.sha256)}, whole then 9 quarters, at most {FACES} faces each, overlap {self.same}"
        )

    def detect(self, image: Pixels) -> tuple[Box, ...]:
        """Boxes around the landmarks, with five of them; MediaPipe tells no score."""
        if found := self._boxes(image, 0, 0):
            return found
        height, width = (max(1, round(side * SHARE)) for side in image.shape[:2])
        tops, lefts = ({0, side // 2, side} for side in (image.shape[0] - height, image.shape[1] - width))
        tiles = [(top, left) for top in sorted(tops) for left in sorted(lefts)]
        seen = [
            box
            for top, left in tiles
            for box in self._boxes(image[top : top + height, left : left + width], left, top)
        ]
        return _distinct(seen, self.same)

    def _boxes(self, tile: Pixels, left: int, top: int) -> tuple[Box, ...]:
        return tuple(_box(mesh, left, top) for mesh in self._landmarks.meshes(tile))


def _box(mesh: Mesh, left: int, top: int) -> Box:
    box, points = hull(mesh), mesh.points[list(POINTS), :2] + (left, top)
    five = tuple((x, y) for x, y in points.tolist())
    return Box(box.x + left, box.y + top, box.width, box.height, None, five)


def _distinct(boxes: list[Box], same: float) -> tuple[Box, ...]:
    """Each face once: of boxes that overlap the largest, since a tile's border cuts the others."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda one: -one.width * one.height):
        if all(overlap(box, other) < same for other in kept):
            kept.append(box)
    return tuple(kept)
