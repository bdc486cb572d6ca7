"""mini-Xception as a rater: the emotion label with its probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.records import Score
from core.vision import align, weights
from core.vision.image import Pixels
from core.vision.rater import Compute, Declaration, Entry, Gives, Opinion
from core.vision.sight import Sight

if TYPE_CHECKING:
    from core.vision.networks.mini_xception import MiniXception

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # the network's order
SIZE_PX = 64
CROP_SCALE = 1.2

DECLARATION = Declaration(
    rater_id="mini-xception",
    title="mini-Xception (Arriaga et al., 2017)",
    version="2",
    gives=(Gives("emotion", "choice", units="probability", labels=LABELS),),
    weights=("mini-xception",),
    licence="MIT",
    citation=weights.entry("mini-xception").citation,
    trained_on="FER-2013: 35,887 grey photographs of 48 x 48 pixels from a web search, labelled by hand",
    limits=(
        "66 % accuracy on FER-2013, where people reach about 65 %; disgust is rare in that set; no contempt, "
        "no valence or arousal; drawn and computer-made faces were not in it."
    ),
)


class Rater:
    """mini-Xception on square grey crops."""

    declaration = DECLARATION

    def __init__(self, network: MiniXception, weights_sha256: str, device: str = "cpu") -> None:
        self.network, self.weights_sha256, self.device = network.to(device), weights_sha256, device

    def prepare(self, sight: Sight) -> Pixels:
        """The square around the face, 1.2 times its longer side, as 64 x 64 RGB."""
        return align.square(sight.image, sight.face, scale=CROP_SCALE, size_px=SIZE_PX)

    def rate(self, crops: Sequence[Pixels]) -> tuple[Opinion, ...]:
        """The label and the seven probabilities of each crop."""
        import torch

        with torch.inference_mode():
            rows = self.network(torch.from_numpy(inputs(crops)).to(self.device)).cpu().double()
            rows = rows / rows.sum(dim=1, keepdim=True)  # float32 sums to 1 only within 1e-7
        return tuple(_opinion(row) for row in rows.tolist())


def inputs(crops: Sequence[Pixels]) -> NDArray[np.float32]:
    """Crops as the network wants them: shape (n, 1, 64, 64), grey, -1 to 1."""
    import cv2

    grey = np.stack([cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) for crop in crops])
    return (grey[:, None].astype(np.float32) / np.float32(255) - np.float32(0.5)) * np.float32(2)


def _opinion(row: Sequence[float]) -> Opinion:
    probabilities = dict(zip(LABELS, row, strict=True))
    label = max(probabilities, key=lambda code: probabilities[code])
    return Opinion((Score("emotion", label=label),), probabilities)


def load(folders: Sequence[Path], compute: Compute) -> Rater:
    """Read the weights; ModelError says how to get them."""
    # Before torch is imported: what is missing should be said at once.
    path = weights.need("mini-xception", folders)
    from core.vision.networks import mini_xception

    return Rater(mini_xception.load(path), weights.entry("mini-xception").sha256, compute.device)


ENTRIES = (Entry(DECLARATION, load),)
