"""Drawing primitives in face units.

One unit is half the width of an average face; (0, 0) lies between the pupils, u grows
to the right of the picture and v downwards. Pictures are drawn at SIDE pixels as linear
float RGB-like arrays in 0..1 (display values) and shrunk at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Colour = Sequence[float] | npt.NDArray[Any]

SIDE = 1024
UNIT = 212.0
CENTRE = (512.0, 486.0)
_SHIFT = 4  # OpenCV's fixed-point bits for positions between pixels


def points(*pairs: tuple[float, float]) -> Floats:
    """The pairs (u, v) as an array of shape (points, 2)."""
    return np.array(pairs, np.float32)


def pixels(curve: npt.NDArray[Any]) -> Floats:
    """Face units to pixels of the large picture."""
    return np.asarray(curve * UNIT + np.array(CENTRE), np.float32)


def spline(knots: npt.NDArray[Any], count: int, *, closed: bool = False) -> Floats:
    """A Catmull-Rom curve through the knots along the first axis, `count` positions long."""
    padded = (
        np.concatenate([knots[-1:], knots, knots[:2]])
        if closed
        else np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    )
    spans = len(knots) if closed else len(knots) - 1
    return along(padded, np.linspace(0, spans, count, endpoint=not closed))


def along(padded: npt.NDArray[Any], where: npt.NDArray[Any]) -> Floats:
    """Catmull-Rom values at `where` (0 = the second knot) of knots with one extra at each end."""
    first = np.clip(where.astype(int), 0, len(padded) - 4)
    t = (where - first).reshape(-1, *[1] * (padded.ndim - 1))
    a, b, c, d = (padded[first + i] for i in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.asarray(curve, np.float32)


def mirrored(curve: npt.NDArray[Any], side: int) -> Floats:
    """The curve given for the picture's right side (+1), or its mirror image (-1)."""
    return np.asarray(curve * np.array([side, 1.0]), np.float32)


@dataclass(frozen=True, slots=True)
class Patch:
    """A soft mask in 0..1 and the window of the picture that it covers."""

    rows: slice
    columns: slice
    mask: Floats

    def times(self, factor: float | Floats) -> Patch:
        """The same patch, stronger or weaker."""
        return Patch(self.rows, self.columns, np.clip(self.mask * factor, 0, 1).astype(np.float32))

    def within(self, other: Patch) -> Patch:
        """What both patches cover, in this one's window."""
        both = np.zeros_like(self.mask)
        top, bottom = max(self.rows.start, other.rows.start), min(self.rows.stop, other.rows.stop)
        left, right = max(self.columns.start, other.columns.start), min(self.columns.stop, other.columns.stop)
        if top < bottom and left < right:
            mine = np.s_[
                top - self.rows.start : bottom - self.rows.start,
                left - self.columns.start : right - self.columns.start,
            ]
            theirs = np.s_[
                top - other.rows.start : bottom - other.rows.start,
                left - other.columns.start : right - other.columns.start,
            ]
            both[mine] = self.mask[mine] * other.mask[theirs]
        return Patch(self.rows, self.columns, both)

    def grid(self) -> tuple[Floats, Floats]:
        """The face units (u, v) of the window's pixels, shapes (1, columns) and (rows, 1)."""
        u = (np.arange(self.columns.start, self.columns.stop, dtype=np.float32) - CENTRE[0]) / UNIT
        v = (np.arange(self.rows.start, self.rows.stop, dtype=np.float32) - CENTRE[1]) / UNIT
        return u[None, :], v[:, None]


def window(curve: npt.NDArray[Any], margin: float) -> tuple[slice, slice]:
    """The rows and columns around a curve, `margin` in face units."""
    low = np.clip(np.floor(pixels(curve).min(0) - margin * UNIT - 2), 0, SIDE - 2).astype(int)
    high = np.clip(np.ceil(pixels(curve).max(0) + margin * UNIT + 3), low + 1, SIDE).astype(int)
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _fixed(curve: npt.NDArray[Any], rows: slice, columns: slice) -> npt.NDArray[np.int32]:
    moved = pixels(curve) - np.array([columns.start, rows.start])
    return np.asarray(np.round(moved * 2**_SHIFT), np.int32)


def blurred(mask: Floats, soft: float) -> Floats:
    """The array smoothed by a Gaussian of `soft` face units."""
    if soft * UNIT < 0.3:
        return mask
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), soft * UNIT), np.float32)


def between(upper: Floats, lower: Floats, soft: float) -> Patch:
    """The inside of two curves that run side by side, its edge softened by `soft` face units."""
    return filled(np.concatenate([upper, lower[::-1]]), soft)


def filled(
    outline: npt.NDArray[Any], soft: float = 0.0, *, inside: tuple[slice, slice] | None = None
) -> Patch:
    """The inside of a closed outline, its edge softened by `soft` face units.

    inside: the window to use instead of the outline's own.
    """
    rows, columns = inside or window(outline, 3 * soft)
    mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
    cv2.fillPoly(mask, [_fixed(outline, rows, columns)], 255, cv2.LINE_AA, _SHIFT)
    return Patch(rows, columns, blurred(mask.astype(np.float32) / 255, soft))


