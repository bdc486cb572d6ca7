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
from core.faces.relief import Relief, lit, noise

SIDES = (-1, 1)


def backdrop(who: Identity) -> Floats:
    """A wall, lighter behind the head's lit side, falling off to the corners."""
    grid = np.linspace(-1, 1, SIDE, dtype=np.float32)
    u, v = grid[None, :], grid[:, None]
    near = np.exp(-((u + 0.25) ** 2) / 0.9) * np.exp(-((v + 0.15) ** 2) / 0.9)
    tone = 0.76 + 0.38 * near - 0.06 * np.clip(v, 0, 1)
    rng = np.random.default_rng(who.seed + 1)
    cloud = cv2.GaussianBlur(rng.standard_normal((64, 64)).astype(np.float32), (0, 0), 5)
    tone += 0.16 * cv2.resize(cloud, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(
        np.clip(np.asarray(who.colours.backdrop, np.float32) * tone[..., None], 0, 1), np.float32
    )


def neck(picture: Floats, who: Identity) -> Patch:
    """Neck and upper chest in skin; returns where they lie."""
    male = who.gender == "male"
    half = (0.62 if male else 0.49) * (0.5 + 0.5 * who.shape.jaw)
    right = points(
        (half * 1.02, 0.75),
        (half * 0.96, 1.35),
        (half * 0.98, 1.66),
        (half * 1.06, 1.86),
        (0.74, 2.12),
        (0.95, 2.6),
    )
    edge = spline(right, 40)
    outline = np.concatenate([edge, edge[::-1] * points((-1, 1))])
    form = Relief(outline)
    wide = np.interp(form.v[:, 0], right[:, 1], right[:, 0])[:, None] + 0.02
    across = np.clip(np.abs(form.u) / wide, 0, 0.995)
    form.z += (0.55 * (1 - across**2.3) ** 0.5).astype(np.float32)
    _throat(form, half, male=male)
    skin = _plain(form, np.asarray(who.colours.skin) * (0.97, 0.94, 0.93))
    return form.lay(picture, lit(form.z, skin, gloss=0.5), outline, 0.006)


def _throat(form: Relief, half: float, *, male: bool) -> None:
    for side in SIDES:
        cord = points((side * half * 0.92, 1.25), (side * half * 0.55, 1.75), (side * 0.14, 2.06))
        form.groove(spline(cord, 14), 0.075, -0.020)
        bone = points((side * 0.12, 2.10), (side * 0.5, 2.12), (side * 1.0, 2.06))
        form.groove(spline(bone, 12), 0.05, -0.018)
    form.bump((0, 2.08), (0.10, 0.09), -0.022)
    if male:
        form.bump((0, 1.74), (0.09, 0.11), 0.035)


def _plain(form: Relief, colour: Colour) -> Floats:
    return np.broadcast_to(np.asarray(colour, np.float32), (*form.z.shape, 3))


def ears(picture: Floats, who: Identity) -> None:
    """Both ears, seen from the front."""
    edge = 0.945 * who.shape.width
    knots = points(
        (edge - 0.04, -0.16),
        (edge + 0.08, -0.20),
        (edge + 0.155, -0.08),
        (edge + 0.145, 0.14),
        (edge + 0.090, 0.36),
        (edge + 0.035, 0.50),
        (edge - 0.03, 0.50),
        (edge - 0.06, 0.2),
    )
    for side in SIDES:
        outline = mirrored(spline(knots, 60, closed=True), side)
        form = Relief(outline)
        form.bump((side * (edge + 0.05), 0.15), (0.13, 0.36), 0.20)
        form.groove(outline[4:34:3] - points((side * 0.030, 0.0)), 0.024, -0.040, even=True)
        form.bump((side * (edge + 0.055), 0.16), (0.050, 0.16), -0.085)
        form.bump((side * (edge + 0.02), 0.42), (0.05, 0.06), 0.04)
        skin = _plain(form, np.asarray(who.colours.skin) * (1.0, 0.90, 0.88))
        patch = form.lay(picture, lit(form.z, skin, gloss=0.5), outline, 0.005)
        hollow = blob((side * (edge + 0.045), 0.17), (0.045, 0.14), angle=-side * 0.15)
        shade(picture, hollow.within(patch), (0.55, 0.36, 0.32), 0.6)
        shade(picture, blob((side * edge, 0.2), (0.05, 0.45)).within(patch), (0.55, 0.40, 0.36), 0.7)


# Of each garment: height of the neckline at the sides and in the middle, half width, bend.
_NECKLINES = {
    "crew": (1.86, 2.10, 0.64, 2.0),
    "vee": (1.84, 2.50, 0.66, 1.1),
    "shirt": (1.80, 2.36, 0.60, 1.1),
    "roll": (1.70, 1.80, 0.56, 2.0),
}


def clothes(picture: Floats, who: Identity, throat: Patch) -> Patch:
    """The shoulders and what covers them, with its shade on the throat; returns where they lie."""
    top, dip, collar, bend = _NECKLINES[who.looks.clothes]
    male = who.gender == "male"
    slope = 0.10 if male else 0.0
    collar *= 1.08 if male else 0.92
    right = points(
        (collar, top),
        (collar + 0.06, max(top + 0.08, 1.88)),
        (collar + 0.34, 2.05),
        (1.22, 2.18 - slope),
        (1.66 + slope, 2.34 - slope),
        (2.05 + slope, 2.75),
        (2.3, 3.2),
    )
    edge = spline(right, 60)
    span = np.linspace(-1, 1, 41)
    neckline = np.stack([collar * span, dip - (dip - top) * np.abs(span) ** bend], 1).astype(np.float32)
    outline = np.concatenate([edge, edge[::-1] * points((-1, 1)), neckline])
    hem = ribbon(neckline - points((0, 0.01)), 0.07, 0.04)
    shade(picture, hem.within(throat), (0.55, 0.44, 0.41), 0.7)
    form = Relief(outline)
    patch = form.lay(picture, _fabric(form, who), outline, 0.004)
    _trim(picture, who, neckline, patch)
    return patch


def _fabric(form: Relief, who: Identity) -> Floats:
    form.z += (0.6 * np.exp(-((form.u / 1.7) ** 4)) - 0.25 * np.clip(form.v - 2.0, 0, 2)).astype(np.float32)
    rng = np.random.default_rng(who.seed + 5)
    for side in SIDES:
        form.bump((side * 1.45, 2.45), (0.55, 0.35), 0.22)
        for _ in range(5):
            a, b = rng.uniform(0.4, 1.9), rng.uniform(2.15, 2.5)
            fold = points((side * a, b), (side * (a + rng.uniform(-0.35, 0.1)), b + 0.45))
            form.groove(fold, float(rng.uniform(0.04, 0.09)), float(rng.uniform(-0.03, 0.035)))
    weave = 1 + 0.03 * form.cut(noise(rng, grain=0.006))
    albedo = np.asarray(who.colours.cloth, np.float32) * weave[..., None]
    return lit(form.z, np.clip(albedo, 0, 1).astype(np.float32), gloss=0.0, hollow=0.8)


def _trim(picture: Floats, who: Identity, neckline: Floats, patch: Patch) -> None:
    style, seam = who.looks.clothes, (0.68, 0.68, 0.71)
    if style == "shirt":
        _leaves(picture, np.asarray(who.colours.cloth))
    elif style == "roll":
        for level in (1.88, 2.0):
            line = points((-0.60, level - 0.07), (0, level + 0.06), (0.60, level - 0.07))
            shade(picture, ribbon(spline(line, 20), 0.06, 0.035).within(patch), (0.6, 0.6, 0.64), 0.8)
    else:
        for depth, width in ((0.105, 0.016), (0.012, 0.024)):
            stitch = ribbon(neckline + points((0, depth)), width, 0.008)
            shade(picture, stitch.within(patch), seam, 0.8)


def _leaves(picture: Floats, cloth: Floats) -> None:
    """A shirt's collar and its button border."""
    border = points((0.0, 2.36), (0.06, 2.5), (0.07, 2.7))
    shade(picture, ribbon(border, 0.020, 0.008), (0.66, 0.66, 0.69), 0.8)
    for side in SIDES:
        leaf = points((side * 0.60, 1.78), (side * 0.76, 1.98), (side * 0.46, 2.50), (side * 0.02, 2.34))
        shade(picture, filled(leaf + points((0.02, 0.06)), 0.035), (0.62, 0.62, 0.66), 0.7)
        paint(picture, filled(leaf, 0.004), np.clip(cloth * (1.12 if side < 0 else 1.0), 0, 1))
        roll = filled(
            points((side * 0.60, 1.78), (side * 0.66, 1.86), (side * 0.06, 2.30), (side * 0.02, 2.34)), 0.02
        )
        shade(picture, roll, (0.70, 0.70, 0.74), 0.7)
        stitch = leaf[1:] + (leaf[:1] - leaf[1:]) * 0.07
        shade(picture, ribbon(stitch, 0.008, 0.004), (0.72, 0.72, 0.75), 0.7)


def under_chin(picture: Floats, outline: Floats, trunk: tuple[Patch, ...]) -> None:
    """The head's shadow on neck and clothes."""
    for moved, soft, strength in ((0.09, 0.045, 0.60), (0.24, 0.12, 0.45)):
        patch = filled(outline[40:120] + points((0.06, moved)), soft)
        for part in trunk:
            shade(picture, patch.within(part), (0.50, 0.34, 0.30), strength)
