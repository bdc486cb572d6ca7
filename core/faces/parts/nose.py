"""What the relief cannot show of a nose: nostrils and the shadow beneath."""

from __future__ import annotations

import numpy as np

from core.faces.anatomy import Anatomy
from core.faces.canvas import Floats, blob, points, ribbon, shade, spline, taper


def draw(picture: Floats, face: Anatomy) -> None:
    """Nostrils and shadows over the shaded skin."""
    base, width = face.nose_base, face.nose_width
    skin = np.asarray(face.who.colours.skin)
    warm = np.clip(skin * (0.62, 0.40, 0.36), 0, 1)
    shade(picture, blob((0.045, base + 0.055), (width * 0.95, 0.075)), (0.74, 0.62, 0.59), 0.45)
    for side in (-1, 1):
        hole = points(
            (side * width * 0.24, base + 0.004),
            (side * width * 0.44, base - 0.026),
            (side * width * 0.68, base - 0.026),
            (side * width * 0.78, base - 0.012),
        )
        flare = 1 + 0.35 * face.au[9]
        shade(
            picture, ribbon(spline(hole, 20), 0.034 * flare * taper(20, power=0.7), 0.010), warm * 0.45, 0.92
        )
        wing = points(
            (side * width * 0.98, base - 0.15),
            (side * width * 1.10, base - 0.075),
            (side * width * 1.00, base - 0.008),
            (side * width * 0.82, base + 0.012),
        )
        shade(picture, ribbon(spline(wing, 20), 0.018 * taper(20), 0.008), (0.66, 0.50, 0.46), 0.60)
