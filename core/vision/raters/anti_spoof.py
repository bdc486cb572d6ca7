"""MiniFASNet as a rater: how real, rather than printed or replayed, a face looks to it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import Face, Score
from core.vision import weights
from core.vision.image import Pixels
from core.vision.rater import Compute, Declaration, Entry, Gives, Opinion
from core.vision.sight import Sight

if TYPE_CHECKING:
    from core.vision.networks.minifasnet import MiniFASNet

Crops = NDArray[np.uint8]  # shape (2, 80, 80, 3), RGB: one for each network

SIZE_PX = 80
SCALES = (2.7, 4.0)  # of the box, in the order of the networks
NAMES = ("minifasnet-v2", "minifasnet-v1se")

DECLARATION = Declaration(
    rater_id="anti-spoof",
    title="MiniFASNet, two networks (Minivision, 2020)",
    version="1",
    gives=(Gives("realism", "number", units="P(real)", low=0.0, high=1.0, zero=0.0),),
    weights=NAMES,
    licence=weights.entry(NAMES[0]).licence,
    citation=weights.entry(NAMES[0]).citation,
    trained_on="Minivision's own photographs of real faces, of prints and of faces on screens; not published",
    limits=(
        "A proxy: it was made to catch prints and screens held before a camera, not generated or edited "
        "pictures, and nothing says that it goes with how real people find a face. Borders, moire and the "
        "surroundings of the face count; where the picture is smaller than 4 times the face's box, the "
        "larger crop is as large as the picture allows."
    ),
)


class Rater:
    """Both networks on their crops; the mean of their probabilities."""

    declaration = DECLARATION

    def __init__(self, networks: Sequence[MiniFASNet], weights_sha256: str, device: str = "cpu") -> None:
        self.networks = tuple(network.to(device) for network in networks)
        self.weights_sha256, self.device = weights_sha256, device

    def prepare(self, sight: Sight) -> Crops:
        """The surroundings of the face at 2.7 and 4 times its box, as 80 x 80 RGB each."""
        return np.stack([crop(sight.image, sight.face, scale=scale) for scale in SCALES])

    def rate(self, crops: Sequence[Crops]) -> tuple[Opinion, ...]:
        """The probability of a real face."""
        from core.vision.networks.minifasnet import REAL

        values = self.probabilities(crops)[:, REAL].tolist()
        return tuple(Opinion((Score("realism", value, scale_min=0.0, scale_max=1.0),)) for value in values)

    def probabilities(self, crops: Sequence[Crops]) -> NDArray[np.float64]:
        """The networks' mean probability of each class, shape (n, 3)."""
        import torch

        # BGR from 0 to 255: the authors read with OpenCV and do not normalise.
        faces = torch.from_numpy(np.stack(crops)[..., ::-1].transpose(1, 0, 4, 2, 3).astype(np.float32))
        with torch.inference_mode():
            logits = [network(one.to(self.device)) for network, one in zip(self.networks, faces, strict=True)]
            mean = torch.stack([torch.softmax(one.cpu().double(), dim=1) for one in logits]).mean(dim=0)
        return mean.numpy()


def crop(image: Pixels, face: Face, *, scale: float) -> Pixels:
    """The box made larger around its centre, moved into the picture, resized as the authors do."""
    height, width = image.shape[:2]
    scale = min((height - 1) / face.height, (width - 1) / face.width, scale)
    left, right = _within(face.x + face.width / 2, face.width * scale, width - 1)
    top, bottom = _within(face.y + face.height / 2, face.height * scale, height - 1)
    inside = image[top : bottom + 1, left : right + 1]
    return np.asarray(cv2.resize(inside, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_LINEAR), np.uint8)


def _within(centre: float, side: float, last: int) -> tuple[int, int]:
    """From and to of an interval of that length, moved so that it lies between 0 and `last`."""
    low, high = centre - side / 2, centre + side / 2
    if low < 0:
        low, high = 0, high - low
    if high > last:
        low, high = low - (high - last), last
    return int(low), int(high)


def load(folders: Sequence[Path], compute: Compute) -> Rater:
    """Read both networks; ModelError says how to get their weights."""
    # Before torch is imported: what is missing should be said at once.
    paths = [weights.need(name, folders) for name in NAMES]
    from core.vision.networks import minifasnet

    widths = (minifasnet.V2, minifasnet.V1SE)
    networks = [minifasnet.load(path, width) for path, width in zip(paths, widths, strict=True)]
    return Rater(networks, _checksum(folders), compute.device)


def _checksum(folders: Sequence[Path]) -> str:
    """One checksum for both files: the SHA-256 of theirs, joined."""
    return hashlib.sha256("".join(weights.sha256_of(name, folders) for name in NAMES).encode()).hexdigest()


ENTRIES = (Entry(DECLARATION, load),)
