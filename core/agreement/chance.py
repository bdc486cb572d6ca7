"""Chance-corrected agreement of any number of raters on categories: (P_a - P_e) / (1 - P_e).

P_a is the mean over stimuli with two ratings or more of how far pairs of their ratings agree. The
coefficients differ in P_e alone. With pi_k the mean over all rated stimuli of the share of category k, w the
agreement of two categories (1 and 0 without weights) and T its sum over all pairs of q categories,

    Fleiss           P_e = sum_kl w_kl pi_k pi_l
    Gwet AC1, AC2    P_e = T / (q (q - 1)) sum_k pi_k (1 - pi_k)
    Brennan-Prediger P_e = T / q^2

A stimulus with one rating counts in pi_k, unlike in Krippendorff's alpha, and each with its own n.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.agreement import categories as scale
from core.agreement.categories import Weights
from core.agreement.estimate import Estimate, Floats, ZTest, t_quantile, z_test
from core.errors import AgreementError


def fleiss(
    values: npt.ArrayLike,
    *,
    categories: Sequence[float],
    weights: Weights = "none",
    confidence: float = 0.95,
) -> Estimate:
    """Fleiss' kappa of raters who each rated some of the stimuli, each stimulus with its own n.

    values: shape (raters, stimuli), NaN for missing. categories: the full scale in its order.
    Returns an estimate in [-1, 1]; the interval is over stimuli, Student's t with Gwet's variance.
    Raises AgreementError with fewer than 2 stimuli with two ratings, a value off the scale, or one category
    alone in use.
    Source: Fleiss (1971), Psychological Bulletin 76, 378-382; unequal n and variance: Gwet (2008), British
    Journal of Mathematical and Statistical Psychology 61, 29-48.
    """
    table = scale.counts(values, categories)
    return _estimate("Fleiss' kappa", table, weights, confidence, _raters(values))


def fleiss_of_counts(
    counts: npt.ArrayLike, *, weights: Weights = "none", confidence: float = 0.95
) -> Estimate:
    """Fleiss' kappa of counted ratings: counts of shape (stimuli, categories), in the order of the scale."""
    return _estimate("Fleiss' kappa", counts, weights, confidence, None)


def gwet(
    values: npt.ArrayLike,
    *,
    categories: Sequence[float],
    weights: Weights = "none",
    confidence: float = 0.95,
) -> Estimate:
    """Gwet's AC1, or AC2 with weights, of raters who each rated some of the stimuli.

    Shapes, interval and errors are those of `fleiss`; the number of categories matters, unused ones too.
    Source: Gwet (2008), British Journal of Mathematical and Statistical Psychology 61, 29-48; Gwet (2014),
    Handbook of Inter-Rater Reliability, 4th edition, chapter 4.
    """
    table = scale.counts(values, categories)
    return _estimate(_gwet_name(weights), table, weights, confidence, _raters(values))


def gwet_of_counts(counts: npt.ArrayLike, *, weights: Weights = "none", confidence: float = 0.95) -> Estimate:
    """Gwet's AC1 or AC2 of counted ratings: counts of shape (stimuli, categories), the full scale."""
    return _estimate(_gwet_name(weights), counts, weights, confidence, None)


def brennan_prediger(
    values: npt.ArrayLike,
    *,
    categories: Sequence[float],
    weights: Weights = "none",
    confidence: float = 0.95,
) -> Estimate:
    """Brennan and Prediger's kappa: chance is to choose among all categories alike.

    Shapes, interval and errors are those of `fleiss`; the number of categories matters, unused ones too.
    Source: Brennan & Prediger (1981), Educational and Psychological Measurement 41, 687-699.
    """
    table = scale.counts(values, categories)
    return _estimate("Brennan-Prediger", table, weights, confidence, _raters(values))


def brennan_prediger_of_counts(
    counts: npt.ArrayLike, *, weights: Weights = "none", confidence: float = 0.95
) -> Estimate:
    """Brennan and Prediger's kappa of counted ratings: counts of shape (stimuli, categories)."""
    return _estimate("Brennan-Prediger", counts, weights, confidence, None)


def fleiss_by_category(counts: npt.ArrayLike) -> Floats:
    """Fleiss' kappa of each category against all others together: shape (categories,), NaN where unused.

    counts: shape (stimuli, categories). Raises AgreementError as `fleiss` does.
    Source: Fleiss (1971), Psychological Bulletin 76, 378-382.
    """
    table = _checked(counts)
    apart = np.stack([table, table.sum(axis=1, keepdims=True) - table], axis=-1)
    return np.array([_point("Fleiss' kappa", two, np.eye(2)) for two in apart.transpose(1, 0, 2)])


def fleiss_test(counts: npt.ArrayLike) -> ZTest:
    """Fleiss' kappa against chance, for stimuli that all have the same number of ratings.

    counts: shape (stimuli, categories). It answers whether there is any agreement, which is seldom the
    question; the interval answers how much.
    Raises AgreementError as `fleiss` does, and where stimuli differ in their number of ratings.
    Source: Fleiss, Nee & Landis (1979), Psychological Bulletin 86, 974-977.
    """
    table = _checked(counts)
    if len(sizes := np.unique(table.sum(axis=1))) > 1:
        raise AgreementError(
            f"stimuli have {sizes.min():g} to {sizes.max():g} ratings; this test needs one number"
        )
    p, n = table.sum(axis=0) / table.sum(), float(sizes[0])
    kappa = _with_error("Fleiss' kappa", table, np.eye(len(p)))[0]
    spread = float((p * (1 - p)).sum())
    squares = spread**2 - float((p * (1 - p) * (1 - 2 * p)).sum())
    return z_test(kappa, (2 * squares / (len(table) * n * (n - 1))) ** 0.5 / spread)


