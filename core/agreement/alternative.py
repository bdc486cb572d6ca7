"""The alternative annotator test: may a model stand in for one of the human raters?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from core.agreement.estimate import Floats, t_quantile
from core.errors import AgreementError

MIN_RATERS = 3
MIN_STIMULI = 30
_EXACT = 1e-9


@dataclass(frozen=True, slots=True)
class Replaced:
    """One rater's place taken by the model: how often each was at least as close to the other raters.

    p: one-sided, of the model being worse by epsilon or more. won: rejected at the false discovery rate.
    """

    rater: int
    model: float
    human: float
    p: float
    won: bool
    n_stimuli: int


@dataclass(frozen=True, slots=True)
class AlternativeTest:
    """The result over raters.

    winning_rate: the share of raters whose place the model can take; it passes at 0.5.
    estimate, low, high: the advantage probability, how often the model is at least as close to the others as
    the rater is, mean over raters with Student's t interval.
    """

    estimate: float
    low: float
    high: float
    winning_rate: float
    passed: bool
    epsilon: float
    raters: tuple[Replaced, ...]
    n_stimuli: int
    n_raters: int
    n_left_out: int
    method: str


def alternative_test(
    values: npt.ArrayLike,
    model: npt.ArrayLike,
    *,
    kind: Literal["labels", "numbers"],
    epsilon: float = 0.1,
    least: int = MIN_STIMULI,
    rate: float = 0.05,
    confidence: float = 0.95,
) -> AlternativeTest:
    """The alternative annotator test of one model on one scale.

    values: shape (raters, stimuli), NaN for missing; model: shape (stimuli,), in the same units or codes.
    Each rater is left out in turn; on each of their stimuli the model and the rater are compared by how close
    they are to the remaining raters: the share who chose the same label, or the root mean squared difference.
    A one-sided t test asks whether the rater is ahead by less than epsilon; all tests together keep a false
    discovery rate by Benjamini and Yekutieli. epsilon: what a cheaper model may cost, 0.2 beside experts,
    0.15 beside trained raters, 0.1 beside a crowd. A rater with fewer than `least` stimuli is left out.
    Raises AgreementError with fewer than 3 raters left.
    Source: Calderon, Reichart & Dror (2025), Proceedings of the ACL 63, 16051-16081; false discoveries:
    Benjamini & Yekutieli (2001), Annals of Statistics 29, 1165-1188.
    """
    ratings, f = np.asarray(values, dtype=np.float64), np.asarray(model, dtype=np.float64)
    if ratings.ndim != 2 or f.shape != ratings.shape[1:]:
        raise AgreementError(f"a model's values of shape {f.shape} do not fit ratings of {ratings.shape}")
    given = np.isfinite(ratings)
    usable = given & (given.sum(axis=0) >= 2) & np.isfinite(f)
    enough = np.nonzero(usable.sum(axis=1) >= least)[0]
    if len(enough) < MIN_RATERS:
        raise AgreementError(
            f"{len(enough)} raters share {least} stimuli with others and a model; the test needs {MIN_RATERS}"
        )
    ahead = _labels(ratings, f) if kind == "labels" else _numbers(ratings, f)
    tested = [_compared(int(j), ahead[j, usable[j]], epsilon) for j in enough]
    won = stats.false_discovery_control([p for *_, p, _ in tested], method="by") <= rate
    raters = tuple(
        Replaced(j, of_model, of_human, p, bool(w), n)
        for (j, of_model, of_human, p, n), w in zip(tested, won, strict=True)
    )
    advantage = np.array([one.model for one in raters])
    mean, k = float(advantage.mean()), len(raters)
    half = t_quantile(confidence, k - 1) * float(advantage.std(ddof=1)) / k**0.5
    return AlternativeTest(
        estimate=mean,
        low=max(0.0, mean - half),
        high=min(1.0, mean + half),
        winning_rate=float(won.mean()),
        passed=bool(won.mean() >= 0.5),
        epsilon=epsilon,
        raters=raters,
        n_stimuli=int(usable[enough].any(axis=0).sum()),
        n_raters=k,
        n_left_out=int(given.any(axis=1).sum()) - k,
        method=f"alternative annotator test, epsilon = {epsilon:g}, {kind}; t over raters",
    )


def _labels(ratings: Floats, f: Floats) -> Floats:
    """How many more of the others chose the model's label than the rater's own: shape (raters, stimuli)."""
    given = np.isfinite(ratings)
    ahead = np.zeros(ratings.shape)
    for label in np.unique(ratings[given]):
        chosen = ratings == label
        n = chosen.sum(axis=0)
        # The rater themselves is none of the others.
        ahead += (n - chosen) * ((f == label).astype(np.float64) - chosen)
    return ahead


def _numbers(ratings: Floats, f: Floats) -> Floats:
    """How much larger the rater's mean squared difference to the others is than the model's."""
    given = np.isfinite(ratings)
    x = np.where(given, ratings, 0.0)
    n = np.maximum(given.sum(axis=0) - given, 1)
    mean, square = (x.sum(axis=0) - x) / n, ((x**2).sum(axis=0) - x**2) / n
    of_rater = x**2 - 2 * x * mean + square
    return np.asarray(of_rater - (f**2 - 2 * f * mean + square))


def _compared(j: int, ahead: Floats, epsilon: float) -> tuple[int, float, float, float, int]:
    of_model, of_human = ahead >= -_EXACT, ahead <= _EXACT
    lead = of_human.astype(np.float64) - of_model
    n, spread = len(lead), float(lead.std(ddof=1))
    behind = float(lead.mean()) - epsilon
    p = float(stats.t.cdf(behind / (spread / n**0.5), n - 1)) if spread > 0 else float(behind >= 0)
    return j, float(of_model.mean()), float(of_human.mean()), p, n
