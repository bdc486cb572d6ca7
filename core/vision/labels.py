"""A rater's emotions onto a study's: what the study does not ask for stays visible beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core import codes
from core.errors import ModelError

SLACK = 1e-4  # probabilities that were rounded on their way still count as summing to 1


@dataclass(frozen=True, slots=True)
class Mapped:
    """Probabilities over a study's emotions, and what lay on others.

    probabilities: of each emotion of the study, in its order; they sum to 1.
    unmapped: the probability that the rater gave to each emotion that the study does not have.
    unknown: the study's emotions that the rater cannot answer; their probability is 0 for that reason.
    """

    probabilities: Mapping[str, float]
    unmapped: Mapping[str, float]
    unknown: tuple[str, ...]

    @property
    def label(self) -> str:
        """The likeliest of the study's emotions; of equal ones the first."""
        return max(self.probabilities, key=lambda code: self.probabilities[code])

    @property
    def unmapped_mass(self) -> float:
        """How much of the rater's answer the study has no emotion for, from 0 to below 1."""
        return math.fsum(self.unmapped.values())


def onto(probabilities: Mapping[str, float], labels: Sequence[str]) -> Mapped:
    """Map a rater's probabilities by code onto the study's labels, renormalised over them.

    probabilities: by the codes of core.codes, summing to 1. labels: the study's, each once.
    Raises ModelError where they are no probabilities, or all of them lie outside the study.
    """
    _check(probabilities, labels)
    inside = {code: probabilities.get(code, 0.0) for code in labels}
    total = math.fsum(inside.values())
    if total <= 0:
        raise ModelError(
            f"nothing of the rater's answer ({codes.listed(_likely(probabilities))}) is among the study's "
            f"emotions ({codes.listed(labels)}); take another rater, or add one of its emotions to the study"
        )
    return Mapped(
        {code: value / total for code, value in inside.items()},
        {code: value for code, value in probabilities.items() if code not in inside},
        tuple(code for code in labels if code not in probabilities),
    )


def _check(probabilities: Mapping[str, float], labels: Sequence[str]) -> None:
    if not labels or len(set(labels)) < len(labels):
        raise ModelError(
            f"the study's emotions are {codes.listed(labels)}; needed is each once, at least one"
        )
    # Written so that NaN fails it, too.
    if not all(value >= 0 for value in probabilities.values()):
        raise ModelError(f"{dict(probabilities)} are no probabilities; needed are numbers from 0 to 1")
    total = math.fsum(probabilities.values())
    if not abs(total - 1) <= SLACK:
        raise ModelError(f"{dict(probabilities)} sum to {total:g}; probabilities sum to 1")


def _likely(probabilities: Mapping[str, float]) -> list[str]:
    return [code for code, value in probabilities.items() if value > 0]
