"""`facenorm analyse` from its options to its folder."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from core.analysing import models, recognition, reliability
from core.cli import main

DOCS = Path(__file__).resolve().parents[2] / "docs" / "analyse.md"


@pytest.fixture
def file(tmp_path):
    """Eight people and a model rate six faces."""
    rng = np.random.default_rng(5)
    emotions = ("happy", "sad")
    rows = []
    for rater in range(9):
        for face in range(6):
            said = str(rng.choice(emotions))
            kind = "model" if rater == 8 else "human"
            rows.append((f"p{rater}", f"s{face}", emotions[face % 2], said, kind, int(rng.integers(1, 8))))
    path = tmp_path / "ratings.csv"
    names = ["who", "face", "shown", "said", "kind", "warm"]
    pd.DataFrame(rows, columns=names).to_csv(path, index=False)
    return path


def run(*arguments, code=0):
    result = CliRunner().invoke(main, ["analyse", *(str(argument) for argument in arguments)])
    assert result.exit_code == code, result.output
    return result.output


def options(out):
    return (
        *("--rater", "who", "--stimulus", "face", "--scales", "warm", "--emotion", "said"),
        *("--intended", "shown", "--rater-type", "kind", "--levels", "warm=ordinal", "--range", "warm=1:7"),
        *("--resamples", 20, "--out", out),
    )  # fmt: skip


def test_the_command_writes_every_table_that_the_file_allows(file, tmp_path):
    out = tmp_path / "tables"
    assert "reliability.csv" in run(file, *options(out))
    assert {one.name for one in out.iterdir()} == {
        "reliability.csv", "norms.csv", "confusion_intended_perceived.csv", "hit_rates.csv", "human_ai.csv",
        "warnings.txt",
    }  # fmt: skip
    written = pd.read_csv(out / "reliability.csv")
    assert tuple(written.columns) == reliability.COLUMNS
    assert written.query("scale == 'warm' and recommended").statistic.tolist() == ["alpha_ordinal"]
    assert tuple(pd.read_csv(out / "human_ai.csv").columns) == models.COLUMNS


def test_a_second_run_replaces_nothing(file, tmp_path):
    out = tmp_path / "tables"
    run(file, *options(out))
    assert "not empty" in run(file, *options(out), code=1)


def test_a_wrong_column_is_one_line_and_leaves_no_folder(file, tmp_path):
    out = tmp_path / "tables"
    said = run(file, "--rater", "who", "--stimulus", "image", "--scales", "warm", "--out", out, code=1)
    assert said.count("\n") == 1
    assert "has no column 'image'" in said
    assert not out.exists()


@pytest.mark.parametrize(
    "given",
    [(), ("--scale", "warm"), ("--scales", "warm", "--scale", "a", "--value", "b")],
)
def test_ratings_are_named_in_one_way(file, tmp_path, given):
    said = run(file, "--rater", "who", "--stimulus", "face", *given, "--out", tmp_path / "out", code=2)
    assert "--scales a,b for a wide file" in said


@pytest.mark.parametrize(
    ("option", "value"),
    [("--levels", "warm=high"), ("--levels", "warm"), ("--range", "warm=7:1"), ("--range", "7")],
)
def test_levels_and_ranges_are_spelt_out(file, tmp_path, option, value):
    given = ("--rater", "who", "--stimulus", "face", "--scales", "warm", option, value)
    assert option in run(file, *given, "--out", tmp_path / "out", code=1)


def test_the_document_lists_every_column_and_statistic():
    text = DOCS.read_text(encoding="utf-8")
    names = {
        *reliability.COLUMNS,
        *reliability.OF_NUMBERS,
        *recognition.CONFUSION,
        *recognition.HITS,
        *models.COLUMNS,
    }
    assert not [name for name in names if f"`{name}`" not in text]
