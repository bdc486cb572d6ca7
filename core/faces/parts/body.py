"""Everything around the face but hair: backdrop, neck, ears and clothes."""

from __future__ import annotations

import cv2
import numpy as np

from core.faces.canvas import (
    SIDE,
    Colour,
    Floats,
    Patch,
    blob,
    filled,
    mirrored,
    paint,
    points,
    ribbon,
    shade,
    spline,
)
from core.faces.identity import Identity
from core.faces.relief import GRID, Relief, axes, enlarged, lit, noise

SIDES = (-1, 1)


def backdrop(who: Identity) -> Floats:
    """A wall, lighter behind the head's lit side, falling off to the corners."""
    grid = np.linspace(-1, 1, SIDE, dtype=np.float32)
    u, v = grid[None, :], grid[:, None]
    near = np.exp(-((u + 0.25) ** 2 + (v + 0.15) ** 2) / 0.9)
    tone = 0.74 + 0.36 * near - 0.06 * np.clip(v, 0, 1)
    rng = np.random.default_rng(who.seed + 1)
    cloud = cv2.GaussianBlur(rng.standard_normal((64, 64)).astype(np.float32), (0, 0), 5)
    tone = tone + 0.10 * cv2.resize(cloud, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.asarray(who.colours.backdrop, np.float32) * tone[..., None], 0, 1)


def neck(picture: Floats, who: Identity) -> None:
    """Neck and upper chest in skin."""
    male = who.gender == "male"
    half = (0.66 if male else 0.53) * (0.6 + 0.4 * who.shape.jaw)
    right = points(
        (half * 1.02, 0.75),
        (half * 0.97, 1.35),
        (half * 0.98, 1.70),
        (half * 1.22, 1.96),
        (1.2, 2.2),
        (1.5, 2.6),
    )
    left = right[::-1] * points((-1, 1))
    outline = np.concatenate([spline(right, 40), spline(left, 40)])
    u, v = axes()
    wide = np.interp(v[:, 0], right[:, 1], right[:, 0]).astype(np.float32)[:, None]
    across = np.clip(np.abs(u) / wide, 0, 0.985)
    form = Relief(np.asarray(0.55 * (1 - across**2.3) ** 0.5 * (1 + 0 * v), np.float32))
    for side in SIDES:
        cord = points((side * half * 0.92, 1.25), (side * half * 0.55, 1.75), (side * 0.14, 2.06))
        form.groove(spline(cord, 14), 0.075, -0.035)
        bone = points((side * 0.12, 2.10), (side * 0.5, 2.12), (side * 1.0, 2.06))
        form.groove(spline(bone, 12), 0.05, -0.035)
    form.bump((0, 2.08), (0.10, 0.09), -0.045)
    if male:
        form.bump((0, 1.72), (0.09, 0.11), 0.035)
    skin = np.broadcast_to(np.asarray(who.colours.skin, np.float32) * (0.97, 0.94, 0.93), (GRID, GRID, 3))
    colours = enlarged(lit(form.z, skin.astype(np.float32), gloss=0.5))
    patch = filled(outline, 0.006)
    paint(picture, patch, colours[patch.rows, patch.columns])


def ears(picture: Floats, who: Identity) -> None:
    """Both ears, seen from the front."""
    u, v = axes()
    skin = np.asarray(who.colours.skin, np.float32) * (1.0, 0.90, 0.88)
    for side in SIDES:
        edge = 0.945 * who.shape.width
        outline = mirrored(
            spline(
                points(
                    (edge - 0.04, -0.16),
                    (edge + 0.09, -0.20),
                    (edge + 0.175, -0.08),
                    (edge + 0.165, 0.14),
                    (edge + 0.105, 0.36),
                    (edge + 0.045, 0.50),
                    (edge - 0.03, 0.50),
                    (edge - 0.06, 0.2),
                ),
                60,
                closed=True,
            ),
            side,
        )
        form = Relief(np.zeros((GRID, GRID), np.float32))
        form.bump((side * (edge + 0.05), 0.15), (0.13, 0.36), 0.20)
        form.groove(outline[4:34:3] - points((side * 0.030, 0.0)), 0.024, -0.040, even=True)
        form.bump((side * (edge + 0.055), 0.16), (0.050, 0.16), -0.085)
        form.bump((side * (edge + 0.02), 0.42), (0.05, 0.06), 0.04)
        colours = enlarged(lit(form.z, np.broadcast_to(skin, (GRID, GRID, 3)).astype(np.float32), gloss=0.5))
        patch = filled(outline, 0.005)
        paint(picture, patch, colours[patch.rows, patch.columns])
        hollow = blob((side * (edge + 0.045), 0.17), (0.045, 0.14), angle=-side * 0.15)
        shade(picture, hollow.within(patch), (0.55, 0.36, 0.32), 0.6)
        shade(picture, blob((side * edge, 0.2), (0.05, 0.45)).within(patch), (0.55, 0.40, 0.36), 0.7)


