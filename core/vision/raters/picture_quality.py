"""The face's sharpness, exposure, luminance, contrast and size, measured without any model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import Face, Score
from core.vision.image import Pixels
from core.vision.rater import Compute, Declaration, Entry, Gives, Opinion
from core.vision.sight import Sight

HEIGHT_PX = 256  # of the face when it is measured: sharpness depends on it
DARK, BRIGHT = 5, 250  # grey levels at and beyond which nothing can be told apart
SHARPEST = 16 * 255.0**2  # a chessboard of single black and white pixels

GIVES = (
    Gives("sharpness", "number", units="grey levels squared", low=0.0, high=SHARPEST, zero=0.0),
    Gives("exposure_dark", "number", units="share of the face's pixels", low=0.0, high=1.0, zero=0.0),
    Gives("exposure_bright", "number", units="share of the face's pixels", low=0.0, high=1.0, zero=0.0),
    Gives("luminance", "number", units="L*", low=0.0, high=100.0, zero=0.0),
    Gives("contrast", "number", units="standard deviation of grey 0..1", low=0.0, high=0.5, zero=0.0),
    Gives("face_height", "number", units="share of the picture's height", low=0.0, high=1.0, zero=0.0),
)

DECLARATION = Declaration(
    rater_id="picture-quality",
    title="Sharpness, exposure, luminance, contrast and size of the face",
    version="1",
    gives=GIVES,
    weights=(),
    licence="GPL-3.0-or-later (Facenorm's own)",
    citation=(
        "Pech-Pacheco, J. L., et al. (2000). Diatom autofocusing in brightfield microscopy. Proceedings of "
        "ICPR 2000, 3, 314-317; Peli, E. (1990). Contrast in complex images. Journal of the Optical Society "
        "of America A, 7, 2032-2040; CIE (2018). Colorimetry, 4th edition, CIE 015"
    ),
    trained_on="nothing: closed formulas",
    limits=(
        "Properties of the picture, not judgements; as proxies of naturalness they are weak. Noise counts as "
        "sharpness, a beard as contrast, skin colour moves luminance: compare edits with their own neutral, "
        "not people with each other. The box, and with it every value, depends on the detector."
    ),
)


class Rater:
    """Measures the face in its box; there is nothing to load."""

    declaration = DECLARATION
    weights_sha256 = ""

    def prepare(self, sight: Sight) -> Mapping[str, float]:
        """All measures by their scales."""
        return measure(sight.image, sight.face)

    def rate(self, measured: Sequence[Mapping[str, float]]) -> tuple[Opinion, ...]:
        """The measures as scores."""
        return tuple(Opinion(tuple(_score(gives, one) for gives in GIVES)) for one in measured)


def _score(gives: Gives, measured: Mapping[str, float]) -> Score:
    return Score(gives.scale_id, measured[gives.scale_id], scale_min=gives.low, scale_max=gives.high)


def measure(image: Pixels, face: Face) -> dict[str, float]:
    """All measures of the face, by their scales."""
    inside = cut(image, face)
    small = at_height(inside, face)
    grey = luma(inside)
    return {
        "sharpness": sharpness(luma(small)),
        "exposure_dark": float(np.mean(grey <= DARK)),
        "exposure_bright": float(np.mean(grey >= BRIGHT)),
        "luminance": luminance(small),
        "contrast": contrast(luma(small)),
        "face_height": inside.shape[0] / image.shape[0],
    }


def cut(image: Pixels, face: Face) -> Pixels:
    """What of the box lies in the picture; at least one pixel."""
    height, width = image.shape[:2]
    left, right = _span(face.x, face.width, width)
    top, bottom = _span(face.y, face.height, height)
    return image[top:bottom, left:right]


def _span(start: float, length: float, limit: int) -> tuple[int, int]:
    first = min(max(round(start), 0), limit - 1)
    return first, max(min(round(start + length), limit), first + 1)


def at_height(inside: Pixels, face: Face) -> Pixels:
    """The part of the face that is in the picture, at the size where all of it is 256 pixels high."""
    factor = HEIGHT_PX / face.height
    width, height = (min(max(1, round(side * factor)), 4 * HEIGHT_PX) for side in inside.shape[1::-1])
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(inside, (width, height), interpolation=method), np.uint8)


def luma(pixels: Pixels) -> NDArray[np.uint8]:
    """Grey levels by ITU-R BT.601."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def sharpness(grey: NDArray[Any]) -> float:
    """The variance of the Laplacian (4 neighbours) inside the outermost pixels, in grey levels squared.

    Source: Pech-Pacheco et al. (2000), Proceedings of ICPR, 3, 314-317.
    """
    laplacian = cv2.Laplacian(grey, cv2.CV_64F)[1:-1, 1:-1]
    return float(laplacian.var()) if laplacian.size else 0.0


def contrast(grey: NDArray[Any]) -> float:
    """RMS contrast: the standard deviation of the grey levels, white as 1.

    Source: Peli (1990), Journal of the Optical Society of America A, 7, 2032-2040.
    """
    return float(grey.std() / 255)


def luminance(pixels: Pixels) -> float:
    """The mean of CIE 1976 L*, for pixels in sRGB: black 0, white 100.

    Source: IEC 61966-2-1 (sRGB); CIE 015:2018.
    """
    encoded = np.arange(256) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    relative = linear[pixels] @ (0.2126, 0.7152, 0.0722)
    lightness = np.where(relative > (6 / 29) ** 3, 116 * np.cbrt(relative) - 16, relative * (29 / 3) ** 3)
    return float(lightness.mean())


def load(_folders: Sequence[Path], _compute: Compute) -> Rater:
    """Nothing is read."""
    return Rater()


ENTRIES = (Entry(DECLARATION, load),)
