"""Beards, which move with jaw and lips."""

from __future__ import annotations

import numpy as np

from core.faces.anatomy import Anatomy
from core.faces.canvas import Floats, Strands, filled, points, shade, spline

_COUNTS = {"stubble": 2200, "full": 5200}


def draw(picture: Floats, face: Anatomy) -> None:
    """The beard over the finished face, if there is one."""
    kind = face.who.looks.beard
    if kind == "none":
        return
    rng = np.random.default_rng(face.who.seed + 31)
    layer = Strands()
    inner, outer = _region(face)
    if kind != "moustache":
        strength = 0.36 if kind == "stubble" else 0.72
        tone = 0.25 + 0.75 * _tone(face)
        shade(picture, filled(np.concatenate([inner, outer[::-1]]), 0.05), tone, strength)
        layer.draw(*_cheeks(face, inner, outer, _COUNTS[kind], rng))
    _moustache(picture, layer, face, rng)
    layer.over(picture)


def _tone(face: Anatomy) -> Floats:
    white = np.array([0.62, 0.61, 0.59])
    tone = np.asarray(face.who.colours.hair) * 0.9
    return np.asarray(tone + (white - tone) * face.who.looks.grey, np.float32)


def _region(face: Anatomy) -> tuple[Floats, Floats]:
    """The beard's inner edge (cheek, mouth, below the lip) and the jaw, right to left."""
    corner, lip = face.mouth.upper_rim[-1], face.mouth.lower_edge[30]
    right = points(
        (0.90 * face.who.shape.width, 0.12),
        (0.80, 0.52),
        (0.62, 0.76),
        (float(corner[0]) + 0.085, float(corner[1]) + 0.01),
        (0.26, float(lip[1]) + 0.06),
        (0.10, float(lip[1]) + 0.075),
    )
    inner = spline(np.concatenate([right, right[::-1] * points((-1, 1))]), 90)
    low = face.outline[(face.outline[:, 1] > 0.12)]
    place = np.linspace(0, len(low) - 1, 90)
    jaw = np.stack([np.interp(place, range(len(low)), low[:, i]) for i in (0, 1)], 1)
    return inner, jaw.astype(np.float32)


def _colours(face: Anatomy, count: int, rng: np.random.Generator) -> Floats:
    light = rng.uniform(0.72, 1.28, (count, 1))
    white = np.array([0.70, 0.69, 0.67])
    grey = face.who.looks.grey
    share = np.clip(rng.normal(grey, 0.2, (count, 1)), 0, 1) if grey else 0.0
    hair = np.asarray(face.who.colours.hair) * 0.95 + 0.01
    if face.who.looks.beard == "stubble":
        hair = 0.62 * hair + 0.38 * np.asarray(face.who.colours.skin) * 0.7
    return np.clip((hair + (white - hair) * share) * light, 0, 1).astype(np.float32)


def _cheeks(
    face: Anatomy, inner: Floats, outer: Floats, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    full = face.who.looks.beard == "full"
    place, depth = rng.uniform(0, 89, count), rng.uniform(0, 1.0, count) ** 0.8
    a = np.stack([np.interp(place, range(90), inner[:, i]) for i in (0, 1)], 1)
    b = np.stack([np.interp(place, range(90), outer[:, i]) for i in (0, 1)], 1)
    root = a + (b - a) * depth[:, None]
    size = (0.085 if full else 0.014) * rng.uniform(0.6, 1.3, count)
    angle = np.pi / 2 - 0.75 * root[:, 0] + rng.normal(0, 0.25, count)
    s = np.linspace(0, 1, 5)[None, :]
    turn = angle[:, None] + 0.35 * s * np.sign(root[:, :1])
    u = root[:, :1] + size[:, None] * s * np.cos(turn) * 0.6
    v = root[:, 1:] + size[:, None] * s * np.sin(turn)
    return np.stack([u, v], -1).astype(np.float32), _colours(face, count, rng)


def _moustache(picture: Floats, layer: Strands, face: Anatomy, rng: np.random.Generator) -> None:
    edge = face.mouth.upper_edge
    stubble = face.who.looks.beard == "stubble"
    count = 380 if stubble else 900
    place, depth = rng.uniform(2, 58, count), rng.uniform(0, 1, count)
    lip = np.stack([np.interp(place, range(61), edge[:, i]) for i in (0, 1)], 1) * (1.12, 1)
    t = np.abs(place - 30) / 30
    top = face.nose_base + 0.085 + (lip[:, 1] - face.nose_base - 0.12) * 0.55 * t**2
    root_v = top + (lip[:, 1] - 0.045 - top) * depth
    size = (0.014 if stubble else 0.070) * rng.uniform(0.7, 1.2, count)
    angle = np.pi / 2 - np.sign(lip[:, 0]) * (0.35 + 0.65 * t) + rng.normal(0, 0.15, count)
    s = np.linspace(0, 1, 5)[None, :]
    u = lip[:, :1] + size[:, None] * s * np.cos(angle)[:, None]
    v = root_v[:, None] + size[:, None] * s * np.sin(angle)[:, None] * 0.8
    shadow = np.concatenate(
        [edge[4:-4] - points((0, 0.005)), (edge[4:-4] * (1, 0) + points((0, face.nose_base + 0.10)))[::-1]]
    )
    shade(picture, filled(shadow, 0.03), 0.3 + 0.7 * _tone(face), 0.28 if stubble else 0.5)
    layer.draw(np.stack([u, v], -1), _colours(face, count, rng))
