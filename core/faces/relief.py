"""A height field of skin, and the light that falls on it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.faces.canvas import CENTRE, SIDE, UNIT, Colour, Floats, Patch, filled, paint

GRID = SIDE // 2  # relief is smooth: half the resolution suffices
_UNIT = UNIT / 2
_KEY = np.array([-0.46, -0.50, 0.74], np.float32)  # towards the light: upper left, in front
_FILL = np.array([0.75, -0.05, 0.66], np.float32)
_WRAP = np.array([0.52, 0.34, 0.26], np.float32)  # red light travels farthest below skin
_COOL = np.array([0.10, 0.115, 0.14], np.float32)  # colour of the fill light


class Relief:
    """Heights in face units towards the viewer, over a window of the picture.

    rows, columns: the window on a grid of half the picture's resolution.
    """

    def __init__(self, around: npt.NDArray[Any], margin: float = 0.06) -> None:
        self.rows, self.columns = _window(around.min(0) - margin, around.max(0) + margin)
        index = np.arange(GRID, dtype=np.float32) + 0.25
        self.u = ((index[self.columns] - CENTRE[0] / 2) / _UNIT)[None, :]
        self.v = ((index[self.rows] - CENTRE[1] / 2) / _UNIT)[:, None]
        self.z = np.zeros((self.v.shape[0], self.u.shape[1]), np.float32)

    def _part(self, low: npt.NDArray[Any], high: npt.NDArray[Any]) -> tuple[slice, slice]:
        """The part of this relief's own arrays between two corners."""
        rows, columns = _window(low, high)
        return _clipped(rows, self.rows), _clipped(columns, self.columns)

    def cut(self, whole: Floats) -> Floats:
        """The window's part of an array on the full grid."""
        return whole[self.rows, self.columns]

    def lay(self, picture: Floats, colours: Floats, outline: npt.NDArray[Any], soft: float) -> Patch:
        """Paint colours of this window's grid into the outline on the large picture."""
        rows = slice(2 * self.rows.start, 2 * self.rows.stop)
        columns = slice(2 * self.columns.start, 2 * self.columns.stop)
        patch = filled(outline, soft, inside=(rows, columns))
        height, width = patch.mask.shape
        large = cv2.resize(colours, (width, height), interpolation=cv2.INTER_CUBIC)
        paint(picture, patch, np.asarray(large, np.float32))
        return patch

    def bump(
        self, centre: tuple[float, float], radii: tuple[float, float], height: float, *, angle: float = 0.0
    ) -> None:
        """Raise (or sink) a Gaussian mound; `radii` are where it falls to 1/e."""
        reach = np.full(2, 2.5 * max(radii))
        rows, columns = self._part(np.array(centre) - reach, np.array(centre) + reach)
        du, dv = self.u[:, columns] - centre[0], self.v[rows] - centre[1]
        a = (du * np.cos(angle) + dv * np.sin(angle)) / radii[0]
        b = (dv * np.cos(angle) - du * np.sin(angle)) / radii[1]
        self.z[rows, columns] += height * np.exp(-(a * a + b * b))

    def groove(
        self, curve: npt.NDArray[Any], width: float, depth: float, *, fold: float = 0.0, even: bool = False
    ) -> None:
        """Press a line into the skin, fading at its ends unless `even`.

        fold: how much higher the skin stands on the line's right-hand side (seen along it).
        """
        if abs(depth) + abs(fold) < 1e-4:
            return
        rows, columns = self._part(curve.min(0) - 4 * width, curve.max(0) + 4 * width)
        distance, place = _from_curve(self.u[:, columns], self.v[rows], curve)
        strength = 1.0 if even else np.clip(np.sin(place * np.pi), 0, 1) ** 0.7
        line = -depth * np.exp(-((distance / width) ** 2))
        step = fold * np.tanh(distance / width) * np.exp(-((distance / (3 * width)) ** 2))
        self.z[rows, columns] += strength * (line + step)


def _window(low: npt.NDArray[Any], high: npt.NDArray[Any]) -> tuple[slice, slice]:
    a = np.clip((low * _UNIT + np.array(CENTRE) / 2).astype(int), 0, GRID - 1)
    b = np.clip((high * _UNIT + np.array(CENTRE) / 2).astype(int) + 2, a + 1, GRID)
    return slice(int(a[1]), int(b[1])), slice(int(a[0]), int(b[0]))


