"""A picture with its face at the size at which it is compared with another."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import Face
from core.vision.image import Pixels
from core.vision.mesh import Mesh
from core.vision.sight import Sight

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Scene:
    """A picture at the size at which two are compared, its face and its landmarks."""

    image: Pixels
    face: Face
    points: Floats | None  # shape (landmarks, 2)

    @property
    def grey(self) -> Floats:
        """Its grey levels."""
        return np.asarray(cv2.cvtColor(self.image, cv2.COLOR_RGB2GRAY), np.float64)


def height(image: Pixels, *, longer_px: int) -> int:
    """The picture's height when its longer side is at most so many pixels."""
    factor = min(1.0, longer_px / float(max(image.shape[:2])))
    return max(1, round(float(image.shape[0]) * factor))


def at(sight: Sight, height: int) -> Scene:
    """The picture at that height, with everything that lies on it."""
    factor = height / sight.image.shape[0]
    size = (max(1, round(sight.image.shape[1] * factor)), height)
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(sight.image, size, interpolation=method), np.uint8)
    face = sight.face
    sides = {name: getattr(face, name) * factor for name in ("x", "y", "width", "height")}
    return Scene(small, replace(face, **sides, points=()), _points(sight.mesh, factor))


def _points(mesh: Mesh | None, factor: float) -> Floats | None:
    return None if mesh is None else np.asarray(mesh.points[:, :2] * factor, np.float64)


def outline(before: Scene, after: Scene, matrix: Floats) -> Mask:
    """The face of either picture, in pixels of the reference: the edit may have opened its mouth.

    matrix: shape (2, 3), from pixels of the reference to pixels of the edit.
    """
    back = cv2.invertAffineTransform(matrix)
    shapes = [_shape(before), _shape(after) @ back[:, :2].T + back[:, 2]]
    mask = np.zeros(before.image.shape[:2], np.uint8)
    for shape in shapes:
        cv2.fillConvexPoly(mask, cv2.convexHull(shape.round().astype(np.int32)), 1)
    return np.asarray(mask > 0)


def _shape(scene: Scene) -> Floats:
    """Points around the face: its landmarks, or the ellipse in its box."""
    if scene.points is not None:
        return scene.points
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    face = scene.face
    across = face.x + face.width * (0.5 + 0.5 * np.cos(angle))
    return np.stack([across, face.y + face.height * (0.5 + 0.5 * np.sin(angle))], axis=1)


def grown(mask: Mask, by_px: float) -> Mask:
    """The mask and what lies so near to it."""
    side = 2 * round(by_px) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0)
