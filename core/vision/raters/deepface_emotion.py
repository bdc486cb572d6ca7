"""DeepFace's emotion network as a rater: the label with its seven probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.records import Score
from core.vision import deep, deepface_crop, weights
from core.vision.deep import Client
from core.vision.deepface_crop import Scaled
from core.vision.rater import Compute, Declaration, Entry, Gives, Opinion
from core.vision.sight import Sight

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # the network's order
SIZE_PX = 224  # DeepFace brings every face to this size before it shrinks it to the network's 48
NAME = "deepface-emotion"

DECLARATION = Declaration(
    rater_id=NAME,
    title="DeepFace's emotion network (Serengil & Özpınar, 2021)",
    version="1",
    gives=(Gives("emotion", "choice", units="probability", labels=LABELS),),
    weights=(NAME,),
    licence=weights.entry(NAME).licence,
    citation=weights.entry(NAME).citation,
    trained_on="FER-2013: 35,887 grey photographs of 48 x 48 pixels from a web search, labelled by hand",
    limits=(
        "People agree with the labels of FER-2013 for about 65 %; disgust is rare in it, and drawn and "
        "computer-made faces are not in it. No contempt, no valence or arousal."
    ),
)


class Rater:
    """DeepFace's emotion network on upright faces."""

    declaration = DECLARATION

    def __init__(self, client: Client, weights_sha256: str) -> None:
        self.client, self.weights_sha256 = client, weights_sha256

    def prepare(self, sight: Sight) -> Scaled:
        """The box with its eyes levelled, 224 x 224 with black bars, as DeepFace.analyze makes it."""
        return deepface_crop.scaled(sight.upright, size_px=SIZE_PX)

    def rate(self, crops: Sequence[Scaled]) -> tuple[Opinion, ...]:
        """The label and the seven probabilities of each face, from one forward pass."""
        rows = self.client.predict(np.stack(crops)).reshape(len(crops), len(LABELS)).astype(np.float64)
        return tuple(_opinion(row) for row in (rows / rows.sum(axis=1, keepdims=True)).tolist())


def _opinion(row: Sequence[float]) -> Opinion:
    probabilities = dict(zip(LABELS, row, strict=True))
    label = max(probabilities, key=lambda code: probabilities[code])
    return Opinion((Score("emotion", label=label),), probabilities)


def load(folders: Sequence[Path], compute: Compute) -> Rater:
    """Read the weights; ModelError says how to get them."""
    return build(weights.need(NAME, folders), compute, weights.sha256_of(NAME, folders))


def build(path: Path, compute: Compute, sha256: str = "") -> Rater:
    """The rater on the network in that file; its checksum is worked out where it is not given."""
    client = deep.client("demography.onnx.Emotion", "EmotionClient", path, compute)
    return Rater(client, sha256 or weights.checksum(path))


ENTRIES = (Entry(DECLARATION, load),)
