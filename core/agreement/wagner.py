"""Wagner's unbiased hit rate of each rater, which is what inference about recognition rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from core.agreement import categories as scale
from core.agreement.estimate import Floats, Ints, t_quantile
from core.errors import AgreementError


@dataclass(frozen=True, slots=True)
class UnbiasedHit:
    """Hu of one label over raters, computed on arcsin(sqrt Hu) and turned back.

    estimate, low, high: None where no rater saw the label, and the interval with one rater.
    mean: of the raters' Hu as they are. chance: the mean of the raters' chance R_i C_i / N^2.
    t, p: the paired t test of arcsin(sqrt Hu) against arcsin(sqrt chance), two-sided; None where raters do
    not vary.
    """

    label: str
    estimate: float | None
    low: float | None
    high: float | None
    mean: float | None
    chance: float | None
    t: float | None
    p: float | None
    n_raters: int
    method: str = "Wagner's Hu per rater, arcsine of the root; t interval over raters"


def per_rater(
    values: npt.ArrayLike, intended: npt.ArrayLike, *, labels: Sequence[str], confidence: float = 0.95
) -> tuple[UnbiasedHit, ...]:
    """Wagner's Hu = n_ii^2 / (R_i C_i) of each label, computed for every rater alone.

    values: shape (raters, stimuli), positions in `labels`, NaN for missing.
    intended: shape (stimuli,), positions in `labels`; a stimulus with NaN is left out.
    A rater who never used a label that they were shown has Hu = 0 for it; one who was not shown it has none.
    Raises AgreementError when no rating is of a stimulus with an intended label, or a position is no label.
    Source: Wagner (1993), Journal of Nonverbal Behavior 17, 3-28.
    """
    tables = _tables(values, intended, len(labels))
    shown, used = tables.sum(axis=2), tables.sum(axis=1)
    n, hits = shown.sum(axis=1, keepdims=True), np.diagonal(tables, axis1=1, axis2=2)
    hu = np.divide(hits**2, shown * used, out=np.zeros(shown.shape), where=shown * used > 0)
    chance = shown * used / n**2
    return tuple(
        _over_raters(label, hu[shown[:, i] > 0, i], chance[shown[:, i] > 0, i], confidence)
        for i, label in enumerate(labels)
    )


def _tables(values: npt.ArrayLike, intended: npt.ArrayLike, m: int) -> Ints:
    """Counts of shape (raters, intended, perceived), without raters who have none."""
    perceived, of = scale.positions(values, range(m)), scale.positions(intended, range(m))
    if perceived.ndim != 2 or of.shape != perceived.shape[1:]:
        raise AgreementError(
            f"ratings of shape {perceived.shape} do not fit {of.shape} intended labels; "
            "they need (raters, stimuli) and (stimuli,)"
        )
    rater, stimulus = np.nonzero((perceived >= 0) & (of >= 0))
    cell = (rater * m + of[stimulus]) * m + perceived[rater, stimulus]
    tables = np.bincount(cell, minlength=len(perceived) * m * m).reshape(-1, m, m)
    tables = tables[tables.any(axis=(1, 2))]
    if not len(tables):
        raise AgreementError("nobody rated a stimulus with an intended label; hit rates need one")
    return tables.astype(np.int64)


def _over_raters(label: str, hu: Floats, chance: Floats, confidence: float) -> UnbiasedHit:
    n = len(hu)
    if not n:
        return UnbiasedHit(label, None, None, None, None, None, None, None, 0)
    angles, by_chance = np.arcsin(np.sqrt(hu)), np.arcsin(np.sqrt(chance))
    middle, mean, expected = float(angles.mean()), float(hu.mean()), float(chance.mean())
    estimate = float(np.sin(middle) ** 2)
    if n < 2:
        return UnbiasedHit(label, estimate, None, None, mean, expected, None, None, n)
    half = t_quantile(confidence, n - 1) * float(angles.std(ddof=1)) / n**0.5
    low, high = (float(np.sin(np.clip(end, 0, np.pi / 2)) ** 2) for end in (middle - half, middle + half))
    t, p = None, None
    if np.ptp(angles - by_chance) > 0:
        t, p = (float(found) for found in stats.ttest_rel(angles, by_chance))
    return UnbiasedHit(label, estimate, low, high, mean, expected, t, p, n)
