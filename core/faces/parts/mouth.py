"""Lips, teeth and the inside of the mouth."""

from __future__ import annotations

import numpy as np

from core.faces.anatomy import Anatomy, Mouth
from core.faces.canvas import Colour, Floats, Patch, between, blob, glow, paint, points, ribbon, shade, taper


def draw(picture: Floats, face: Anatomy) -> None:
    """The mouth over the shaded skin."""
    mouth = face.mouth
    _lip(picture, face, mouth.upper_edge, mouth.upper_rim, (0.90, 0.84, 0.86))
    _lip(picture, face, mouth.lower_rim, mouth.lower_edge, (1.06, 1.04, 1.02))
    if mouth.gap > 0.02:
        _inside(picture, face)
    _seam(picture, face)
    _sheen(picture, mouth)


def _lip(picture: Floats, face: Anatomy, upper: Floats, lower: Floats, tone: Colour) -> None:
    """Colour one lip over its shaded relief, with fine vertical creases."""
    patch = between(upper, lower, 0.011)
    skin, lips = np.asarray(face.who.colours.skin), np.asarray(face.who.colours.lips)
    u, _ = patch.grid()
    rng = np.random.default_rng(face.who.seed + 3)
    creases = np.interp(u[0], np.linspace(-0.6, 0.6, 90), rng.standard_normal(90))
    factor = lips * np.asarray(tone) / skin * (1 + 0.035 * creases[:, None])
    shade(picture, patch, factor[None].astype(np.float32), 0.80 + 0.15 * face.who.looks.makeup)


def _inside(picture: Floats, face: Anatomy) -> None:
    mouth = face.mouth
    gap = between(mouth.upper_rim, mouth.lower_rim, 0.004)
    paint(picture, gap, (0.20, 0.065, 0.06))
    deep = blob((0, float(mouth.upper_rim[30, 1]) + 0.4 * mouth.gap), (0.26, 0.5 * mouth.gap + 0.02))
    paint(picture, deep.within(gap), (0.09, 0.025, 0.025), 0.9)
    if mouth.gap > 0.15:
        tongue = blob((0, float(mouth.lower_rim[30, 1]) - 0.005), (0.21, 0.42 * mouth.gap))
        paint(picture, tongue.times(1.5).within(gap), (0.60, 0.27, 0.26), 0.75)
    _teeth(picture, face, gap)
    roof = ribbon(mouth.upper_rim + points((0, 0.004)), 0.034, 0.012)
    shade(picture, roof.within(gap), (0.50, 0.40, 0.40), 0.70)


def _teeth(picture: Floats, face: Anatomy, gap: Patch) -> None:
    """The upper row stays with the skull; lips and jaw uncover it."""
    mouth = face.mouth
    half = 0.92 * float(mouth.upper_rim[-1, 0])
    u = np.linspace(-half, half, 61)
    bite = (u / 0.42) ** 2
    scallop = 0.006 * np.abs(np.cos(u / 0.088 * np.pi + np.pi / 2)) ** 0.5
    edge = np.stack([u, mouth.teeth - 0.075 * bite + scallop], 1)
    top = np.stack([u, np.full(61, mouth.teeth - 0.35)], 1)
    row = between(top, edge, 0.004).within(gap)
    across = row.grid()[0]
    fade = 0.98 - 0.38 * np.clip(np.abs(across) / 0.40, 0, 1) ** 1.6
    wear = face.who.wear
    ivory = np.array([0.93, 0.90, 0.85]) - wear * np.array([0.03, 0.06, 0.10])
    paint(picture, row, (ivory * fade[..., None]).astype(np.float32))
    for place in (0.0, 0.088, 0.166, 0.235, 0.29, 0.335):
        for side in (-1, 1):
            line = points((side * place, mouth.teeth - 0.16), (side * place, mouth.teeth + 0.02))
            shade(picture, ribbon(line, 0.006, 0.003).within(row), (0.62, 0.54, 0.50), 0.38)


def _seam(picture: Floats, face: Anatomy) -> None:
    """The dark line where the lips meet, deepest in the corners."""
    mouth = face.mouth
    lips = np.asarray(face.who.colours.lips)
    dark = lips * (0.42, 0.26, 0.27)
    shut = mouth.gap < 0.02
    widths = (0.019 - 0.006 * mouth.press) * np.linspace(1, 1, 61)
    if shut:
        paint(picture, ribbon(mouth.upper_rim, widths * taper(61, power=0.35), 0.005), dark, 0.85)
    for end in (0, -1):
        corner = mouth.upper_rim[end]
        shade(
            picture,
            blob((float(corner[0]), float(corner[1]) + 0.004), (0.040, 0.022)),
            (0.55, 0.38, 0.36),
            0.65,
        )
    under = mouth.lower_edge[12:-12] + points((0, 0.022))
    shade(picture, ribbon(under, 0.030 * taper(37), 0.020), (0.72, 0.60, 0.57), 0.50)


def _sheen(picture: Floats, mouth: Mouth) -> None:
    middle = (mouth.lower_rim[30] + mouth.lower_edge[30]) / 2
    height = float(mouth.lower_edge[30, 1] - mouth.lower_rim[30, 1])
    for du, size, strength in ((-0.075, 0.075, 0.20), (0.06, 0.05, 0.09)):
        spot = blob((float(middle[0]) + du, float(middle[1]) - 0.10 * height), (size, 0.20 * height + 0.004))
        glow(picture, spot, (1, 0.95, 0.93), strength)
