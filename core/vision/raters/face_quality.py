"""eDifFIQA(T) as a rater: how well a face serves recognition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.records import Score
from core.vision import arcface_crop, onnx, weights
from core.vision.image import Pixels
from core.vision.onnx import Network
from core.vision.rater import Compute, Declaration, Entry, Gives, Opinion
from core.vision.sight import Sight

NAME = "ediffiqa-t"
SIZE_PX = 112

DECLARATION = Declaration(
    rater_id="face-quality",
    title="eDifFIQA(T) (Babnik et al., 2024)",
    version="1",
    gives=(Gives("face_quality", "number", units="predicted recognition utility, about 0 to 1"),),
    weights=(NAME,),
    helpful=("face-landmarker",),
    licence=weights.entry(NAME).licence,
    citation=weights.entry(NAME).citation,
    trained_on=(
        "photographs of faces, labelled by how far a diffusion model's noise moves them for a recogniser; "
        "the published file is a MobileFaceNet with such a head"
    ),
    limits=(
        "A proxy: it predicts how useful a picture is to a face recogniser, not how natural it looks. Pose, "
        "blur and covered parts lower it, and so may a strong expression. Compare edits with their neutral."
    ),
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The aligned face; None with the reason."""

    face: Pixels | None
    reason: str


class Rater:
    """The network on aligned faces."""

    declaration = DECLARATION

    def __init__(self, network: Network, weights_sha256: str) -> None:
        self.network, self.weights_sha256 = network, weights_sha256

    def prepare(self, sight: Sight) -> Prepared:
        """The face brought to ArcFace's places by its five points, 112 x 112 RGB."""
        points, reason = arcface_crop.five_points(sight)
        face = None if points is None else arcface_crop.crop(sight.image, points, size_px=SIZE_PX)
        return Prepared(face, reason)

    def rate(self, prepared: Sequence[Prepared]) -> tuple[Opinion, ...]:
        """The predicted quality of each face; it abstains where there are no five points."""
        faces = [one.face for one in prepared if one.face is not None]
        values = iter(self.network(inputs(faces))[0].reshape(len(faces)).tolist() if faces else ())
        return tuple(
            Opinion(() if one.face is None else (Score("face_quality", next(values)),), reason=one.reason)
            for one in prepared
        )


def inputs(faces: Sequence[Pixels]) -> NDArray[np.float32]:
    """Faces as the network wants them: shape (n, 3, 112, 112), RGB, -1 to 1."""
    scaled = (np.stack(faces).astype(np.float32) / np.float32(255) - np.float32(0.5)) / np.float32(0.5)
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def load(folders: Sequence[Path], compute: Compute) -> Rater:
    """Open the network; ModelError says how to get its weights."""
    path = weights.need(NAME, folders)
    return Rater(onnx.session(path, compute), weights.sha256_of(NAME, folders))


ENTRIES = (Entry(DECLARATION, load),)
