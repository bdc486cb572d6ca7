"""Action Units as a rater and as a comparer: proxies from MediaPipe's coefficients, never FACS codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.records import Score
from core.vision import action_units, overlay, weights
from core.vision.action_units import BLENDSHAPES, UNITS, snake
from core.vision.mesh import WEIGHTS, Mesh
from core.vision.rater import Compute, Declaration, Entry, Gives, Opinion
from core.vision.sight import Sight

NO_MESH = "MediaPipe sees no face where the detector found one"
NO_LANDMARKER = "no landmarks: the model file face-landmarker is not in the model folders"
LIMITS = (
    "Proxies, not FACS codes: the coefficients were learned for animating avatars, and R2 .24 is reported "
    "against coded Action Units, best for AU6, AU12 and AU43. AU6 and AU7 are one coefficient (squinting); "
    "AU9 and AU23 are not given, because the model has none that moves for them. A face at rest is not "
    "at 0: compare with the same person's neutral where there is one. AU25 is the lips' distance."
)
PROXY = "proxy of the unit's intensity, 0..1"


def _number(scale_id: str, units: str, bound: float | None, low: float | None = None) -> Gives:
    return Gives(scale_id, "number", units, low=low, high=bound, zero=0.0)


def _declared(rater_id: str, title: str, gives: tuple[Gives, ...], limits: str) -> Declaration:
    return Declaration(
        rater_id=rater_id,
        title=title,
        version="1",
        gives=gives,
        weights=(WEIGHTS,),
        licence="Apache-2.0",
        citation=(
            f"{weights.entry(WEIGHTS).citation}; units: Ekman, P., Friesen, W. V., & Hager, J. C. (2002). "
            "Facial Action Coding System"
        ),
        trained_on="Google's own pictures and videos of faces (not public), for animating avatars",
        limits=limits,
    )


DECLARATION = _declared(
    "action-units",
    "Action Unit proxies, head pose and gaze (MediaPipe)",
    (
        *(
            replace(_number(f"au{unit.number}", f"{unit.name}: {PROXY}", 1.0, 0.0), labels=tuple("ABCDE"))
            for unit in UNITS
        ),
        *(
            _number(f"au{unit.number}_asymmetry", "the subject's left minus right, -1..1", 1.0, -1.0)
            for unit in UNITS
            if unit.sided
        ),
        _number("head_pitch", "degrees, above 0 upwards", 90.0, -90.0),
        _number("head_yaw", "degrees, above 0 to the picture's right", 180.0, -180.0),
        _number("head_roll", "degrees, above 0 clockwise in the picture", 180.0, -180.0),
        _number("gaze_pitch", "eyes in the head, -1..1, above 0 upwards", 1.0, -1.0),
        _number("gaze_yaw", "eyes in the head, -1..1, above 0 to the picture's right", 1.0, -1.0),
        *(
            _number(f"blendshape_{snake(name)}", f"MediaPipe's coefficient {name}", 1.0, 0.0)
            for name in BLENDSHAPES
        ),
    ),
    LIMITS,
)
CHANGE = _declared(
    "action-units-change",
    "Change of the Action Unit proxies from the reference, with a picture (MediaPipe)",
    tuple(
        _number(f"au{unit.number}_change", f"{unit.name}: change of the proxy, -1..1", 1.0, -1.0)
        for unit in UNITS
    ),
    f"It needs the picture that was edited. {LIMITS}",
)


class _Landmarked:
    def __init__(self, weights_sha256: str) -> None:
        self.weights_sha256 = weights_sha256


class Rater(_Landmarked):
    """What the landmarks of one face say; all of it is worked out in `prepare`."""

    declaration = DECLARATION

    def prepare(self, sight: Sight) -> Opinion:
        """The opinion itself: it is smaller than the landmarks."""
        if sight.mesh is None:
            return Opinion(reason=unseen(sight))
        return Opinion(tuple(map(_lettered, _scores(DECLARATION, values(sight.mesh)))))

    def rate(self, prepared: Sequence[Opinion]) -> tuple[Opinion, ...]:
        """The opinions that were prepared."""
        return tuple(prepared)


class Comparer(_Landmarked):
    """What moved from the reference to the picture, in numbers and drawn on the picture."""

    declaration = CHANGE

    def compare(self, sight: Sight, reference: Sight) -> Opinion:
        """The proxies' changes, and the picture `overlay`."""
        if sight.mesh is None:
            return Opinion(reason=unseen(sight))
        if reference.mesh is None:
            return Opinion(reason=f"the reference: {unseen(reference)}")
        before, after = (action_units.intensities(mesh) for mesh in (reference.mesh, sight.mesh))
        changes = {number: after[number] - before[number] for number in after}
        drawn = overlay.overlay(sight.image, sight.mesh, reference.mesh, changes)
        return Opinion(_scores(CHANGE, list(changes.values())), pictures={"overlay": drawn})


def unseen(sight: Sight) -> str:
    """Why there are no landmarks."""
    return NO_MESH if sight.landmarker else NO_LANDMARKER


def values(mesh: Mesh) -> list[float]:
    """All values of a face in the order of the declaration."""
    head, gaze = action_units.head(mesh), action_units.gaze(mesh)
    return [
        *action_units.intensities(mesh).values(),
        *action_units.asymmetries(mesh).values(),
        *(head.pitch, head.yaw, head.roll, gaze.pitch, gaze.yaw),
        *(mesh.blendshapes[name] for name in BLENDSHAPES),
    ]


def _scores(declared: Declaration, found: Sequence[float]) -> tuple[Score, ...]:
    return tuple(
        Score(gives.scale_id, value, scale_min=gives.low, scale_max=gives.high)
        for gives, value in zip(declared.gives, found, strict=True)
    )


def _lettered(score: Score) -> Score:
    """A unit's score with FACS's letter beside the number; none below a trace."""
    if score.value is None or not score.scale_id.removeprefix("au").isdigit():
        return score
    return replace(score, label=action_units.letter(score.value) or None)


def load(folders: Sequence[Path], _: Compute) -> Rater:
    """The rater; ModelError says how to get the landmarker's weights."""
    return Rater(weights.sha256_of(WEIGHTS, folders))


def load_change(folders: Sequence[Path], _: Compute) -> Comparer:
    """The comparer; ModelError says how to get the landmarker's weights."""
    return Comparer(weights.sha256_of(WEIGHTS, folders))


ENTRIES = (Entry(DECLARATION, load), Entry(CHANGE, load_change, kind="comparison"))
