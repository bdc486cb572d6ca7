"""What an edit left behind: how much it changed inside and outside of the face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core.records import Score
from core.vision import difference, register, scene
from core.vision.difference import Floats, Mask
from core.vision.rater import Compute, Declaration, Entry, Gives, Opinion
from core.vision.raters.picture_quality import luma, measure
from core.vision.register import Registration
from core.vision.scene import Scene
from core.vision.sight import Sight

LONGER_PX = 512  # of the reference when the two are compared
LEVELS = 12.0  # a point is changed where the smoothed difference reaches so many grey levels
RADIUS, MARGIN = 0.01, 0.08  # of the smoothing and around the face, over the face's height
NOTHING, WHOLE, REMADE = 0.01, 0.15, 0.55  # conventions: see docs/models.md
LABELS = ("nothing", "in_painted", "whole_picture", "too_much")


def _share(scale_id: str) -> Gives:
    return Gives(scale_id, "number", units="share of the pixels", low=0.0, high=1.0, zero=0.0)


def _change(scale_id: str, units: str, most: float) -> Gives:
    return Gives(scale_id, "number", units=f"{units}, edit - reference", low=-most, high=most, zero=0.0)


def _of_two(part: str) -> tuple[Gives, ...]:
    return (
        _share(f"changed_{part}"),
        Gives(
            f"difference_{part}",
            "number",
            units="mean |difference|, grey levels",
            low=0.0,
            high=255.0,
            zero=0.0,
        ),
        Gives(
            f"ssim_{part}", "number", units="mean SSIM, 1 where nothing changed", low=-1.0, high=1.0, zero=1.0
        ),
    )


GIVES = (
    Gives("footprint", "choice", units="label", labels=LABELS),
    *_of_two("inside"),
    *_of_two("outside"),
    _change("face_height_change", "share of the picture's height", 1.0),
    _change("luminance_change", "L*", 100.0),
    _change("contrast_change", "standard deviation of grey 0..1", 0.5),
    Gives(
        "sharpness_change",
        "number",
        units="(edit - reference) / (edit + reference)",
        low=-1.0,
        high=1.0,
        zero=0.0,
    ),
    Gives(
        "registered_shift",
        "number",
        units="share of the face's height",
        low=0.0,
        high=register.MAX_SHIFT,
        zero=0.0,
    ),
    Gives(
        "registered_rotation",
        "number",
        units="degrees",
        low=-register.MAX_ROTATION,
        high=register.MAX_ROTATION,
        zero=0.0,
    ),
    Gives(
        "registered_scale",
        "number",
        units="size over the reference's",
        low=1 / register.MAX_SCALE,
        high=register.MAX_SCALE,
        zero=1.0,
    ),
)

DECLARATION = Declaration(
    rater_id="edit-footprint",
    title="What the edit changed inside and outside of the face",
    version="1",
    gives=GIVES,
    weights=(),
    helpful=("face-landmarker",),
    licence="GPL-3.0-or-later (Facenorm's own)",
    citation=(
        "Wang, Z., Bovik, A. C., Sheikh, H. R., & Simoncelli, E. P. (2004). Image quality assessment: From "
        "error visibility to structural similarity. IEEE Transactions on Image Processing, 13, 600-612; "
        "Baker, S., & Matthews, I. (2004). Lucas-Kanade 20 years on: A unifying framework. International "
        "Journal of Computer Vision, 56, 221-255"
    ),
    trained_on="nothing: closed formulas",
    limits=(
        "It needs the reference that was edited. It counts pixels, not what they mean: a new shadow and a "
        "new smile weigh alike. The thresholds of the label are conventions; look at the map."
    ),
)


class Comparer:
    """Compares an edit with its reference; there is nothing to load."""

    declaration = DECLARATION
    weights_sha256 = ""

    def compare(self, sight: Sight, reference: Sight) -> Opinion:
        """The footprint, or the reason why the two cannot be laid over each other."""
        height = scene.height(reference.image, longer_px=LONGER_PX)
        before, after = scene.at(reference, height), scene.at(sight, height)
        found = register.register(before.grey, after.grey, face=before.face, edited=after.face)
        if found.reason:
            return Opinion(reason=found.reason)
        values, smooth, face = _compared(before, after, found)
        if "changed_inside" not in values:
            return Opinion(reason="the face is less than a hundredth of the picture: too small to compare")
        if "changed_outside" not in values:
            return Opinion(reason="the face fills the picture: there are no surroundings to compare it with")
        values |= _changes(sight, reference)
        pictures = {"difference": difference.drawn(before.image, smooth, face)}
        return Opinion(_scores(values), pictures=pictures, reason=_note(before, after))


def _compared(before: Scene, after: Scene, found: Registration) -> tuple[dict[str, float], Floats, Mask]:
    """The measures of both laid over each other, the smoothed difference, and the face's outline."""
    shape = before.image.shape
    laid = register.lay(after.image, found.matrix, shape)
    seen = register.covered(after.image, found.matrix, shape)
    face = scene.outline(before, after, found.matrix)
    away = ~scene.grown(face, MARGIN * before.face.height) & seen
    levels = difference.absolute(before.image, laid) * seen
    smooth = difference.smoothed(levels, RADIUS * before.face.height)
    alike = difference.ssim(before.grey, luma(laid))
    values = _measured("inside", face & seen, levels, smooth, alike)
    values |= _measured("outside", away, levels, smooth, alike)
    values |= {"registered_shift": found.shift, "registered_scale": found.scale}
    return values | {"registered_rotation": found.rotation}, smooth, face


def _scores(values: Mapping[str, float]) -> tuple[Score, ...]:
    label = verdict(values["changed_inside"], values["changed_outside"], values["ssim_inside"])
    numbers = [
        Score(gives.scale_id, values[gives.scale_id], scale_min=gives.low, scale_max=gives.high)
        for gives in GIVES[1:]
    ]
    return (Score("footprint", label=label), *numbers)


def verdict(inside: float, outside: float, alike: float) -> str:
    """The label of the shares of changed pixels inside and outside, and of the face's mean SSIM."""
    if alike < REMADE:
        return "too_much"
    if outside >= WHOLE:
        return "whole_picture"
    return "nothing" if inside < NOTHING else "in_painted"


def _note(before: Scene, after: Scene) -> str:
    if before.points is None or after.points is None:
        return "the face's outline is an ellipse in its box: there are no landmarks"
    return ""


def _measured(part: str, where: Mask, levels: Floats, smooth: Floats, alike: Floats) -> dict[str, float]:
    """What changed in a part of the picture; nothing of a part below a hundredth of it."""
    if where.mean() < 0.01:
        return {}
    return {
        f"changed_{part}": float(np.mean(smooth[where] >= LEVELS)),
        f"difference_{part}": float(levels[where].mean()),
        f"ssim_{part}": float(alike[where].mean()),
    }


def _changes(sight: Sight, reference: Sight) -> dict[str, float]:
    """What changed of the face's own measures, each picture measured by itself."""
    after = measure(sight.image, sight.face)
    before = measure(reference.image, reference.face)
    both = after["sharpness"] + before["sharpness"]
    changes = {
        f"{name}_change": after[name] - before[name] for name in ("face_height", "luminance", "contrast")
    }
    sharper = (after["sharpness"] - before["sharpness"]) / both if both else 0.0
    return changes | {"sharpness_change": sharper}


def load(_folders: Sequence[Path], _compute: Compute) -> Comparer:
    """Nothing is read."""
    return Comparer()


ENTRIES = (Entry(DECLARATION, load, "comparison"),)
