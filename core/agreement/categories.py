"""The full scale that raters chose from: positions on it, counts over it, and weights of near misses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.agreement.estimate import Floats, Ints
from core.errors import AgreementError

Weights = Literal["none", "linear", "quadratic", "ordinal"]


def positions(values: npt.ArrayLike, categories: Sequence[float]) -> Ints:
    """The place of each value in the scale, -1 for NaN; any shape.

    Raises AgreementError when a value is none of the categories, or the scale has fewer than two or names
    one twice.
    """
    scale = np.asarray(categories, dtype=np.float64)
    if scale.ndim != 1 or len(scale) < 2 or len(np.unique(scale)) != len(scale):
        raise AgreementError(f"the scale {list(categories)} needs two categories or more, each named once")
    ratings = np.asarray(values, dtype=np.float64)
    order = np.argsort(scale)
    at = order[np.clip(np.searchsorted(scale[order], ratings), 0, len(scale) - 1)]
    given = ~np.isnan(ratings)
    if (strange := given & (scale[at] != ratings)).any():
        raise AgreementError(
            f"a rating is {ratings[strange].flat[0]:g}, which is none of the categories "
            f"{', '.join(f'{c:g}' for c in scale)}; name the full scale or mend the data"
        )
    return np.where(given, at, -1).astype(np.int64)


def counts(values: npt.ArrayLike, categories: Sequence[float]) -> Ints:
    """How many raters gave each category to each stimulus: shape (stimuli, categories).

    values: shape (raters, stimuli), NaN for missing. Raises AgreementError as `positions` does.
    """
    at = positions(values, categories)
    if at.ndim != 2:
        raise AgreementError(f"ratings have {at.ndim} dimensions; they need shape (raters, stimuli)")
    n, q = at.shape[1], len(categories)
    cells = (at + q * np.arange(n))[at >= 0]
    return np.bincount(cells, minlength=n * q).reshape(n, q).astype(np.int64)


def weights(q: int, kind: Weights) -> Floats:
    """Agreement of two of q ordered categories, 1 for the same: shape (q, q).

    none: 0 for all others; linear: 1 - |i - j|/(q - 1); quadratic: 1 - (i - j)^2/(q - 1)^2; ordinal:
    1 - M_ij/M_1q, M the number of pairs of categories from i to j.
    Source: Cohen (1968), Psychological Bulletin 70, 213-220; ordinal: Gwet (2014), Handbook of Inter-Rater
    Reliability, 4th edition, chapter 3.
    """
    apart = np.abs(np.subtract.outer(np.arange(q), np.arange(q))).astype(np.float64)
    distances = {
        "none": (apart > 0).astype(np.float64),
        "linear": apart,
        "quadratic": apart**2,
        "ordinal": apart * (apart + 1) / 2,
    }
    distance = distances[kind]
    return np.asarray(1 - distance / distance.max())
