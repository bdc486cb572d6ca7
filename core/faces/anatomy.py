"""Where everything in a face lies, from the person and the Action Units.

Numbers of units: Ekman, Friesen & Hager (2002), Facial Action Coding System. Distances
follow mean adult anthropometry: pupils 0.92 apart, mouth 0.95 and chin 1.55 below them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.faces.canvas import Floats, mirrored, points, spline
from core.faces.identity import Identity

UNITS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 15, 16, 17, 20, 23, 24, 25, 26, 43)


@dataclass(frozen=True, slots=True)
class Eye:
    """One eye; curves run from the inner to the outer corner."""

    side: int  # -1 left in the picture, +1 right
    pupil: tuple[float, float]
    iris: float  # radius
    upper: Floats
    lower: Floats
    crease: Floats
    openness: float  # height of the gap over that of a neutral eye


@dataclass(frozen=True, slots=True)
class Mouth:
    """The lips' four contours over t = -1..1 from the picture's left corner to the right."""

    upper_edge: Floats
    upper_rim: Floats
    lower_rim: Floats
    lower_edge: Floats
    gap: float  # greatest distance between the rims
    teeth: float  # v of the upper teeth's edge in the middle
    drop: float  # how far the jaw hangs
    press: float  # how far the lips are pressed or sucked in


@dataclass(frozen=True, slots=True)
class Anatomy:
    """The whole face at one moment."""

    who: Identity
    au: Mapping[int, float]
    outline: Floats  # the face's closed contour, from the crown clockwise
    brows: tuple[Floats, Floats]  # centre lines, inner to outer end
    eyes: tuple[Eye, Eye]
    mouth: Mouth
    nose_base: float  # v below the tip
    nose_width: float
    chin: float  # v of the chin's edge


def build(who: Identity, action_units: Mapping[int, float]) -> Anatomy:
    """The anatomy of a person with some Action Units in action (absent ones are 0)."""
    au = {unit: float(np.clip(action_units.get(unit, 0.0), 0, 1)) for unit in UNITS}
    drop = 0.30 * au[26]
    shape, features = who.shape, who.features
    return Anatomy(
        who=who,
        au=au,
        outline=_outline(who, drop),
        brows=(_brow(who, au, -1), _brow(who, au, 1)),
        eyes=(_eye(who, au, -1), _eye(who, au, 1)),
        mouth=_mouth(who, au, drop),
        nose_base=0.60 * features.nose_length - 0.035 * au[9] - 0.010 * au[10],
        nose_width=0.225 * features.nose_width * (1 + 0.10 * au[9] + 0.06 * au[10] + 0.04 * au[12]),
        chin=shape.length + drop * 0.92 - 0.03 * au[17],
    )


def _outline(who: Identity, drop: float) -> Floats:
    shape = who.shape
    low, wide = shape.length, shape.width
    jaw = 0.735 * shape.jaw + 0.035 * shape.fullness
    right = points(
        (0.44, -1.50),
        (0.765, -1.24),
        (0.945 * wide, -0.80),
        (0.975 * wide, -0.35),
        (0.975 * wide, 0.10),
        (0.930 * wide + 0.015 * shape.fullness, 0.46),
        (0.845 * wide * (0.5 + 0.5 * shape.jaw) + 0.03 * shape.fullness, 0.80),
        (jaw, low - 0.47 + 0.25 * drop),
        (0.36 + 0.15 * shape.chin + 0.03 * shape.fullness, low - 0.205 + 0.72 * drop),
        (0.06 + 0.20 * shape.chin, low - 0.045 + 0.92 * drop),
    )
    left = right[::-1] * np.array([-1, 1])
    knots = np.concatenate([points((0, -1.60)), right, points((0, low + 0.92 * drop)), left])
    return spline(knots, 160, closed=True)


def _brow(who: Identity, au: Mapping[int, float], side: int) -> Floats:
    features = who.features
    base = -0.278 - features.brow_height - side * features.uneven[0] + 0.015 * who.wear
    arch = 0.060 * features.brow_arch
    knots = points(
        (0.170, base + 0.006), (0.36, base - arch * 0.55), (0.58, base - arch), (0.80, base + 0.026)
    )
    inner = np.array([1.0, 0.62, 0.18, 0.0])
    outer = np.array([0.0, 0.35, 0.95, 0.85])
    knots[:, 1] -= 0.162 * au[1] * inner + 0.145 * au[2] * outer
    knots[:, 1] += au[4] * np.array([0.165, 0.150, 0.115, 0.065]) * (1 - 0.55 * au[1])
    knots[:, 1] += au[9] * np.array([0.055, 0.045, 0.020, 0.0])
    knots[:, 1] += 0.012 * (au[6] + au[7]) * outer
    knots[:, 0] -= (0.062 * au[4] + 0.020 * au[9]) * np.array([1.0, 0.9, 0.5, 0.1])
    return mirrored(spline(knots, 40), side)


def _eye(who: Identity, au: Mapping[int, float], side: int) -> Eye:
    features = who.features
    half = 0.222 * features.eye_size
    centre, t = features.eye_spacing, np.linspace(-1, 1, 41)
    shut = 1 - au[43]
    narrow = 0.016 * au[7] + 0.014 * au[4] + 0.006 * au[6] + 0.006 * au[9] + 0.008 * who.wear
    rest = 0.094 * features.eye_size * features.eye_opening + side * 0.02 * features.uneven[1]
    above = (rest + 0.060 * au[5] - narrow - 0.006 * au[12]) * shut
    below = 0.070 * features.eye_size * features.eye_opening + 0.008 * au[5]
    below -= 0.028 * au[7] + 0.026 * au[6] + 0.012 * au[9] + 0.008 * au[12]
    below = max(below, 0.016)
    if au[43]:
        above = above * shut - below * au[43] * 0.9
    line = -(features.eye_tilt + 0.012 * who.features.epicanthus) * t
    # An epicanthic fold covers the inner corner, so the upper curve starts lower and flatter.
    skew = 0.10 - 0.22 * features.epicanthus
    roof = (1 - t**2) ** (0.62 + 0.15 * features.epicanthus) * (1 - skew * t)
    floor = (1 - t**2) ** 0.85 * (1 + 0.22 * t)
    sag = 0.012 * who.wear * np.clip(t, 0, 1)
    upper = np.stack([centre + half * t, line - above * roof + sag * (1 - t)], 1)
    lower = np.stack([centre + half * t, line + below * floor], 1)
    return Eye(
        side=side,
        pupil=(side * (centre + 0.012), 0.0),
        iris=0.105 * (0.6 + 0.4 * features.eye_size),
        upper=mirrored(upper, side),
        lower=mirrored(lower, side),
        crease=mirrored(_crease(who, au, upper, t), side),
        openness=float((above + below) / (rest + 0.070 * features.eye_size)),
    )


def _crease(who: Identity, au: Mapping[int, float], upper: Floats, t: Floats) -> Floats:
    height = 0.026 + 0.034 * who.features.crease + 0.020 * (0.6 * au[1] + au[2])
    height -= 0.022 * au[4] + 0.012 * au[5] + 0.018 * who.wear
    rise = max(height, 0.016) * (1 - 0.55 * t**2) + 0.012 * t
    return np.stack([upper[:, 0] + 0.012 * t, upper[:, 1] - rise], 1).astype(np.float32)


def _mouth(who: Identity, au: Mapping[int, float], drop: float) -> Mouth:
    t = np.linspace(-1, 1, 61)
    press = 0.55 * max(au[23], au[24]) + 0.25 * au[17] * (1 - au[25])
    middle = 0.935 + 0.02 * (who.shape.length - 1.55) - 0.018 * au[12] - 0.030 * au[17]
    line = _lip_line(who, au, drop, t)
    line[:, 1] += middle
    upper, lower, raised = _rims(au, drop, line[:, 1], t)
    thick_u, thick_l = _thickness(who, au, press)
    bow = np.clip(1 - np.abs(t) ** 1.7, 0, 1) ** 0.85 * (1 - 0.20 * np.exp(-((t / 0.13) ** 2)))
    belly = np.clip(1 - t**2, 0, 1) ** 0.72
    contours = (upper - thick_u * bow - raised, upper, lower, lower + thick_l * belly)
    edges = [np.stack([line[:, 0], v], 1).astype(np.float32) for v in contours]
    return Mouth(
        upper_edge=edges[0],
        upper_rim=edges[1],
        lower_rim=edges[2],
        lower_edge=edges[3],
        gap=float((lower - upper).max()),
        teeth=float(middle + 0.050 + 0.035 * au[12] * au[25]),
        drop=drop,
        press=press,
    )


def _lip_line(who: Identity, au: Mapping[int, float], drop: float, t: Floats) -> Floats:
    """Where closed lips would meet, relative to the mouth's height."""
    half = who.features.mouth_width + 0.090 * au[12] + 0.085 * au[20] - 0.030 * au[23] - 0.025 * au[24]
    half -= 0.095 * au[26] * (1 - 0.6 * au[12]) - 0.045 * au[15] + 0.015 * au[17]
    corner = -0.014 - 0.118 * au[12] + 0.115 * au[15] + 0.035 * au[20] + 0.015 * au[17]
    corner += 0.36 * drop * (1 - 0.5 * au[12])
    uneven = who.features.uneven[2]
    line = corner * np.abs(t) ** (2.2 - 0.5 * au[12]) + uneven * t
    line += 0.008 * np.cos(t * 9) * np.exp(-((t / 0.4) ** 2)) * (1 - au[25])
    return np.stack([half * t + uneven * 0.5, line], 1)


