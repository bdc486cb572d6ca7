"""Emotion from prototypes of Action Units, in the manner of EMFACS: it says which units spoke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from core.records import Score
from core.vision import action_units, weights
from core.vision.mesh import WEIGHTS, Mesh
from core.vision.rater import Compute, Declaration, Entry, Gives, Opinion
from core.vision.raters.action_units import unseen
from core.vision.sight import Sight

LABELS = ("angry", "contempt", "disgust", "fear", "happy", "sad", "surprise", "neutral")
SMILES = ("duchenne", "social", "none")
SMILE = 0.3  # AU12 from which there is a smile
CHEEKS = 0.45  # AU6 from which the eyes smile, too
# Eyes squint by .2 to .45 in the portraits of faces at rest and by .6 in the broadest smiles.
SQUINT = (0.30, 0.60)
REST = 0.05  # a proxy below it is noise
LOPSIDED = 0.5  # left minus right at which one side alone is in action
SPOKE = 0.15  # action from which the reason names a unit


@dataclass(frozen=True, slots=True)
class Part:
    """A place of a prototype: the unit that is most in action among these takes it."""

    units: tuple[int, ...]
    weight: float = 1.0
    one_sided: bool = False


def _of(*units: int, weight: float = 1.0) -> Part:
    return Part(units, weight)


# Matsumoto, Keltner, Shiota, O'Sullivan & Frank (2008), table 13.1, after Ekman & Friesen's EMFACS; without
# AU9 and AU23, of which the landmarker tells nothing: AU10 alone and AU24 stand in.
# The units without which the expression is another one count twice.
PROTOTYPES: Mapping[str, tuple[Part, ...]] = MappingProxyType(
    {
        "angry": (_of(4, weight=2), _of(5), _of(7), _of(24)),
        "contempt": (Part((12, 14), 1.0, one_sided=True),),
        "disgust": (_of(10, weight=2), _of(15, 16, 17)),
        "fear": (_of(1), _of(2), _of(4), _of(5), _of(7), _of(20, weight=2), _of(25, 26)),
        "happy": (_of(12, weight=2), _of(6)),
        "sad": (_of(1), _of(4), _of(15, weight=2), _of(17)),
        "surprise": (_of(1), _of(2), _of(5), _of(26)),
    }
)

DECLARATION = Declaration(
    rater_id="emfacs",
    title="EMFACS-style prototypes on Action Unit proxies (MediaPipe)",
    version="1",
    gives=(
        Gives("emotion", "choice", units="probability", labels=LABELS),
        Gives("smile", "choice", units="kind of smile", labels=SMILES),
    ),
    weights=(WEIGHTS,),
    licence="Apache-2.0",
    citation=(
        "Matsumoto, D., Keltner, D., Shiota, M. N., O'Sullivan, M., & Frank, M. (2008). Facial expressions "
        "of emotion. In Handbook of Emotions (3rd ed., 211-234); Ekman, P., & Friesen, W. V. (1983). "
        f"EMFACS-7; landmarker: {weights.entry(WEIGHTS).citation}"
    ),
    trained_on="nothing of its own: a rule on the proxies of action-units",
    limits=(
        "A rule that says why, not an accurate classifier: it inherits every error of the proxies (R2 .24 is "
        "reported against coded Action Units), disgust has no AU9, anger no AU23, and AU6 cannot be told "
        "from AU7. Its probabilities are shares of a rule, not calibrated. Duchenne and social smiles are "
        "told by two thresholds of ours; neither says whether anybody is happy."
    ),
)


class Rater:
    """The rule on one face's proxies; all of it is worked out in `prepare`."""

    declaration = DECLARATION

    def __init__(self, weights_sha256: str) -> None:
        self.weights_sha256 = weights_sha256

    def prepare(self, sight: Sight) -> Opinion:
        """The opinion itself."""
        return Opinion(reason=unseen(sight)) if sight.mesh is None else judge(sight.mesh)

    def rate(self, prepared: Sequence[Opinion]) -> tuple[Opinion, ...]:
        """The opinions that were prepared."""
        return tuple(prepared)


def judge(mesh: Mesh) -> Opinion:
    """Emotion, kind of smile, and in words what spoke for them."""
    found, lopsided = action_units.intensities(mesh), action_units.asymmetries(mesh)
    shares = probabilities({code: strength(parts, found, lopsided) for code, parts in PROTOTYPES.items()})
    label = max(shares, key=lambda code: shares[code])
    scores = (Score("emotion", label=label), Score("smile", label=smile(found)))
    return Opinion(scores, shares, reason=because(label, found, lopsided))


def strength(
    parts: Sequence[Part], found: Mapping[int, float], lopsided: Mapping[int, float] | None = None
) -> float:
    """How far a prototype is in action, 0 to 1: the weighted mean of its parts."""
    total = sum(part.weight * _action(part, found, lopsided or {})[1] for part in parts)
    return total / sum(part.weight for part in parts)


def _action(part: Part, found: Mapping[int, float], lopsided: Mapping[int, float]) -> tuple[int, float]:
    """The unit that takes a part, and its action from 0 to 1."""
    if part.one_sided:
        actions = {unit: min(abs(lopsided.get(unit, 0.0)) / LOPSIDED, 1.0) for unit in part.units}
        actions = {unit: max(action - found[unit], 0.0) for unit, action in actions.items()}
    else:
        actions = {unit: in_action(unit, found[unit]) for unit in part.units}
    unit = max(actions, key=lambda one: actions[one])
    return unit, actions[unit]


def in_action(unit: int, proxy: float) -> float:
    """A proxy without what a face at rest shows, 0 to 1."""
    rest, full = SQUINT if unit in {6, 7} else (REST, 1.0)
    return min(max((proxy - rest) / (full - rest), 0.0), 1.0)


def probabilities(strengths: Mapping[str, float]) -> dict[str, float]:
    """Each strength's share of the squares; neutral is as strong as the strongest leaves of 1.

    Squares, since prototypes share units: surprise without its jaw must not be half fear.
    """
    squares = {code: value**2 for code, value in strengths.items()}
    squares["neutral"] = (1 - max(strengths.values())) ** 2
    total = sum(squares.values())
    return {code: square / total for code, square in squares.items()}


def smile(found: Mapping[int, float]) -> str:
    """duchenne: AU12 from .30 with AU6 from .45; social: AU12 without AU6; none: neither."""
    if found[12] < SMILE:
        return "none"
    return "duchenne" if found[6] >= CHEEKS else "social"


def because(label: str, found: Mapping[int, float], lopsided: Mapping[int, float] | None = None) -> str:
    """Which units spoke for the label, strongest first; for neutral, that no prototype was clear."""
    if label == "neutral":
        return "no prototype of units is clear"
    spoke = [_action(part, found, lopsided or {}) for part in PROTOTYPES[label]]
    named = [unit for unit, action in sorted(spoke, key=lambda one: -one[1]) if action >= SPOKE]
    return f"for {label}: " + ", ".join(f"AU{unit} {found[unit]:.2f}" for unit in named)


def load(folders: Sequence[Path], _: Compute) -> Rater:
    """The rater; ModelError says how to get the landmarker's weights."""
    return Rater(weights.sha256_of(WEIGHTS, folders))


ENTRIES = (Entry(DECLARATION, load),)
