"""Intraclass correlations of Shrout and Fleiss, of complete and of incomplete designs.

Form (1, .): the raters of one stimulus are others than those of the next. (2, .): raters are a sample, and
their levels count against agreement. (3, .): these raters, levels aside. (., 1): of one rater; (., k): of
the mean of k raters, in an incomplete design of k0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from core.agreement import design, reml
from core.agreement.design import Design
from core.agreement.estimate import Estimate, Floats, normal_quantile
from core.errors import AgreementError

Form = Literal["1,1", "1,k", "2,1", "2,k", "3,1", "3,k"]
FORMS: tuple[Form, ...] = ("1,1", "1,k", "2,1", "2,k", "3,1", "3,k")
_MODELS = {
    "1": "one-way random",
    "2": "two-way random, absolute agreement",
    "3": "two-way mixed, consistency",
}
_NOTHING = 1e-12  # rounding leaves no exact 0
Interval = tuple[float | None, float | None]


def icc(values: npt.ArrayLike, *, form: Form, confidence: float = 0.95) -> Estimate:
    """One intraclass correlation of raters who rated all or some of the stimuli.

    values: shape (raters, stimuli), NaN for missing.
    A complete design gives the mean-square estimate, which may be negative, with the F interval. In an
    incomplete one, form 1 takes the one-way mean squares with k0 ratings per stimulus; forms 2 and 3 take the
    variance components of the crossed model by REML, which are never negative, with an interval by the delta
    method on the logit. No interval is given where ratings leave no error, or REML puts stimuli at 0.
    Raises AgreementError with fewer than 2 stimuli or raters, constant ratings, no stimulus with two ratings,
    or, for forms 2 and 3, a design of disconnected parts.
    Source: Shrout & Fleiss (1979), Psychological Bulletin 86, 420-428; interval of forms 2: McGraw & Wong
    (1996), Psychological Methods 1, 30-46; incomplete designs: Searle, Casella & McCulloch (1992), Variance
    Components, chapters 3 and 6.
    """
    ratings, shape = _checked(values)
    squares = _squares(ratings)
    if shape.complete or form.startswith("1") or squares.unanimous:
        return _of_squares(squares, shape, form, confidence)
    return _of_components(_components(ratings), shape, form, confidence)


def forms(values: npt.ArrayLike, *, confidence: float = 0.95) -> Mapping[Form, Estimate]:
    """All six forms; those with raters as a factor are absent where the crossed model has no answer.

    That is in a design of disconnected parts, or with too few ratings; `icc` of such a form says why.
    Everything else is as in `icc`, and each is computed from the same mean squares or components.
    """
    ratings, shape = _checked(values)
    squares = _squares(ratings)
    found = {form: _of_squares(squares, shape, form, confidence) for form in FORMS[:2]}
    if shape.complete or squares.unanimous:
        return found | {form: _of_squares(squares, shape, form, confidence) for form in FORMS[2:]}
    try:
        components = _components(ratings)
    except AgreementError:  # one-way forms need no raters in common, so they stand alone
        return found
    return found | {form: _of_components(components, shape, form, confidence) for form in FORMS[2:]}


@dataclass(frozen=True, slots=True)
class _Squares:
    """Mean squares of stimuli (r), raters (c), within stimuli (w) and the rest (e), with k or k0."""

    r: float
    c: float
    w: float
    e: float
    n: int
    k: float
    df_w: int

    @property
    def unanimous(self) -> bool:
        """Whether all raters of each stimulus say the same, so that every form is 1."""
        return self.w <= _NOTHING * self.r


def _checked(values: npt.ArrayLike) -> tuple[Floats, Design]:
    ratings = design.kept(values)[0]
    shape = design.describe(ratings)
    if shape.n_raters < 2 or shape.n_stimuli < 2:
        raise AgreementError(
            f"{shape.n_raters} raters of {shape.n_stimuli} stimuli; an intraclass correlation needs two each"
        )
    if shape.n_most < 2:
        raise AgreementError("no stimulus has ratings by two raters; an intraclass correlation needs some")
    if np.nanmax(ratings) == np.nanmin(ratings):
        raise AgreementError(
            f"all {shape.n_ratings} ratings are {np.nanmax(ratings):g}; an intraclass correlation needs some "
            "that differ"
        )
    return ratings, shape


def _squares(ratings: Floats) -> _Squares:
    given = np.isfinite(ratings)
    sizes, n = given.sum(axis=0), ratings.shape[1]
    total = int(sizes.sum())
    x = np.where(given, ratings - np.nanmean(ratings), 0.0)
    means = x.sum(axis=0) / sizes
    within = float((np.where(given, x - means, 0.0) ** 2).sum())
    r = float((sizes * means**2).sum()) / (n - 1)
    k0 = design.ratings_per_stimulus(sizes)
    raters = float((x.mean(axis=1) ** 2).sum()) * n
    k = len(ratings)
    # Those of raters mean something in a complete design alone.
    c, e = raters / (k - 1), max(0.0, within - raters) / ((n - 1) * (k - 1))
    found = _Squares(r, c, within / (total - n), e, n, k0, total - n)
    if found.r <= _NOTHING * found.w:
        raise AgreementError("the means of all stimuli are the same; there is nothing that raters could tell")
    return found


def _of_squares(ms: _Squares, shape: Design, form: Form, confidence: float) -> Estimate:
    k = ms.k
    floor = _NOTHING * (ms.r + ms.w)
    if ms.unanimous:
        single, exact, interval = 1.0, True, (1.0, 1.0)
    elif form.startswith("1"):
        single, exact = (ms.r - ms.w) / (ms.r + (k - 1) * ms.w), False
        interval = _from_f(ms.r / ms.w, ms.n - 1, ms.df_w, k, confidence)
    elif form.startswith("3"):
        single, exact = (ms.r - ms.e) / (ms.r + (k - 1) * ms.e), ms.e <= floor
        df = (ms.n - 1) * (int(k) - 1)
        interval = _from_f(ms.r / ms.e, ms.n - 1, df, k, confidence) if not exact else (1.0, 1.0)
    else:
        between = k * (ms.c - ms.e) / ms.n
        single, exact = (ms.r - ms.e) / (ms.r + (k - 1) * ms.e + between), ms.e <= floor
        interval = _absolute(ms, single, confidence) if not exact else (1.0, 1.0)
    how = "mean squares" if shape.complete else f"one-way mean squares, incomplete, k0 = {k:.4g}"
    return _estimate(shape, form, single, None if exact else interval, k, f"{how}; F interval")


def _from_f(f: float, df: int, df_error: int, k: float, confidence: float) -> tuple[float, float]:
    upper = (1 + confidence) / 2
    low = f / float(stats.f.ppf(upper, df, df_error))
    high = f * float(stats.f.ppf(upper, df_error, df))
    return (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)


def _absolute(ms: _Squares, icc: float, confidence: float) -> tuple[float, float]:
    n, k, upper = ms.n, ms.k, (1 + confidence) / 2
    # Satterthwaite's degrees of freedom of what stands beside the stimuli.
    f, rest = ms.c / ms.e, n * (1 + (k - 1) * icc) - k * icc
    df = (k - 1) * (n - 1) * (k * icc * f + rest) ** 2 / ((n - 1) * (k * icc * f) ** 2 + rest**2)
    beside = k * ms.c + (k * n - k - n) * ms.e
    below, above = (float(stats.f.ppf(upper, *dfs)) for dfs in ((n - 1, df), (df, n - 1)))
    low = n * (ms.r - below * ms.e) / (below * beside + n * ms.r)
    return low, n * (above * ms.r - ms.e) / (beside + n * above * ms.r)


def _components(ratings: Floats) -> reml.Components:
    rater, stimulus = np.nonzero(np.isfinite(ratings))
    return reml.components(rater, stimulus, ratings[rater, stimulus])


def _of_components(found: reml.Components, shape: Design, form: Form, confidence: float) -> Estimate:
    k0 = design.ratings_per_stimulus(found.sizes)
    counted = np.array([0, form.startswith("2"), 1])
    beside = float(counted @ found.values)
    interval: Interval = (None, None)
    if found.stimulus > 0:
        gradient = np.array([1 / found.stimulus, 0, 0]) - counted / beside
        half = normal_quantile(confidence) * float(np.sqrt(gradient @ found.covariance @ gradient))
        centre = np.log(found.stimulus / beside)
        interval = (1 / (1 + np.exp(half - centre)), 1 / (1 + np.exp(-half - centre)))
    how = f"REML components of an incomplete crossed design, k0 = {k0:.4g}; delta-method interval"
    return _estimate(shape, form, found.stimulus / (found.stimulus + beside), interval, k0, how)


def _estimate(
    shape: Design, form: Form, single: float, interval: Interval | None, k: float, how: str
) -> Estimate:
    stepped = k if form.endswith("k") else 1
    low, high = (None if end is None else _stepped(end, stepped) for end in interval or (None, None))
    of = "one rater" if form.endswith("1") else "the mean of k raters"
    return Estimate(
        estimate=_stepped(single, stepped),
        low=low,
        high=high,
        n_stimuli=shape.n_stimuli,
        n_raters=shape.n_raters,
        n_ratings=shape.n_ratings,
        method=f"ICC({form}), {_MODELS[form[0]]}, {of}; {how}",
    )


def _stepped(single: float, k: float) -> float:
    """Spearman and Brown's reliability of the mean of k raters."""
    return float(k * single / (1 + (k - 1) * single))
