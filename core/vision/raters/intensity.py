"""Intensity from what other raters said: each measure is a rater of its own, strongest first.

Distances from the neutral face that was edited; the length of valence and arousal; 1 - P(neutral).
Never a distance of identity embeddings: those are trained to be blind to expression.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from core.records import Score
from core.vision import weights
from core.vision.rater import Compute, Declaration, Entry, Gives, Opinion

Quantity = Callable[[Opinion], Mapping[str, float]]  # what of an opinion a measure works on, by name

CIRCUMPLEX = (
    "Russell, J. A. (1980). A circumplex model of affect. "
    "Journal of Personality and Social Psychology, 39, 1161-1178"
)
FARTHEST = 2 * math.sqrt(2)  # from one corner of valence x arousal to the other
LONGEST = math.sqrt(2)
BLENDSHAPE = "blendshape_"
LEFT_OUT = ("eye_look", "neutral")  # how the names of gaze begin; the other is always near 0
NO_REFERENCE = "no reference is known: the intensity is the change from the neutral face that was edited"


@dataclass(frozen=True, slots=True)
class Source:
    """A rater on whose opinions a measure works."""

    rater_id: str
    title: str
    weights: str  # their licence bounds the use of what is derived from them


EMONET = Source("emonet-8", "EmoNet", "emonet-8")
HSEMOTION = Source("hsemotion", "HSEmotion", "hsemotion")
MINI_XCEPTION = Source("mini-xception", "mini-Xception", "mini-xception")
DEEPFACE = Source("deepface-emotion", "DeepFace's emotion model", "deepface-emotion")
ACTION_UNITS = Source("action-units", "MediaPipe's blendshapes", "face-landmarker")


@dataclass(frozen=True)
class Derived:
    """One measure of intensity on one source.

    measure: of this face's quantity and the reference's; the second is empty where it is not relative.
    """

    declaration: Declaration
    source: str
    relative: bool
    quantity: Quantity
    measure: Callable[[Mapping[str, float], Mapping[str, float]], float]
    weights_sha256: str = ""  # none of its own

    def derive(self, opinion: Opinion, reference: Opinion | None) -> Opinion:
        """The intensity of the same face; abstains where the source said nothing to work on."""
        if not (here := self.quantity(opinion)):
            return Opinion(reason=f"{self.source} says nothing of this face{_because(opinion)}")
        if not self.relative:
            return self._opinion(self.measure(here, {}))
        if reference is None:
            return Opinion(reason=NO_REFERENCE)
        if not (there := self.quantity(reference)):
            return Opinion(reason=f"{self.source} says nothing of the reference{_because(reference)}")
        return self._opinion(self.measure(here, there))

    def _opinion(self, value: float) -> Opinion:
        (gives,) = self.declaration.gives
        return Opinion((Score("intensity", value, scale_min=gives.low, scale_max=gives.high),))


def _because(opinion: Opinion) -> str:
    return f": {opinion.reason}" if opinion.reason else ""


def affect(opinion: Opinion) -> Mapping[str, float]:
    """Valence and arousal; empty unless both are there."""
    found = _values(opinion, ("valence", "arousal"))
    return found if len(found) == 2 else {}


def blendshapes(opinion: Opinion) -> Mapping[str, float]:
    """The coefficients that are not the eyes' direction, by their scale."""
    names = [score.scale_id for score in opinion.scores if score.scale_id.startswith(BLENDSHAPE)]
    return _values(
        opinion, [name for name in names if not name.removeprefix(BLENDSHAPE).startswith(LEFT_OUT)]
    )


def neutral(opinion: Opinion) -> Mapping[str, float]:
    """The probability of a neutral face."""
    return {code: value for code, value in opinion.probabilities.items() if code == "neutral"}


def _values(opinion: Opinion, scale_ids: Sequence[str]) -> dict[str, float]:
    return {
        score.scale_id: score.value
        for score in opinion.scores
        if score.scale_id in scale_ids and score.value is not None
    }


def distance(here: Mapping[str, float], there: Mapping[str, float]) -> float:
    """||(v, a) - (v, a)_neutral||."""
    return math.dist(list(here.values()), [there[name] for name in here])


def length(here: Mapping[str, float], _: Mapping[str, float]) -> float:
    """sqrt(v^2 + a^2)."""
    return math.hypot(*here.values())


def change(here: Mapping[str, float], there: Mapping[str, float]) -> float:
    """The mean of |coefficient - coefficient_neutral|."""
    return sum(abs(here[name] - there[name]) for name in here) / len(here)


def not_neutral(here: Mapping[str, float], _: Mapping[str, float]) -> float:
    """1 - P(neutral)."""
    return 1 - here["neutral"]


def _declared(name: str, source: Source, title: str, units: str, high: float, limits: str) -> Declaration:
    return Declaration(
        rater_id=name,
        title=title,
        version="1",
        gives=(Gives("intensity", "number", units=units, low=0.0, high=high, zero=0.0),),
        weights=(),
        licence=weights.entry(source.weights).licence,
        citation=weights.entry(source.weights).citation,
        trained_on=f"nothing of its own; it works on what {source.rater_id} says",
        limits=limits,
    )


def _distance(source: Source) -> Derived:
    declared = _declared(
        f"{source.rater_id}-distance",
        source,
        f"Distance from the neutral face in {source.title}'s valence and arousal",
        "distance from the neutral face, valence and arousal -1..1",
        FARTHEST,
        "The primary measure. It needs the neutral face of the same person, and inherits every error of "
        "valence and arousal; two expressions at one place of the circumplex are equally far.",
    )
    declared = replace(declared, citation=f"{declared.citation}; {CIRCUMPLEX}")
    return Derived(declared, source.rater_id, True, affect, distance)


def _length(source: Source) -> Derived:
    declared = _declared(
        f"{source.rater_id}-length",
        source,
        f"Length of {source.title}'s valence and arousal",
        "distance from zero, valence and arousal -1..1",
        LONGEST,
        "A tertiary measure: a face that looks glad or cross at rest is not at zero, and counts as intense.",
    )
    declared = replace(declared, citation=f"{declared.citation}; {CIRCUMPLEX}")
    return Derived(declared, source.rater_id, False, affect, length)


def _change(source: Source) -> Derived:
    declared = _declared(
        "blendshape-change",
        source,
        "Mean change of the blendshapes from the neutral face",
        "mean |change| of the coefficients 0..1, gaze left out",
        1.0,
        "A secondary measure: how much the face moves, whatever it expresses. It needs the neutral face of "
        "the same person. Few of the 43 coefficients move in one expression, so values are small; "
        "blendshapes are proxies of muscle action.",
    )
    return Derived(declared, source.rater_id, True, blendshapes, change)


def _not_neutral(source: Source) -> Derived:
    declared = _declared(
        f"{source.rater_id}-not-neutral",
        source,
        f"1 - P(neutral) of {source.title}",
        "1 - P(neutral)",
        1.0,
        "The weakest measure: how sure the model is that there is an expression at all. It is near 1 for "
        "every clear expression, faint or strong.",
    )
    return Derived(declared, source.rater_id, False, neutral, not_neutral)


MEASURES = (
    *map(_distance, (EMONET, HSEMOTION)),
    _change(ACTION_UNITS),
    *map(_length, (EMONET, HSEMOTION)),
    *map(_not_neutral, (EMONET, HSEMOTION, DEEPFACE, MINI_XCEPTION)),
)


def _load(measure: Derived, _folders: Sequence[Path], _compute: Compute) -> Derived:
    return measure


ENTRIES = tuple(Entry(measure.declaration, partial(_load, measure), "derived") for measure in MEASURES)
