"""How two pictures of one size differ: structural similarity, differences, and a map to look at."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.vision.image import Pixels

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
SIGMA, WINDOW = 1.5, (11, 11)
FULL = 64.0  # the difference in grey levels that a map shows in its brightest colour
MAP_PX, MAP_BYTES = 512, 60_000


def ssim(one: NDArray[Any], other: NDArray[Any]) -> Floats:
    """The structural similarity of two grey pictures at each pixel, 1 where they are the same.

    one, other: shape (height, width), 0 to 255. A Gaussian window of 11 x 11, sigma 1.5, K = (0.01, 0.03).
    Source: Wang, Bovik, Sheikh & Simoncelli (2004), IEEE Transactions on Image Processing 13, 600-612.
    """
    x, y = one.astype(np.float64), other.astype(np.float64)
    mean_x, mean_y = _smooth(x), _smooth(y)
    xx, yy, xy = _smooth(x * x) - mean_x**2, _smooth(y * y) - mean_y**2, _smooth(x * y) - mean_x * mean_y
    alike: Floats = (2 * mean_x * mean_y + C1) * (2 * xy + C2)
    return alike / ((mean_x**2 + mean_y**2 + C1) * (xx + yy + C2))


def _smooth(picture: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(picture, WINDOW, SIGMA), np.float64)


def absolute(one: Pixels, other: Pixels) -> Floats:
    """The mean over the colours of the absolute difference, in grey levels."""
    difference: Floats = np.abs(one.astype(np.float64) - other).mean(axis=2)
    return difference


def smoothed(difference: Floats, radius_px: float) -> Floats:
    """The difference as a Gaussian window of that radius sees it: single noisy pixels fade."""
    return np.asarray(cv2.GaussianBlur(difference, (0, 0), max(radius_px, 0.3)), np.float64)


def drawn(reference: Pixels, difference: Floats, inside: Mask) -> bytes:
    """The difference in colour over the grey reference, the face outlined; WebP of at most 60 kB."""
    shade = np.clip(difference / FULL, 0, 1)
    colour = cv2.applyColorMap((shade * 255).astype(np.uint8), cv2.COLORMAP_INFERNO).astype(np.float64)
    grey = 0.6 * cv2.cvtColor(reference, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float64)
    # Even a faint difference covers the grey; none leaves the face to be seen.
    cover = np.clip(shade * 4, 0, 1)[..., None]
    canvas = np.ascontiguousarray((grey * (1 - cover) + colour * cover).round().astype(np.uint8))
    outline, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, outline, -1, (200, 200, 200), 1, cv2.LINE_AA)
    return _encoded(canvas)


def _encoded(canvas: NDArray[np.uint8]) -> bytes:
    factor = min(1.0, MAP_PX / max(canvas.shape[:2]))
    if factor < 1:
        canvas = np.asarray(cv2.resize(canvas, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))
    for quality in (85, 70, 50, 30, 10, 1):
        content = cv2.imencode(".webp", canvas, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()
        if len(content) <= MAP_BYTES:
            break
    return content
