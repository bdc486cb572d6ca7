"""`facenorm erase` as a researcher at a shell meets it, on a real database."""

import random
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from core import plan, settings
from core import study as study_files
from core.cli import main
from core.records import ConsentGiven, Places
from db import copies, engine, erase_codes, external, sessions, studies
from tests import variants

EMOTIONS = ("neutral", "angry", "sad", "happy", "disgust", "surprise")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("FACENORM_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("FACENORM_DATABASE_URL", raising=False)

    def run(*arguments, code=0, typed=""):
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=typed)
        assert result.exit_code == code, result.output
        return result.output

    return run


@pytest.fixture
def opened(run, tmp_path):
    """An engine on the installation's database, in which the study is open."""
    folder = tmp_path / "faces"
    folder.mkdir()
    for number in range(12):
        picture = Image.new("RGB", (64, 64), (20 * number, 120, 90))
        picture.save(folder / f"id{number // 6:02d}_{EMOTIONS[number % 6]}.png")
    path = tmp_path / "mine.yaml"
    path.write_text(
        variants.one_block(
            ("study: demo", "study: mine"),
            ("folder: ../demo", "folder: faces"),
            ("manifest: manifest.csv", 'pattern: "{identity}_{emotion}.png"'),
            ("per_participant: 24", "per_participant: 4"),
        ),
        encoding="utf-8",
    )
    run("study", "load", path)
    run("study", "open", "mine")
    found = engine.connect(settings.load().database_url)
    yield found
    found.dispose()


@pytest.fixture
def begun(opened):
    """Begin a session; gives it with its personal code."""

    def make(number, *, sharing=True, kind="human", worker=None):
        with engine.writing(opened) as conn:
            version = studies.open_version(conn, "mine")
            study = study_files.from_json(version.content)
            shown, rng = studies.stimuli(conn, version.config_hash), random.Random(number)
            asked = [item.id for item in study.consent.items if item.shares]
            session, token = sessions.begin(
                conn,
                config_hash=version.config_hash,
                kind=kind,
                phase="live",
                language="en",
                nonce=f"nonce of participant {number}",
                consents=[ConsentGiven(item, False, sharing, "en", "1", item) for item in asked],
                draw=lambda _taken: plan.build(study, shown, Places(), rng=rng),
                option_order=plan.option_order(study, rng=rng),
                utc_offset_min=0,
            )
            external.add(conn, session, worker or f"worker-{number}", {}, salt="00")
        return session, erase_codes.shown(sessions.erase_code(token))

    return make


def left(opened):
    with engine.reading(opened) as conn:
        return sessions.flow(conn, "mine").began


def test_a_session_is_deleted_by_code_by_external_id_and_by_its_own(run, opened, begun):
    (_, code), _, (third, _) = begun(1), begun(2), begun(3)
    run("erase", "mine", "--code", code.lower().replace("-", " "), "--yes")
    assert left(opened) == 2
    run("erase", "mine", "--external", "worker-2", "--yes")
    assert left(opened) == 1
    said = run("erase", "mine", "--session", third.session_id, "--yes")
    assert "No export and no backup is known that holds it." in said
    assert left(opened) == 0


def test_every_session_that_came_with_an_id_is_shown_and_deleted(run, opened, begun):
    tried, _ = begun(1, kind="preview", worker="worker-9")
    taken, _ = begun(2, worker="worker-9")
    said = run("erase", "mine", "--external", "worker-9", typed="n\n", code=1)
    assert 0 < said.index(taken.session_id) < said.index(tried.session_id)
    assert "grows by 2" in run("erase", "mine", "--external", "worker-9", "--yes")
    with engine.reading(opened) as conn:
        assert [sessions.get(conn, one.session_id) for one in (tried, taken)] == [None, None]


