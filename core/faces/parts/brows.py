"""Eyebrows, hair by hair."""

from __future__ import annotations

import numpy as np

from core.faces.anatomy import Anatomy
from core.faces.canvas import Floats, Strands, ribbon, shade

_COUNT = 330


def draw(picture: Floats, face: Anatomy) -> None:
    """Both brows over the shaded skin."""
    who = face.who
    grey = np.array([0.62, 0.60, 0.58])
    tone = np.asarray(who.colours.hair) * 0.78 + 0.01
    tone = tone + (grey - tone) * 0.55 * who.looks.grey
    for side, curve in zip((-1, 1), face.brows, strict=True):
        rng = np.random.default_rng(who.seed + 11)
        thick = (
            0.062
            * who.features.brow_weight
            * np.interp(np.arange(40), [0, 6, 22, 39], [0.62, 1.0, 0.82, 0.12])
        )
        shade(picture, ribbon(curve, thick * 0.8, 0.018), 0.30 + 0.55 * tone, 0.72)
        layer = Strands()
        layer.draw(*_hairs(curve, thick, tone, side, rng))
        layer.over(picture)


def _hairs(
    curve: Floats, thick: Floats, tone: Floats, side: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    place = np.sort(rng.beta(1.0, 1.1, _COUNT)) * 37
    across = rng.uniform(-0.5, 0.5, _COUNT)
    at = [np.interp(place, range(40), curve[:, i]) for i in (0, 1)]
    width = np.interp(place, range(40), thick)
    step = np.gradient(curve, axis=0)
    heading = np.interp(place, range(40), np.arctan2(step[:, 1], step[:, 0] * side))
    # Hairs stand up at the inner end, lie along the brow further out, and meet at its ridge.
    stand = np.interp(place, [0, 5, 14, 38], [1.25, 0.75, 0.35, 0.05])
    angle = heading - stand * (0.45 + across * 1.1) + rng.normal(0, 0.10, _COUNT)
    length = np.interp(place, [0, 8, 38], [0.055, 0.085, 0.050]) * rng.uniform(0.7, 1.15, _COUNT)
    s = np.linspace(0, 1, 5)[None, :]
    bend = angle[:, None] + 0.5 * s * (heading - angle)[:, None]
    root_u, root_v = at[0][:, None], (at[1] + across * width)[:, None]
    u = root_u + side * np.cos(bend) * length[:, None] * (s - 0.3)
    v = root_v + np.sin(bend) * length[:, None] * (s - 0.3)
    colours = np.clip(tone * rng.uniform(0.65, 1.35, (_COUNT, 1)), 0, 1)
    return np.stack([u, v], -1).astype(np.float32), colours.astype(np.float32)
