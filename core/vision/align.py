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


def _cut(image: Pixels, left: int, top: int, side: int) -> Pixels:
    height, width = image.shape[:2]
    # A box may lie almost outside; one row and column of the picture always stay in.
    left, top = min(max(left, 1 - side), width - 1), min(max(top, 1 - side), height - 1)
    inside = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    return np.asarray(cv2.resize(inside, (size_px, size_px), interpolation=cv2.INTER_LINEAR), np.uint8)


def _cut(image: Pixels, left: int, top: int, side: int) -> Pixels:
    height, width = image.shape[:2]
    inside = image[max(top, 0) : top + side, max(left, 0) : left + side]
    before = (max(-top, 0), max(-left, 0))
    after = (max(top + side - height, 0), max(left + side - width, 0))
    return np.pad(inside, (*zip(before, after, strict=True), (0, 0)), mode="edge")
