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


@dataclass(frozen=True, slots=True)
class ZTest:
    """A statistic over its standard error where agreement is by chance alone, and the two-sided p."""

    z: float
    se: float
    p: float


def z_test(estimate: float, se: float) -> ZTest:
    """The test of an estimate against 0 with its standard error under that hypothesis."""
    return ZTest(estimate / se, se, float(2 * stats.norm.sf(abs(estimate) / se)))


def normal_quantile(confidence: float) -> float:
    """The two-sided standard normal quantile, 1.96 for a confidence of 0.95."""
    return float(stats.norm.ppf((1 + confidence) / 2))


def t_quantile(confidence: float, df: float) -> float:
    """The two-sided quantile of Student's t with `df` degrees of freedom."""
    return float(stats.t.ppf((1 + confidence) / 2, df))