def test_in_a_lab_a_code_is_found_however_it_is_typed(run, opened, begun, tmp_path):
    begun(1, worker="p02")
    path = tmp_path / "mine.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\nrecruitment: {route: lab}\n", encoding="utf-8")
    run("study", "load", path)
    run("study", "open", "mine")
    begun(2, worker="P01")
    begun(3, worker="P02")
    run("erase", "mine", "--external", " ｐ 01", "--yes")
    assert left(opened) == 2
    # An id of the version before the lab is read as it is.
    assert "grows by 1;" in run("erase", "mine", "--external", "P02", "--yes")
    assert left(opened) == 1


def test_it_says_what_is_there_and_asks_first(run, opened, begun):
    session, code = begun(1)
    said = run("erase", "mine", "--code", code, typed="n\n", code=1)
    assert session.session_id in said
    assert "0 answers to pictures, 0 to questions" in said
    assert left(opened) == 1
    run("erase", "mine", "--code", code, typed="y\n")
    assert left(opened) == 0


def test_the_bytes_are_gone_and_the_copies_are_named(run, opened, begun, tmp_path):
    session, code = begun(1)
    backup = tmp_path / "kept.db"
    run("export", "mine", "--out", tmp_path / "private", "--private")
    run("export", "mine", "--out", tmp_path / "public.zip")
    run("backup", backup)
    said = run("erase", "mine", "--code", code, "--yes")
    assert f"private export  {tmp_path / 'private'}" in said
    assert f"public export  {tmp_path / 'public.zip'}" in said
    assert f"backup  {backup}" in said
    database = settings.load().data / "facenorm.db"
    files = [database, Path(f"{database}-wal")]
    assert not any(session.session_id.encode() in file.read_bytes() for file in files if file.exists())
    # What it says of the copies is true.
    assert session.session_id.encode() in backup.read_bytes()
    assert session.session_id in (tmp_path / "private" / "participants.csv").read_text()


def test_a_public_export_is_not_named_for_who_did_not_share(run, opened, begun, tmp_path):
    _, code = begun(1, sharing=False)
    run("export", "mine", "--out", tmp_path / "public.zip")
    assert "public.zip" not in run("erase", "mine", "--code", code, "--yes")


def test_a_reader_of_an_older_state_is_told(run, opened, begun):
    _, code = begun(1)
    with sqlite3.connect(settings.load().data / "facenorm.db", isolation_level=None) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM session").fetchone()
        said = run("erase", "mine", "--code", code, "--yes")
        reader.execute("ROLLBACK")
    reader.close()
    assert "traces are still in its file" in said
    assert left(opened) == 0


@pytest.mark.parametrize(
    "given", [["--code", "ABCD-EFGH-JKMN"], ["--external", "nobody"], ["--session", "0" * 32]]
)
def test_an_unknown_session_is_told_and_nothing_deleted(run, opened, begun, given):
    begun(1)
    assert "has no such session" in run("erase", "mine", *given, "--yes", code=1)
    assert left(opened) == 1


def test_a_session_of_another_study_is_none_of_this_one(run, opened, begun, tmp_path):
    session, _ = begun(1)
    text = (tmp_path / "mine.yaml").read_text(encoding="utf-8")
    (tmp_path / "other.yaml").write_text(text.replace("study: mine", "study: other"), encoding="utf-8")
    run("study", "load", tmp_path / "other.yaml")
    assert "no such session" in run("erase", "other", "--session", session.session_id, "--yes", code=1)


@pytest.mark.parametrize("given", [[], ["--code", "x", "--external", "y"]])
def test_one_way_of_naming_is_needed(run, given):
    assert "one of --code" in run("erase", "mine", *given, code=2)


def test_a_backup_is_noted_after_it_was_made(run, opened, tmp_path):
    run("backup", tmp_path / "kept.db")
    with engine.reading(opened) as conn:
        version = studies.open_version(conn, "mine")
        (noted,) = copies.backups(conn, folder=None, since=version.loaded_at)
    assert noted.where == str(tmp_path / "kept.db")
