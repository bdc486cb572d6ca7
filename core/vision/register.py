"""Lays an edited picture over the one that it was made from: shift, rotation and scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.records import Face

Floats = NDArray[np.float64]

HEIGHTS = (64, 128, 256)  # of the picture, from coarse to fine; finer ones cost more than they find
STEPS, STILL_PX = 25, 0.02
BLUR = 1.0
TUKEY = 4.685  # residuals beyond so many standard deviations do not count: an opened mouth is no shift
MAX_SHIFT, MAX_ROTATION, MAX_SCALE, MIN_CORRELATION = 0.25, 10.0, 1.25, 0.6


@dataclass(frozen=True)
class Registration:
    """The similarity that lays the edit over the reference, and how well they fit then.

    matrix: shape (2, 3), from pixels of the reference to pixels of the edit.
    shift: of the face's centre, over the face's height; rotation in degrees, clockwise positive;
    scale: of the edit against the reference; correlation: of the two pictures, laid over each other.
    """

    matrix: Floats
    shift: float
    rotation: float
    scale: float
    correlation: float

    @property
    def reason(self) -> str:
        """Why the two cannot be compared point by point; empty where they can."""
        limits = (
            (self.correlation < MIN_CORRELATION, f"they correlate by {self.correlation:.2f} only"),
            (self.shift > MAX_SHIFT, f"the face is shifted by {self.shift:.2f} of its height"),
            (abs(self.rotation) > MAX_ROTATION, f"it is turned by {self.rotation:.0f} degrees"),
            (not 1 / MAX_SCALE < self.scale < MAX_SCALE, f"it is {self.scale:.2f} times as large"),
        )
        found = [words for far, words in limits if far]
        return f"the picture cannot be laid over its reference: {', '.join(found)}" if found else ""


def register(reference: Floats, edit: Floats, *, face: Face, edited: Face) -> Registration:
    """Estimate the similarity between two grey pictures of one height.

    reference, edit: shape (height, width), 0 to 255. face, edited: the face in each.
    A robust Gauss-Newton search from coarse to fine, brightness and contrast free, begun where the
    faces say and where nothing moved; what fits better at the coarsest scale is refined.
    Source: Lucas & Kanade (1981), Proceedings of IJCAI, 674-679; Baker & Matthews (2004),
    International Journal of Computer Vision 56, 221-255; Tukey's weights: Holland & Welsch (1977),
    Communications in Statistics A6, 813-827.
    """
    starts = [np.eye(3), _between(face, edited)]
    coarse, *finer = _pyramid(reference, edit)
    found = [_refine(*coarse, start) for start in starts]
    matrix = max(found, key=lambda candidate: _correlation(*coarse[:2], candidate, coarse[2]))
    for level in finer:
        matrix = _refine(*level, matrix)
    if _moved(matrix, reference.shape) < 0.25:
        matrix = np.eye(3)  # resampling by less would blur more than it mends
    return _described(matrix, reference, edit, face)


def lay(edit: NDArray[np.uint8], matrix: Floats, shape: Sequence[int]) -> NDArray[np.uint8]:
    """The edit's pixels where the reference has them; beyond its border its outermost ones."""
    if np.array_equal(matrix, np.eye(3)[:2]) and edit.shape[:2] == tuple(shape[:2]):
        return edit
    return np.asarray(_warp(edit, matrix, shape, cv2.BORDER_REPLICATE), np.uint8)


def covered(edit: NDArray[np.uint8], matrix: Floats, shape: Sequence[int]) -> NDArray[np.bool_]:
    """Where the edit, laid over the reference, shows pixels of its own."""
    return np.asarray(_warp(np.full(edit.shape[:2], 255, np.uint8), matrix, shape) == 255)


def _warp(
    picture: Floats | NDArray[np.uint8],
    matrix: Floats,
    shape: Sequence[int],
    border: int = cv2.BORDER_CONSTANT,
) -> NDArray[Any]:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (shape[1], shape[0])
    return np.asarray(cv2.warpAffine(picture, matrix[:2], size, flags=flags, borderMode=border))


def _between(face: Face, edited: Face) -> Floats:
    """The similarity without rotation from one face's box to the other's."""
    scale = edited.height / face.height
    centre = np.array([face.x + face.width / 2, face.y + face.height / 2])
    goal = np.array([edited.x + edited.width / 2, edited.y + edited.height / 2])
    return _similarity(scale, 0.0, *(goal - scale * centre))


def _similarity(a: float, b: float, x: float, y: float) -> Floats:
    return np.array([[a, -b, x], [b, a, y], [0, 0, 1]])


