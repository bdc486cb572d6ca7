"""Statistics as functions of how often each stimulus and each rater was drawn.

A resample changes only weights: v of stimuli, shape (resamples, stimuli), and w of raters, shape (resamples,
raters). All sums that a statistic rests on are products with them, so no resample is ever built.

A rater who was drawn twice would agree perfectly with themselves. Only pairs of different raters count: of
the ordered pairs of ratings of a stimulus, M^2 with M the sum of w, the sum of w^2 are a rater's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import sparse

from core.agreement import categories as scale
from core.agreement.bootstrap import Statistic
from core.agreement.estimate import Floats
from core.errors import AgreementError

Name = Literal[
    "alpha_nominal",
    "alpha_ordinal",
    "alpha_interval",
    "alpha_ratio",
    "fleiss_kappa",
    "gwet_ac1",
    "brennan_prediger",
    "icc_1_1",
    "icc_1_k",
    "icc_2_1",
    "icc_2_k",
    "icc_3_1",
    "icc_3_k",
]
NAMES: tuple[Name, ...] = get_args(Name)
_DENSE_CELLS = 5_000_000
Tables = tuple[Floats, Floats, Floats]


def statistic(values: npt.ArrayLike, name: Name, *, categories: Sequence[float] | None = None) -> Statistic:
    """The statistic as a function of weights: of stimuli (resamples, stimuli), of raters (resamples, raters).

    One row of either serves all rows of the other. NaN where the statistic is undefined.
    Raises AgreementError when an ICC meets missing ratings, or categories are needed and not named.
    """
    ratings = np.asarray(values, dtype=np.float64)
    if name.startswith("icc"):
        return _icc(ratings, name)
    if name == "alpha_interval":
        return _alpha(_moments(ratings), _of_moments)
    if name.startswith("alpha"):
        used = np.unique(ratings[np.isfinite(ratings)])
        return _alpha(_counts(ratings, used), _distances(name.removeprefix("alpha_"), used))
    if categories is None:
        raise AgreementError(f"{name} depends on the full scale; name its 'categories'")
    return _beyond_chance(_counts(ratings, categories), name)


def _counts(ratings: Floats, categories: Sequence[float] | Floats) -> Callable[[Floats], Tables]:
    """Of weights of raters: weighted counts (resamples, stimuli, categories), M and the sum of w^2."""
    k, n = ratings.shape
    at = scale.positions(ratings, list(categories))
    q = len(categories)
    given = (at >= 0).astype(np.float64)
    rater, stimulus = np.nonzero(at >= 0)
    cells = (np.ones(len(rater)), (rater, stimulus * q + at[rater, stimulus]))
    flags = sparse.csr_array(sparse.coo_array(cells, shape=(k, n * q)))
    # Sliders have a hundred values, of which each rating is one: most of such a table would be 0.
    table = flags.toarray() if k * n * q <= _DENSE_CELLS else flags

    def tables(w: Floats) -> Tables:
        return np.asarray(w @ table).reshape(len(w), n, q), w @ given, w**2 @ given

    return tables


def _moments(ratings: Floats) -> Callable[[Floats], Tables]:
    """The same with the sums of x and x^2 in the place of counts, around the mean of all."""
    given = np.isfinite(ratings)
    x = np.where(given, ratings - np.nanmean(ratings), 0.0)

    def tables(w: Floats) -> Tables:
        return np.stack([w @ x, w @ x**2], axis=2), w @ given, w**2 @ given

    return tables


# Of counts (resamples, units, values), their sums and the totals (resamples, values): the sum of distances
# over all ordered pairs of a unit's ratings. A rating's distance to itself is 0, so own pairs do not show.
Distances = Callable[[Floats, Floats, Floats], Floats]


def _alpha(tables: Callable[[Floats], Tables], distances: Distances) -> Statistic:
    def of(v: Floats, w: Floats) -> Floats:
        counts, m, own = tables(w)
        pairs = m**2 - own
        usable = pairs > 1e-9
        v = v * usable
        totals = _summed(v, counts)
        n, all_own = (v * m).sum(axis=1), (v * own).sum(axis=1)
        # Each unit's mean distance of different raters counts as often as it has ratings.
        per_pair = v * m / np.where(usable, pairs, 1.0)
        observed = (per_pair * distances(counts, m, totals)).sum(axis=1)
        expected = distances(totals[:, None], n[:, None], totals)[:, 0]
        defined = expected > 1e-9 * np.maximum(n, 1)
        ratio = observed * (n**2 - all_own) / (np.maximum(n, 1) * np.where(defined, expected, 1.0))
        return np.asarray(np.where(defined, 1 - ratio, np.nan))

    return of


def _summed(v: Floats, counts: Floats) -> Floats:
    """Sums over units, each v times: (resamples, values); one row of counts serves all rows of v."""
    if len(counts) == 1:
        return np.asarray(v @ counts[0])
    return np.asarray((np.broadcast_to(v, counts.shape[:2])[:, None] @ counts)[:, 0])


def _nominal(counts: Floats, m: Floats, _: Floats) -> Floats:
    return np.asarray(m**2 - (counts**2).sum(axis=2))


def _of_moments(sums: Floats, m: Floats, _: Floats) -> Floats:
    return np.asarray(2 * (m * sums[..., 1] - sums[..., 0] ** 2))


def _ordinal(counts: Floats, m: Floats, totals: Floats) -> Floats:
    ranks = np.cumsum(totals, axis=1) - totals / 2 - totals.sum(axis=1, keepdims=True) / 2
    first, second = (counts @ power[:, :, None] for power in (ranks, ranks**2))
    return np.asarray(2 * (m * second[..., 0] - first[..., 0] ** 2))


def _distances(level: str, values: Floats) -> Distances:
    if level == "nominal":
        return _nominal
    if level == "ordinal":
        return _ordinal
    sums, differences = np.add.outer(values, values), np.subtract.outer(values, values)
    squares = np.divide(differences, sums, out=np.zeros_like(sums), where=sums > 0) ** 2
    return lambda counts, _, __: np.asarray(((counts @ squares) * counts).sum(axis=2))


def _beyond_chance(tables: Callable[[Floats], Tables], name: str) -> Statistic:
    def of(v: Floats, w: Floats) -> Floats:
        counts, m, own = tables(w)
        pairs = m**2 - own
        rated, paired = v * (m > 0), v * (pairs > 1e-9)
        agreeing = ((counts**2).sum(axis=2) - own) / np.where(pairs > 1e-9, pairs, 1.0)
        observed = _mean(paired, agreeing)
        shares = counts / np.where(m > 0, m, 1.0)[..., None]
        pi = _summed(rated, shares) / np.maximum(rated.sum(axis=1), 1)[:, None]
        expected = _EXPECTED[name](pi)
        defined = 1 - expected > 1e-9
        return np.asarray(
            np.where(defined, (observed - expected) / np.where(defined, 1 - expected, 1.0), np.nan)
        )

    return of


def _mean(weights: Floats, values: Floats) -> Floats:
    total = weights.sum(axis=1)
    sums = (weights * values).sum(axis=1)
    return np.asarray(np.divide(sums, total, out=np.full(len(total), np.nan), where=total > 0))


_EXPECTED: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "fleiss_kappa": lambda pi: np.asarray((pi**2).sum(axis=1)),
        "gwet_ac1": lambda pi: np.asarray((pi * (1 - pi)).sum(axis=1) / (pi.shape[1] - 1)),
        "brennan_prediger": lambda pi: np.full(len(pi), 1 / pi.shape[1]),
    }
)


def _icc(ratings: Floats, name: str) -> Statistic:
    """From the mean variance of raters and their mean covariance, of pairs of different raters alone."""
    if np.isnan(ratings).any():
        raise AgreementError("the design is incomplete; an ICC has its interval from REML then, see icc.icc")
    x = ratings - ratings.mean()

    def of(v: Floats, w: Floats) -> Floats:
        n, k = v.sum(axis=1), w.sum(axis=1)
        pairs = k**2 - (w**2).sum(axis=1)
        means = v @ x.T / n[:, None]
        total = w @ x
        own = (v * (w**2 @ x**2)).sum(axis=1) - n * (w**2 * means**2).sum(axis=1)
        summed = (v * total**2).sum(axis=1) - (v * total).sum(axis=1) ** 2 / n
        one = np.where(pairs > 1e-9, pairs, 1.0)
        covariance = (summed - own) / (n - 1) / one
        spread = (v * (w @ x**2)).sum(axis=1) - n * (w * means**2).sum(axis=1)
        error = spread / (n - 1) / k - covariance
        levels = (k * (w * means**2).sum(axis=1) - (w * means).sum(axis=1) ** 2) / one
        found = _from_parts(name, covariance, error, levels, n, k)
        return np.asarray(np.where(pairs > 1e-9, found, np.nan))

    return of


def _from_parts(name: str, between: Floats, error: Floats, levels: Floats, n: Floats, k: Floats) -> Floats:
    """An intraclass correlation from the mean squares that these parts make up in a complete design."""
    rater = levels - error / n
    if name.startswith("icc_1"):
        # Within stimuli raters differ by their levels, too; a mean of k carries 1/k of them.
        between, beside = between - rater / k, error + rater
    else:
        beside = error + (rater if name.startswith("icc_2") else 0)
    total = between + (beside / k if name.endswith("k") else beside)
    return np.asarray(np.divide(between, total, out=np.full(len(total), np.nan), where=total > 1e-12))
