"""EmoNet as its rater runs it against the bare network, with and without the allocator set.

The rater: eight faces, sixteen pictures with their mirror images, in one pass, everything from uint8
crops to opinions. The bare network: one picture a pass in a loop, in both memory layouts, and sixteen in
one. All in turn in one process, weights at random, the minimum of a few rounds a picture. The goal: the
rater, with the allocator set as `facenorm rate` sets it, within 1.1 times the best bare figure of single
pictures. On a busy machine look at CPU time, with OMP_NUM_THREADS=1: threads that wait count as work.
Run: python tests/benchmarks/bench_emonet.py [rounds]
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from core.cli.rate import ALLOCATOR

FACES, PICTURES, SINGLES, ROUNDS, GOAL = 8, 16, 4, 5, 1.1
BARE = ("one by one, channels last", "one by one, contiguous", "sixteen at once, channels last")
RATER = "the rater"


def measure(rounds):
    """Wall and CPU seconds a picture of each arm, the least of all rounds; the peak memory in MB."""
    import torch

    torch.manual_seed(0)
    arms, best = prepared(torch), {}
    with torch.inference_mode():
        for number in range(rounds + 1):
            for name, (run, pictures) in arms.items():
                start = time.perf_counter(), time.process_time()
                run()
                took = (
                    (time.perf_counter() - start[0]) / pictures,
                    (time.process_time() - start[1]) / pictures,
                )
                if number:  # the first one warms up
                    best[name] = [min(pair) for pair in zip(took, best.get(name, took), strict=True)]
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": best, "threads": torch.get_num_threads(), "peak_mb": peak_mb}


def prepared(torch):
    """What each arm runs, and how many pictures that is."""
    from core.vision.networks.emonet import EmoNet
    from core.vision.raters.emonet import EIGHT, Crop, Rater

    contiguous, last = EmoNet(8).eval(), EmoNet(8).eval().to(memory_format=torch.channels_last)
    rater = Rater(EIGHT, last, "")
    crops = [Crop(one) for one in np.random.default_rng(0).integers(0, 256, (FACES, 256, 256, 3), np.uint8)]
    one = torch.rand(1, 3, 256, 256)
    one_last = one.to(memory_format=torch.channels_last)
    many = torch.rand(PICTURES, 3, 256, 256).to(memory_format=torch.channels_last)
    return {
        BARE[0]: (lambda: [last(one_last) for _ in range(SINGLES)], SINGLES),
        BARE[1]: (lambda: [contiguous(one) for _ in range(SINGLES)], SINGLES),
        BARE[2]: (lambda: last(many), PICTURES),
        RATER: (lambda: rater.rate(crops), PICTURES),
    }


def child(rounds, allocator):
    """The figures of a fresh process: the allocator's settings act before a process starts only."""
    kept = {name: value for name, value in os.environ.items() if name not in ALLOCATOR}
    command = [sys.executable, __file__, str(rounds), "child"]
    done = subprocess.run(command, env=kept | allocator, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    if sys.argv[2:] == ["child"]:
        print(json.dumps(measure(rounds)))
        return
    found = {"set": child(rounds, ALLOCATOR), "as it comes": child(rounds, {})}
    for allocator, one in found.items():
        print(f"allocator {allocator}: {one['threads']} threads, peak {one['peak_mb']:.0f} MB")
        for name, (wall, cpu) in one["seconds"].items():
            print(f"  {name:32} {wall * 1000:7.0f} ms a picture, {cpu * 1000:7.0f} ms of CPU")
    tuned = found["set"]["seconds"]
    for kind, place in (("wall", 0), ("CPU", 1)):
        ours = tuned[RATER][place]
        bare = min(one["seconds"][name][place] for one in found.values() for name in BARE)
        single = min(one["seconds"][name][place] for one in found.values() for name in BARE[:2])
        untuned = found["as it comes"]["seconds"][RATER][place]
        print(
            f"{kind}: the rater takes {ours / single:.2f} times the best bare picture alone (goal {GOAL}), "
            f"{ours / bare:.2f} times the best bare of all; without the allocator set it takes "
            f"{untuned / ours:.2f} times as long"
        )


if __name__ == "__main__":
    main()
