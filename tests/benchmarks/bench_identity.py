"""All pairs of 10,000 embeddings of 512 numbers: the report against what one would write first.

Written first: SciPy's cdist for the whole matrix, masks for one's own and for impostors, scikit-learn for
AUC and ROC, no interval. Facenorm: three kinds of pair, matched and all impostors, and each edit's standing,
without intervals and with 1,000 resamples of identities. One thread and CPU time, so that other programs do
not count; each arm in a process of its own, for its peak memory. A loop that calls SciPy's cosine for each
pair is timed on some pairs and extrapolated.
Run: python tests/benchmarks/bench_identity.py
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # waiting threads would count as work

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

PEOPLE, EDITS, DIMENSIONS = 1667, 5, 512
N = PEOPLE * (EDITS + 1)
TIMED_PAIRS = 3000


def embeddings():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(PEOPLE, 1, DIMENSIONS)) + 2.5 * rng.normal(size=(PEOPLE, EDITS + 1, DIMENSIONS))
    rows = rows.reshape(N, DIMENSIONS)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def written_first(found):
    from scipy.spatial.distance import cdist
    from sklearn.metrics import roc_auc_score, roc_curve

    similarity = 1 - cdist(found, found, "cosine")
    person = np.arange(N) // (EDITS + 1)
    upper = np.triu(np.ones((N, N), bool), 1)
    same = (person[:, None] == person)[upper]
    values = similarity[upper]
    within, between = values[same], values[~same]
    spread = (within.var(ddof=1) + between.var(ddof=1)) / 2
    false, true, _ = roc_curve(same, values)
    return {
        "d_prime": (within.mean() - between.mean()) / spread**0.5,
        "auc": roc_auc_score(same, values),
        "eer": float(np.interp(0, false + true - 1, false)),
    }


def ours(found, resamples):
    from core.identity import gallery, report
    from core.identity.gallery import Picture

    pictures = [
        Picture(
            f"{person}_{at}.png",
            str(person),
            "happy" if at else "neutral",
            f"{person}_0.png" if at else None,
            {"gender": "fm"[person % 2], "age_group": "abc"[person % 3]},
        )
        for person in range(PEOPLE)
        for at in range(EDITS + 1)
    ]
    told = report.compute("made", found, gallery.build(pictures), threshold=0.5, resamples=resamples)
    one = told.of("all_pairs", "all")
    return {name: getattr(one, name).estimate for name in ("d_prime", "auc", "eer")}


ARMS = {
    "written first": written_first,
    "Facenorm, no intervals": lambda found: ours(found, 0),
    "Facenorm": lambda found: ours(found, 1000),
}


def arm(name):
    found = embeddings()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    told = ARMS[name](found)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "peak_mb": peak / 1024, "own_mb": (peak - before) / 1024, **told}))


def loop_s(found):
    """Seconds for all pairs, one call for each."""
    from scipy.spatial.distance import cosine

    start = time.process_time()
    for at in range(TIMED_PAIRS):
        cosine(found[at], found[at + 1])
    return (time.process_time() - start) / TIMED_PAIRS * N * (N - 1) / 2


def main():
    print(f"{N:,} pictures of {PEOPLE:,} identities, {DIMENSIONS} numbers each, {N * (N - 1) // 2:,} pairs")
    told = {}
    for name in ARMS:
        done = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, check=True)
        told[name] = json.loads(done.stdout)
    first = told["written first"]
    for name, one in told.items():
        print(
            f"{name:24} {one['seconds']:7.1f} s  {first['seconds'] / one['seconds']:5.1f} times as fast   "
            f"peak {one['peak_mb']:6.0f} MB, {one['own_mb']:6.0f} of them for it   "
            f"d' {one['d_prime']:.5f}  AUC {one['auc']:.6f}  EER {one['eer']:.5f}"
        )
    print(f"{'one call for each pair':24} {loop_s(embeddings()):7.0f} s, extrapolated")


if __name__ == "__main__":
    arm(sys.argv[1]) if len(sys.argv) > 1 else main()
