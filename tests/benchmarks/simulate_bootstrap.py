"""How often bootstrap intervals cover what they speak of, per scheme, in a thousand studies each.

Ratings are stimulus + rater + error. The estimand is the value over stimuli for the raters drawn, over raters
for the stimuli drawn, or over both. 50 stimuli and 10 raters; a smaller design is told for comparison.
Run: python tests/benchmarks/simulate_bootstrap.py [runs]
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.agreement import bootstrap, weighted

# Stimuli, raters, and the variances of raters and error beside 1 of stimuli.
DESIGNS = ((50, 10, 0.3, 1.5), (50, 10, 1.0, 1.5), (50, 10, 0.1, 4.0), (20, 5, 0.3, 1.5))
SCHEMES = [(over, kind) for over in ("stimuli", "raters", "both") for kind in ("percentile", "bca")]


def study(stimuli, raters, r, e, rng):
    """Ratings, and alpha of each scheme's population."""
    a, b = rng.normal(size=stimuli), rng.normal(0, r**0.5, raters)
    values = a + b[:, None] + rng.normal(0, e**0.5, (raters, stimuli))
    levels = b.var(ddof=1)
    return values, {
        "stimuli": 1 - (e + levels) / (1 + e + b.var()),
        "raters": a.var() / (a.var() + r + e),
        "both": 1 / (1 + r + e),
    }


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rng = np.random.default_rng(0)
    for design in DESIGNS:
        covered = dict.fromkeys(SCHEMES, 0)
        for _ in range(runs):
            values, planted = study(*design, rng)
            statistic = weighted.statistic(values, "alpha_interval")
            for over, kind in SCHEMES:
                low, high = bootstrap.interval(
                    statistic,
                    stimuli=values.shape[1],
                    raters=len(values),
                    over=over,
                    kind=kind,
                    resamples=600,
                    rng=rng,
                )
                covered[over, kind] += low <= planted[over] <= high
        print(f"{design[0]} stimuli, {design[1]} raters, variances 1, {design[2]}, {design[3]}:")
        for (over, kind), n in covered.items():
            print(f"    {over:8} {kind:10} {100 * n / runs:.1f}", flush=True)


if __name__ == "__main__":
    main()
