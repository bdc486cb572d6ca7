"""Glasses."""

from __future__ import annotations

import numpy as np

from core.faces.anatomy import Anatomy
from core.faces.canvas import Floats, filled, glow, paint, points, ribbon, shade, spline

_FRAME = (0.13, 0.105, 0.10)


def draw(picture: Floats, face: Anatomy) -> None:
    """A pair of thin frames before the eyes, if the person wears one."""
    if not face.who.looks.glasses:
        return
    centre = face.who.features.eye_spacing + 0.015
    for side in (-1, 1):
        turn = np.linspace(0, 2 * np.pi, 61)
        u = side * centre + 0.325 * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.80
        v = 0.045 + 0.265 * np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** 0.80
        rim = np.stack([u, v], 1).astype(np.float32)
        shade(picture, ribbon(rim + points((0.012, 0.022)), 0.022, 0.012), (0.62, 0.52, 0.50), 0.6)
        glow(picture, filled(rim, 0.01), (0.9, 0.95, 1.0), 0.035)
        paint(picture, ribbon(rim, 0.026, 0.003), _FRAME, 0.96)
        glow(picture, ribbon(rim[32:46], 0.007, 0.003), (1, 1, 1), 0.35)
        arm = points((side * (centre + 0.32), -0.03), (side * 0.97 * face.who.shape.width, -0.055))
        paint(picture, ribbon(arm, 0.028, 0.003), _FRAME, 0.96)
    bridge = spline(points((-centre + 0.318, 0.01), (0, -0.055), (centre - 0.318, 0.01)), 20)
    paint(picture, ribbon(bridge, 0.026, 0.003), _FRAME, 0.96)
