"""Cuts out of the picture what a rater's authors showed their model."""

from __future__ import annotations

import cv2
import numpy as np

from core.records import Face
from core.vision.image import Pixels


def square(image: Pixels, face: Face, *, scale: float, size_px: int) -> Pixels:
    """The square around the box's centre, its side the longer one x `scale`, resized.

    image: shape (height, width, channels). Returns shape (size_px, size_px, channels).
    Beyond the picture's border its outermost pixels are repeated: black would be an edge that
    no training face had.
    """
    left, top, side = window(face, scale=scale)
    crop = _cut(image, left, top, side)
    # Averaging areas when shrinking: sampling single pixels of a large face would alias.
    method = cv2.INTER_AREA if side > size_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (size_px, size_px), interpolation=method), np.uint8)


def window(face: Face, *, scale: float) -> tuple[int, int, int]:
    """Left, top and side in pixels of the picture of the square that `square` cuts."""
    side = max(1, round(max(face.width, face.height) * scale))
    left = round(face.x + face.width / 2 - side / 2)
    top = round(face.y + face.height / 2 - side / 2)
    return left, top, side


def zero_bordered(image: Pixels, centre: tuple[float, float], side: float, *, size_px: int) -> Pixels:
    """The square of that centre and side, resized bilinearly; beyond the picture's border it is black.

    centre: x and y in pixels from the picture's top left corner, between pixels where need be.
    """
    step = side / size_px
    # The middle of the crop's pixel i lies (i + .5) steps from the square's edge.
    first = [place - side / 2 + step / 2 - 0.5 for place in centre]
    there = np.array([[step, 0, first[0]], [0, step, first[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, there, (size_px, size_px), flags=flags), np.uint8)


def stretched(image: Pixels, face: Face, *, size_px: int) -> Pixels:
    """What of the box lies in the picture, stretched to a square bilinearly, whatever its shape."""
    height, width = image.shape[:2]
    left, right = (min(max(round(x), 0), width) for x in (face.x, face.x + face.width))
    top, bottom = (min(max(round(y), 0), height) for y in (face.y, face.y + face.height))
    left, top = min(left, width - 1), min(top, height - 1)  # a box outside still gives a pixel
    inside = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    return np.asarray(cv2.resize(inside, (size_px, size_px), interpolation=cv2.INTER_LINEAR), np.uint8)


def _cut(image: Pixels, left: int, top: int, side: int) -> Pixels:
    height, width = image.shape[:2]
    # A box may lie almost outside; one row and column of the picture always stay in.
    left, top = min(max(left, 1 - side), width - 1), min(max(top, 1 - side), height - 1)
    inside = image[max(top, 0) : top + side, max(left, 0) : left + side]
    before = (max(-top, 0), max(-left, 0))
    after = (max(top + side - height, 0), max(left + side - width, 0))
    return np.pad(inside, (*zip(before, after, strict=True), (0, 0)), mode="edge")
