"""Bootstrap over stimuli: how often each was drawn, and the interval of what the draws gave."""

from __future__ import annotations

import numpy as np

from core.agreement.estimate import Floats

# With fewer stimuli the resamples are too few different sets for an interval to mean anything.
MIN_STIMULI = 5
MIN_DEFINED = 0.9


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
