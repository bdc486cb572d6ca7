"""What is planted in simulated data: what each stimulus truly shows, and how well emotions are recognised.

Nothing here is a finding about people. The planted values only follow the order that one expects of
acted expressions: happiness is pleasant, fear is confused with surprise, a neutral face is calm, an edit
looks more like its own neutral than like another person's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from core.builtin_scales import SAME_IDENTITY
from core.records import Stimulus

Shares = Mapping[str, float]

# Of the way from a scale's low to its high end, by intended emotion; valence and arousal in the order of
# the circumplex of Russell (1980), Journal of Personality and Social Psychology 39, 1161-1178.
_PLANTED: Mapping[str, Shares] = MappingProxyType(
    {
        "valence": {
            "angry": 0.22,
            "contempt": 0.32,
            "disgust": 0.24,
            "fear": 0.26,
            "happy": 0.85,
            "neutral": 0.5,
            "sad": 0.2,
            "surprise": 0.56,
        },
        "arousal": {
            "angry": 0.74,
            "contempt": 0.42,
            "disgust": 0.56,
            "fear": 0.78,
            "happy": 0.6,
            "neutral": 0.2,
            "sad": 0.32,
            "surprise": 0.8,
        },
        "intensity": {"neutral": 0.12, "happy": 0.7, "surprise": 0.68, "contempt": 0.45},
        "naturalness": {"neutral": 0.75, "happy": 0.66, "fear": 0.46, "disgust": 0.5},
    }
)
_OTHERWISE: Shares = MappingProxyType({"intensity": 0.6, "naturalness": 0.56})
_OF_A_STIMULUS = 0.08  # stimuli of one emotion differ by up to this share of the range

# Far enough apart to be told, near enough to overlap once raters differ and err.
_SAME_PERSON, _TWO_PEOPLE = 0.74, 0.36
_OF_A_PAIR = 0.12

_RECOGNISED: Shares = MappingProxyType(
    {
        "happy": 0.94,
        "neutral": 0.86,
        "surprise": 0.85,
        "angry": 0.8,
        "sad": 0.78,
        "disgust": 0.72,
        "fear": 0.6,
    }
)
_TAKEN_FOR: Mapping[str, str] = MappingProxyType(
    {
        "angry": "disgust",
        "contempt": "neutral",
        "disgust": "angry",
        "fear": "surprise",
        "happy": "surprise",
        "neutral": "sad",
        "sad": "neutral",
        "surprise": "fear",
    }
)


def share(stimulus: Stimulus, scale_id: str) -> float:
    """What a stimulus truly shows on a scale: the share 0..1 of the way from its low to its high end.

    It depends on the stimulus and the scale alone, so it is the same for every rater and on every run.
    """
    emotion = stimulus.intended_emotion or ""
    centre = _PLANTED.get(scale_id, {}).get(emotion, _OTHERWISE.get(scale_id, 0.5))
    return centre + _OF_A_STIMULUS * _spread(f"{stimulus.stimulus_id}/{scale_id}")


def likeness(target: Stimulus, reference: Stimulus) -> float:
    """How much two pictures truly look like one person: the share 0..1 of the way to "certainly the same"."""
    centre = _SAME_PERSON if target.identity_id == reference.identity_id else _TWO_PEOPLE
    return centre + _OF_A_PAIR * _spread(f"{target.stimulus_id}/{reference.stimulus_id}/{SAME_IDENTITY}")


def recognition(emotion: str, options: Sequence[str], effort: float) -> Shares:
    """Response probabilities: the emotion itself, the one it is taken for, then all others alike.

    effort: 1 for the planted share of errors, more for a rater who errs more.
    """
    wrong = min(0.95, effort * (1 - _RECOGNISED.get(emotion, 0.5)))
    taken = _TAKEN_FOR.get(emotion, "")
    weights = {code: wrong / 2 / max(1, len(options)) for code in options}
    if taken in weights:
        weights[taken] += wrong / 2
    if emotion in weights:
        weights[emotion] += 1 - wrong
    total = sum(weights.values())
    return {code: weight / total for code, weight in weights.items()}


def _spread(name: str) -> float:
    """A number from -1 to 1 that follows from a name."""
    return 2 * int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) / 2**48 - 1
