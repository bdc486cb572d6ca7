"""Peak memory of `facenorm rate` on 100 and on 2,000 pictures, and the start-up of the command.

    python tests/benchmarks/bench_memory.py --faces FOLDER [--few 100] [--many 2000] [--raters a,b]

The pictures are those of FOLDER with a comment behind the last byte, so that each has a hash of its own.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# The child tells its own peak: it becomes another program first, to set its allocator.
PROGRAM = """
import resource, sys
from core.cli import main
try:
    main(prog_name="facenorm")
finally:
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def pictures(faces: Path, folder: Path, count: int) -> None:
    """Write so many pictures into a folder."""
    sources = sorted(path for path in faces.iterdir() if path.suffix in {".jpg", ".png"})
    for number, source in enumerate(islice(cycle(sources), count)):
        (folder / f"{number:05d}{source.suffix}").write_bytes(source.read_bytes() + b"%d" % number)


def rated(faces: Path, count: int, raters: str) -> tuple[float, float]:
    """Peak MiB and seconds of one run in an empty database."""
    from core.cli.rate import ALLOCATOR

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "pictures"
        folder.mkdir()
        pictures(faces, folder, count)
        arguments = ["rate", str(folder), "--out", f"{place}/ai.csv"]
        arguments += ["--detector", "yunet", "--raters", raters]
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | ALLOCATOR | {"FACENORM_DATA": place},
        )
        took = time.perf_counter() - began
    if done.returncode not in {0, 3}:
        raise SystemExit(done.stderr)
    return int(done.stderr.split()[-1]) / 1024, took


def started(*command: str) -> float:
    """The best of five starts, in seconds of CPU."""
    best = float("inf")
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=Path, default=PROJECT / "assets" / "demo")
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--many", type=int, default=2000)
    parser.add_argument("--raters", default="mini-xception")
    given = parser.parse_args()
    bare, help_ = started(sys.executable, "-c", "pass"), started(sys.executable, "-m", "core.cli", "--help")
    print(f"facenorm --help {help_:.2f} s of CPU, a bare Python {bare:.2f} s")
    few, few_s = rated(given.faces, given.few, given.raters)
    print(f"{given.few:6d} pictures: peak {few:.0f} MiB, {few_s:.0f} s")
    many, many_s = rated(given.faces, given.many, given.raters)
    print(f"{given.many:6d} pictures: peak {many:.0f} MiB, {many_s:.0f} s; {many / few:.2f} times the memory")


if __name__ == "__main__":
    sys.path.insert(0, str(PROJECT))
    main()