def _pyramid(reference: Floats, edit: Floats) -> Iterator[tuple[Floats, Floats, float]]:
    """Both pictures from coarse to fine, and how many pixels of the finest are one there."""
    height = reference.shape[0]
    for target in [*(size for size in HEIGHTS if size < height), min(height, HEIGHTS[-1])]:
        factor = height / target
        yield _at(reference, factor), _at(edit, factor), factor


def _at(picture: Floats, factor: float) -> Floats:
    size = tuple(max(8, round(side / factor)) for side in picture.shape[::-1])
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), BLUR), np.float64)


def _refine(reference: Floats, edit: Floats, factor: float, matrix: Floats) -> Floats:
    """Gauss-Newton steps at one scale, from and to a matrix of the finest."""
    resize = np.diag([factor, factor, 1.0])
    current = np.linalg.inv(resize) @ matrix @ resize
    for _ in range(STEPS):
        step = _step(reference, edit, current)
        if step is None:
            break
        current = current @ step
        if _moved(step, reference.shape) < STILL_PX:
            break
    return resize @ current @ np.linalg.inv(resize)


def _step(reference: Floats, edit: Floats, matrix: Floats) -> Floats | None:
    """The similarity that, done first, brings the edit nearer; None where there is nothing to hold on to."""
    laid, seen = _laid(edit, matrix, reference.shape)
    rows, columns = np.nonzero(seen)
    if len(rows) < seen.size / 4:
        return None
    dy, dx = (np.asarray(gradient, np.float64)[seen] for gradient in np.gradient(laid))
    y, x = rows - reference.shape[0] / 2, columns - reference.shape[1] / 2
    design = np.stack([laid[seen], np.ones(len(rows)), dx * x + dy * y, dy * x - dx * y, dx, dy], axis=1)
    gain, _, *motion = _robust(design, reference[seen])
    if gain < 0.2:  # the pictures have nothing in common here
        return None
    a, b, right, down = np.clip(np.array(motion) / gain, -np.array([0.2, 0.2, 8, 8]), [0.2, 0.2, 8, 8])
    centre = _similarity(1, 0, reference.shape[1] / 2, reference.shape[0] / 2)
    return centre @ _similarity(1 + a, b, right, down) @ np.linalg.inv(centre)


def _robust(design: Floats, target: Floats) -> Floats:
    """Weighted least squares, Tukey's weights from the residuals of the round before."""
    weights = np.ones(len(target))
    for _ in range(3):
        weighted = design * weights[:, None]
        solution = np.linalg.lstsq(weighted.T @ design, weighted.T @ target, rcond=1e-9)[0]
        residual = target - design @ solution
        spread = max(1.4826 * float(np.median(np.abs(residual))), 0.5)
        weights = np.asarray(np.clip(1 - (residual / (TUKEY * spread)) ** 2, 0, None) ** 2, np.float64)
    return np.asarray(solution, np.float64)


def _laid(edit: Floats, matrix: Floats, shape: Sequence[int]) -> tuple[Floats, NDArray[np.bool_]]:
    laid = np.asarray(_warp(edit, matrix, shape), np.float64)
    seen = np.asarray(_warp(np.ones_like(edit), matrix, shape)) > 0.999
    seen[[0, -1]] = seen[:, [0, -1]] = False
    return laid, np.asarray(seen)


def _moved(matrix: Floats, shape: Sequence[int]) -> float:
    """How far the corner that moves most moves, in pixels."""
    corners = np.array([(x, y, 1) for x in (0, shape[1]) for y in (0, shape[0])], np.float64).T
    return float(np.linalg.norm((matrix @ corners - corners)[:2], axis=0).max())


def _correlation(reference: Floats, edit: Floats, matrix: Floats, factor: float = 1.0) -> float:
    resize = np.diag([factor, factor, 1.0])
    laid, seen = _laid(edit, np.linalg.inv(resize) @ matrix @ resize, reference.shape)
    if seen.mean() < 0.25:
        return -1.0
    one, other = reference[seen], laid[seen]
    if min(one.std(), other.std()) < 1e-6:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _described(matrix: Floats, reference: Floats, edit: Floats, face: Face) -> Registration:
    a, b = matrix[0, 0], matrix[1, 0]
    centre = np.array([face.x + face.width / 2, face.y + face.height / 2, 1])
    shift = float(np.linalg.norm((matrix @ centre - centre)[:2])) / face.height
    rotation, scale = float(np.degrees(np.arctan2(b, a))), float(np.hypot(a, b))
    return Registration(matrix[:2], shift, rotation, scale, _correlation(reference, edit, matrix))
