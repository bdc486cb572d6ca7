"""Agreement of two sets of numbers about the same stimuli, for instance human means and AI values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from core.agreement.estimate import Estimate, Floats, normal_quantile, t_quantile
from core.errors import AgreementError

MIN_PAIRS = 3
_LIMIT = 1.96  # as Bland and Altman print it


@dataclass(frozen=True, slots=True)
class Limits:
    """The mean difference first - second, its interval, and Bland and Altman's limits of agreement.

    lower, upper: bias -+ 1.96 sd, each with an interval of its own.
    """

    estimate: float
    low: float
    high: float
    sd: float
    lower: float
    lower_low: float
    lower_high: float
    upper: float
    upper_low: float
    upper_high: float
    n_stimuli: int
    method: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Human values against a model's: concordance and bias only where both use the same units."""

    spearman: Estimate
    concordance: Estimate | None
    bias: Limits | None


def concordance(x: npt.ArrayLike, y: npt.ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Lin's concordance correlation 2 s_xy / (s_x^2 + s_y^2 + (mean_x - mean_y)^2), moments over n.

    x, y: shape (stimuli,), same units and zero; a pair with NaN is dropped.
    Returns a value in [-1, 1]; the interval is on Fisher's z scale with Lin's asymptotic variance, None
    where the correlation is 0 or +-1 or there are fewer than 4 pairs.
    Raises AgreementError when fewer than 3 pairs remain or one of the two is constant.
    Source: Lin (1989), Biometrics 45, 255-268; variance as corrected in Biometrics 56 (2000), 324-325.
    """
    x, y = _varying(x, y)
    r = _correlation(x, y)
    spread_x, spread_y, shift = float(x.std()), float(y.std()), float(x.mean() - y.mean())
    estimate = 2 * r * spread_x * spread_y / (spread_x**2 + spread_y**2 + shift**2)
    low, high = _concordance_interval(estimate, r, shift**2 / (spread_x * spread_y), len(x), confidence)
    return _estimate(estimate, low, high, len(x), "Lin's concordance correlation; z-transformed interval")


def _concordance_interval(
    c: float, r: float, u2: float, n: int, confidence: float
) -> tuple[float | None, float | None]:
    # u2 is Lin's location shift squared.
    if n <= MIN_PAIRS or abs(r) < 1e-12 or 1 - abs(r) < 1e-12:
        return None, None
    variance = (
        (1 - r**2) * c**2 * (1 - c**2) / r**2 + 2 * c**3 * (1 - c) * u2 / r - c**4 * u2**2 / (2 * r**2)
    ) / (n - 2)
    return _fisher(c, float(np.sqrt(max(variance, 0.0))) / (1 - c**2), confidence)


def pearson(x: npt.ArrayLike, y: npt.ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Pearson's correlation with Fisher's z interval.

    x, y: shape (stimuli,); a pair with NaN is dropped.
    Returns a value in [-1, 1]; no interval with fewer than 4 pairs or at +-1.
    Raises AgreementError when fewer than 3 pairs remain or one of the two is constant.
    Source: Fisher (1921), Metron 1, 3-32.
    """
    x, y = _varying(x, y)
    return _correlated(_correlation(x, y), len(x), lambda r: 1.0, "Pearson's correlation", confidence)


def spearman(x: npt.ArrayLike, y: npt.ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Spearman's rank correlation, ties at their mid-ranks, with Bonett and Wright's interval.

    x, y: shape (stimuli,), any units; a pair with NaN is dropped.
    Returns a value in [-1, 1]; no interval with fewer than 4 pairs or at +-1.
    Raises AgreementError when fewer than 3 pairs remain or one of the two is constant.
    Source: Spearman (1904), American Journal of Psychology 15, 72-101; Bonett & Wright (2000),
    Psychometrika 65, 23-28.
    """
    x, y = _varying(x, y)
    r = _correlation(stats.rankdata(x), stats.rankdata(y))
    return _correlated(r, len(x), lambda r: 1 + r**2 / 2, "Spearman's rank correlation", confidence)


def bias(x: npt.ArrayLike, y: npt.ArrayLike, *, confidence: float = 0.95) -> Limits:
    """The mean of x - y with limits of agreement and the intervals of all three.

    x, y: shape (stimuli,), same units and zero; a pair with NaN is dropped.
    Raises AgreementError when fewer than 3 pairs remain.
    Source: Bland & Altman (1986), Lancet 327, 307-310; SE of a limit s sqrt(1/n + 1.96^2 / (2 (n - 1)))
    from Bland & Altman (1999), Statistical Methods in Medical Research 8, 135-160.
    """
    x, y = pairs(x, y)
    n, mean, sd = len(x), float((x - y).mean()), float((x - y).std(ddof=1))
    t, z = t_quantile(confidence, n - 1), _LIMIT
    half, half_limit = t * sd / n**0.5, t * sd * (1 / n + z**2 / (2 * (n - 1))) ** 0.5
    lower, upper = mean - z * sd, mean + z * sd
    return Limits(
        estimate=mean,
        low=mean - half,
        high=mean + half,
        sd=sd,
        lower=lower,
        lower_low=lower - half_limit,
        lower_high=lower + half_limit,
        upper=upper,
        upper_low=upper - half_limit,
        upper_high=upper + half_limit,
        n_stimuli=n,
        method="mean difference with 95 % limits of agreement; t intervals",
    )


def compare(
    human: npt.ArrayLike, model: npt.ArrayLike, *, same_units: bool, confidence: float = 0.95
) -> Comparison:
    """Human values against a model's values of the same stimuli; bias is model - human.

    human, model: shape (stimuli,); a pair with NaN is dropped.
    same_units: do both declare the same units and the same zero? A unipolar intensity and a model's
    distance from neutral do not: then only their ranks are compared.
    Raises AgreementError when fewer than 3 pairs remain or one of the two is constant.
    """
    ranks = spearman(human, model, confidence=confidence)
    if not same_units:
        return Comparison(ranks, None, None)
    agreement = concordance(human, model, confidence=confidence)
    return Comparison(ranks, agreement, bias(model, human, confidence=confidence))


def pairs(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
    """The stimuli of which both values are there: two arrays of shape (pairs,).

    Raises AgreementError when the shapes differ or fewer than 3 pairs remain.
    """
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise AgreementError(f"values of shapes {first.shape} and {second.shape} are no pairs of stimuli")
    complete = np.isfinite(first) & np.isfinite(second)
    if complete.sum() < MIN_PAIRS:
        raise AgreementError(
            f"{complete.sum()} stimuli have both values; a comparison needs at least {MIN_PAIRS}"
        )
    return first[complete], second[complete]


def _varying(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
    both = pairs(x, y)
    for values, which in zip(both, ("first", "second"), strict=True):
        if np.ptp(values) == 0:
            raise AgreementError(
                f"the {which} values are all {values[0]:g}; a correlation needs values that differ"
            )
    return both


def _correlation(x: Floats, y: Floats) -> float:
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip((x @ y) / np.sqrt((x @ x) * (y @ y)), -1, 1))


def _correlated(r: float, n: int, factor: Callable[[float], float], name: str, confidence: float) -> Estimate:
    low, high = None, None
    if n > MIN_PAIRS and 1 - abs(r) > 1e-12:
        low, high = _fisher(r, float(np.sqrt(factor(r) / (n - 3))), confidence)
    return _estimate(r, low, high, n, f"{name}; Fisher z interval")


def _fisher(r: float, se: float, confidence: float) -> tuple[float, float]:
    z, half = float(np.arctanh(r)), normal_quantile(confidence) * se
    return float(np.tanh(z - half)), float(np.tanh(z + half))


def _estimate(estimate: float, low: float | None, high: float | None, n: int, method: str) -> Estimate:
    return Estimate(estimate, low, high, n_stimuli=n, n_raters=2, n_ratings=2 * n, method=method)
