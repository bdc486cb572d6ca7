"""A model's values made comparable with people's: calibrated, as change from neutral, within emotions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.agreement.continuous import MIN_PAIRS
from core.agreement.estimate import Estimate, Floats, normal_quantile
from core.errors import AgreementError

MIN_IDENTITIES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """A model's values in people's units, each by a line fitted to the other identities.

    values: shape (stimuli,), NaN where the model or people have none. slope, intercept: of the line through
    all. n_identities: how many folds there were.
    """

    values: Floats
    slope: float
    intercept: float
    n_stimuli: int
    n_identities: int
    method: str = "linear calibration, one identity left out at a time"


def calibrated(people: npt.ArrayLike, model: npt.ArrayLike, identity: npt.ArrayLike) -> Calibrated:
    """The model's values on people's scale, by least squares on all identities but the one at hand.

    people, model, identity: shape (stimuli,), any units; a stimulus that lacks one of the values stays NaN.
    Raises AgreementError with fewer than 3 identities, or where the model does not vary without one of them.
    Source: Stone (1974), Journal of the Royal Statistical Society B 36, 111-147.
    """
    y, x = _pair(people, model)
    whole = np.isfinite(x) & np.isfinite(y)
    names, at = np.unique(np.asarray(identity)[whole], return_inverse=True)
    if len(names) < MIN_IDENTITIES:
        raise AgreementError(f"{len(names)} identities have both values; calibration needs {MIN_IDENTITIES}")
    x, y = x[whole], y[whole]
    center_x, center_y = float(x.mean()), float(y.mean())
    x, y = x - center_x, y - center_y
    columns = np.stack([np.ones(len(x)), x, y, x * x, x * y], axis=1)
    sums = np.stack([np.bincount(at, column) for column in columns.T], axis=1)
    n, sx, sy, xx, xy = (sums.sum(axis=0) - sums).T
    spread = xx - sx**2 / n
    if (spread < 1e-12 * max(float(x @ x), 1e-300)).any():
        raise AgreementError("the model's values do not vary over the other identities; there is no line")
    slope = (xy - sx * sy / n) / spread
    intercept = (sy - slope * sx) / n
    values = np.full(len(whole), np.nan)
    values[whole] = intercept[at] + slope[at] * x + center_y
    of_all = float(x @ y) / float(x @ x)
    return Calibrated(values, of_all, center_y - of_all * center_x, len(x), len(names))


def change_from_neutral(values: npt.ArrayLike, identity: npt.ArrayLike, is_neutral: npt.ArrayLike) -> Floats:
    """Each value less the mean of its identity's neutral stimuli: shape (stimuli,).

    The neutral stimuli themselves, and identities without one, are NaN: their change is no finding.
    Raises AgreementError when no identity has a neutral stimulus with a value.
    """
    x, neutral = np.asarray(values, dtype=np.float64), np.asarray(is_neutral, dtype=np.bool_)
    at = np.unique(np.asarray(identity), return_inverse=True)[1]
    base = neutral & np.isfinite(x)
    if not base.any():
        raise AgreementError("no identity has a neutral stimulus with a value; change needs one")
    size = int(at.max()) + 1
    n = np.bincount(at[base], minlength=size)
    sums = np.bincount(at[base], x[base], size)
    means = np.divide(sums, n, out=np.full(size, np.nan), where=n > 0)
    return np.where(neutral, np.nan, x - means[at])


def within(
    people: npt.ArrayLike, model: npt.ArrayLike, group: npt.ArrayLike, *, confidence: float = 0.95
) -> Estimate:
    """Pearson's correlation within groups, for instance emotions: of values less their group's means.

    people, model, group: shape (stimuli,). A group of one says nothing; the interval is Fisher's z with a
    degree of freedom less for each group beyond the first.
    Raises AgreementError with fewer than 3 pairs beyond one per group, or where a side does not vary within.
    Source: Bland & Altman (1995), British Medical Journal 310, 446.
    """
    y, x = _pair(people, model)
    whole = np.isfinite(x) & np.isfinite(y)
    at = np.unique(np.asarray(group)[whole], return_inverse=True)[1]
    x, y = x[whole], y[whole]
    groups = len(np.unique(at))
    if (free := len(x) - groups + 1) < MIN_PAIRS:
        raise AgreementError(
            f"{len(x)} pairs in {groups} groups; a correlation within needs {MIN_PAIRS} more"
        )
    n = np.bincount(at)
    x, y = (side - (np.bincount(at, side) / n)[at] for side in (x, y))
    scale = float(np.sqrt((x @ x) * (y @ y)))
    if not scale > 1e-12:
        raise AgreementError("people or the model do not vary within groups; a correlation needs that")
    r = float(np.clip(x @ y / scale, -1, 1))
    low, high = None, None
    if free > MIN_PAIRS and 1 - abs(r) > 1e-12:
        z, half = float(np.arctanh(r)), normal_quantile(confidence) / (free - 3) ** 0.5
        low, high = float(np.tanh(z - half)), float(np.tanh(z + half))
    method = f"Pearson's correlation within {groups} groups; Fisher z interval"
    return Estimate(r, low, high, n_stimuli=len(x), n_raters=2, n_ratings=2 * len(x), method=method)


def _pair(people: npt.ArrayLike, model: npt.ArrayLike) -> tuple[Floats, Floats]:
    y, x = np.asarray(people, dtype=np.float64), np.asarray(model, dtype=np.float64)
    if y.ndim != 1 or x.shape != y.shape:
        raise AgreementError(f"values of shapes {y.shape} and {x.shape} are no pairs of stimuli")
    return y, x
