"""MediaPipe's face landmarker: 478 points, 52 blendshapes and the head's pose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.records import Face
from core.vision.image import Pixels


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
