"""HSEmotion as a rater: the emotion with its probabilities, valence and arousal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.vision import align, onnx, weights
from core.vision.image import Pixels
from core.vision.onnx import Network
from core.vision.rater import Compute, Declaration, Entry, Opinion
from core.vision.raters import affect
from core.vision.sight import Sight

# In the network's order; valence and arousal follow.
LABELS = ("angry", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprise")
SIZE_PX = 224
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, of RGB from 0 to 1
BATCH = 16
NAME = "hsemotion"

DECLARATION = Declaration(
    rater_id=NAME,
    title="HSEmotion enet_b0_8_va_mtl (Savchenko et al., 2022)",
    version="1",
    gives=affect.gives(LABELS),
    weights=(NAME,),
    licence=weights.entry(NAME).licence,
    citation=weights.entry(NAME).citation,
    trained_on=(
        "AffectNet (Mollahosseini et al., 2019): photographs from web searches, labelled by hand; before "
        "that the identities of VGGFace2"
    ),
    limits=(
        "Its authors report 61.9 % accuracy for the eight emotions of AffectNet and CCC .594 for valence, "
        ".549 for arousal. Trained on photographs: generated faces were not in the set."
    ),
)


class Rater:
    """HSEmotion on the detector's box, stretched to a square."""

    declaration = DECLARATION

    def __init__(self, network: Network, weights_sha256: str) -> None:
        self.network, self.weights_sha256 = network, weights_sha256

    def prepare(self, sight: Sight) -> Pixels:
        """The detector's box without a margin, as 224 x 224 RGB."""
        return align.stretched(sight.image, sight.face, size_px=SIZE_PX)

    def rate(self, crops: Sequence[Pixels]) -> tuple[Opinion, ...]:
        """The label, its probabilities, valence and arousal of each crop."""
        parts = [crops[start : start + BATCH] for start in range(0, len(crops), BATCH)]
        return tuple(affect.opinion(LABELS, row) for part in parts for row in self._answers(part))

    def _answers(self, crops: Sequence[Pixels]) -> NDArray[np.float64]:
        (answers,) = self.network(inputs(crops))
        if answers.shape != (len(crops), len(LABELS) + 2):
            raise ModelError(
                f"the hsemotion network gives {answers.shape[1:]} values a face; "
                f"needed are {len(LABELS)} logits, valence and arousal, as enet_b0_8_va_mtl gives them"
            )
        return answers.astype(np.float64)


def inputs(crops: Sequence[Pixels]) -> NDArray[np.float32]:
    """Crops as the network wants them: shape (n, 3, 224, 224), RGB by ImageNet's mean and deviation."""
    mean, std = np.array(MEAN, np.float32), np.array(STD, np.float32)
    scaled: NDArray[np.float32] = (np.stack(crops).astype(np.float32) / np.float32(255) - mean) / std
    return scaled.transpose(0, 3, 1, 2)


def load(folders: Sequence[Path], compute: Compute) -> Rater:
    """Read the weights; ModelError says how to get them."""
    network = onnx.session(weights.need(NAME, folders), compute)
    return Rater(network, weights.sha256_of(NAME, folders))


ENTRIES = (Entry(DECLARATION, load),)
