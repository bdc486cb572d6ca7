"""Alpha with 1,000 bootstrap resamples against calling the krippendorff package once per resample.

600 stimuli x 100 raters on a 7-point scale. One thread and CPU time, so that other
programs do not count; the loop is timed on a few resamples and extrapolated.
Run: python tests/benchmarks/bench_alpha.py
"""

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # waiting threads would count as work

import krippendorff as package
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.agreement import krippendorff

STIMULI, RATERS, RESAMPLES, TIMED = 600, 100, 1000, 5
LEVELS = ("nominal", "ordinal", "interval", "ratio")


def ratings(rng):
    values = 4 + rng.normal(size=STIMULI) + rng.normal(size=(RATERS, STIMULI))
    return np.clip(np.round(values), 1, 7)


def loop_s(values, level, rng):
    """CPU seconds for all resamples by the package, from the fastest of a few."""
    times = []
    for _ in range(TIMED):
        chosen = rng.integers(STIMULI, size=STIMULI)
        start = time.process_time()
        package.alpha(values[:, chosen], level_of_measurement=level)
        times.append(time.process_time() - start)
    return min(times) * RESAMPLES


def ours_s(values, level, rng):
    times = []
    for _ in range(TIMED):
        start = time.process_time()
        krippendorff.alpha(values, level=level, resamples=RESAMPLES, rng=rng)
        times.append(time.process_time() - start)
    return min(times)


def main():
    rng = np.random.default_rng(0)
    values = ratings(rng)
    print(f"{STIMULI} stimuli x {RATERS} raters, {RESAMPLES} resamples")
    total = 0.0
    for level in LEVELS:
        ours, loop = ours_s(values, level, rng), loop_s(values, level, rng)
        total += ours
        print(f"{level:9} {ours:7.3f} s   loop {loop:6.1f} s   {loop / ours:6.0f} times faster")
    print(f"all levels {total:.3f} s")


if __name__ == "__main__":
    main()