def _clipped(part: slice, whole: slice) -> slice:
    return slice(max(part.start - whole.start, 0), max(min(part.stop, whole.stop) - whole.start, 0))


def _from_curve(u: Floats, v: Floats, curve: npt.NDArray[Any]) -> tuple[Floats, Floats]:
    """Signed distance to the curve's nearest segment and the place along it in 0..1."""
    best = np.full((v.shape[0], u.shape[1]), np.inf, np.float32)
    signed, place = np.zeros_like(best), np.zeros_like(best)
    for i in range(len(curve) - 1):
        (au, av), (du, dv) = curve[i], curve[i + 1] - curve[i]
        t = np.clip(((u - au) * du + (v - av) * dv) / (du * du + dv * dv + 1e-9), 0, 1)
        eu, ev = u - au - t * du, v - av - t * dv
        square = eu * eu + ev * ev
        near = square < best
        side = np.where(du * ev - dv * eu >= 0, 1.0, -1.0)
        best = np.where(near, square, best)
        signed = np.where(near, side * np.sqrt(square), signed)
        place = np.where(near, (i + t) / (len(curve) - 1), place)
    return signed.astype(np.float32), place.astype(np.float32)


def lit(z: Floats, albedo: Floats, *, gloss: float = 1.0, hollow: float = 1.0) -> Floats:
    """Display colours of a skin relief under a soft key light and a cool fill.

    z: heights on a grid of _UNIT pixels a unit; albedo: display colours, the same shape + (3,).
    gloss: strength of the sheen; hollow: strength of the shadow in cavities.
    """
    normal = _normals(z)
    key = (normal @ _KEY)[..., None]
    fill = np.clip(normal @ _FILL, 0, 1)[..., None]
    soft = np.clip((key + _WRAP) / (1 + _WRAP), 0, 1)
    light = 0.15 + 0.99 * soft + fill * _COOL
    # Squares and roots stand in for the display's gamma: close, and much faster than powers.
    colour = albedo * albedo * light * _openness(z, hollow)
    colour += gloss * _sheen(normal)[..., None]
    return np.asarray(np.sqrt(np.clip(colour, 0, 1)), np.float32)


def _sheen(normal: Floats) -> Floats:
    half = _KEY + np.array([0, 0, 1], np.float32)
    facing = np.clip(normal @ (half / np.linalg.norm(half)), 0, 1)
    for _ in range(4):
        facing = facing * facing
    return np.asarray(0.045 * facing + 0.050 * facing * facing * facing, np.float32)


def _normals(z: Floats) -> Floats:
    smooth = cv2.GaussianBlur(z, (0, 0), 0.8)
    du = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=_UNIT / 8)
    dv = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=_UNIT / 8)
    normal = np.stack([-du, -dv, np.ones_like(du)], -1)
    return np.asarray(normal / np.linalg.norm(normal, axis=-1, keepdims=True), np.float32)


def _openness(z: Floats, hollow: float) -> Floats:
    """How much of the surrounding light reaches the skin, redder where it is shut in."""
    deep = cv2.GaussianBlur(z, (0, 0), 0.05 * _UNIT) - z
    wide = cv2.GaussianBlur(z, (0, 0), 0.14 * _UNIT) - z
    shut = np.clip(hollow * (7.0 * deep + 1.8 * wide), -0.12, 0.75)[..., None]
    return np.asarray(1 - shut * np.array([0.80, 1.0, 1.02], np.float32), np.float32)


def noise(rng: np.random.Generator, *, grain: float) -> Floats:
    """Smooth noise of zero mean and unit spread on the relief's grid; `grain` in face units."""
    raw = rng.standard_normal((GRID, GRID)).astype(np.float32)
    smooth = cv2.GaussianBlur(raw, (0, 0), max(grain * _UNIT, 0.3))
    return np.asarray((smooth - smooth.mean()) / (smooth.std() + 1e-9), np.float32)


def tint(albedo: Floats, mask: Floats, colour: Colour) -> None:
    """Blend a colour into an albedo where the mask (0..1) says."""
    albedo += (np.asarray(colour, np.float32) - albedo) * mask[..., None]
