"""Krippendorff's alpha with a bootstrap interval over stimuli.

With n_uc ratings of value c on stimulus u, m_u = sum_c n_uc >= 2, n_c = sum_u n_uc and n = sum_c n_c,

    alpha = 1 - (n - 1) * sum_u [sum_ck n_uc n_uk d_ck / (m_u - 1)] / sum_ck n_c n_k d_ck

A resample only changes how often each stimulus counts, so the numerator's and the denominator's
sums over stimuli are all that it needs. Ordinal distances are squared differences of the values'
mid-ranks: sum_{g=c..k} n_g - (n_c + n_k) / 2 is the mid-rank of k less that of c.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import krippendorff
import numpy as np
import numpy.typing as npt
from scipy import sparse

from core.agreement import bootstrap
from core.agreement.estimate import Estimate, Floats
from core.errors import AgreementError

Level = Literal["nominal", "ordinal", "interval", "ratio"]

MIN_STIMULI = 2
# The package makes arrays of stimuli x values x values; sliders without steps have thousands of values.
_PACKAGE_CELLS = 8_000_000
_CHUNK_CELLS = 200_000  # arrays of this size stay in a processor's cache
_DENSE_CELLS = 500_000
_MAX_RATIO_VALUES = 2_000


@dataclass(frozen=True, slots=True)
class _Units:
    """The stimuli with two ratings or more: counts (stimuli, values), ratings per stimulus, the values."""

    counts: Any  # numpy array or, where most cells would be 0, scipy.sparse.csr_array
    sizes: Floats
    values: Floats

    @property
    def cells(self) -> int:
        return len(self.sizes) * len(self.values) ** 2


def alpha(
    values: npt.ArrayLike,
    *,
    level: Level,
    resamples: int = 1000,
    rng: np.random.Generator | None = None,
) -> Estimate:
    """Krippendorff's alpha of raters who each rated some of the stimuli.

    values: shape (raters, stimuli), NaN for missing; a stimulus with one rating is left out.
    level: what differences between values mean; nominal values may be any numeric codes.
    resamples: bootstrap resamples over stimuli, with `rng`; 0 leaves the interval out.
    Returns an estimate in (-1, 1]; 0 is the agreement that chance gives.
    Raises AgreementError with no data, one rater, fewer than 2 stimuli with two ratings,
    constant ratings, or ratings that the level does not allow.
    Source: Krippendorff (2019), Content Analysis, 4th edition, chapter 12.
    """
    ratings = np.asarray(values, dtype=np.float64)
    if ratings.ndim != 2:
        raise AgreementError(f"ratings have {ratings.ndim} dimensions; alpha needs shape (raters, stimuli)")
    observed = np.isfinite(ratings)
    if not observed.any():
        raise AgreementError("there are no ratings yet; alpha needs two raters of the same stimuli")
    if (n_raters := int(observed.any(axis=1).sum())) < 2:
        raise AgreementError("there is one rater; alpha needs at least two who rated the same stimuli")
    units = _units_of_ratings(ratings, observed)
    return _estimate(units, n_raters, level=level, resamples=resamples, rng=rng)


def alpha_of_counts(
    counts: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    level: Level,
    resamples: int = 1000,
    rng: np.random.Generator | None = None,
) -> Estimate:
    """Krippendorff's alpha of counted ratings, for data that were counted where they are stored.

    counts: shape (stimuli, values), how many raters gave each value to each stimulus.
    values: shape (values,), what the columns stand for; any distinct codes for nominal data.
    Everything else is as in `alpha`; no rater may have rated a stimulus twice.
    """
    table = np.asarray(counts, dtype=np.float64)
    domain = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(domain) or len(np.unique(domain)) != len(domain):
        raise AgreementError(
            f"counts of shape {table.shape} do not fit {len(domain)} values; one column per distinct value"
        )
    if not table.any():
        raise AgreementError("there are no ratings yet; alpha needs two raters of the same stimuli")
    order = np.argsort(domain)
    units = _units(sparse.csr_array(table[:, order]), domain[order])
    return _estimate(units, None, level=level, resamples=resamples, rng=rng)


def _units_of_ratings(ratings: Floats, observed: npt.NDArray[np.bool_]) -> _Units:
    _, stimuli = np.nonzero(observed)
    values, codes = np.unique(ratings[observed], return_inverse=True)
    ones = np.ones(len(codes))
    shape = (ratings.shape[1], len(values))
    return _units(sparse.csr_array(sparse.coo_array((ones, (stimuli, codes)), shape=shape)), values)


def _units(counts: Any, values: Floats) -> _Units:
    sizes = np.asarray(counts.sum(axis=1), dtype=np.float64)
    paired = sizes >= 2
    counts = counts[np.nonzero(paired)[0]]
    used = np.asarray(counts.sum(axis=0)) > 0
    counts = counts[:, np.nonzero(used)[0]]
    dense = counts.shape[0] * counts.shape[1] <= _DENSE_CELLS
    return _Units(counts.toarray() if dense else sparse.csr_array(counts), sizes[paired], values[used])


def _check(units: _Units, level: Level) -> None:
    if len(units.sizes) < MIN_STIMULI:
        raise AgreementError(
            f"{len(units.sizes)} stimuli have ratings by two raters; alpha needs at least {MIN_STIMULI}"
        )
    if len(units.values) < 2:
        raise AgreementError(
            f"all {units.sizes.sum():.0f} ratings are the same; alpha needs ratings that differ somewhere"
        )
    if level == "ratio" and units.values[0] < 0:
        raise AgreementError(
            f"a rating is {units.values[0]:g}; the ratio level needs 0 or more, use level 'interval'"
        )
    if level == "ratio" and len(units.values) > _MAX_RATIO_VALUES:
        raise AgreementError(
            f"there are {len(units.values)} different ratings; the ratio level takes {_MAX_RATIO_VALUES}, "
            "round the ratings first"
        )


def _estimate(
    units: _Units, n_raters: int | None, *, level: Level, resamples: int, rng: np.random.Generator | None
) -> Estimate:
    _check(units, level)
    low, high = _interval(units, level=level, resamples=resamples, rng=rng)
    return Estimate(
        estimate=_point(units, level),
        low=low,
        high=high,
        n_stimuli=len(units.sizes),
        n_raters=n_raters,
        n_ratings=int(units.sizes.sum()),
        method=f"Krippendorff's alpha, {level}"
        + (f"; 95 % percentile bootstrap over stimuli, {resamples} resamples" if low is not None else ""),
    )


def _point(units: _Units, level: Level) -> float:
    if units.cells > _PACKAGE_CELLS:
        return float(_alphas(units, np.ones((1, len(units.sizes))), level)[0])
    counts = units.counts.toarray() if sparse.issparse(units.counts) else units.counts
    return float(
        krippendorff.alpha(value_counts=counts, value_domain=units.values, level_of_measurement=level)
    )


def _interval(
    units: _Units, *, level: Level, resamples: int, rng: np.random.Generator | None
) -> tuple[float | None, float | None]:
    n = len(units.sizes)
    if not resamples or n < bootstrap.MIN_STIMULI:
        return None, None
    if rng is None:
        raise AgreementError("a bootstrap needs 'rng': pass numpy.random.default_rng(seed) or resamples=0")
    step = max(1, _CHUNK_CELLS // max(n, len(units.values)))
    sizes = [min(step, resamples - start) for start in range(0, resamples, step)]
    parts = [_alphas(units, bootstrap.draws(n, size, rng=rng), level) for size in sizes]
    return bootstrap.percentile(np.concatenate(parts))


def _alphas(units: _Units, weights: Floats, level: Level) -> Floats:
    """Alpha of each row of weights (resamples, stimuli); NaN where only one value was drawn."""
    totals = np.asarray(weights @ units.counts)
    n = totals.sum(axis=1)
    observed, expected = _SUMS[level](units, weights, totals)
    # Only a count tells constant draws: the sums of squares of rounded numbers are rarely exactly 0.
    varies = np.count_nonzero(totals, axis=1) > 1
    return np.where(varies, 1 - (n - 1) * observed / np.where(varies, expected, 1.0), np.nan)


Sums = tuple[Floats, Floats]


def _nominal(units: _Units, weights: Floats, totals: Floats) -> Sums:
    agreeing = np.asarray((units.counts**2).sum(axis=1))
    within = (units.sizes**2 - agreeing) / (units.sizes - 1)
    return weights @ within, totals.sum(axis=1) ** 2 - (totals**2).sum(axis=1)


def _interval_sums(units: _Units, weights: Floats, totals: Floats) -> Sums:
    # Around the mean the squares lose no digits, and alpha does not depend on the origin.
    x = units.values - np.average(units.values, weights=np.asarray(units.counts.sum(axis=0)))
    within = _spread(units.sizes, units.counts @ x, units.counts @ x**2) / (units.sizes - 1)
    return weights @ within, _spread(totals.sum(axis=1), totals @ x, totals @ x**2)


def _ordinal(units: _Units, weights: Floats, totals: Floats) -> Sums:
    ranks = np.cumsum(totals, axis=1) - totals / 2 - totals.sum(axis=1, keepdims=True) / 2
    pairs = units.sizes[:, None] - 1
    squares = np.asarray(weights @ (units.counts * (units.sizes[:, None] / pairs))) * ranks**2
    sums = np.asarray(ranks @ (units.counts / np.sqrt(pairs)).T)
    observed = 2 * (squares.sum(axis=1) - np.einsum("bu,bu,bu->b", weights, sums, sums))
    return observed, _spread(
        totals.sum(axis=1), (totals * ranks).sum(axis=1), (totals * ranks**2).sum(axis=1)
    )


def _ratio(units: _Units, weights: Floats, totals: Floats) -> Sums:
    sums = units.values[:, None] + units.values
    differences = units.values[:, None] - units.values
    distances = np.divide(differences, sums, out=np.zeros_like(sums), where=sums > 0) ** 2
    pairs = np.asarray((units.counts * (units.counts @ distances)).sum(axis=1))
    return weights @ (pairs / (units.sizes - 1)), ((totals @ distances) * totals).sum(axis=1)


def _spread(n: Floats, first: Floats, second: Floats) -> Floats:
    """The sum of (x - y)^2 over all ordered pairs of n numbers with these sums of x and of x^2."""
    return 2 * (n * second - first**2)


_SUMS: Mapping[Level, Callable[[_Units, Floats, Floats], Sums]] = MappingProxyType(
    {"nominal": _nominal, "ordinal": _ordinal, "interval": _interval_sums, "ratio": _ratio}
)
