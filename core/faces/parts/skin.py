"""The face's skin: its relief with folds and wrinkles, and its colours."""

from __future__ import annotations

import numpy as np

from core.faces.anatomy import Anatomy
from core.faces.canvas import Floats, mirrored, points, spline
from core.faces.identity import Identity
from core.faces.relief import Relief, noise, tint

SIDES = (-1, 1)


def relief(face: Anatomy) -> Relief:
    """The height of the skin everywhere in the face."""
    ground = Relief(face.outline)
    _ground(ground, face)
    _bones(ground, face)
    _nose(ground, face)
    _lids(ground, face)
    _lips(ground, face)
    _brow_folds(ground, face)
    _eye_folds(ground, face)
    _cheek_folds(ground, face)
    _chin_folds(ground, face)
    return ground


def _ground(ground: Relief, face: Anatomy) -> None:
    """The bare ovoid of the head inside the face's outline."""
    right = face.outline[: len(face.outline) // 2 + 1]
    order = np.argsort(right[:, 1])
    half = np.interp(ground.v[:, 0], right[order, 1], right[order, 0])[:, None] + 0.02
    across = np.clip(np.abs(ground.u) / np.maximum(half, 0.12), 0, 0.995)
    top, bottom = -1.64, face.chin + 0.03
    down = np.clip(np.abs(ground.v - (top + bottom) / 2) / (bottom - top) * 2, 0, 0.995)
    ground.z += (0.80 * (1 - across**2.5) ** 0.5 * (1 - down**3.4) ** 0.5).astype(np.float32)


def _bones(ground: Relief, face: Anatomy) -> None:
    shape, au, male = face.who.shape, face.au, face.who.gender == "male"
    wear = face.who.wear
    raised = 0.55 * au[6] + 0.6 * au[12]
    ground.bump((0, -0.95), (0.60, 0.34), 0.045)
    for side, brow in zip(SIDES, face.brows, strict=True):
        middle = brow[16]
        ground.bump((float(middle[0]), float(middle[1]) + 0.02), (0.30, 0.10), 0.050 if male else 0.026)
        ground.bump((side * 0.44, -0.02), (0.28, 0.15), -0.072)
        ground.bump((side * 0.17, -0.08), (0.11, 0.14), -0.042)
        height = 0.055 + 0.025 * shape.fullness + 0.050 * raised - 0.015 * wear
        ground.bump((side * (0.60 + 0.01 * raised), 0.42 - 0.06 * raised), (0.27, 0.21), height)
        ground.bump((side * 0.66, 0.80), (0.20, 0.25), -0.030 + 0.035 * shape.fullness - 0.025 * wear)
        ground.bump((side * 0.90, -0.38), (0.14, 0.30), -0.030)
    ground.bump((0, face.chin - 0.20), (0.20 * shape.chin, 0.15), 0.075)
    ground.bump((0, face.chin - 0.44), (0.30, 0.07), -0.030 + 0.012 * face.au[17])


def _nose(ground: Relief, face: Anatomy) -> None:
    u, v = ground.u, ground.v
    bridge, base, width = face.who.features.nose_bridge, face.nose_base, face.nose_width
    wide = width / 0.225
    rise = np.interp(v, [-0.30, -0.10, 0.10, base - 0.14, base], [0.0, 0.060, 0.135, 0.255, 0.20])
    rise *= np.interp(v, [-0.2, base - 0.2], [bridge, 0.55 + 0.45 * bridge])
    spread = np.interp(v, [-0.2, 0.05, base - 0.15], [0.105, 0.100, 0.120 * wide])
    under = 0.5 - 0.5 * np.tanh((v - base + 0.008 + 1.0 * u**2) / 0.052)
    ground.z += (rise * np.exp(-((u / spread) ** 2)) * under).astype(np.float32)
    ground.bump((0, base - 0.105), (0.108 * wide, 0.090), 0.105)
    for side in SIDES:
        ground.bump((side * width * 0.76, base - 0.085), (0.066, 0.078), 0.120)
        wing = mirrored(
            points(
                (width * 0.86, base - 0.21),
                (width * 1.08, base - 0.13),
                (width * 1.10, base - 0.045),
                (width * 0.86, base + 0.005),
            ),
            side,
        )
        ground.groove(spline(wing, 14), 0.026, 0.040)
        wrinkle = face.au[9]
        for step in range(3):
            v0 = -0.10 + 0.095 * step
            knots = points((0.02, v0 + 0.03), (0.09, v0), (0.155, v0 + 0.03 * step - 0.02))
            ground.groove(mirrored(spline(knots, 8), side), 0.018, 0.021 * wrinkle)


def _lids(ground: Relief, face: Anatomy) -> None:
    for eye in face.eyes:
        u, v = eye.pupil
        ground.bump((u, v - 0.01), (0.20, 0.150), 0.072)
        ground.groove(eye.crease, 0.014, 0.014 * (0.35 + 0.65 * face.who.features.crease), even=False)


def _lips(ground: Relief, face: Anatomy) -> None:
    mouth = face.mouth
    fullness = 1 - 0.7 * mouth.press
    upper = (mouth.upper_edge + mouth.upper_rim) / 2
    lower = (mouth.lower_edge + mouth.lower_rim) / 2
    middle = mouth.upper_rim[30]
    ground.bump((0, float(middle[1])), (0.46, 0.26), 0.050)
    ground.groove(upper[6:-6:6], 0.045, -0.022 * fullness)
    ground.groove(lower[6:-6:6], 0.055, -0.045 * fullness)
    ground.groove(mouth.upper_rim[::6], 0.016, 0.030, even=True)
    ground.groove(mouth.lower_edge[10:-10:5] + points((0, 0.035)), 0.045, 0.022)
    top = float(mouth.upper_edge[30, 1])
    ground.groove(points((0, face.nose_base + 0.05), (0, top - 0.01)), 0.034, 0.020, even=True)
    for end in (0, -1):
        corner = mouth.upper_rim[end]
        side = float(np.sign(corner[0]))
        depth = 0.030 + 0.045 * face.au[12] + 0.020 * face.au[15]
        ground.bump((float(corner[0]) + side * 0.025, float(corner[1])), (0.045, 0.05), -depth)


def _brow_folds(ground: Relief, face: Anatomy) -> None:
    au, wear = face.au, face.who.wear
    across = 0.85 * min(au[1], au[2]) + 0.25 * wear
    for i, v in enumerate((-0.60, -0.74, -0.88)):
        knots = points((-0.62, v + 0.02), (-0.3, v - 0.03), (0, v + 0.005), (0.3, v - 0.03), (0.62, v + 0.02))
        ground.groove(spline(knots, 16), 0.022, 0.021 * across * (1 - 0.18 * i))
    inner = max(au[1] - au[2], 0.0)
    for i, v in enumerate((-0.56, -0.68, -0.80)):
        knots = points((-0.32, v + 0.05), (-0.15, v - 0.02), (0, v), (0.15, v - 0.02), (0.32, v + 0.05))
        ground.groove(spline(knots, 12), 0.022, 0.024 * inner * (1 - 0.2 * i))
    frown = max(au[4] * (1 - 0.4 * au[1]), 0.7 * au[9])
    for side in SIDES:
        knots = points((0.075, -0.12), (0.062, -0.26), (0.088, -0.42))
        ground.groove(mirrored(spline(knots, 8), side), 0.020, 0.034 * frown + 0.008 * wear)
        head = face.brows[0 if side < 0 else 1][2]
        ground.bump((float(head[0]), float(head[1])), (0.11, 0.07), 0.050 * frown)


def _eye_folds(ground: Relief, face: Anatomy) -> None:
    au, wear = face.au, face.who.wear
    squint = 0.75 * au[6] + 0.25 * au[7] * au[6]
    for eye in face.eyes:
        corner = eye.upper[-1]
        for i, angle in enumerate((-0.42, -0.05, 0.30)):
            reach = np.linspace(0.05, 0.22, 8)
            ray = np.stack([eye.side * reach * np.cos(angle), reach * np.sin(angle) + 0.3 * reach**2], 1)
            depth = 0.016 * squint + 0.009 * wear
            ground.groove(corner + ray.astype(np.float32), 0.014, depth * (1 - 0.15 * abs(i - 1)))
        bag = eye.lower[4:-2:4] + points((0, 0.075 - 0.015 * au[6]))
        ground.groove(bag, 0.026, 0.011 + 0.024 * wear + 0.018 * au[6] + 0.012 * au[7])
        pouch = eye.lower[4:-4:6] + points((0, 0.032))
        ground.groove(pouch, 0.022, -0.010 * (1 + au[6] + 0.8 * au[7]) - 0.006 * wear)


def _cheek_folds(ground: Relief, face: Anatomy) -> None:
    au, wear = face.au, face.who.wear
    depth = min(0.02 + 0.42 * wear + 0.95 * au[12] + 0.60 * au[10] + 0.55 * au[9] + 0.25 * au[15], 1.5)
    corner = face.mouth.upper_rim[-1]
    out = 0.075 + 0.02 * au[12]
    for side in SIDES:
        knots = points(
            (face.nose_width * 1.10, face.nose_base - 0.15 - 0.03 * au[9]),
            (face.nose_width * 1.55 + 0.045 * au[12], face.nose_base + 0.04 - 0.03 * au[12]),
            (float(corner[0]) + out, min(float(corner[1]), 0.95) - 0.03),
            (float(corner[0]) + out + 0.015, float(corner[1]) + 0.10),
        )
        fold = mirrored(spline(knots, 18), side)
        ground.groove(fold, 0.034, 0.026 * depth, fold=-side * 0.026 * depth)
        down = points(
            (float(corner[0]) + 0.03, float(corner[1]) + 0.04),
            (float(corner[0]) + 0.075, float(corner[1]) + 0.20),
        )
        ground.groove(mirrored(spline(down, 8), side), 0.030, 0.030 * au[15] + 0.016 * wear)


def _chin_folds(ground: Relief, face: Anatomy) -> None:
    push = face.au[17]
    if not push:
        return
    dimples = np.random.default_rng(face.who.seed)
    for _ in range(16):
        place = dimples.normal((0, face.chin - 0.22), (0.12, 0.07))
        ground.bump((float(place[0]), float(place[1])), (0.022, 0.020), -0.012 * push)
    ground.bump((0, face.chin - 0.25), (0.22, 0.11), 0.035 * push)


def texture(face: Anatomy, rng: np.random.Generator) -> Floats:
    """Fine relief that belongs to the person: pores and small unevenness."""
    coarse = 0.0006 * noise(rng, grain=0.030)
    fine = (0.00036 + 0.00034 * face.who.wear) * noise(rng, grain=0.008)
    return np.asarray(coarse + fine, np.float32)


def base_colour(face: Anatomy, rng: np.random.Generator) -> Floats:
    """The person's complexion without what expressions add, on the relief's grid."""
    who = face.who
    blotch = noise(rng, grain=0.10)[..., None] * np.array([0.008, 0.011, 0.010], np.float32)
    speck = noise(rng, grain=0.012)[..., None] * np.array([0.006, 0.008, 0.008], np.float32)
    albedo = np.asarray(who.colours.skin, np.float32) * (1 + blotch + speck)
    _freckle(albedo, face, rng)
    return np.asarray(albedo, np.float32)


def _freckle(albedo: Floats, face: Anatomy, rng: np.random.Generator) -> None:
    count = int(240 * face.who.looks.freckles + 26 * max(face.who.wear - 0.5, 0))
    spots = Relief(face.outline)
    for u, v in rng.normal((0, 0.28), (0.45, 0.24), (count, 2)):
        size = float(rng.uniform(0.008, 0.016))
        spots.bump((float(u), float(v)), (size, size), float(rng.uniform(0.1, 0.4)))
    tint(spots.cut(albedo), np.clip(spots.z, 0, 0.5), np.asarray(face.who.colours.skin) * (0.74, 0.60, 0.50))


def colour(face: Anatomy, base: Floats) -> Floats:
    """The complexion at this moment: blood in the cheeks, shade around the eyes, lips apart."""
    who, au = face.who, face.au
    spots, tired = Relief(face.outline), Relief(face.outline)
    albedo = spots.cut(base).copy()
    skin = np.asarray(who.colours.skin)
    rosy = skin * (1.04, 0.77, 0.76)
    heat = who.looks.flush * (1 + 0.35 * au[12] + 0.4 * au[4])
    for side in SIDES:
        spots.bump((side * 0.60, 0.44 - 0.05 * au[12]), (0.27, 0.20), 0.50 * heat)
    spots.bump((0, face.nose_base - 0.12), (0.17, 0.13), 0.40 * heat)
    spots.bump((0, face.chin - 0.2), (0.22, 0.15), 0.22 * heat)
    tint(albedo, np.clip(spots.z, 0, 0.8), rosy)
    for eye in face.eyes:
        tired.bump((eye.pupil[0] - eye.side * 0.03, 0.15), (0.20, 0.07), 0.18 + 0.22 * who.wear)
        tired.bump((eye.pupil[0], -0.10), (0.24, 0.10), 0.20)
    tint(albedo, np.clip(tired.z, 0, 0.7), skin * (0.80, 0.68, 0.70))
    return albedo


def gloss(who: Identity) -> float:
    """The skin's sheen, which stands out more on dark skin and fades with age."""
    return float((0.75 + 1.1 * (1 - np.mean(who.colours.skin))) * (1 - 0.3 * who.wear))