def clothes(picture: Floats, who: Identity) -> None:
    """The shoulders and what covers them."""
    style = who.looks.clothes
    cloth = np.asarray(who.colours.cloth, np.float32)
    slope = 0.10 if who.gender == "male" else 0.0
    dip = {"crew": 2.10, "vee": 2.50, "shirt": 2.36, "roll": 1.72}[style]
    collar = {"crew": 0.62, "vee": 0.64, "shirt": 0.60, "roll": 0.60}[style] * (1.08 if slope else 0.94)
    top = {"crew": 1.90, "vee": 1.86, "shirt": 1.84, "roll": 1.66}[style]
    right = points(
        (collar, top),
        (collar + 0.30, top + 0.12),
        (1.25, 2.16 - slope),
        (1.72, 2.32 - slope),
        (2.10, 2.75),
        (2.3, 3.2),
    )
    left = right[::-1] * points((-1, 1))
    bend = 1.15 if style in ("vee", "shirt") else 2.0
    span = np.linspace(-1, 1, 41)
    neckline = np.stack([-collar * span[::-1] * -1, dip - (dip - top) * np.abs(span) ** bend], 1)[::-1]
    outline = np.concatenate([spline(right, 60), spline(left, 60), neckline[::-1]])
    patch = filled(outline, 0.004)
    colours = _fabric(who, cloth)
    shade(picture, ribbon(neckline + points((0, -0.01)), 0.06, 0.04), (0.60, 0.50, 0.47), 0.7)
    paint(picture, patch, colours[patch.rows, patch.columns])
    _collar(picture, style, neckline, cloth, patch)


def _fabric(who: Identity, cloth: Floats) -> Floats:
    u, v = axes()
    form = Relief(np.zeros((GRID, GRID), np.float32))
    form.z += np.asarray(0.6 * np.exp(-((u / 1.7) ** 4)) - 0.25 * np.clip(v - 2.0, 0, 2) + 0 * u, np.float32)
    rng = np.random.default_rng(who.seed + 5)
    for side in SIDES:
        form.bump((side * 1.45, 2.45), (0.55, 0.35), 0.22)
        for _ in range(5):
            a, b = rng.uniform(0.4, 1.9), rng.uniform(2.15, 2.5)
            fold = points((side * a, b), (side * (a + rng.uniform(-0.35, 0.1)), b + 0.45))
            form.groove(fold, float(rng.uniform(0.04, 0.09)), float(rng.uniform(-0.03, 0.035)))
    weave = 1 + 0.035 * noise(rng, grain=0.006)
    albedo = np.clip(cloth * weave[..., None], 0, 1).astype(np.float32)
    return enlarged(lit(form.z, albedo, gloss=0.0, hollow=0.8))


def _collar(picture: Floats, style: str, neckline: Floats, cloth: Colour, patch: Patch) -> None:
    tone = np.asarray(cloth)
    if style == "crew":
        shade(
            picture, ribbon(neckline + points((0, 0.11)), 0.020, 0.008).within(patch), (0.7, 0.7, 0.72), 0.8
        )
        paint(picture, ribbon(neckline + points((0, 0.045)), 0.09, 0.02).within(patch), tone * 0.92, 0.5)
    elif style == "vee":
        shade(
            picture, ribbon(neckline + points((0, 0.10)), 0.018, 0.008).within(patch), (0.7, 0.7, 0.72), 0.8
        )
    elif style == "shirt":
        for side in SIDES:
            leaf = points((side * 0.60, 1.80), (side * 0.74, 1.98), (side * 0.50, 2.52), (side * 0.02, 2.34))
            shade(picture, filled(leaf + points((side * 0.03, 0.05)), 0.04), (0.55, 0.55, 0.58), 0.8)
            paint(picture, filled(leaf, 0.004), np.clip(tone * (1.16 if side < 0 else 0.98), 0, 1))
            shade(picture, ribbon(leaf[[1, 2, 3]], 0.016, 0.006), (0.72, 0.72, 0.75), 0.8)
    else:
        for level in (1.80, 1.92):
            line = points((-0.58, level - 0.06), (0, level + 0.06), (0.58, level - 0.06))
            shade(picture, ribbon(spline(line, 20), 0.06, 0.035).within(patch), (0.6, 0.6, 0.64), 0.8)


def under_chin(picture: Floats, outline: Floats) -> None:
    """The head's shadow on the neck."""
    for moved, soft, strength in ((0.10, 0.05, 0.55), (0.24, 0.12, 0.45)):
        patch = filled(outline[40:120] + points((0.05, moved)), soft)
        shade(picture, patch, (0.52, 0.36, 0.32), strength)
