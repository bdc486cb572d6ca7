"""The crop that DeepFace shows its networks, from a face that was found before."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import Face
from core.vision.image import Pixels

Scaled = NDArray[np.float32]  # shape (size, size, 3), BGR, 0 to 1


def scaled(crop: Pixels, *, size_px: int) -> Scaled:
    """The upright face in BGR from 0 to 1, in a square with black bars."""
    return np.ascontiguousarray(letterbox(crop, size_px)[..., ::-1])


def upright(image: Pixels, face: Face) -> Pixels:
    """The face's box after a rotation that levels its eyes; the box alone where there are no points.

    Equals DeepFace's align=True, without padding the picture to twice its size: only what comes to
    lie in the box is worked out. Beyond the picture all is black; coordinates are whole pixels.
    """
    width, height = max(1, int(face.width)), max(1, int(face.height))
    # DeepFace rotates the box with half its size on each side, about the middle pixel of that part.
    margin_x, margin_y = width // 2, height // 2
    middle = ((width + 2 * margin_x) // 2, (height + 2 * margin_y) // 2)
    turn = cv2.getRotationMatrix2D(middle, tilt(face), 1.0)
    # Straight from the picture to the box: both margins and the part's place go into the shift.
    corner = np.array([int(face.x) - margin_x, int(face.y) - margin_y])
    shift = turn[:, 2] - turn[:, :2] @ corner - (margin_x, margin_y)
    matrix = np.column_stack([turn[:, :2], shift])
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_CUBIC), np.uint8)


def tilt(face: Face) -> float:
    """How far the line through the eyes leans, in degrees; 0 without points."""
    if not face.points:
        return 0.0
    (right_x, right_y), (left_x, left_y) = ((int(x), int(y)) for x, y in face.points[:2])
    return math.degrees(math.atan2(left_y - right_y, left_x - right_x))


def letterbox(crop: Pixels, size_px: int) -> Scaled:
    """The crop from 0 to 1, its longer side `size_px`, centred between black bars.

    crop: shape (height, width, channels); returns shape (size_px, size_px, channels).
    """
    height, width = crop.shape[:2]
    factor = min(size_px / height, size_px / width)
    inner = (max(1, int(width * factor)), max(1, int(height * factor)))
    small = cv2.resize(crop.astype(np.float32) / np.float32(255), inner)
    square = np.zeros((size_px, size_px, crop.shape[2]), np.float32)
    top, left = (size_px - inner[1]) // 2, (size_px - inner[0]) // 2
    square[top : top + inner[1], left : left + inner[0]] = small
    return square