def ribbon(curve: npt.NDArray[Any], widths: float | npt.NDArray[Any], soft: float = 0.0) -> Patch:
    """A line of varying full width (face units) along a curve."""
    step = np.gradient(curve, axis=0)
    normal = np.stack([-step[:, 1], step[:, 0]], 1) / (np.linalg.norm(step, axis=1, keepdims=True) + 1e-6)
    half = normal * (np.broadcast_to(widths, len(curve))[:, None] / 2)
    return filled(np.concatenate([curve + half, (curve - half)[::-1]]), soft)


def taper(count: int, *, power: float = 1.0) -> Floats:
    """Widths that swell from 0 to 1 and fall to 0 again."""
    return (np.sin(np.linspace(0, np.pi, count)) ** power).astype(np.float32)


def blob(centre: tuple[float, float], radii: tuple[float, float], *, angle: float = 0.0) -> Patch:
    """A Gaussian spot; `radii` are where it falls to 1/e, `angle` in radians."""
    reach = 2.6 * max(radii)
    rows, columns = window(np.array([centre]), reach)
    bare = Patch(rows, columns, np.zeros((1, 1), np.float32))
    u, v = bare.grid()
    du, dv = u - centre[0], v - centre[1]
    a = (du * np.cos(angle) + dv * np.sin(angle)) / radii[0]
    b = (dv * np.cos(angle) - du * np.sin(angle)) / radii[1]
    return Patch(rows, columns, np.exp(-(a * a + b * b)).astype(np.float32))


def ellipse(centre: tuple[float, float], radii: tuple[float, float], *, angle: float = 0.0) -> Floats:
    """The outline of an ellipse as a closed curve."""
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    a, b = radii[0] * np.cos(turn), radii[1] * np.sin(turn)
    u = centre[0] + a * np.cos(angle) - b * np.sin(angle)
    v = centre[1] + a * np.sin(angle) + b * np.cos(angle)
    return np.stack([u, v], 1).astype(np.float32)


def paint(picture: Floats, patch: Patch, colour: Colour, alpha: float = 1.0) -> None:
    """Cover the patch with a colour, or with colours of the window's shape."""
    area = picture[patch.rows, patch.columns]
    area += (np.asarray(colour, np.float32) - area) * (patch.mask * alpha)[..., None]


def shade(picture: Floats, patch: Patch, factor: Colour, alpha: float = 1.0) -> None:
    """Multiply the patch by a colour factor (below 1 darkens)."""
    area = picture[patch.rows, patch.columns]
    area *= 1 + (np.asarray(factor, np.float32) - 1) * (patch.mask * alpha)[..., None]


def glow(picture: Floats, patch: Patch, colour: Colour, alpha: float = 1.0) -> None:
    """Lighten the patch towards white by a colour, as a reflection does."""
    area = picture[patch.rows, patch.columns]
    area += (1 - area) * np.asarray(colour, np.float32) * (patch.mask * alpha)[..., None]


class Strands:
    """A transparent layer of hair strokes, premultiplied RGBA in 8 bits."""

    def __init__(self) -> None:
        self.layer = np.zeros((SIDE, SIDE, 4), np.uint8)

    def fill(self, outline: npt.NDArray[Any], colour: Colour, soft: float = 0.0) -> None:
        """Cover the inside of an outline, its edge softened by `soft` face units."""
        patch = filled(outline, soft)
        area = self.layer[patch.rows, patch.columns]
        solid = np.array(_rgba(np.clip(colour, 0, 1)), np.float32)
        area[:] = np.round(area + (solid - area) * patch.mask[..., None])

    def draw(self, strands: npt.NDArray[Any], colours: npt.NDArray[Any], thickness: int = 1) -> None:
        """Draw strands, shape (strands, positions, 2), each in its colour."""
        whole = slice(0, SIDE)
        tones = (np.clip(colours, 0, 1) * 255).tolist()
        for strand, tone in zip(_fixed(strands, whole, whole), tones, strict=True):
            cv2.polylines(self.layer, [strand], False, (*tone, 255.0), thickness, cv2.LINE_AA, _SHIFT)

    def over(self, picture: Floats, light: Floats | None = None) -> None:
        """Lay the layer over a picture, its colours multiplied by `light` (SIDE, SIDE)."""
        rows, columns = _used(self.layer[..., 3])
        layer = self.layer[rows, columns].astype(np.float32) / 255
        colour = layer[..., :3] if light is None else layer[..., :3] * light[rows, columns, None]
        area = picture[rows, columns]
        area *= 1 - layer[..., 3:]
        area += np.minimum(colour, layer[..., 3:])


def _rgba(colour: Colour) -> tuple[float, float, float, float]:
    r, g, b = (float(c) * 255 for c in colour)
    return r, g, b, 255.0


def _used(alpha: npt.NDArray[Any]) -> tuple[slice, slice]:
    x, y, width, height = cv2.boundingRect(alpha)
    return slice(y, y + height), slice(x, x + width)