def _rims(au: Mapping[int, float], drop: float, line: Floats, t: Floats) -> tuple[Floats, Floats, Floats]:
    """The lips' inner contours, and how far the upper lip's edge is drawn up beyond."""
    lift = 0.095 * au[10] + 0.030 * au[9] + 0.022 * au[12] * au[25] + 0.022 * au[25]
    # The levator pulls beside the nose: the lip rises in two places and squares off.
    peaks = np.exp(-(((np.abs(t) - 0.48) / 0.34) ** 2))
    square = np.clip(1 - t**4, 0, 1)
    raised = lift * (0.55 + 0.50 * peaks) * square
    if not (au[25] or au[16] or drop):
        shut = line - raised * 0.55 - 0.012 * au[17] * square
        return shut, shut, raised * 0.55
    fall = 0.062 * au[25] * (1 + 0.75 * au[12]) + 0.90 * drop + 0.075 * au[16] - 0.020 * au[17]
    upper = line - raised
    opened = line + max(fall, 0.0) * np.clip(1 - t**2, 0, 1) ** (0.62 + 0.12 * au[12])
    return upper, np.maximum(upper + 0.001, opened), raised * 0.25


def _thickness(who: Identity, au: Mapping[int, float], press: float) -> tuple[float, float]:
    """How much of each lip is seen."""
    upper = 0.094 * who.features.upper_lip * (1 - 0.55 * press)
    lower = 0.124 * who.features.lower_lip * (1 - 0.50 * press)
    upper *= (1 - 0.22 * au[12]) * (1 - 0.06 * who.wear)
    return upper, lower * (1 - 0.18 * au[12]) * (1 - 0.10 * au[26]) * (1 + 0.10 * au[17])
