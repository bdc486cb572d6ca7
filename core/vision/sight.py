"""One picture with its face: what all raters of it share, each part worked out once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from core.records import Face
from core.vision import deepface_crop
from core.vision.image import Pixels
from core.vision.mesh import Landmarker, Mesh


@dataclass(frozen=True)
class Sight:
    """A decoded picture, the face in it that is rated, and its landmarks on demand."""

    image: Pixels
    face: Face
    landmarker: Landmarker | None = field(default=None, repr=False)

    @cached_property
    def upright(self) -> Pixels:
        """The face's box with its eyes levelled, as DeepFace cuts it for all of its networks."""
        return deepface_crop.upright(self.image, self.face)

    @cached_property
    def mesh(self) -> Mesh | None:
        """The face's landmarks and blendshapes; None without a landmarker or where it sees no face."""
        return self.landmarker.mesh(self.image, self.face) if self.landmarker else None
