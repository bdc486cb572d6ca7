"""Bootstraps over stimuli, raters or both: how often each was drawn, and the interval of what that gave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from scipy import special, stats

from core.agreement.estimate import Floats
from core.errors import AgreementError

Over = Literal["stimuli", "raters", "both"]
Kind = Literal["percentile", "bca"]
# Of weights of stimuli (resamples, stimuli) and of raters (resamples, raters): shape (resamples,). One row of
# either serves all rows of the other.
Statistic = Callable[[Floats, Floats], Floats]

# With fewer stimuli the resamples are too few different sets for an interval to mean anything.
MIN_STIMULI = 5
MIN_DEFINED = 0.9
_CELLS = 20_000  # stimuli x resamples at a time: what a statistic makes of them stays in memory


def draws(n: int, resamples: int, *, rng: np.random.Generator) -> Floats:
    """How often each of n stimuli is in each resample: shape (resamples, n), each row sums to n.

    Source: Efron (1979), Annals of Statistics 7, 1-26.
    """
    # Counting drawn positions is ten times faster than drawing multinomial counts.
    drawn = rng.integers(n, size=(resamples, n))
    drawn += n * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.float64)


def percentile(samples: Floats, *, confidence: float = 0.95) -> tuple[float | None, float | None]:
    """The percentile interval of resampled statistics.

    samples: shape (resamples,); NaN where a resample left the statistic undefined.
    Returns (None, None) when more than a tenth of the resamples are undefined, or there are none.
    Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
    """
    defined = samples[np.isfinite(samples)]
    if not len(samples) or len(defined) < MIN_DEFINED * len(samples):
        return None, None
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def interval(
    statistic: Statistic,
    *,
    stimuli: int,
    raters: int,
    over: Over,
    rng: np.random.Generator,
    kind: Kind = "bca",
    resamples: int = 1000,
    confidence: float = 0.95,
) -> tuple[float | None, float | None]:
    """The bootstrap interval of a statistic of weights: how often each stimulus and each rater was drawn.

    over: what is drawn anew; what is not keeps the weight 1. Both are drawn apart from each other.
    kind: bias-corrected and accelerated (bca), which covers best, or percentile. Over stimuli the tails are
    widened for few of them. Over both, bca takes off what drawing both adds to the error of single ratings.
    Returns (None, None) where more than a tenth of the resamples leave the statistic undefined.
    Raises AgreementError with fewer than 5 units to draw from, or no resamples.
    Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapters 11, 13 and 14; stimuli and
    raters: Owen (2007), Annals of Applied Statistics 1, 386-411; wider tails: Hesterberg (2015), American
    Statistician 69, 371-386.
    """
    drawn = {"stimuli": stimuli, "raters": raters, "both": min(stimuli, raters)}[over]
    if drawn < MIN_STIMULI or not resamples:
        raise AgreementError(
            f"a bootstrap of {resamples} resamples has {drawn} to draw from ({over}); it needs {MIN_STIMULI}"
        )
    step = max(1, _CELLS // stimuli)
    parts = [_weights(over, stimuli, raters, size, rng) for size in _sizes(resamples, step)]
    samples = np.concatenate([statistic(*weights) for weights in parts])
    left_out = _jackknives(statistic, stimuli, raters, over)
    if over == "stimuli":
        confidence = _widened(confidence, left_out[0], samples)
    if kind == "percentile":
        return percentile(samples, confidence=confidence)
    if over == "both":
        confidence = _narrowed(confidence, left_out, samples)
    point = float(statistic(np.ones((1, stimuli)), np.ones((1, raters)))[0])
    return accelerated(samples, point, np.concatenate(left_out), confidence=confidence)


def accelerated(
    samples: Floats, point: float, left_out: Floats, *, confidence: float = 0.95
) -> tuple[float | None, float | None]:
    """The bias-corrected and accelerated interval of resampled statistics.

    point: the statistic of the data; left_out: shape (units,), the statistic without each unit, less the mean
    of those where units are of two kinds. Returns (None, None) where `percentile` does.
    Source: Efron (1987), Journal of the American Statistical Association 82, 171-185.
    """
    defined, moves = samples[np.isfinite(samples)], left_out[np.isfinite(left_out)]
    if percentile(samples) == (None, None) or not np.isfinite(point):
        return None, None
    moves = moves.mean() - moves
    squares = float((moves**2).sum())
    pull = float((moves**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0
    below = float((defined < point).mean() + (defined == point).mean() / 2)
    shift = float(special.ndtri(np.clip(below, 0.5 / len(defined), 1 - 0.5 / len(defined))))
    z = shift + special.ndtri([(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = np.quantile(defined, special.ndtr(shift + z / (1 - pull * z)))
    return float(low), float(high)


def _sizes(resamples: int, step: int) -> list[int]:
    return [min(step, resamples - start) for start in range(0, resamples, step)]


def _weights(
    over: Over, stimuli: int, raters: int, resamples: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    of_stimuli = draws(stimuli, resamples, rng=rng) if over != "raters" else np.ones((1, stimuli))
    return of_stimuli, draws(raters, resamples, rng=rng) if over != "stimuli" else np.ones((1, raters))


def _widened(confidence: float, left_out: Floats, samples: Floats) -> float:
    # Percentiles of few units are as short as a normal interval with moments over n; the jackknife's error,
    # which is a little long, tells how much shorter the draws are for a statistic of squares.
    n, drawn = len(left_out), _variance(samples)
    ratio = float(np.clip(_jackknifed(left_out) / drawn, 1.0, 1.25**2)) ** 0.5 if drawn > 0 else 1.0
    z = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * (n / (n - 1)) ** 0.5 * ratio
    return float(2 * special.ndtr(z) - 1)


def _narrowed(confidence: float, left_out: list[Floats], samples: Floats) -> float:
    # Draws of both hold the variance of stimuli and of raters once and that of single ratings three times;
    # the two jackknives together hold it twice. So twice these less those have everything once.
    drawn, parts = _variance(samples), [_jackknifed(part) for part in left_out]
    if not drawn > 0:
        return confidence
    ratio = float(np.clip(max(2 * sum(parts) - drawn, *parts) / drawn, 1 / 3, 1.0)) ** 0.5
    return float(2 * special.ndtr(special.ndtri((1 + confidence) / 2) * ratio) - 1)


def _jackknifed(left_out: Floats) -> float:
    n = len(left_out)
    return (n - 1) / n * float(np.nansum(left_out**2))


def _variance(samples: Floats) -> float:
    return float(np.nanvar(samples)) if np.isfinite(samples).any() else 0.0


def _jackknives(statistic: Statistic, stimuli: int, raters: int, over: Over) -> list[Floats]:
    all_stimuli, all_raters, step = np.ones((1, stimuli)), np.ones((1, raters)), max(1, _CELLS // stimuli)
    parts: list[Floats] = []
    if over != "raters":
        parts.append(np.concatenate([statistic(rows, all_raters) for rows in _without(stimuli, step)]))
    if over != "stimuli":
        parts.append(np.concatenate([statistic(all_stimuli, rows) for rows in _without(raters, step)]))
    return [part - np.nanmean(part) for part in parts]


def _without(n: int, step: int) -> Iterator[Floats]:
    """Weights that leave out one of n units each: some rows at a time."""
    for start in range(0, n, step):
        yield 1 - np.eye(min(step, n - start), n, start)
