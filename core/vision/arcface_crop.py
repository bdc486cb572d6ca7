"""The crop of ArcFace and its kin: five points of the face brought to fixed places."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.vision.image import Pixels
from core.vision.landmarks import LEFT_EYE, RIGHT_EYE
from core.vision.mesh import Mesh
from core.vision.sight import Sight

Points = NDArray[np.float64]  # shape (5, 2), in the order of core.records.Face

# Right and left eye, nose tip, right and left mouth corner in a crop of 112 x 112.
# Source: Deng et al. (2019), ArcFace, CVPR, 4690-4699, after Liu et al. (2017), SphereFace, CVPR, 6738-6746.
PLACES = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
PLACES_PX = 112
NOSE_TIP, MOUTH_CORNERS = 4, (61, 291)  # among MediaPipe's 478


def crop(image: Pixels, points: Points, *, size_px: int) -> Pixels:
    """The picture moved, turned and scaled, not sheared, so that the points come nearest to their places.

    Beyond the picture's border the crop is black, as in the authors' training data.
    """
    matrix = similarity(points, PLACES * (size_px / PLACES_PX))
    return np.asarray(cv2.warpAffine(image, matrix, (size_px, size_px)), np.uint8)


def similarity(points: Points, places: Points) -> NDArray[np.float64]:
    """The rotation, scale and shift that bring the points nearest to the places in the least squares.

    points, places: shape (n, 2), not all points the same. Returns shape (2, 3), for column vectors.
    """
    # As complex numbers it is places = factor * points + shift, an ordinary regression.
    x, y = (one[:, 0] + 1j * one[:, 1] for one in (points, places))
    centred = x - x.mean()
    factor = np.vdot(centred, y - y.mean()) / np.vdot(centred, centred)
    shift = y.mean() - factor * x.mean()
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


def five_points(sight: Sight) -> tuple[Points | None, str]:
    """The detector's five points, else the landmarker's with the reason, else None with the reason."""
    if sight.face.points:
        return np.array(sight.face.points), ""
    if sight.mesh is not None:
        return of_mesh(
            sight.mesh
        ), f"{sight.face.detector} gives no points: those of the landmarks were taken"
    return None, (
        f"five points of the face are needed, {sight.face.detector} gives none and there are no landmarks; "
        "take yunet or retinaface, or fetch the landmarker: facenorm models fetch face-landmarker"
    )


def of_mesh(mesh: Mesh) -> Points:
    """Five of MediaPipe's places: each eye's middle, the tip of the nose, the corners of the mouth."""
    points = mesh.points[:, :2]
    eyes = [points[list(eye)].mean(axis=0) for eye in (RIGHT_EYE, LEFT_EYE)]
    return np.array([*eyes, points[NOSE_TIP], *points[list(MOUTH_CORNERS)]])