def conger(values: npt.ArrayLike, *, categories: Sequence[float], weights: Weights = "none") -> Estimate:
    """Conger's kappa: chance from each rater's own use of the categories, mean over pairs of raters.

    Shapes and errors are those of `fleiss`; it needs to know who rated what and has no interval here.
    Source: Conger (1980), Psychological Bulletin 88, 322-328.
    """
    at = scale.positions(values, categories)
    table, agreement = _checked(scale.counts(values, categories)), scale.weights(len(categories), weights)
    rated = at[(at >= 0).any(axis=1)]
    use = np.stack([(rated == k).sum(axis=1) for k in range(len(categories))], axis=1).astype(np.float64)
    use /= use.sum(axis=1, keepdims=True)
    r, total = len(use), use.sum(axis=0)
    own = float(np.einsum("gk,kl,gl->", use, agreement, use))
    expected = (float(total @ agreement @ total) - own) / (r * (r - 1))
    _refuse_certain(expected)
    observed = float(_pairwise(table, agreement)[table.sum(axis=1) >= 2].mean())
    kappa = (observed - expected) / (1 - expected)
    n, ratings = int((table.sum(axis=1) > 0).sum()), int(table.sum())
    return Estimate(kappa, None, None, n, r, ratings, f"Conger's kappa{_weighted(weights)}")


def _estimate(
    name: str, counts: npt.ArrayLike, weights: Weights, confidence: float, n_raters: int | None
) -> Estimate:
    table = _checked(counts)
    table = table[table.any(axis=1)]
    agreement = scale.weights(table.shape[1], weights)
    kappa, se = _with_error(name, table, agreement)
    n = len(table)
    half = t_quantile(confidence, n - 1) * se
    return Estimate(
        estimate=kappa,
        low=max(-1.0, kappa - half),
        high=min(1.0, kappa + half),
        n_stimuli=n,
        n_raters=n_raters,
        n_ratings=int(table.sum()),
        method=f"{name}{_weighted(weights)} over {table.shape[1]} categories; t interval over stimuli",
    )


def _checked(counts: npt.ArrayLike) -> Floats:
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2 or (table < 0).any():
        raise AgreementError(f"counts of shape {table.shape} need shape (stimuli, categories), 0 or more")
    if not table.any():
        raise AgreementError("there are no ratings yet; agreement needs two raters of the same stimuli")
    if (n := int((table.sum(axis=1) >= 2).sum())) < 2:
        raise AgreementError(f"{n} stimuli have ratings by two raters; agreement needs at least 2")
    return table


def _point(name: str, table: Floats, agreement: Floats) -> float:
    try:
        return _with_error(name, table, agreement)[0]
    except AgreementError:
        return float("nan")


def _with_error(name: str, table: Floats, agreement: Floats) -> tuple[float, float]:
    sizes = table.sum(axis=1)
    shares = table / sizes[:, None]
    pi = shares.mean(axis=0)
    expected, gradient = _by_chance(name, pi, agreement)
    _refuse_certain(expected)
    paired = sizes >= 2
    pairwise = np.where(paired, _pairwise(table, agreement), expected)
    of_stimulus = (pairwise - expected) / (1 - expected) / paired.mean()
    kappa = float(of_stimulus.mean())
    # How much a stimulus moves the coefficient, through its own agreement and through chance.
    moves = of_stimulus - kappa - (1 - kappa) / (1 - expected) * ((shares - pi) @ gradient)
    return kappa, float(np.sqrt((moves**2).sum() / (len(table) * (len(table) - 1))))


def _pairwise(table: Floats, agreement: Floats) -> Floats:
    sizes = table.sum(axis=1)
    agreeing = (table * (table @ agreement - 1)).sum(axis=1)
    return np.asarray(agreeing / np.where(sizes >= 2, sizes * (sizes - 1), 1.0))


def _by_chance(name: str, pi: Floats, agreement: Floats) -> tuple[float, Floats]:
    """P_e, and how it changes with the share of each category."""
    q = len(pi)
    if name == "Fleiss' kappa":
        return float(pi @ agreement @ pi), 2 * agreement @ pi
    if name == "Brennan-Prediger":
        return float(agreement.mean()), np.zeros(q)
    factor = float(agreement.sum()) / (q * (q - 1))
    return factor * float((pi * (1 - pi)).sum()), factor * (1 - 2 * pi)


def _refuse_certain(expected: float) -> None:
    if 1 - expected < 1e-12:
        raise AgreementError("all ratings are of one category; agreement beyond chance needs two in use")


def _gwet_name(weights: Weights) -> str:
    return "Gwet's AC1" if weights == "none" else "Gwet's AC2"


def _weighted(weights: Weights) -> str:
    return "" if weights == "none" else f", {weights} weights"


def _raters(values: npt.ArrayLike) -> int:
    return int(np.isfinite(np.asarray(values, dtype=np.float64)).any(axis=1).sum())
