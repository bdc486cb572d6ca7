"""The 68 landmarks of the iBUG mark-up among MediaPipe's 478.

Source of the mark-up: Sagonas et al. (2013), 300 Faces in-the-Wild Challenge, ICCV Workshops, 397-403.
Of each of its curves (jaw, brows, nose, eyes, lips) both ends lie on a point of the contours that
MediaPipe names itself (FaceLandmarksConnections); in between are those points of the contour that are
nearest to equal steps along it, measured on ten photographs and made the same on both sides. Two
differ by nature: MediaPipe's jaw is the face's outline, which a turned head hides, and its brows are
the upper edge.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# As the picture shows them from left to right; the subject's right comes first.
JAW = (127, 234, 132, 58, 172, 136, 149, 176, 152, 400, 378, 365, 397, 288, 361, 454, 356)
RIGHT_BROW = (70, 63, 105, 66, 107)
LEFT_BROW = (336, 296, 334, 293, 300)
NOSE_BRIDGE = (168, 197, 5, 1)  # downwards
NOSE_BASE = (98, 97, 2, 326, 327)
RIGHT_EYE = (33, 160, 158, 133, 153, 144)  # from the left corner over the upper lid and back below
LEFT_EYE = (362, 385, 387, 263, 373, 380)
OUTER_LIPS = (61, 40, 37, 0, 267, 270, 291, 321, 405, 17, 181, 91)  # as the eyes
INNER_LIPS = (78, 81, 13, 311, 308, 402, 14, 178)

IBUG_68 = (
    *JAW, *RIGHT_BROW, *LEFT_BROW, *NOSE_BRIDGE, *NOSE_BASE, *RIGHT_EYE, *LEFT_EYE, *OUTER_LIPS, *INNER_LIPS,
)  # fmt: skip


def ibug_box(points: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Left, top, width and height of the tight box around the 68 landmarks.

    points: MediaPipe's, shape (478, 2 or 3), in pixels.
    """
    marked = points[list(IBUG_68), :2]
    (left, top), (right, bottom) = marked.min(axis=0).tolist(), marked.max(axis=0).tolist()
    return left, top, right - left, bottom - top
