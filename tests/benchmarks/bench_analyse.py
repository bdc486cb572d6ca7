"""`facenorm analyse` on 100,000 real ratings of faces (3DSK) and on 1,000,000 seeded ones.

The real file, ratings/3dsk_ratings_long.csv, is in the folder that FACENORM_SHARED names. The seeded one is
3,334 raters x 60 of 600 stimuli x 5 scales of 7 points. Each is analysed once in a process of its own; time
and memory are all that it took, reading and writing too.
Run: python tests/benchmarks/bench_analyse.py
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

PROJECT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("FACENORM_SHARED") or PROJECT.parent / "shared")
RATERS, STIMULI, EACH, SCALES = 3334, 600, 60, 5


def seeded(path):
    rng = np.random.default_rng(0)
    level, bias = rng.normal(size=(SCALES, STIMULI)), rng.normal(0, 0.7, size=RATERS)
    seen = rng.permuted(np.tile(np.arange(STIMULI), (RATERS, 1)), axis=1)[:, :EACH]
    rater, stimulus = np.repeat(np.arange(RATERS), EACH), seen.ravel()
    parts = []
    for scale in range(SCALES):
        raw = 4 + level[scale, stimulus] + bias[rater] + rng.normal(0, 1.2, size=len(rater))
        value = np.clip(np.round(raw), 1, 7).astype(int)
        parts.append(
            pd.DataFrame({"rater": rater, "stimulus": stimulus, "scale": f"s{scale}", "value": value})
        )
    pd.concat(parts).to_csv(path, index=False)


def run(name, path, columns, folder):
    options = [part for option, column in columns.items() for part in (f"--{option}", column)]
    command = [sys.executable, "-m", "core.cli", "analyse", path, *options, "--out", Path(folder) / name]
    start = time.perf_counter()
    subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{name}: {time.perf_counter() - start:.1f} s, at most {peak:.0f} MiB so far")


def main():
    with tempfile.TemporaryDirectory() as folder:
        real = {"rater": "rater_id", "stimulus": "face_id", "scale": "trait", "value": "rating"}
        run("3dsk", SHARED / "ratings" / "3dsk_ratings_long.csv", real | {"by": "face_gender"}, folder)
        made = Path(folder) / "seeded.csv"
        seeded(made)
        run("seeded", made, {one: one for one in ("rater", "stimulus", "scale", "value")}, folder)


if __name__ == "__main__":
    main()
