"""How alike raters answer when they see a stimulus again; raters are drawn anew for the intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.agreement import bootstrap
from core.agreement import categories as scale
from core.agreement.bootstrap import Statistic
from core.agreement.continuous import MIN_PAIRS
from core.agreement.estimate import Estimate, Floats
from core.errors import AgreementError


def numeric(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    statistic: Literal["concordance", "pearson"] = "concordance",
    resamples: int = 1000,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Agreement of the first and the second rating by the same raters, over all pairs.

    first, second: shape (raters, stimuli), NaN where there was none; a pair needs both.
    statistic: Lin's concordance, or Pearson's correlation, which forgives a shift.
    The interval is a percentile bootstrap over raters, whose pairs stay together; none with fewer than 5.
    Raises AgreementError with fewer than 3 pairs, or a side that does not vary.
    Source: Lin (1989), Biometrics 45, 255-268; whole raters: Davison & Hinkley (1997), Bootstrap Methods and
    their Application, chapter 3.
    """
    x, y, both = _paired(first, second)
    shift = float(np.mean(np.concatenate([x[both], y[both]])))
    x, y = np.where(both, x - shift, 0.0), np.where(both, y - shift, 0.0)
    sums = np.stack([part.sum(axis=1) for part in (both, x, y, x * x, y * y, x * y)], axis=1)

    def of(_: Floats, w: Floats) -> Floats:
        n, sx, sy, xx, yy, xy = (w @ sums).T
        n = np.maximum(n, 1)
        vx, vy, covariance = xx / n - (sx / n) ** 2, yy / n - (sy / n) ** 2, xy / n - sx * sy / n**2
        apart = vx + vy + ((sx - sy) / n) ** 2 if statistic == "concordance" else 2 * np.sqrt(vx * vy)
        varies = (vx > 1e-12) & (vy > 1e-12)
        return np.asarray(np.where(varies, 2 * covariance / np.where(varies, apart, 1.0), np.nan))

    name = {"concordance": "Lin's concordance", "pearson": "Pearson's correlation"}[statistic]
    return _estimate(of, both, f"retest, {name} of pairs", resamples, rng, confidence)


def labels(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    categories: Sequence[float],
    statistic: Literal["kappa", "same"] = "kappa",
    resamples: int = 1000,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Agreement of the first and the second label by the same raters: Cohen's kappa, or the share alike.

    Shapes, interval and errors as in `numeric`; categories: the full scale.
    Source: Cohen (1960), Educational and Psychological Measurement 20, 37-46; whole raters: Davison & Hinkley
    (1997), Bootstrap Methods and their Application, chapter 3.
    """
    _, _, both = _paired(first, second)
    i, j, q = scale.positions(first, categories), scale.positions(second, categories), len(categories)
    rater, stimulus = np.nonzero(both)
    cells = (rater * q + i[rater, stimulus]) * q + j[rater, stimulus]
    tables = np.bincount(cells, minlength=len(both) * q * q).reshape(len(both), q * q).astype(np.float64)

    def of(_: Floats, w: Floats) -> Floats:
        table = (w @ tables).reshape(-1, q, q)
        p = table / np.maximum(table.sum(axis=(1, 2), keepdims=True), 1)
        same = np.asarray(np.diagonal(p, axis1=1, axis2=2).sum(axis=1), dtype=np.float64)
        if statistic == "same":
            return same
        expected: Floats = (p.sum(axis=1) * p.sum(axis=2)).sum(axis=1)
        varies = 1 - expected > 1e-12
        return np.asarray(np.where(varies, (same - expected) / np.where(varies, 1 - expected, 1.0), np.nan))

    name = {"kappa": "Cohen's kappa", "same": "share of the same label"}[statistic]
    return _estimate(of, both, f"retest, {name} of pairs", resamples, rng, confidence)


def by_rater(first: npt.ArrayLike, second: npt.ArrayLike) -> Floats:
    """Each rater's mean absolute difference between both ratings, in raw points: shape (raters,).

    first, second: shape (raters, stimuli); NaN for a rater without a pair.
    Raises AgreementError when no rater has one.
    """
    x, y, both = _paired(first, second, least=1)
    n = both.sum(axis=1)
    sums = np.where(both, np.abs(x - y), 0.0).sum(axis=1)
    return np.asarray(np.divide(sums, n, out=np.full(len(n), np.nan), where=n > 0))


def _paired(
    first: npt.ArrayLike, second: npt.ArrayLike, *, least: int = MIN_PAIRS
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if x.ndim != 2 or x.shape != y.shape:
        raise AgreementError(f"shapes {x.shape} and {y.shape}; a retest needs (raters, stimuli) twice")
    both = np.asarray(np.isfinite(x) & np.isfinite(y))
    if both.sum() < least:
        raise AgreementError(f"{both.sum()} stimuli were rated twice by a rater; a retest needs {least}")
    return x, y, both


def _estimate(
    of: Statistic,
    both: npt.NDArray[np.bool_],
    name: str,
    resamples: int,
    rng: np.random.Generator | None,
    confidence: float,
) -> Estimate:
    rows = np.asarray(both.any(axis=1))
    k = int(rows.sum())
    one = np.ones((1, 1))
    point = float(of(one, rows[None].astype(np.float64))[0])
    if not np.isfinite(point):
        raise AgreementError(
            "the first or the second ratings do not vary; a retest needs ratings that differ"
        )
    low, high = None, None
    if resamples and k >= bootstrap.MIN_STIMULI:
        if rng is None:
            raise AgreementError(
                "a bootstrap needs 'rng': pass numpy.random.default_rng(seed) or resamples=0"
            )
        weights = np.zeros((resamples, len(both)))
        weights[:, rows] = bootstrap.draws(k, resamples, rng=rng)
        low, high = bootstrap.percentile(of(one, weights), confidence=confidence)
        name += f"; percentile bootstrap over raters, {resamples} resamples"
    n = int(both.any(axis=0).sum())
    return Estimate(point, low, high, n_stimuli=n, n_raters=k, n_ratings=2 * int(both.sum()), method=name)
