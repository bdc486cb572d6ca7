"""What EmoNet and HSEmotion have in common: an emotion, valence and arousal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.records import Score
from core.vision.rater import Gives, Opinion


def gives(labels: tuple[str, ...]) -> tuple[Gives, ...]:
    """The scales of such a rater."""
    return (
        Gives("emotion", "choice", units="probability", labels=labels),
        Gives("valence", "number", units="-1 (unpleasant) to 1 (pleasant)", low=-1.0, high=1.0, zero=0.0),
        Gives("arousal", "number", units="-1 (calm) to 1 (excited)", low=-1.0, high=1.0, zero=0.0),
    )


def opinion(labels: Sequence[str], answers: NDArray[np.float64], reason: str = "") -> Opinion:
    """The opinion in one row of a network: the logit of each label, then valence, then arousal.

    Valence and arousal are clipped to -1..1: the networks are not bounded.
    """
    values = dict(zip(labels, softmax(answers[:-2]).tolist(), strict=True))
    label = max(values, key=lambda code: values[code])
    valence, arousal = np.clip(answers[-2:], -1, 1).tolist()
    scores = (
        Score("emotion", label=label),
        Score("valence", valence, scale_min=-1.0, scale_max=1.0),
        Score("arousal", arousal, scale_min=-1.0, scale_max=1.0),
    )
    return Opinion(scores, values, reason=reason)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities that sum to 1."""
    powers: NDArray[np.float64] = np.exp(logits - logits.max())
    total: np.float64 = powers.sum()
    return powers / total
