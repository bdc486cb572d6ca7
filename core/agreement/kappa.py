"""Cohen's kappa of two raters, plain or weighted over the full scale, and its mean over pairs of raters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from core.agreement import categories as scale
from core.agreement.categories import Weights
from core.agreement.estimate import Estimate, Floats, ZTest, normal_quantile, z_test
from core.errors import AgreementError


def cohen(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    categories: Sequence[float],
    weights: Weights = "none",
    confidence: float = 0.95,
) -> Estimate:
    """Cohen's kappa (P_o - P_e) / (1 - P_e) of two raters, weighted for near misses where asked.

    first, second: shape (stimuli,); a pair with NaN is dropped.
    categories: the full scale in its order, unused ones too: dropping them changes a weighted kappa.
    Returns a value in [-1, 1] with the large-sample interval.
    Raises AgreementError with fewer than 2 pairs, a value off the scale, or two raters who gave one and the
    same category throughout.
    Source: Cohen (1960), Educational and Psychological Measurement 20, 37-46; Cohen (1968), Psychological
    Bulletin 70, 213-220; interval: Fleiss, Cohen & Everitt (1969), Psychological Bulletin 72, 323-327.
    """
    i, j = scale.positions(first, categories), scale.positions(second, categories)
    if i.ndim != 1 or i.shape != j.shape:
        raise AgreementError(f"ratings of shapes {i.shape} and {j.shape} are no pairs of stimuli")
    q = len(categories)
    both = (i >= 0) & (j >= 0)
    table = np.bincount(i[both] * q + j[both], minlength=q * q).reshape(q, q)
    return cohen_of_table(table, weights=weights, confidence=confidence)


def cohen_of_table(table: npt.ArrayLike, *, weights: Weights = "none", confidence: float = 0.95) -> Estimate:
    """Cohen's kappa of a square table: how often category i of one rater met category j of the other.

    table: shape (categories, categories), in the order of the full scale. Everything else as in `cohen`.
    """
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise AgreementError(f"a table of shape {counts.shape} is not square; both raters need one scale")
    if (n := counts.sum()) < 2:
        raise AgreementError(f"{n:g} stimuli have both ratings; kappa needs at least 2")
    p, agreement = counts / n, scale.weights(len(counts), weights)
    kappa, se = _kappa(p, agreement, n)
    half = normal_quantile(confidence) * se
    name = "Cohen's kappa" if weights == "none" else f"Cohen's kappa, {weights} weights"
    return Estimate(
        estimate=kappa,
        low=max(-1.0, kappa - half),
        high=min(1.0, kappa + half),
        n_stimuli=int(n),
        n_raters=2,
        n_ratings=2 * int(n),
        method=f"{name} over {len(counts)} categories; large-sample interval",
    )


def cohen_test(table: npt.ArrayLike) -> ZTest:
    """Cohen's kappa, unweighted, against chance: its standard error where raters are independent.

    table: shape (categories, categories). Raises AgreementError as `cohen` does.
    Source: Fleiss, Cohen & Everitt (1969), Psychological Bulletin 72, 323-327.
    """
    kappa = cohen_of_table(table).estimate
    p = np.asarray(table, dtype=np.float64)
    n = float(p.sum())
    rows, columns = p.sum(axis=1) / n, p.sum(axis=0) / n
    expected = float(rows @ columns)
    squares = expected + expected**2 - float((rows * columns * (rows + columns)).sum())
    return z_test(kappa, (squares / n) ** 0.5 / (1 - expected))


def light(values: npt.ArrayLike, *, categories: Sequence[float], weights: Weights = "none") -> Estimate:
    """The mean of Cohen's kappas of all pairs of raters who share two stimuli or more.

    values: shape (raters, stimuli), NaN for missing. It has no interval of its own.
    Raises AgreementError when no pair of raters has a kappa, or a value is off the scale.
    Source: Light (1971), Psychological Bulletin 76, 365-377.
    """
    ratings = np.atleast_2d(np.asarray(values, dtype=np.float64))
    scale.positions(ratings, categories)  # a value off the scale is refused, not one pair left out
    found = []
    for first, second in combinations(ratings, 2):
        try:
            found.append(cohen(first, second, categories=categories, weights=weights).estimate)
        except AgreementError:
            continue
    if not found:
        raise AgreementError("no two raters share two stimuli on which they vary; kappa needs one such pair")
    observed = np.isfinite(ratings)
    return Estimate(
        estimate=float(np.mean(found)),
        low=None,
        high=None,
        n_stimuli=int((observed.sum(axis=0) >= 2).sum()),
        n_raters=int(observed.any(axis=1).sum()),
        n_ratings=int(observed.sum()),
        method=f"Light's kappa, mean of {len(found)} pairs of raters",
    )


def _kappa(p: Floats, agreement: Floats, n: float) -> tuple[float, float]:
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    expected = float(rows @ agreement @ columns)
    if 1 - expected < 1e-12:
        raise AgreementError("both raters gave one and the same category throughout; kappa needs two in use")
    kappa = (float((agreement * p).sum()) - expected) / (1 - expected)
    means = (agreement @ columns)[:, None] + rows @ agreement
    squares = float((p * (agreement - means * (1 - kappa)) ** 2).sum())
    variance = squares - (kappa - expected * (1 - kappa)) ** 2
    return kappa, float(np.sqrt(max(variance, 0.0) / n)) / (1 - expected)
