"""`facenorm rate` as a user at a shell meets it: real faces, real weights, broken files, a killed run."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image
from sqlalchemy import select

from core.cli import main
from db import engine as db_engine
from tests import variants

PROJECT = Path(__file__).resolve().parents[2]
EMOTIONS = ("neutral", "angry", "sad", "happy", "disgust", "surprise")


@pytest.fixture
def env(tmp_path: Path, shared: Path) -> dict[str, str]:
    models = os.pathsep.join([str(tmp_path / "models"), str(shared / "models")])
    return {"FACENORM_DATA": str(tmp_path / "data"), "FACENORM_MODELS": models, "FACENORM_DATABASE_URL": ""}


@pytest.fixture
def run(tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, code: int = 0) -> Result:
        result = CliRunner().invoke(main, ["rate", *map(str, arguments)])
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def portraits(shared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shared / "faces", tmp_path / "portraits"))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_missing_weights_are_named_with_size_licence_and_command(run, tmp_path, monkeypatch):
    monkeypatch.setenv("FACENORM_MODELS", str(tmp_path / "models"))
    (tmp_path / "a.png").write_bytes(b"")
    output = run("a.png", "--out", "ai.csv", code=1).output
    assert "facenorm models fetch mini-xception" in output
    assert "facenorm models fetch haar-frontalface" in output  # all that is missing, at once
    assert "MIT" in output
    assert str(tmp_path / "models") in output
    assert not (tmp_path / "ai.csv").exists()


@pytest.mark.parametrize(
    "arguments",
    [[], ["x.png"], ["--study", "demo", "--out", "x"], ["x", "--study", "y"], ["x", "--manifest", "y"]],
)
def test_it_wants_either_paths_or_a_study(run, arguments):
    assert "facenorm rate faces/ --out ai.csv" in run(*arguments, code=2).output


def test_processes_here_and_a_cluster_exclude_each_other(run):
    arguments = ("x", "--out", "y.csv", "--workers", 2, "--scheduler", "tcp://localhost:1")
    assert "a cluster has workers of its own" in run(*arguments, code=2).output


def test_an_unknown_rater_or_detector_is_named_with_the_nearest(run, portraits):
    arguments = (portraits, "--out", "ai.csv")
    assert "mini-xception" in run(*arguments, "--raters", "mini-exception", code=1).output
    assert "yunet" in run(*arguments, "--detector", "younet", code=1).output


def test_real_faces_get_a_csv_of_ratings_and_a_broken_one_its_reason(run, portraits, tmp_path):
    (portraits / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    (portraits / "notes.txt").write_text("passed over")
    run(portraits, "--detector", "yunet", "--raters", "mini-xception", "--out", "ai.csv", code=3)
    found = rows(tmp_path / "ai.csv")
    emotions = {row["stim_file"]: row["response_label"] for row in found if row["scale_id"] == "emotion"}
    single = [name for name in emotions if name != "couple.jpg"]
    assert len(single) == 9
    assert sum(emotions[name] == "happy" for name in single) >= 6
    (broken,) = [row for row in found if row["stim_file"] == "broken.jpg"]
    assert broken["status"] == "unreadable"
    assert broken["reason"]
    assert "notes.txt" not in {row["stim_file"] for row in found}


def test_what_was_rated_is_not_rated_again_and_the_file_is_the_same(run, portraits, tmp_path, monkeypatch):
    arguments = (portraits, "--detector", "yunet", "--raters", "mini-xception,mini-xception-not-neutral")
    run(*arguments, "--out", "one.csv")
    monkeypatch.setattr("core.vision.run.look", None)  # nothing is left to look at
    run(*arguments, "--out", "two.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert len(rows(tmp_path / "two.csv")) == 20


def test_only_the_new_picture_and_the_new_rater_are_rated(run, portraits):
    kept = portraits / "img9.jpg"
    content = kept.read_bytes()
    kept.unlink()
    arguments = (portraits, "--detector", "yunet")
    run(*arguments, "--raters", "mini-xception", "--out", "ai.csv")
    kept.write_bytes(content)
    said = run(*arguments, "--dry-run").output
    assert "mini-xception: 1 of 10 to rate" in said
    assert "mini-xception-not-neutral: 10 of 10 to rate" in said
    assert "11 ratings are missing" in said


def test_without_raters_those_of_the_default_run(run, portraits):
    from core.vision import registry

    said = run(portraits, "--detector", "yunet", "--dry-run").output
    assert [line.split(":")[0] for line in said.splitlines()[:-1]] == list(registry.DEFAULT)


def test_a_dry_run_changes_nothing(run, portraits, tmp_path):
    run(portraits, "--detector", "yunet", "--dry-run")
    assert "10 of 10 to rate" in run(portraits, "--detector", "yunet", "--dry-run").output
    assert not (tmp_path / "ai.csv").exists()


def test_two_files_with_the_same_bytes_are_rated_once_and_both_have_their_rows(run, portraits, tmp_path):
    shutil.copy(portraits / "img9.jpg", portraits / "again.jpg")
    assert "20 ratings are missing" in run(portraits, "--detector", "yunet", "--dry-run").output
    run(portraits, "--detector", "yunet", "--raters", "mini-xception", "--out", "ai.csv")
    same = [row for row in rows(tmp_path / "ai.csv") if row["stim_file"] in {"img9.jpg", "again.jpg"}]
    assert len({row["response_label"] for row in same}) == 1
    assert len({row["row_id"] for row in same}) == len(same) == 2


def test_parquet_holds_what_the_csv_holds(run, portraits, tmp_path):
    import pandas as pd

    for name in ("ai.csv", "ai.parquet"):
        run(portraits, "--detector", "yunet", "--raters", "mini-xception", "--out", name)
    table = pd.read_parquet(tmp_path / "ai.parquet")
    assert table["probability_happy"].dtype == "float64"
    csv_table = pd.read_csv(tmp_path / "ai.csv", dtype=str)
    assert list(table) == list(csv_table)
    assert table["response_label"].tolist() == csv_table["response_label"].tolist()
    in_csv = csv_table["probability_happy"].astype(float)
    assert table["probability_happy"].equals(in_csv)  # missing cells are equal, too


def test_a_folder_that_is_not_there_is_said_before_any_work(run, portraits):
    said = run(portraits, "--detector", "yunet", "--out", "results/ai.csv", code=1).output
    assert "there is no folder results" in said


@pytest.mark.parametrize("name", ["ai.xlsx", "portraits", "/proc/ai.csv"])
def test_a_file_that_cannot_be_written_is_said_before_any_work(run, portraits, name, monkeypatch):
    monkeypatch.setattr("core.vision.sources.gather", None)
    said = run(portraits, "--detector", "yunet", "--out", name, code=1).output
    assert said.startswith(f"Error: {name}: ")
    assert len(said.splitlines()) == 1


def test_a_folder_named_core_where_the_command_is_given_is_not_run(env, tmp_path):
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "__init__.py").write_text("raise SystemExit('not ours')")
    command = [str(Path(sys.executable).parent / "facenorm"), "rate", "gone.jpg", "--out", "ai.csv"]
    said = subprocess.run(
        command, check=False, cwd=tmp_path, env=os.environ | env, capture_output=True, text=True
    )
    assert "gone.jpg: there is no such file or folder" in said.stderr
    assert said.returncode == 1


def test_only_the_models_of_what_is_missing_are_loaded(run, portraits, monkeypatch):
    from core.vision import models

    arguments = (portraits, "--detector", "yunet", "--out", "ai.csv", "--raters")
    run(*arguments, "mini-xception")
    load = models.load
    loaded: list[tuple[str, ...]] = []
    monkeypatch.setattr(models, "load", lambda spec: loaded.append(spec.raters) or load(spec))
    run(*arguments, "mini-xception,mini-xception-not-neutral")
    assert not loaded
    run(*arguments, "mini-xception,mini-xception-not-neutral,picture-quality")
    assert loaded == [("picture-quality",)]


def test_the_same_bytes_with_two_references_are_rated_once_by_who_looks_at_one_picture(
    run, portraits, tmp_path
):
    from core.cli import database
    from db import ai_runs

    shutil.copy(portraits / "img9.jpg", portraits / "again.jpg")
    lines = "img9.jpg,a,happy,img3.jpg\nagain.jpg,b,happy,img8.jpg\n"
    (portraits / "m.csv").write_text(f"file,identity,intended_emotion,reference\n{lines}")
    arguments = [portraits / f"{name}.jpg" for name in ("img9", "again", "img3", "img8")]
    arguments += ["--manifest", portraits / "m.csv", "--detector", "yunet"]
    arguments += ["--raters", "picture-quality,edit-footprint", "--out", "ai.csv"]
    run(*arguments, code=3)  # other people's faces are no edits of one another
    with db_engine.reading(database.opened()) as conn:
        noted = ai_runs.latest(conn, None)
    assert (noted.total, noted.done) == (3 + 4, 3 + 4)
    found = {(row["stim_file"], row["rater_id"]) for row in rows(tmp_path / "ai.csv")}
    assert len(found) == 8


def test_a_reference_that_is_not_there_is_said_and_nothing_is_stored_of_it(run, portraits, tmp_path):
    (portraits / "m.csv").write_text("file,identity,intended_emotion,reference\nimg9.jpg,a,happy,gone.jpg\n")
    arguments = (portraits / "img9.jpg", "--manifest", portraits / "m.csv", "--detector", "yunet")
    arguments += ("--raters", "blendshape-change", "--out", "ai.csv")
    assert "2 ratings are missing" in run(*arguments, "--dry-run").output
    run(*arguments, code=3)
    assert "" not in _stored(tmp_path)
    (row,) = rows(tmp_path / "ai.csv")
    assert "reference: there is no such file any more" in row["reason"]


def test_a_file_that_cannot_be_opened_for_a_while_is_rated_when_it_can(run, portraits, tmp_path, monkeypatch):
    from core.errors import StimulusError
    from core.vision import work

    failing = StimulusError("the file cannot be opened: Input/output error")
    arguments = (portraits / "img9.jpg", "--detector", "yunet", "--out", "ai.csv")
    with monkeypatch.context() as patch:
        patch.setattr(work, "unchanged", lambda path, sha256: failing)
        run(*arguments, code=3)
    assert {row["reason"] for row in rows(tmp_path / "ai.csv")} == {str(failing)}
    run(*arguments)
    assert {row["status"] for row in rows(tmp_path / "ai.csv")} == {"ok"}


@pytest.fixture
def study_file(tmp_path: Path) -> Path:
    """The demo study with twelve pictures of its own, plain colours."""
    folder = tmp_path / "faces"
    folder.mkdir()
    for number in range(12):
        picture = Image.new("RGB", (64, 64), (20 * number, 120, 90))
        picture.save(folder / f"id{number // 6:02d}_{EMOTIONS[number % 6]}.png")
    text = variants.one_block()
    text = text.replace("folder: ../demo", "folder: faces")
    text = text.replace("manifest: manifest.csv", 'pattern: "{identity}_{emotion}.png"')
    text = text.replace("per_participant: 24", "per_participant: 4")
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_study_s_stimuli_are_rated_once_and_only_what_is_missing(run, study_file):
    loaded = CliRunner().invoke(main, ["study", "load", str(study_file)])
    assert loaded.exit_code == 0, loaded.output
    arguments = ("--study", "demo", "--detector", "yunet")
    assert "24 new: 24 no face" in run(*arguments, code=3).output
    assert "nothing was missing: 24 no face" in run(*arguments, code=3).output
    assert "0 ratings are missing" in run(*arguments, "--dry-run").output


@pytest.fixture
def real(shared: Path, tmp_path: Path, study_file: Path) -> Path:
    """Three portraits beside the study, named by it as a yardstick."""
    folder = tmp_path / "real"
    folder.mkdir()
    for name in ("img3", "img8", "img9"):
        shutil.copy(shared / "faces" / f"{name}.jpg", folder)
    rows = "img3.jpg,p2,neutral\nimg8.jpg,p3,neutral\nimg9.jpg,p3,happy\n"
    (folder / "manifest.csv").write_text(f"file,identity,intended_emotion\n{rows}")
    named = "\nyardsticks:\n  - {id: real, manifest: real/manifest.csv}\n"
    study_file.write_text(study_file.read_text(encoding="utf-8") + named, encoding="utf-8")
    loaded = CliRunner().invoke(main, ["study", "load", str(study_file)])
    assert loaded.exit_code == 0, loaded.output
    return folder


OF_STUDY = ("--study", "demo", "--raters", "mini-xception", "--detector", "yunet")


def test_a_study_s_yardstick_is_rated_by_the_same_raters_and_once(run, real):
    planned = run(*OF_STUDY, "--dry-run").output
    assert "15 of 15 to rate" in planned
    assert "12 pictures and 3 of real: 15 ratings are missing" in planned
    said = run(*OF_STUDY, code=3).output  # the study's own plain colours show no face
    assert "yardstick real: 3 ok" in said
    assert "15 new: 12 no face" in said
    assert "0 ratings are missing" in run(*OF_STUDY, "--dry-run").output


def test_a_yardstick_s_file_that_is_gone_or_changed_is_named_and_what_was_said_of_it_stays(run, real):
    from core.cli import database
    from db import studies, yardsticks

    run(*OF_STUDY, code=3)
    (real / "img3.jpg").unlink()
    shutil.copy(real / "img9.jpg", real / "img8.jpg")
    said = run(*OF_STUDY, code=3).output
    assert "img3.jpg: there is no such file any more" in said
    assert "img8.jpg: found other bytes than when the study was loaded" in said
    assert "yardstick real: 1 ok" in said
    with db_engine.reading(database.opened()) as conn:
        version = studies.latest(conn, "demo")
        found = list(yardsticks.results(conn, version.config_hash, "real", raters=["mini-xception"]))
    assert [one.status for one in found] == ["ok"] * 3


def test_what_a_rater_draws_over_a_yardstick_s_photograph_is_not_kept(run, real, study_file, shared):
    from core.cli import database
    from db import yardsticks
    from db.schema import ai_picture, ai_result

    # The same two faces as stimuli, a little smaller: of these, drawings are kept.
    for name, source in (("id00_neutral", "img8"), ("id00_happy", "img9")):
        with Image.open(shared / "faces" / f"{source}.jpg") as picture:
            picture.resize((picture.width - 8, picture.height - 8)).save(
                study_file.parent / f"faces/{name}.png"
            )
    again = CliRunner().invoke(main, ["study", "load", str(study_file)])
    assert again.exit_code == 0, again.output
    run(*OF_STUDY[:2], "--raters", "action-units-change", "--detector", "yunet", code=3)
    drawn = select(ai_result.c.served_sha256).join(
        ai_picture, ai_picture.c.result_id == ai_result.c.result_id
    )
    with db_engine.reading(database.opened()) as conn:
        version = database.current(conn, "demo")
        found = yardsticks.results(conn, version.config_hash, "real", raters=["action-units-change"])
        of_real = {one.served_sha256 for one in found if one.status == "ok"}
        kept = set(conn.scalars(drawn))
    assert len(of_real) >= 2
    assert kept
    assert not kept & of_real


def test_a_yardstick_named_later_leaves_the_version_as_it_is(run, study_file, real):
    again = study_file.read_text(encoding="utf-8").replace("id: real", "id: other")
    study_file.write_text(again, encoding="utf-8")
    said = CliRunner().invoke(main, ["study", "load", str(study_file)]).output
    assert "demo version 1 " in said
    assert "3 of other" in run(*OF_STUDY, "--dry-run").output


def test_a_run_says_who_when_with_what_and_how_it_ended(run, portraits, env):
    from core.cli import database
    from db import ai_runs

    run(
        portraits,
        "--detector",
        "yunet",
        "--out",
        "ai.csv",
        "--batch",
        4,
        "--who",
        "ada",
        "--raters",
        "mini-xception",
    )
    with db_engine.reading(database.opened()) as conn:
        noted = ai_runs.latest(conn, None)
    assert noted is not None
    assert (noted.who, noted.total, noted.done, noted.problem) == ("ada", 10, 10, "")
    assert noted.settings == {"batch": "4", "workers": "1", "scheduler": "", "device": "cpu"}
    assert noted.versions["torch"].startswith("2.")
    assert noted.versions["mini-xception"] == "2 (59534287fdfb)"
    assert "opencv" in noted.versions["yunet"]
    assert noted.finished_at is not None


def test_a_run_killed_in_its_middle_goes_on_where_it_stood(env, shared, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number, source in enumerate(sorted((shared / "faces").iterdir()) * 6):
        with Image.open(source) as picture:
            picture.convert("RGB").crop((0, 0, picture.width - number, picture.height)).save(
                folder / f"{number:03d}.jpg"
            )
    command = [sys.executable, "-m", "core.cli", "rate", str(folder), "--detector", "yunet", "--batch", "2"]
    command += ["--raters", "mini-xception"]
    command += ["--out", str(tmp_path / "ai.csv")]
    whole = os.environ | env
    started = subprocess.Popen(command, cwd=PROJECT, env=whole, stderr=subprocess.DEVNULL)
    while not _stored(tmp_path) and started.poll() is None:
        time.sleep(0.01)
    started.send_signal(signal.SIGKILL)
    started.wait()
    before = _stored(tmp_path)
    assert 0 < sum(before.values()) < 60
    assert not list(tmp_path.glob("ai.csv*"))
    subprocess.run(command, cwd=PROJECT, env=whole, check=True, capture_output=True)
    after = _stored(tmp_path)
    assert after == Counter({sha256: 1 for sha256 in after})
    assert len(after) == len(rows(tmp_path / "ai.csv")) == 60


def _stored(tmp_path: Path) -> Counter[str]:
    import sqlite3
    from contextlib import closing

    path = tmp_path / "data" / "facenorm.db"
    if not path.exists():
        return Counter()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
        try:
            return Counter(sha256 for (sha256,) in connection.execute("SELECT served_sha256 FROM ai_result"))
        except sqlite3.OperationalError:  # its tables are being made
            return Counter()
