"""The command as a user at a shell meets it, on a real database and over real HTTP."""

import csv
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from click.testing import CliRunner, Result
from PIL import Image
from starlette.applications import Starlette

from core.cli import database, main
from db import engine as db_engine
from db import studies
from pages import api
from pages.api import store
from tests import variants

PROJECT = Path(__file__).resolve().parents[2]
EMOTIONS = ("neutral", "angry", "sad", "happy", "disgust", "surprise")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FACENORM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FACENORM_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("FACENORM_DATABASE_URL", raising=False)

    def run(*arguments: object, code: int = 0) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def study_file(tmp_path: Path) -> Path:
    """The demo study with twelve pictures of its own and four trials."""
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


def test_help_names_every_command_and_loads_nothing_heavy():
    said = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "core.cli", "--help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in main.commands:
        assert f"\n  {name}" in said.stdout
    loaded = {line.rpartition("|")[2].strip() for line in said.stderr.splitlines()}
    assert not loaded & {"torch", "pandas", "cv2", "numpy", "streamlit", "sqlalchemy", "pydantic"}


def test_a_study_goes_from_file_to_open_and_closed(run, study_file):
    assert "12 stimuli to rate" in run("study", "check", study_file).output
    assert "version 1" in run("study", "load", study_file).output
    assert "version 1" in run("study", "load", study_file).output  # the same content is the same version
    assert "is open (pilot)" in run("study", "open", "demo", "--phase", "pilot").output
    assert "open\tpilot" in run("study", "list").output
    run("study", "close", "demo")
    assert "nothing to close" in run("study", "close", "demo", code=1).output


def test_an_edited_study_is_a_new_version(run, study_file):
    run("study", "load", study_file)
    study_file.write_text(study_file.read_text().replace("per_participant: 4", "per_participant: 5"))
    assert "version 2" in run("study", "load", study_file).output


def test_a_wrong_study_is_refused_with_file_line_and_mend(run, study_file):
    study_file.write_text(study_file.read_text().replace("per_participant: 4", "per_participants: 4"))
    output = run("study", "load", study_file, code=1).output
    assert f"{study_file}:" in output
    assert "per_participant" in output
    assert run("study", "list").output == ""


def test_a_study_that_wants_more_trials_than_stimuli_is_refused(run, study_file):
    study_file.write_text(study_file.read_text().replace("per_participant: 4", "per_participant: 13"))
    assert "13" in run("study", "check", study_file, code=1).output


def test_an_unknown_study_is_named_with_those_that_there_are(run, study_file):
    run("study", "load", study_file)
    assert "loaded: demo" in run("export", "demmo", "--out", "x", code=1).output


def test_a_backup_brings_back_what_was_lost(run, study_file, tmp_path):
    run("study", "load", study_file)
    run("backup", tmp_path / "kept.db")
    (tmp_path / "data" / "facenorm.db").unlink()
    for rest in (tmp_path / "data").glob("facenorm.db-*"):
        rest.unlink()
    run("restore", tmp_path / "kept.db")
    assert "demo" in run("study", "list").output


@pytest.fixture
def server(run) -> Iterator[str]:
    """The routes on a real port, over the database of the commands."""
    store.engine.cache_clear()
    api.migrate()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = uvicorn.Server(
        uvicorn.Config(Starlette(routes=api.ROUTES), port=port, log_level="warning", ws="none")
    )
    thread = threading.Thread(target=running.run)
    thread.start()
    deadline = time.monotonic() + 30
    while not running.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join()
    store.engine().dispose()
    store.engine.cache_clear()


def test_simulated_participants_answer_over_http_and_stay_apart(run, study_file, server, tmp_path):
    run("study", "load", study_file)
    assert "not open" in run("simulate", "demo", "--url", server, code=1).output
    run("study", "open", "demo")
    run("simulate", "demo", "-n", "3", "--url", server)
    people = run("export", "demo", "--private", "--out", tmp_path / "people").output
    assert "ratings.csv 0" in people
    simulated = run("export", "demo", "--private", "--simulated", "--out", tmp_path / "simulated").output
    assert f"ratings.csv {3 * 4 * 5}" in simulated
    with (tmp_path / "simulated" / "norms.csv").open(encoding="utf-8", newline="") as file:
        rated = [int(row["emotion_n"]) for row in csv.DictReader(file)]
    assert rated == [1] * 12  # least rated first: 3 participants x 4 trials cover 12 stimuli once


def test_simulated_participants_of_a_new_version_are_new_ones(run, study_file, server, tmp_path):
    for trials in (4, 5):
        study_file.write_text(
            re.sub(r"per_participant: .", f"per_participant: {trials}", study_file.read_text(), count=1)
        )
        run("study", "load", study_file)
        run("study", "open", "demo")
        for _ in range(2):  # the same seed again adds nobody
            run("simulate", "demo", "-n", "2", "--seed", "7", "--url", server)
        exported = run("export", "demo", "--private", "--simulated", "--out", tmp_path / str(trials)).output
        assert f"ratings.csv {2 * trials * 5}," in exported


def test_simulate_says_when_nobody_answers(run, study_file):
    run("study", "load", study_file)
    run("study", "open", "demo")
    assert "make run" in run("simulate", "demo", "--url", "http://127.0.0.1:9", code=1).output


