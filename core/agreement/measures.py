"""What models and people are held to alike, as functions of how often each stimulus counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
from scipy import stats

from core.agreement.estimate import Floats
from core.errors import AgreementError

Measure = Literal["pearson", "spearman", "concordance", "rmse", "mae", "sagr", "accuracy", "kappa"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
LABELS = ("accuracy", "kappa")  # of positions in a list of labels, not of numbers
Weighted = Callable[[Floats], Floats]


def weighted(x: Floats, y: Floats, measure: Measure) -> Weighted:
    """The measure of complete pairs as a function of weights (resamples, stimuli); NaN where undefined.

    x, y: shape (stimuli,), without NaN; positions of labels for accuracy and kappa.
    Source: those of `continuous`, `difference` and `kappa`.
    """
    return _MADE[measure](x, y)


def value(x: Floats, y: Floats, measure: Measure) -> float:
    """The measure of pairs of which those with NaN are dropped; NaN where it is undefined.

    Raises AgreementError when the shapes differ.
    """
    if x.shape != y.shape or x.ndim != 1:
        raise AgreementError(f"values of shapes {x.shape} and {y.shape} are no pairs of stimuli")
    both = np.isfinite(x) & np.isfinite(y)
    if not both.any():
        return float("nan")
    return float(weighted(x[both], y[both], measure)(np.ones((1, int(both.sum()))))[0])


def _moments(x: Floats, y: Floats) -> Callable[[Floats], tuple[Floats, Floats, Floats, Floats, Floats]]:
    x, y, shift = x - x.mean(), y - y.mean(), float(x.mean() - y.mean())
    columns = np.stack([np.ones(len(x)), x, y, x * x, y * y, x * y], axis=1)

    def of(v: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        n, sx, sy, xx, yy, xy = (v @ columns).T
        n = np.maximum(n, 1e-12)
        mx, my = sx / n, sy / n
        return mx - my + shift, xx / n - mx**2, yy / n - my**2, xy / n - mx * my, n

    return of


def _pearson(x: Floats, y: Floats) -> Weighted:
    moments = _moments(x, y)

    def of(v: Floats) -> Floats:
        _, vx, vy, covariance, _ = moments(v)
        return _ratio(covariance, np.sqrt(np.maximum(vx * vy, 0)), (vx > 1e-12) & (vy > 1e-12))

    return of


def _concordance(x: Floats, y: Floats) -> Weighted:
    moments = _moments(x, y)

    def of(v: Floats) -> Floats:
        apart, vx, vy, covariance, _ = moments(v)
        return _ratio(2 * covariance, vx + vy + apart**2, (vx > 1e-12) & (vy > 1e-12))

    return of


def _spearman(x: Floats, y: Floats) -> Weighted:
    def of(v: Floats) -> Floats:
        # Ranks change with every resample, so these are drawn out.
        return np.array([_ranked(np.repeat(x, row), np.repeat(y, row)) for row in v.astype(np.int64)])

    return of


def _ranked(x: Floats, y: Floats) -> float:
    if len(x) < 2:
        return float("nan")
    return float(_pearson(stats.rankdata(x), stats.rankdata(y))(np.ones((1, len(x))))[0])


def _mean_of(values: Floats) -> Weighted:
    return lambda v: _ratio(v @ values, v.sum(axis=1), v.sum(axis=1) > 0)


def _rmse(x: Floats, y: Floats) -> Weighted:
    mean = _mean_of((x - y) ** 2)
    return lambda v: np.asarray(np.sqrt(mean(v)))


def _kappa(x: Floats, y: Floats) -> Weighted:
    q = int(max(x.max(), y.max())) + 1
    flags = np.eye(q * q)[(x * q + y).astype(np.int64)]

    def of(v: Floats) -> Floats:
        total = v.sum(axis=1)
        p = (v @ flags).reshape(-1, q, q) / np.maximum(total, 1e-12)[:, None, None]
        same = np.asarray(np.diagonal(p, axis1=1, axis2=2).sum(axis=1))
        expected = np.asarray((p.sum(axis=1) * p.sum(axis=2)).sum(axis=1))
        return _ratio(same - expected, 1 - expected, 1 - expected > 1e-12)

    return of


def _ratio(top: Floats, bottom: Floats, defined: np.typing.NDArray[np.bool_]) -> Floats:
    return np.asarray(np.divide(top, bottom, out=np.full(len(top), np.nan), where=defined))


_MADE: Mapping[Measure, Callable[[Floats, Floats], Weighted]] = MappingProxyType(
    {
        "pearson": _pearson,
        "spearman": _spearman,
        "concordance": _concordance,
        "rmse": _rmse,
        "mae": lambda x, y: _mean_of(np.abs(x - y)),
        "sagr": lambda x, y: _mean_of((np.sign(x) == np.sign(y)).astype(np.float64)),
        "accuracy": lambda x, y: _mean_of((x == y).astype(np.float64)),
        "kappa": _kappa,
    }
)
