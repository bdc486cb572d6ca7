"""What people reach against each other, which is what a model can be held to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.agreement import bootstrap, measures
from core.agreement import categories as scale
from core.agreement.design import kept
from core.agreement.estimate import Estimate, Floats, t_quantile
from core.agreement.measures import LABELS, Measure
from core.errors import AgreementError

MIN_SHARED = 3


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Each rater against the rest, and the mean of that over raters.

    low, high: Student's t over raters; None with one. of_raters: in the order of the rows, None where a rater
    shares fewer than 3 stimuli with others or does not vary.
    """

    estimate: float
    low: float | None
    high: float | None
    of_raters: tuple[float | None, ...]
    n_stimuli: int
    n_raters: int
    method: str


def human(values: npt.ArrayLike, *, measure: Measure, n_labels: int = 0, confidence: float = 0.95) -> Ceiling:
    """Each rater against the mean of the others, or against their plurality, by what a model gets.

    values: shape (raters, stimuli), NaN for missing; positions of `n_labels` labels for accuracy and kappa.
    A plurality that is tied says nothing: that stimulus is left out for this rater.
    Raises AgreementError when no rater shares 3 stimuli with others.
    Source: Nowak & Ruger (2010), ACM Multimedia Information Retrieval, 557-566.
    """
    ratings = np.asarray(values, dtype=np.float64)
    _, raters, stimuli = kept(ratings)
    rest = _plurality(ratings, n_labels) if measure in LABELS else _mean_of_rest(ratings)
    found = [_against(row, others, measure) for row, others in zip(ratings, rest, strict=True)]
    each = np.array([one for one in found if one is not None])
    if not len(each):
        raise AgreementError(
            f"no rater shares {MIN_SHARED} stimuli with others; a ceiling needs one who does"
        )
    n, mean = len(each), float(each.mean())
    half = t_quantile(confidence, n - 1) * float(each.std(ddof=1)) / n**0.5 if n > 1 else None
    rest_is = "plurality" if measure in LABELS else "mean"
    return Ceiling(
        estimate=mean,
        low=None if half is None else mean - half,
        high=None if half is None else mean + half,
        of_raters=tuple(found),
        n_stimuli=len(stimuli),
        n_raters=n,
        method=f"{measure} of each of {len(raters)} raters against the {rest_is} of the rest; t over raters",
    )


def difference(
    people: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    measure: Measure,
    rng: np.random.Generator,
    identity: npt.ArrayLike | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
) -> Estimate:
    """How much better the first model does than the second on the same stimuli: paired bootstrap, BCa.

    people, first, second: shape (stimuli,); human means or modal labels and each model's values. A stimulus
    that one of the three lacks is left out. For rmse and mae a negative difference favours the first.
    identity: shape (stimuli,), whose stimuli are drawn together; else stimuli are drawn.
    Raises AgreementError with fewer than 5 stimuli or identities, or where a model does not vary.
    Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapters 13 and 14.
    """
    x, one, other = (np.asarray(side, dtype=np.float64) for side in (people, first, second))
    if not x.shape == one.shape == other.shape or x.ndim != 1:
        raise AgreementError(f"values of shapes {x.shape}, {one.shape} and {other.shape} are no triples")
    whole = np.isfinite(x) & np.isfinite(one) & np.isfinite(other)
    if not whole.any():
        raise AgreementError("no stimulus has a value by people and both models; a difference needs some")
    units = np.arange(len(x)) if identity is None else np.asarray(identity)
    groups, group = np.unique(units[whole], return_inverse=True)
    better = measures.weighted(x[whole], one[whole], measure)
    worse = measures.weighted(x[whole], other[whole], measure)

    def of(v: Floats, _: Floats) -> Floats:
        return better(v[:, group]) - worse(v[:, group])

    point = float(of(np.ones((1, len(groups))), np.ones((1, 1)))[0])
    if not np.isfinite(point):
        raise AgreementError(f"people or a model do not vary; {measure} needs values that differ")
    low, high = bootstrap.interval(
        of, stimuli=len(groups), raters=1, over="stimuli", rng=rng, resamples=resamples, confidence=confidence
    )
    drawn = "stimuli" if identity is None else "identities"
    method = f"difference of {measure}; paired BCa bootstrap over {drawn}, {resamples} resamples"
    n = int(whole.sum())
    return Estimate(point, low, high, n_stimuli=n, n_raters=2, n_ratings=2 * n, method=method)


def _against(row: Floats, rest: Floats, measure: Measure) -> float | None:
    if (np.isfinite(row) & np.isfinite(rest)).sum() < MIN_SHARED:
        return None
    found = measures.value(rest, row, measure)
    return found if np.isfinite(found) else None


def _mean_of_rest(ratings: Floats) -> Floats:
    given = np.isfinite(ratings)
    x = np.where(given, ratings, 0.0)
    n = given.sum(axis=0) - given
    return np.asarray(np.divide(x.sum(axis=0) - x, n, out=np.full(x.shape, np.nan), where=n > 0))


def _plurality(ratings: Floats, n_labels: int) -> Floats:
    at = scale.positions(ratings, range(n_labels))
    flags = at[:, :, None] == np.arange(n_labels)
    rest = flags.sum(axis=0) - flags
    most = rest.max(axis=2)
    decided = (most > 0) & ((rest == most[:, :, None]).sum(axis=2) == 1)
    return np.where(decided, rest.argmax(axis=2).astype(np.float64), np.nan)