def test_a_public_export_needs_a_box_that_asks(run, study_file, tmp_path):
    study_file.write_text(study_file.read_text().replace("      shares: true\n", ""))
    run("study", "load", study_file)
    assert "shares: true" in run("export", "demo", "--out", tmp_path / "out", code=1).output
    assert not (tmp_path / "out").exists()


def test_ids_of_platforms_leave_only_when_a_private_export_asks(run, study_file, tmp_path):
    run("study", "load", study_file)
    refused = run("export", "demo", "--with-external-ids", "--out", tmp_path / "out", code=2).output
    assert "--private" in refused
    assert not (tmp_path / "out").exists()
    run("export", "demo", "--private", "--with-external-ids", "--out", tmp_path / "asked")
    run("export", "demo", "--private", "--out", tmp_path / "plain")
    headers = [
        (tmp_path / name / "participants.csv").read_text(encoding="utf-8").splitlines()[0]
        for name in ("asked", "plain")
    ]
    assert ["external_id" in header for header in headers] == [True, False]


def test_simulated_participants_may_leave_at_any_trial(run, study_file, server, tmp_path):
    run("study", "load", study_file)
    run("study", "open", "demo")
    run("simulate", "demo", "-n", "6", "--dropout", "1", "--url", server)
    run("export", "demo", "--private", "--simulated", "--out", tmp_path / "left")
    with (tmp_path / "left" / "participants.csv").open(encoding="utf-8", newline="") as file:
        assert [row["outcome"] for row in csv.DictReader(file)] == [""] * 6
    with (tmp_path / "left" / "ratings.csv").open(encoding="utf-8", newline="") as file:
        answered = len({row["trial_id"] for row in csv.DictReader(file)})
    assert 0 < answered < 6 * 4


def test_an_export_is_never_written_over_another_unasked(run, study_file, tmp_path):
    run("study", "load", study_file)
    run("export", "demo", "--out", tmp_path / "out")
    assert "--replace" in run("export", "demo", "--out", tmp_path / "out", code=1).output
    run("export", "demo", "--out", tmp_path / "out", "--replace")


def test_a_researcher_gets_a_new_one_time_password(run):
    first, second = (run("researcher", "ada").output.split()[1] for _ in range(2))
    assert first != second


def test_an_export_holds_one_version(run, study_file, tmp_path):
    run("study", "load", study_file)
    study_file.write_text(study_file.read_text().replace("per_participant: 4", "per_participant: 5"))
    run("study", "load", study_file)
    assert "version 2," in run("export", "demo", "--out", tmp_path / "newest").output
    assert "version 1," in run("export", "demo", "--version", "1", "--out", tmp_path / "first").output
    assert "1 to 2" in run("export", "demo", "--version", "3", "--out", tmp_path / "x", code=1).output


def test_a_port_that_is_taken_is_told_before_any_password_changes(run, server):
    port = server.rpartition(":")[2]
    output = run("serve", "--address", "127.0.0.1", "--port", port, code=1).output
    assert f"PORT={int(port) + 1}" in output
    assert "One-time password" not in output


def test_an_excluded_session_leaves_norms_and_stays_in_ratings(run, study_file, server, tmp_path):
    run("study", "load", study_file)
    run("study", "open", "demo")
    run("simulate", "demo", "-n", "3", "--url", server)
    run("export", "demo", "--private", "--simulated", "--out", tmp_path / "all")
    with (tmp_path / "all" / "participants.csv").open(encoding="utf-8", newline="") as file:
        session_id = next(csv.DictReader(file))["session_id"]
    assert "--reason" in run("exclude", "demo", "session", session_id, code=2).output
    assert "no session" in run("exclude", "demo", "session", "nobody", "--reason", "x", code=1).output
    run("exclude", "demo", "session", session_id, "--reason", "fell asleep")
    assert "fell asleep" in run("exclude", "demo").output
    run("export", "demo", "--private", "--simulated", "--out", tmp_path / "less")
    with (tmp_path / "less" / "ratings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["excluded"] for row in rows if row["session_id"] == session_id} == {"true"}
    assert len(rows) == 3 * 4 * 5
    with (tmp_path / "less" / "norms.csv").open(encoding="utf-8", newline="") as file:
        assert sum(int(row["emotion_n"]) for row in csv.DictReader(file)) == 2 * 4
    run("exclude", "demo", "--undo", "1", "--reason", "wrong person")
    assert run("exclude", "demo").output == ""


def test_an_exclusion_is_taken_back_in_its_own_study(run, study_file):
    run("study", "load", study_file)
    with db_engine.reading(database.opened()) as conn:
        target = studies.stimuli(conn, studies.latest(conn, "demo").config_hash)[0].stimulus_id
    study_file.write_text(study_file.read_text().replace("study: demo", "study: other"))
    run("study", "load", study_file)
    run("exclude", "demo", "stimulus", target, "--reason", "blurred")
    undo = ("--undo", "1", "--reason", "mistaken")
    assert "other has no exclusion 1" in run("exclude", "other", *undo, code=1).output
    assert "no study 'none'" in run("exclude", "none", *undo, code=1).output
    assert "blurred" in run("exclude", "demo").output


@pytest.mark.parametrize(
    "words", [["session", "--reason", "x"], ["session"], ["--reason", "x"], ["session", "ID", "--undo", "1"]]
)
def test_an_exclusion_needs_one_target(run, study_file, words):
    run("study", "load", study_file)
    assert "name a session or stimulus" in run("exclude", "demo", *words, code=2).output
