"""Reliability of mean ratings: Cronbach's alpha, split halves, and how many raters reach a wanted one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from core.agreement import bootstrap, design, icc
from core.agreement.estimate import Estimate, Floats, normal_quantile
from core.errors import AgreementError

_CHUNK = 200  # resamples at a time


def cronbach(values: npt.ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Cronbach's alpha of raters as items: k/(k - 1) (1 - sum of their variances / variance of their sum).

    values: shape (raters, stimuli), NaN for missing. It is ICC(3,k), with its interval and, in an incomplete
    design, its estimator. Raises AgreementError as `icc.icc` does.
    Source: Cronbach (1951), Psychometrika 16, 297-334; interval: Feldt (1965), Psychometrika 30, 357-370.
    """
    found = icc.icc(values, form="3,k", confidence=confidence)
    return replace(found, method=f"Cronbach's alpha; {found.method.split('; ', 1)[1]}")


def spearman_brown(r: float, factor: float = 2) -> float:
    """The reliability of `factor` times as many raters: f r / (1 + (f - 1) r).

    Raises AgreementError for a correlation that so many raters cannot have.
    Source: Spearman (1910), British Journal of Psychology 3, 271-295; Brown (1910), same volume, 296-322.
    """
    if factor <= 0 or not -1 <= r <= 1 or 1 + (factor - 1) * r <= 0:
        raise AgreementError(f"r = {r:g} cannot be stepped up {factor:g} times; it needs r > -1/(factor - 1)")
    return factor * r / (1 + (factor - 1) * r)


def raters_needed(single: float, wanted: float) -> int:
    """How many raters' mean has the wanted reliability: p*(1 - p1) / (p1 (1 - p*)), rounded up.

    single: the reliability of one rater, ICC(., 1). Raises AgreementError unless both lie between 0 and 1.
    Source: Spearman (1910), British Journal of Psychology 3, 271-295; Brown (1910), same volume, 296-322.
    """
    if not (0 < single < 1 and 0 < wanted < 1):
        raise AgreementError(f"reliabilities {single:g} and {wanted:g} must both lie between 0 and 1")
    # Rounding may leave 36.00000000000001, which is 36.
    return max(1, math.ceil(wanted * (1 - single) / (single * (1 - wanted)) - 1e-9))


def ratings_needed(sd: float, half_width: float, *, confidence: float = 0.95) -> int:
    """How many ratings give a stimulus' mean an interval of +- half_width: (z sd / half_width)^2, rounded up.

    sd: of the ratings of one stimulus; both in the same units. Raises AgreementError unless both are above 0.
    Source: Cochran (1977), Sampling Techniques, 3rd edition, chapter 4.
    """
    if not (sd > 0 and half_width > 0):
        raise AgreementError(f"an SD of {sd:g} and a half-width of {half_width:g} must both be above 0")
    return math.ceil((normal_quantile(confidence) * sd / half_width) ** 2 - 1e-9)


def split_half(
    values: npt.ArrayLike,
    *,
    halves: npt.ArrayLike | None = None,
    splits: int = 100,
    resamples: int = 1000,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Correlation over stimuli of the mean ratings of two halves of the raters, stepped up to all of them.

    values: shape (raters, stimuli), NaN for missing; in each split the stimuli count that both halves rated.
    halves: shape (raters,), true in the first half, for one split that is given; else `splits` random ones.
    Returns the mean over the splits of Spearman and Brown's 2r/(1 + r); the interval is a percentile
    bootstrap over stimuli with the splits as they are.
    Raises AgreementError with fewer than 2 raters, or when no split has 3 stimuli with means that vary.
    Source: Spearman (1910), British Journal of Psychology 3, 271-295; Brown (1910), same volume, 296-322.
    """
    ratings, raters, _ = design.kept(values)
    shape = design.describe(ratings)
    if shape.n_raters < 2:
        raise AgreementError("there is one rater; two halves need at least two")
    members = _members(shape.n_raters, None if halves is None else np.asarray(halves)[raters], splits, rng)
    first, second = _means(ratings, members), _means(ratings, ~members)
    point = _stepped(first, second, np.ones((1, shape.n_stimuli)))
    if not np.isfinite(point[0]):
        raise AgreementError("no split leaves 3 stimuli that both halves rated with means that differ")
    low, high = _interval(first, second, resamples=resamples, rng=rng, confidence=confidence)
    n = len(members)
    return Estimate(
        estimate=float(point[0]),
        low=low,
        high=high,
        n_stimuli=shape.n_stimuli,
        n_raters=shape.n_raters,
        n_ratings=shape.n_ratings,
        method=f"split half, Spearman-Brown, {'mean of ' * (n > 1)}{n} split{'s' * (n > 1)}"
        + (f"; percentile bootstrap over stimuli, {resamples} resamples" if low is not None else ""),
    )


def _members(
    k: int, halves: npt.NDArray[np.bool_] | None, splits: int, rng: np.random.Generator | None
) -> npt.NDArray[np.bool_]:
    if halves is not None:
        first = np.asarray(halves, dtype=np.bool_)
        if first.all() or not first.any():
            raise AgreementError("one of the halves has no rater; name raters of both")
        return first[None]
    if rng is None:
        raise AgreementError("random splits need 'rng': pass numpy.random.default_rng(seed) or 'halves'")
    return rng.permuted(np.tile(np.arange(k) < k // 2, (splits, 1)), axis=1)


def _means(ratings: Floats, members: npt.NDArray[np.bool_]) -> Floats:
    """The mean of each stimulus over the members of each split: shape (stimuli, splits), NaN for none."""
    given = np.isfinite(ratings)
    weights = members.astype(np.float64)
    n = weights @ given
    # Around the mean of all the squares below lose no digits.
    sums = weights @ np.where(given, ratings - np.nanmean(ratings), 0.0)
    return np.asarray(np.divide(sums, n, out=np.full(n.shape, np.nan), where=n > 0).T)


def _stepped(first: Floats, second: Floats, weights: Floats) -> Floats:
    """The mean over splits of the stepped-up correlation, for each row of weights (resamples, stimuli)."""
    both = np.isfinite(first) & np.isfinite(second)
    x, y = np.where(both, first, 0.0), np.where(both, second, 0.0)
    n = weights @ both
    one = np.maximum(n, 1)
    mean_x, mean_y = weights @ x / one, weights @ y / one
    covariance = weights @ (x * y) / one - mean_x * mean_y
    spread = (weights @ x**2 / one - mean_x**2) * (weights @ y**2 / one - mean_y**2)
    defined = (n >= 3) & (spread > 1e-20)
    r = np.clip(covariance / np.sqrt(np.where(defined, spread, 1.0)), -0.999999, 1.0)
    found = np.where(defined, 2 * r / (1 + r), 0.0).sum(axis=1)
    used = defined.sum(axis=1)
    return np.asarray(np.where(used > 0, found / np.maximum(used, 1), np.nan))


def _interval(
    first: Floats, second: Floats, *, resamples: int, rng: np.random.Generator | None, confidence: float
) -> tuple[float | None, float | None]:
    n = len(first)
    if not resamples or n < bootstrap.MIN_STIMULI:
        return None, None
    if rng is None:
        raise AgreementError("a bootstrap needs 'rng': pass numpy.random.default_rng(seed) or resamples=0")
    sizes = [min(_CHUNK, resamples - start) for start in range(0, resamples, _CHUNK)]
    parts = [_stepped(first, second, bootstrap.draws(n, size, rng=rng)) for size in sizes]
    return bootstrap.percentile(np.concatenate(parts), confidence=confidence)
