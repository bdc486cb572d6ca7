"""How many ratings a stimulus needs until its mean holds still."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.agreement import design
from core.agreement.estimate import Floats, normal_quantile, t_quantile
from core.errors import AgreementError


@dataclass(frozen=True, slots=True)
class Stability:
    """The point of stability over stimuli.

    estimate, low, high: its mean over the stimuli that reach it, with Student's t interval; None for none.
    points: of each stimulus, None where it is not reached within `most` ratings or fewer than 2 are there.
    """

    estimate: float | None
    low: float | None
    high: float | None
    points: tuple[int | None, ...]
    n_stimuli: int
    n_unstable: int
    method: str


def point_of_stability(
    values: npt.ArrayLike,
    *,
    corridor: float,
    rng: np.random.Generator,
    most: int = 200,
    resamples: int = 1000,
    confidence: float = 0.95,
) -> Stability:
    """The first number of ratings from which on a stimulus' mean stays within +- corridor.

    values: shape (raters, stimuli), NaN for missing. corridor: in the units of the ratings.
    Of each stimulus 1, 2, ... `most` ratings are drawn with replacement, `resamples` times; the central 95 %
    of the means less the mean of all must stay in the corridor from there to `most`.
    Raises AgreementError with no ratings, or a corridor that is not above 0.
    Source: Hehman, Xie, Ofosu & Nespoli (2018), Social Psychological and Personality Science 9, 1-13, after
    Schonbrodt & Perugini (2013), Journal of Research in Personality 47, 609-612.
    """
    if corridor <= 0:
        raise AgreementError(f"a corridor of {corridor:g} holds nothing; it must be above 0")
    ratings, _, _ = design.kept(values)
    tail = (1 - confidence) / 2
    points: list[int | None] = []
    for column in ratings.T:
        given = column[np.isfinite(column)]
        points.append(_point(given, corridor, tail, rng, most, resamples) if len(given) > 1 else None)
    found = np.array([point for point in points if point is not None], dtype=np.float64)
    mean, low, high = _mean(found, confidence)
    return Stability(
        estimate=mean,
        low=low,
        high=high,
        points=tuple(points),
        n_stimuli=len(points),
        n_unstable=len(points) - len(found),
        method=f"point of stability within +-{corridor:g}, {resamples} resamples of up to {most} ratings",
    )


def closed_form(sd: float, corridor: float, *, confidence: float = 0.95) -> int:
    """The point of stability without resampling: (z sd / corridor)^2, rounded up; sd over n, not n - 1.

    It agrees with the resampled one within about a tenth.
    Raises AgreementError unless the corridor is above 0 and sd at least 0.
    Source: Cochran (1977), Sampling Techniques, 3rd edition, chapter 4.
    """
    if corridor <= 0 or sd < 0:
        raise AgreementError(f"an SD of {sd:g} and a corridor of {corridor:g}; both must be above 0")
    return max(1, math.ceil((normal_quantile(confidence) * sd / corridor) ** 2 - 1e-9))


def _point(
    given: Floats, corridor: float, tail: float, rng: np.random.Generator, most: int, resamples: int
) -> int | None:
    drawn = rng.choice(given - given.mean(), size=(most, resamples))
    means = np.cumsum(drawn, axis=0) / np.arange(1, most + 1)[:, None]
    low, high = np.quantile(means, [tail, 1 - tail], axis=1)
    # The means of points in steps meet the corridor exactly; rounding must not push them out.
    out = np.nonzero((low < -corridor - 1e-9) | (high > corridor + 1e-9))[0]
    first = int(out[-1]) + 2 if len(out) else 1
    return first if first <= most else None


def _mean(found: Floats, confidence: float) -> tuple[float | None, float | None, float | None]:
    n = len(found)
    if not n:
        return None, None, None
    if n == 1:
        return float(found[0]), None, None
    half = t_quantile(confidence, n - 1) * float(found.std(ddof=1)) / n**0.5
    return float(found.mean()), float(found.mean()) - half, float(found.mean()) + half
