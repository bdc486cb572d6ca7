"""How often the intervals of intraclass correlations cover the planted value, in a thousand studies each.

50 stimuli and 10 raters, variances 1 of stimuli, 0.3 of raters and 1.5 of error; complete, and with 70 % of
the cells filled. Smaller designs are told for comparison.
Run: python tests/benchmarks/simulate_coverage.py [runs]
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.agreement import design, icc

STIMULUS, RATER, ERROR = 1.0, 0.3, 1.5
DESIGNS = ((50, 10, 1.0), (50, 10, 0.7), (20, 10, 0.7), (50, 5, 0.7), (20, 5, 1.0))


def study(stimuli, raters, filled, rng):
    values = rng.normal(0, STIMULUS**0.5, stimuli) + rng.normal(0, RATER**0.5, (raters, 1))
    values = values + rng.normal(0, ERROR**0.5, (raters, stimuli))
    return np.where(rng.random(values.shape) < filled, values, np.nan)


def truth(form, values):
    beside = ERROR + (0 if form.startswith("3") else RATER)
    sizes = np.isfinite(design.kept(values)[0]).sum(axis=0)
    k = design.ratings_per_stimulus(sizes) if form.endswith("k") else 1
    return STIMULUS / (STIMULUS + beside / k)


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rng = np.random.default_rng(0)
    for shape in DESIGNS:
        covered, without = dict.fromkeys(icc.FORMS, 0), 0
        for _ in range(runs):
            values = study(*shape, rng)
            for form, found in icc.forms(values).items():
                if found.low is None:
                    without += 1
                else:
                    covered[form] += found.low <= truth(form, values) <= found.high
        shares = "  ".join(f"ICC({form}) {100 * n / runs:.1f}" for form, n in covered.items())
        print(f"{shape[0]} stimuli, {shape[1]} raters, {shape[2]:.0%} filled: {shares}  without {without}")


if __name__ == "__main__":
    main()
