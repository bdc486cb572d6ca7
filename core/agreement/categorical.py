"""What a count of labels says by itself: proportions with intervals, the modal label, entropy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.agreement.estimate import normal_quantile
from core.errors import AgreementError


@dataclass(frozen=True, slots=True)
class Mode:
    """The label given most often; with ties the first one in the order of the labels."""

    label: str
    count: int
    tied: tuple[str, ...]  # every label with this count, one where there is no tie


def wilson(hits: float, n: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """The Wilson score interval of a proportion of `hits` among `n` independent trials.

    Raises AgreementError when n is 0 or hits are not within 0..n.
    Source: Wilson (1927), Journal of the American Statistical Association 22, 209-212.
    """
    if n <= 0 or not 0 <= hits <= n:
        raise AgreementError(f"{hits:g} hits of {n:g}; a proportion needs 0 <= hits <= n and n > 0")
    z = normal_quantile(confidence)
    p = hits / n
    centre = p + z**2 / (2 * n)
    half = z * float(np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)))
    # At 0 and n hits the ends are exactly 0 and 1; rounding would leave 1e-17.
    low = 0.0 if hits == 0 else (centre - half) / (1 + z**2 / n)
    high = 1.0 if hits == n else (centre + half) / (1 + z**2 / n)
    return low, high


def entropy(counts: npt.ArrayLike) -> float:
    """Shannon's entropy of counted labels, in bits: 0 when all agree, log2(labels) at most.

    Raises AgreementError when nothing was counted.
    Source: Shannon (1948), Bell System Technical Journal 27, 379-423.
    """
    n = np.asarray(counts, dtype=np.float64)
    if not n.sum() > 0:
        raise AgreementError("no label was given; entropy needs at least one")
    p = n[n > 0] / n.sum()
    return float(max(0.0, -(p * np.log2(p)).sum()))


def mode(counts: Mapping[str, int]) -> Mode:
    """The label given most often, and which labels tie with it.

    Raises AgreementError when nothing was counted.
    """
    most = max(counts.values(), default=0)
    if not most:
        raise AgreementError("no label was given; a modal label needs at least one")
    tied = tuple(label for label, count in counts.items() if count == most)
    return Mode(tied[0], most, tied)
