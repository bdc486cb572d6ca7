"""Bootstrap intervals of agreement over stimuli, over raters, or over both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
import numpy.typing as npt

from core.agreement import bootstrap, chance, design, icc, krippendorff, weighted
from core.agreement.bootstrap import Kind, Over
from core.agreement.estimate import Estimate, Floats
from core.agreement.weighted import Name


def estimate(
    values: npt.ArrayLike,
    statistic: Name,
    *,
    over: Over,
    rng: np.random.Generator,
    categories: Sequence[float] | None = None,
    kind: Kind = "bca",
    resamples: int = 1000,
    confidence: float = 0.95,
) -> Estimate:
    """A statistic of raters with a bootstrap interval over stimuli, over raters, or over both.

    values: shape (raters, stimuli), NaN for missing; an ICC needs a complete design.
    over: what the interval speaks of: other stimuli rated by these raters, other raters of these stimuli, or
    other raters of other stimuli. kind: as in `bootstrap.interval`.
    categories: the full scale, for Fleiss, AC1 and Brennan-Prediger.
    Raises AgreementError as the statistic does, and with fewer than 5 units to draw from.
    Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapters 13 and 14; Owen (2007),
    Annals of Applied Statistics 1, 386-411.
    """
    ratings = design.kept(values)[0]
    of_weights = weighted.statistic(ratings, statistic, categories=categories)
    point = _point(ratings, statistic, () if categories is None else categories)
    low, high = bootstrap.interval(
        of_weights,
        stimuli=ratings.shape[1],
        raters=ratings.shape[0],
        over=over,
        kind=kind,
        resamples=resamples,
        rng=rng,
        confidence=confidence,
    )
    of = "stimuli and raters" if over == "both" else over
    made = {"percentile": "percentile", "bca": "BCa"}[kind]
    how = f"{100 * confidence:g} % {made} bootstrap over {of}, {resamples} resamples"
    return replace(point, low=low, high=high, method=f"{point.method.split(';')[0]}; {how}")


def _point(ratings: Floats, statistic: Name, categories: Sequence[float]) -> Estimate:
    if statistic.startswith("icc"):
        return icc.icc(ratings, form=_form(statistic))
    if statistic.startswith("alpha"):
        level = next(one for one in get_args(krippendorff.Level) if statistic.endswith(one))
        return krippendorff.alpha(ratings, level=level, resamples=0)
    functions = {
        "fleiss_kappa": chance.fleiss,
        "gwet_ac1": chance.gwet,
        "brennan_prediger": chance.brennan_prediger,
    }
    return functions[statistic](ratings, categories=categories)


def _form(statistic: str) -> icc.Form:
    return next(form for form in icc.FORMS if statistic == f"icc_{form.replace(',', '_')}")
