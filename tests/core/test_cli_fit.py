"""`facenorm fit`: a rater from a study's own ratings, on planted embeddings."""

import csv
import random
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from core import plan, simulate
from core import study as study_files
from core.cli import database, fit, main
from core.records import AiResult
from db import ai, ai_runs, sessions, studies
from db import engine as db_engine
from tests import storing, variants

EMOTIONS = ("neutral", "angry", "sad", "happy", "disgust", "surprise")
PEOPLE = 6


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("FACENORM_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("FACENORM_DATABASE_URL", raising=False)

    def run(*arguments, code=0):
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == code, result.output
        return result.output

    return run


def load(run, tmp_path: Path, identities: int) -> None:
    """The demo study with so many identities, open."""
    folder = tmp_path / "faces"
    folder.mkdir()
    for number in range(identities * 6):
        picture = Image.new("RGB", (32, 32), (number % 250, number // 250 + 90, 120))
        picture.save(folder / f"id{number // 6:02d}_{EMOTIONS[number % 6]}.png")
    text = variants.one_block().replace("folder: ../demo", "folder: faces")
    text = text.replace("manifest: manifest.csv", 'pattern: "{identity}_{emotion}.png"')
    file = tmp_path / "mine.yaml"
    file.write_text(text.replace("per_participant: 24", "per_participant: 12"), encoding="utf-8")
    run("study", "load", file)
    run("study", "open", "demo")


def take_part(opened, *, people: int) -> None:
    with db_engine.reading(opened) as conn:
        version = studies.open_version(conn, "demo")
        shown = studies.stimuli(conn, version.config_hash)
    study = study_files.from_json(version.content)
    by_id = {stimulus.stimulus_id: stimulus for stimulus in shown}
    for number, rater in enumerate(simulate.raters(people, seed=7, study=study)):
        rng = random.Random(number)
        with db_engine.writing(opened) as conn:
            begun, _token = sessions.begin(
                conn, config_hash=version.config_hash, kind="human", phase="live", language="en",
                nonce=f"nonce-{number:04d}-nonce", consents=(),
                draw=lambda places, rng=rng: plan.build(study, shown, places, rng=rng),
                option_order=plan.option_order(study, rng=rng), counting=plan.counting(study),
                utc_offset_min=0,
            )  # fmt: skip
            for trial in sessions.trials(conn, begun.session_id):
                storing.store(conn, simulate.respond(rater, study, trial, by_id, rng=rng))
            sessions.complete(conn, begun.session_id)


def people(opened) -> tuple[dict[str, float], str]:
    """People's mean naturalness by served_sha256, and the version."""
    with db_engine.reading(opened) as conn:
        version = studies.open_version(conn, "demo")
        scale = study_files.from_json(version.content).scales["naturalness"]
        means = fit._means(conn, version, "naturalness", scale, simulated=False)
        shown = studies.stimuli(conn, version.config_hash)
    return {one.served_sha256: means[one.stimulus_id][0] for one in shown}, version.config_hash


def embed(opened, values: dict[str, float], config_hash: str, detector: str = "yunet") -> None:
    """Embeddings in which the values lie on a line, among seven dimensions of noise."""
    rng = np.random.default_rng(3)
    with db_engine.writing(opened) as conn:
        run_id = ai_runs.begin(
            conn, config_hash=config_hash, raters=["mobilefacenet"], detector=detector, settings={},
            versions={}, total=len(values), who="ada", host="pc",
        )  # fmt: skip
        for sha256, value in values.items():
            vector = np.array([value, *rng.normal(size=7) / 10], np.float32)
            result = AiResult(sha256, "mobilefacenet", "1", "f" * 64, detector, "ok", "", embedding=vector)
            ai.save(conn, run_id, result, settings_hash="0" * 64)


def test_people_s_ratings_are_told_from_embeddings_of_other_identities(run, tmp_path):
    load(run, tmp_path, 12)
    opened = database.opened()
    take_part(opened, people=6 * PEOPLE)
    values, config_hash = people(opened)
    embed(opened, values, config_hash)
    said = run("fit", "demo", "--scales", "naturalness")
    assert "on 72 stimuli of 12 identities, ridge on mobilefacenet" in said
    with db_engine.reading(opened) as conn:
        rater_id = "fitted-naturalness-mobilefacenet"
        found = list(ai.results(conn, config_hash, rater_id=rater_id))
        noted = ai_runs.latest(conn, config_hash)
    assert len(found) == 72
    predicted = [one.scores[0].value for one in found]
    assert np.corrcoef(predicted, [values[one.served_sha256] for one in found])[0, 1] > 0.9
    assert all("out-of-fold R2" in one.reason for one in found)
    assert (noted.raters, noted.done) == ((rater_id,), 72)
    run("export", "demo", "--private", "--out", tmp_path / "out")
    with (tmp_path / "out" / "ai_ratings.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["rater_id"] == rater_id]
    assert {(row["scale_id"], row["scale_min"], row["scale_max"]) for row in rows} == {
        ("naturalness", "0.0", "1.0")
    }


def test_too_few_rated_stimuli_are_refused_with_what_is_needed(run, tmp_path):
    load(run, tmp_path, 3)
    opened = database.opened()
    take_part(opened, people=6)
    embed(opened, *people(opened))
    said = run("fit", "demo", "--scales", "naturalness", code=1)
    assert "found 18 rated stimuli of 3 identities; a fitted rater needs 50 of 10" in said


def test_what_is_missing_is_named_with_the_command(run, tmp_path):
    load(run, tmp_path, 3)
    assert "facenorm rate --study demo --raters mobilefacenet" in run("fit", "demo", code=1)


def test_a_scale_that_the_study_lacks_and_two_detectors_are_refused(run, tmp_path):
    load(run, tmp_path, 3)
    opened = database.opened()
    take_part(opened, people=6)
    for detector in ("haar", "yunet"):
        embed(opened, *people(opened), detector=detector)
    assert "haar, yunet; choose one with --detector" in run("fit", "demo", code=1)
    assert "it has arousal, emotion" in run("fit", "demo", "--scales", "beauty", "--detector", "haar", code=1)


def test_a_rater_without_embeddings_is_refused(run, tmp_path):
    load(run, tmp_path, 3)
    opened = database.opened()
    take_part(opened, people=6)
    values, config_hash = people(opened)
    with db_engine.writing(opened) as conn:
        run_id = ai_runs.begin(
            conn, config_hash=config_hash, raters=["mini-xception"], detector="yunet", settings={},
            versions={}, total=len(values), who="ada", host="pc",
        )  # fmt: skip
        for sha256 in values:
            result = AiResult(sha256, "mini-xception", "1", "f" * 64, "yunet", "ok", "")
            ai.save(conn, run_id, result, settings_hash="0" * 64)
    said = run("fit", "demo", "--embedding", "mini-xception", code=1)
    assert "mini-xception gives no embeddings" in said
