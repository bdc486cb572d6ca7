"""The record that a statistic returns, and the intervals that several statistics share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """One statistic with its interval, what it rests on, and how both were computed.

    low, high: the ends of the interval; None where the data allow no interval.
    n_raters: None where only counts were given.
    """

    estimate: float
    low: float | None
    high: float | None
    n_stimuli: int
    n_raters: int | None
    n_ratings: int
    method: str


def normal_quantile(confidence: float) -> float:
    """The two-sided standard normal quantile, 1.96 for a confidence of 0.95."""
    return float(stats.norm.ppf((1 + confidence) / 2))


def t_quantile(confidence: float, df: float) -> float:
    """The two-sided quantile of Student's t with `df` degrees of freedom."""
    return float(stats.t.ppf((1 + confidence) / 2, df))
