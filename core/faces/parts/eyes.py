"""Eyeballs, lids and lashes."""

from __future__ import annotations

import numpy as np

from core.faces.anatomy import Anatomy, Eye
from core.faces.canvas import Floats, Patch, Strands, between, blob, glow, paint, points, ribbon, shade, taper


def draw(picture: Floats, face: Anatomy) -> None:
    """Both eyes over the shaded skin."""
    for eye in face.eyes:
        rng = np.random.default_rng(face.who.seed + 7)
        _hollow(picture, face, eye)
        gap = between(eye.upper, eye.lower, 0.004)
        _ball(picture, face, eye, gap, rng)
        _margins(picture, face, eye, gap)
        _lashes(picture, face, eye, rng)


def _hollow(picture: Floats, face: Anatomy, eye: Eye) -> None:
    skin = np.asarray(face.who.colours.skin)
    dark = 0.42 + 0.25 * skin
    depth = 0.25 + 0.75 * face.who.features.crease
    shade(
        picture, ribbon(eye.crease, 0.024 * taper(41, power=0.6), 0.006), dark * (1, 0.86, 0.80), 0.75 * depth
    )
    shade(picture, ribbon(eye.crease - points((0, 0.02)), 0.05, 0.03), dark * (1.1, 0.95, 0.9), 0.28 * depth)
    if face.who.looks.makeup:
        lid = between(eye.upper, eye.crease, 0.018)
        shade(picture, lid, (0.74, 0.60, 0.58), 0.6 * face.who.looks.makeup)


def _ball(picture: Floats, face: Anatomy, eye: Eye, gap: Patch, rng: np.random.Generator) -> None:
    u, v = gap.grid()
    du, dv = u - eye.pupil[0], v - eye.pupil[1]
    round_ = np.clip(1 - (du / 0.27) ** 2 - (dv / 0.24) ** 2, 0, 1) ** 0.5
    white = np.array([0.905, 0.885, 0.865], np.float32) - face.who.wear * np.array(
        [0.02, 0.04, 0.07], np.float32
    )
    colour = white * (0.62 + 0.40 * round_)[..., None]
    corner = np.exp(-(((u - eye.upper[0, 0]) / 0.045) ** 2) - ((v - eye.upper[0, 1]) / 0.05) ** 2)
    colour += (np.array([0.76, 0.50, 0.47], np.float32) - colour) * (0.75 * corner)[..., None]
    _iris(colour, du, dv, eye.iris, face, rng)
    lid = np.interp(u[0] * eye.side, eye.upper[:, 0] * eye.side, eye.upper[:, 1])
    below = (v - lid[None, :]) / 0.05
    colour *= (1 - 0.52 * np.exp(-(np.clip(below, 0, None) ** 1.4)))[..., None]
    paint(picture, gap, colour)
    for du0, dv0, size, strength in ((-0.034, -0.036, 0.017, 0.95), (0.036, 0.040, 0.020, 0.22)):
        spark = blob((eye.pupil[0] + du0, eye.pupil[1] + dv0), (size, size * 1.15))
        glow(picture, spark.times(1.6).within(gap), (1, 1, 1), strength)


def _iris(
    colour: Floats, du: Floats, dv: Floats, radius: float, face: Anatomy, rng: np.random.Generator
) -> None:
    r = np.sqrt(du**2 + dv**2) / radius
    angle = np.arctan2(dv, du)
    rays = sum(
        np.cos(angle * k + phase + 3 * r) * weight
        for k, phase, weight in zip(
            rng.integers(9, 44, 9), rng.uniform(0, 6.3, 9), rng.uniform(0.03, 0.09, 9), strict=True
        )
    )
    base = np.asarray(face.who.colours.iris, np.float32)
    warm = np.exp(-(((r - 0.48) / 0.20) ** 2))
    below = np.clip(0.5 + 0.55 * dv / radius, 0, 1)
    tone = base * ((0.62 + 0.75 * below) * (1 + rays) * (1 - 0.10 * r))[..., None]
    tone += warm[..., None] * np.array([0.10, 0.07, 0.02], np.float32)
    rim = np.clip((r - 0.76) / 0.22, 0, 1) ** 1.5
    tone *= (1 - 0.72 * rim)[..., None]
    pupil = 0.5 - 0.5 * np.tanh((r - 0.40) * 17)
    tone *= (1 - 0.96 * pupil)[..., None]
    disc = 0.5 - 0.5 * np.tanh((r - 1.0) * 13)
    colour += (np.clip(tone, 0, 1) - colour) * disc[..., None]


def _margins(picture: Floats, face: Anatomy, eye: Eye, gap: Patch) -> None:
    skin = np.asarray(face.who.colours.skin)
    paint(
        picture,
        ribbon(eye.lower + points((0, 0.004)), 0.012 * taper(41, power=0.4), 0.003),
        skin * (0.98, 0.76, 0.72),
        0.65,
    )
    shade(picture, ribbon(eye.lower + points((0, 0.014)), 0.010 * taper(41), 0.004), (0.60, 0.50, 0.48), 0.55)
    line = np.asarray(face.who.colours.hair) * 0.25 + np.array([0.05, 0.03, 0.03])
    weight = 0.016 + 0.012 * face.who.looks.makeup
    widths = weight * np.clip(np.linspace(0.45, 1.25, 41), 0, 1.1)
    paint(picture, ribbon(eye.upper - points((0, 0.003)), widths, 0.003), line, 0.92)


def _lashes(picture: Floats, face: Anatomy, eye: Eye, rng: np.random.Generator) -> None:
    female = face.who.gender == "female"
    layer = Strands()
    for curve, count, length, lift in (
        (eye.upper, 34, 0.046 if female else 0.024, -1.0),
        (eye.lower, 18, 0.014 if female else 0.008, 0.75),
    ):
        place = np.sort(rng.uniform(0.12, 1.0, count))
        root = np.stack([np.interp(place * 40, range(41), curve[:, i]) for i in (0, 1)], 1)
        lean = eye.side * (place - 0.30) * 1.25
        size = length * (0.55 + 0.6 * place) * rng.uniform(0.8, 1.15, count)
        s = np.linspace(0, 1, 5)[None, :, None]
        out = np.stack([lean, np.full(count, lift * 0.72)], 1)[:, None, :]
        curl = np.stack([lean * 0.25, np.full(count, lift * 0.25)], 1)[:, None, :]
        strands = root[:, None, :] + size[:, None, None] * (out * s + curl * s * s)
        layer.draw(strands, np.full((count, 3), 0.05))
    layer.over(picture)
