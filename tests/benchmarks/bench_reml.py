"""REML variance components of raters crossed with stimuli, of incomplete designs. The goal: under 5 s.

600 stimuli x 300 raters, a tenth of the cells filled, and two larger designs for comparison. One thread
and CPU time, so that other programs do not count.
Run: python tests/benchmarks/bench_reml.py
"""

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # waiting threads would count as work

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.agreement import reml

DESIGNS = ((600, 300, 0.1), (100, 2513, 0.4), (600, 3334, 0.1))  # stimuli, raters, filled
PLANTED = (1.0, 0.5, 1.5)  # variances of stimuli, raters and error


def ratings(stimuli, raters, filled, rng):
    rater, stimulus = np.nonzero(rng.random((raters, stimuli)) < filled)
    s, r, e = (variance**0.5 for variance in PLANTED)
    values = rng.normal(0, s, stimuli)[stimulus] + rng.normal(0, r, raters)[rater]
    return rater, stimulus, values + rng.normal(0, e, len(rater))


def main():
    rng = np.random.default_rng(0)
    for design in DESIGNS:
        data = ratings(*design, rng)
        start = time.process_time()
        found = reml.components(*data)
        seconds = time.process_time() - start
        stimuli, raters, filled = design
        print(f"{stimuli} x {raters}, {filled:.0%} filled, {len(data[0])} ratings: {seconds:.2f} s")
        print("    stimuli, raters, error: " + ", ".join(f"{value:.3f}" for value in found.values))


if __name__ == "__main__":
    main()
