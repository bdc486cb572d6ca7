"""EmoNet as a rater: the emotion with its probabilities, valence and arousal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.vision import align, landmarks, weights
from core.vision.image import Pixels
from core.vision.rater import Compute, Declaration, Entry, Opinion
from core.vision.raters import affect
from core.vision.sight import Sight

if TYPE_CHECKING:
    from torch import Tensor, nn

# In the network's order. The fifth class of emonet-5 is fear in its authors' description and anger in
# their loader: it is given as `other`, which claims neither.
LABELS = {
    "emonet-8": ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt"),
    "emonet-5": ("neutral", "happy", "sad", "surprise", "other"),
}
SIZE_PX = 256
CROP_SCALE = 200 / 220  # of the sum of the landmarks' width and height
BATCH = 8  # faces in one pass: 16 with their mirror images
NO_LANDMARKER = "crop from the detector's box: the face-landmarker is not here"
NO_LANDMARKS = "crop from the detector's box: the face-landmarker sees no face in it"

TRAINED_ON = (
    "AffectNet (Mollahosseini et al., 2019): photographs from web searches, labelled by hand; behind it a "
    "network for 68 landmarks"
)
REPORTED = (
    "On their cleaned AffectNet test set the authors report 75 % accuracy and CCC .82 for valence, .75 for "
    "arousal; an independent user reports 52 %, .57 and .52. "
)
UNSEEN = (
    "Trained on photographs: generated faces were not in the set. Without the face-landmarker the crop is "
    "not the authors', which the result says."
)
DISPUTED = (
    "Of its five classes the last one is disputed: the authors' description says fear, their loader anger. "
    "It is given as `other` and never counts as either; prefer emonet-8. The figures are those of the "
    "network with eight classes: "
)
BEFORE = {"emonet-8": "", "emonet-5": DISPUTED}


def _declaration(rater_id: str, title: str) -> Declaration:
    file = weights.entry(rater_id)
    return Declaration(
        rater_id=rater_id,
        title=title,
        version="1",
        gives=affect.gives(LABELS[rater_id]),
        weights=(rater_id,),
        licence=file.licence,
        citation=file.citation,
        trained_on=TRAINED_ON,
        limits=BEFORE[rater_id] + REPORTED + UNSEEN,
        helpful=("face-landmarker",),
    )


EIGHT = _declaration("emonet-8", "EmoNet, eight emotions (Toisoul et al., 2021)")
FIVE = _declaration("emonet-5", "EmoNet, five emotions (Toisoul et al., 2021)")


@dataclass(frozen=True, slots=True)
class Crop:
    """A face as the network wants it, and what was done otherwise than its authors did."""

    pixels: Pixels
    reason: str = ""


class Rater:
    """EmoNet on the square around the landmarks, averaged over the face and its mirror image."""

    def __init__(
        self, declaration: Declaration, network: nn.Module, weights_sha256: str, device: str = "cpu"
    ) -> None:
        self.declaration, self.weights_sha256, self.device = declaration, weights_sha256, device
        self.network = network.to(device)

    def prepare(self, sight: Sight) -> Crop:
        """The upright square of the authors, 256 x 256, black beyond the picture's border."""
        (left, top, width, height), reason = _box(sight)
        centre = (left + width / 2, top + height / 2)
        side = (width + height) * CROP_SCALE
        return Crop(align.zero_bordered(sight.image, centre, side, size_px=SIZE_PX), reason)

    def rate(self, crops: Sequence[Crop]) -> tuple[Opinion, ...]:
        """The label, its probabilities, valence and arousal of each crop."""
        parts = [crops[start : start + BATCH] for start in range(0, len(crops), BATCH)]
        rows = [row for part in parts for row in self._answers(part)]
        labels = self.declaration.gives[0].labels
        return tuple(affect.opinion(labels, row, crop.reason) for row, crop in zip(rows, crops, strict=True))

    def _answers(self, crops: Sequence[Crop]) -> NDArray[np.float64]:
        """The network's rows, each the mean of the face's and its mirror image's."""
        import torch

        faces = inputs(crops)
        with torch.inference_mode():
            both = torch.cat((faces, faces.flip(3))).to(self.device, memory_format=torch.channels_last)
            answers = self.network(both).cpu().double()
        rows: NDArray[np.float64] = answers.reshape(2, len(crops), -1).mean(dim=0).numpy()
        return rows


def inputs(crops: Sequence[Crop]) -> Tensor:
    """Crops as the network wants them: shape (n, 3, 256, 256), RGB, 0 to 1."""
    import torch

    pixels = torch.from_numpy(np.stack([crop.pixels for crop in crops]))
    return pixels.permute(0, 3, 1, 2).float() / 255


def _box(sight: Sight) -> tuple[tuple[float, float, float, float], str]:
    """Left, top, width and height of the landmarks, or of the detector's box and why."""
    if sight.mesh is not None:
        return landmarks.ibug_box(sight.mesh.points), ""
    face = sight.face
    reason = NO_LANDMARKS if sight.landmarker else NO_LANDMARKER
    return (face.x, face.y, face.width, face.height), reason


def _load(declaration: Declaration, folders: Sequence[Path], compute: Compute) -> Rater:
    """Read the weights; ModelError says how to get them."""
    # Before torch is imported: what is missing should be said at once.
    (name,) = declaration.weights
    path = weights.need(name, folders)
    from core.vision.networks import emonet

    network = emonet.load(path, len(declaration.gives[0].labels))
    return Rater(declaration, network, weights.sha256_of(name, folders), compute.device)


ENTRIES = (Entry(EIGHT, partial(_load, EIGHT)), Entry(FIVE, partial(_load, FIVE)))
