"""Proxies of Action Units from the landmarker's coefficients: what muscles seem to do, never FACS codes.

Names and numbers of units: Ekman, P., Friesen, W. V., & Hager, J. C. (2002). Facial Action Coding
System. Which coefficient stands for which unit follows from the two definitions: of the unit
there, of the coefficient in Apple's ARFaceAnchor.BlendShapeLocation, whose names MediaPipe's model bears.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from core.vision.mesh import Mesh

SIDED = ("Left", "Right")  # the subject's
_EYES = ("eyeBlink", "eyeSquint", "eyeWide")
GAZE = tuple(f"eyeLook{way}{side}" for way in ("Down", "In", "Out", "Up") for side in SIDED)
_SIDED = (
    *("browDown", "browOuterUp", "cheekSquint", *_EYES, "mouthDimple", "mouthFrown", "mouthLowerDown"),
    *("mouthPress", "mouthSmile", "mouthStretch", "mouthUpperUp", "noseSneer"),
)
NON_GAZE = (
    *(f"{name}{side}" for name in _SIDED for side in SIDED),
    *("browInnerUp", "cheekPuff", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose"),
    *("mouthFunnel", "mouthLeft", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper"),
    *("mouthShrugLower", "mouthShrugUpper"),
)
RESTING = "_neutral"  # MediaPipe's first coefficient; always near 0
BLENDSHAPES = tuple(sorted((RESTING, *GAZE, *NON_GAZE)))

PUPILS = (468, 473)
INNER_LIPS = (13, 14)
WIDE_OPEN = 0.3  # lips so many distances between the pupils apart count as 1: a laugh that shows both rows
LETTERS = ((0.90, "E"), (0.65, "D"), (0.35, "C"), (0.20, "B"), (0.10, "A"))


@dataclass(frozen=True, slots=True)
class Unit:
    """One Action Unit and the coefficients whose mean stands for it; without any, the lips' gap does."""

    number: int
    name: str
    shapes: tuple[str, ...]
    sided: bool = False  # whether each coefficient comes as a left and a right one

    def of(self, shapes: Mapping[str, float], side: str) -> float:
        """The mean of the coefficients of one side."""
        return float(np.mean([shapes[f"{name}{side}"] for name in self.shapes]))


UNITS = (
    Unit(1, "inner brow raiser", ("browInnerUp",)),
    Unit(2, "outer brow raiser", ("browOuterUp",), sided=True),
    Unit(4, "brow lowerer", ("browDown",), sided=True),
    Unit(5, "upper lid raiser", ("eyeWide",), sided=True),
    # Its cheekSquint stays 0 in real smiles; squinting eyes are all that the model tells of 6 and 7.
    Unit(6, "cheek raiser", ("eyeSquint",), sided=True),
    Unit(7, "lid tightener", ("eyeSquint",), sided=True),
    Unit(10, "upper lip raiser", ("mouthUpperUp",), sided=True),
    Unit(12, "lip corner puller", ("mouthSmile",), sided=True),
    Unit(14, "dimpler", ("mouthDimple",), sided=True),
    Unit(15, "lip corner depressor", ("mouthFrown",), sided=True),
    Unit(16, "lower lip depressor", ("mouthLowerDown",), sided=True),
    Unit(17, "chin raiser", ("mouthShrugLower",)),
    Unit(18, "lip pucker", ("mouthPucker",)),
    Unit(20, "lip stretcher", ("mouthStretch",), sided=True),
    Unit(24, "lip presser", ("mouthPress",), sided=True),
    Unit(25, "lips part", ()),
    Unit(26, "jaw drop", ("jawOpen",)),
    Unit(28, "lip suck", ("mouthRollLower", "mouthRollUpper")),
    Unit(43, "eyes closed", ("eyeBlink",), sided=True),
)
BY_NUMBER: Mapping[int, Unit] = MappingProxyType({unit.number: unit for unit in UNITS})


def intensities(mesh: Mesh) -> dict[int, float]:
    """Each unit's proxy from 0 to 1; of a sided one the mean of both sides."""
    return {unit.number: _intensity(unit, mesh) for unit in UNITS}


def _intensity(unit: Unit, mesh: Mesh) -> float:
    if not unit.shapes:
        return lip_gap(mesh)
    return float(np.mean([unit.of(mesh.blendshapes, side) for side in (SIDED if unit.sided else ("",))]))


def asymmetries(mesh: Mesh) -> dict[int, float]:
    """Left minus right of each sided unit, from -1 to 1: above 0 where the subject's left moves more."""
    left, right = SIDED
    return {
        unit.number: unit.of(mesh.blendshapes, left) - unit.of(mesh.blendshapes, right)
        for unit in UNITS
        if unit.sided
    }


def lip_gap(mesh: Mesh) -> float:
    """How far the lips are apart in the middle, 1 at .3 distances between the pupils and beyond."""
    apart, between = (
        float(np.linalg.norm(mesh.points[one] - mesh.points[other])) for one, other in (INNER_LIPS, PUPILS)
    )
    return min(apart / between / WIDE_OPEN, 1.0)


@dataclass(frozen=True, slots=True)
class Direction:
    """Where the head or the eyes point.

    pitch: above 0 upwards. yaw: above 0 to the right of the picture, the subject's left.
    roll: above 0 where the head tips clockwise as one looks at the picture.
    """

    pitch: float
    yaw: float
    roll: float = 0.0


def head(mesh: Mesh) -> Direction:
    """The head's direction in degrees; yaw is taken first, then pitch, then roll."""
    turned = mesh.pose[:3, :3]  # columns: the face's left, up and forward; rows: right, up, to the camera
    turned = turned / np.linalg.norm(turned, axis=0)
    return Direction(
        pitch=float(np.degrees(np.arcsin(np.clip(turned[1, 2], -1, 1)))),
        yaw=float(np.degrees(np.arctan2(turned[0, 2], turned[2, 2]))),
        roll=float(-np.degrees(np.arctan2(turned[1, 0], turned[1, 1]))),
    )


def gaze(mesh: Mesh) -> Direction:
    """The eyes' direction in the head from -1 to 1, mean of both: the coefficients' units, not degrees."""
    look = {name.removeprefix("eyeLook"): mesh.blendshapes[name] for name in GAZE}
    up = look["UpLeft"] + look["UpRight"] - look["DownLeft"] - look["DownRight"]
    right = look["OutLeft"] + look["InRight"] - look["InLeft"] - look["OutRight"]
    return Direction(pitch=up / 2, yaw=right / 2)


def letter(intensity: float) -> str:
    """FACS's letter for a proxy: A trace, B slight, C marked, D severe, E maximum; "" for none.

    From .10, .20, .35, .65 and .90. As in FACS, C and D span most of the range; the places of
    the thresholds are ours, since proxies are not calibrated on coded faces.
    """
    return next((found for least, found in LETTERS if intensity >= least), "")


def snake(name: str) -> str:
    """A coefficient's name as part of a scale's code: mouthSmileLeft is mouth_smile_left."""
    return re.sub(r"(?=[A-Z])", "_", name.lstrip("_")).lower()
