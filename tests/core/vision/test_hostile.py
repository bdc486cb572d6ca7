"""A folder of hostile files: each gets one line, the run finishes, memory stays bounded."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.vision import hostile

PROJECT = Path(__file__).resolve().parents[3]
MOST_BYTES = 2 << 30

# The child tells its own peak: RUSAGE_CHILDREN would be that of any child of this process.
PROGRAM = """
import resource, sys
from core.cli import main
try:
    main(prog_name="facenorm")
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, file=sys.stderr)
"""


@pytest.mark.timeout(600)
def test_hostile_files_get_one_clear_line_each_and_stop_nothing(shared: Path, tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    expected = hostile.write(folder, (shared / "faces" / "img9.jpg").read_bytes())
    expected |= _unopenable(folder)
    assert len(expected) >= 100
    env = os.environ | {"FACENORM_DATA": str(tmp_path / "data"), "FACENORM_MODELS": str(shared / "models")}
    arguments = [
        "rate",
        str(folder),
        "--detector",
        "yunet",
        "--raters",
        "mini-xception",
        "--raters",
        "mini-xception,mini-xception-not-neutral",
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments, "--out", str(tmp_path / "ai.csv")],
        cwd=PROJECT, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    with (tmp_path / "ai.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["rater_id"] == "mini-xception"]
    found = {_plain(row["stim_file"]): row for row in rows}
    assert {name: found[name]["status"] for name in expected} == expected
    assert len(rows) == len(expected)
    for name, fate in expected.items():
        assert bool(found[name]["reason"]) or fate == hostile.GOOD, name
        assert "\n" not in found[name]["reason"], name
        assert "Traceback" not in found[name]["reason"], name
    peak = int(done.stderr.split()[-1])
    assert peak < MOST_BYTES, f"{peak / 2**30:.2f} GiB"


def _plain(cell: str) -> str:
    """A file's name without the mark that keeps a spreadsheet from reading it as a formula."""
    from core import export

    return export.unescape(cell)


def _unopenable(folder: Path) -> dict[str, str]:
    os.mkfifo(folder / "pipe.png")
    with (folder / "long.png").open("wb") as file:
        file.truncate(3_000_000_000)  # sparse: takes no space
    found = {"pipe.png": hostile.BAD, "long.png": hostile.BAD}
    if os.geteuid() != 0:  # root may read everything
        (folder / "secret.png").write_bytes(b"x")
        (folder / "secret.png").chmod(0)
        found["secret.png"] = hostile.BAD
    return found
