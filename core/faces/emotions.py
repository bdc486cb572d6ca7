"""Which Action Units an emotion moves, and how strongly.

The combinations are the prototypes of EMFACS (Ekman & Friesen; table in Matsumoto et al.
2008, Facial expressions of emotion, in Handbook of Emotions): what a face typically shows,
not the only way to show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

PROTOTYPES: Mapping[str, Mapping[int, float]] = MappingProxyType(
    {
        "neutral": {},
        "angry": {4: 1.0, 5: 0.55, 7: 0.75, 23: 0.8, 24: 0.5},
        "sad": {1: 0.95, 4: 0.55, 15: 0.95, 17: 0.45},
        "happy": {6: 0.8, 12: 0.95, 25: 0.75},
        "disgust": {9: 0.95, 10: 0.9, 17: 0.4},
        "surprise": {1: 0.95, 2: 0.95, 5: 0.95, 26: 0.85},
        "fear": {1: 0.95, 2: 0.6, 4: 0.6, 5: 0.95, 20: 0.85, 25: 0.8},
    }
)


def prescribe(emotion: str, rng: np.random.Generator) -> dict[int, float]:
    """One person's version of an emotion: its units at intensities up to 12 % apart from the prototype."""
    return {
        unit: round(float(np.clip(strength * rng.uniform(0.88, 1.12), 0, 1)), 2)
        for unit, strength in sorted(PROTOTYPES[emotion].items())
    }


def in_words(action_units: Mapping[int, float]) -> str:
    """The prescription as text, for instance "AU6=0.80 AU12=0.95"; "neutral" when nothing moves."""
    return " ".join(f"AU{unit}={strength:.2f}" for unit, strength in action_units.items()) or "neutral"
