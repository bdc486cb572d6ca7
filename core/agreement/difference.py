"""How far two sets of numbers about the same stimuli lie apart, and whether they share their signs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.agreement.categorical import wilson
from core.agreement.continuous import pairs
from core.agreement.estimate import Estimate, Floats, t_quantile


def sagr(x: npt.ArrayLike, y: npt.ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Sign agreement: the share of stimuli on which both have one sign; 0 agrees with 0 alone.

    x, y: shape (stimuli,), in units whose 0 is the middle for both; a pair with NaN is dropped.
    Returns a proportion with Wilson's interval. Raises AgreementError when fewer than 3 pairs remain.
    Source: Nicolaou, Gunes & Pantic (2011), IEEE Transactions on Affective Computing 2, 92-105.
    """
    x, y = pairs(x, y)
    same = int((np.sign(x) == np.sign(y)).sum())
    low, high = wilson(same, len(x), confidence=confidence)
    return _estimate(same / len(x), low, high, len(x), "sign agreement; Wilson interval")


def mae(x: npt.ArrayLike, y: npt.ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """The mean absolute difference, with Student's t interval of a mean.

    x, y: shape (stimuli,), same units and zero; a pair with NaN is dropped.
    Raises AgreementError when fewer than 3 pairs remain.
    Source: Willmott & Matsuura (2005), Climate Research 30, 79-82.
    """
    x, y = pairs(x, y)
    estimate, low, high = _mean(np.abs(x - y), confidence)
    return _estimate(estimate, low, high, len(x), "mean absolute difference; t interval")


def rmse(x: npt.ArrayLike, y: npt.ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """The root of the mean squared difference, with the roots of the t interval of that mean.

    x, y: shape (stimuli,), same units and zero; a pair with NaN is dropped.
    Raises AgreementError when fewer than 3 pairs remain.
    Source: Willmott & Matsuura (2005), Climate Research 30, 79-82.
    """
    x, y = pairs(x, y)
    estimate, low, high = (float(np.sqrt(end)) for end in _mean((x - y) ** 2, confidence))
    return _estimate(estimate, low, high, len(x), "root mean squared difference; t interval of the squares")


def _mean(values: Floats, confidence: float) -> tuple[float, float, float]:
    n, mean = len(values), float(values.mean())
    half = t_quantile(confidence, n - 1) * float(values.std(ddof=1)) / n**0.5
    return mean, max(0.0, mean - half), mean + half


def _estimate(estimate: float, low: float, high: float, n: int, method: str) -> Estimate:
    return Estimate(estimate, low, high, n_stimuli=n, n_raters=2, n_ratings=2 * n, method=method)
