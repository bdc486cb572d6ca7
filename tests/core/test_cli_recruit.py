"""Links, completion codes and external ids at the shell, on a real database."""

import csv
import io
import secrets

import pytest
from click.testing import CliRunner
from PIL import Image

from core.cli import database, main
from core.records import Plan, Shown, Trial
from db import audit, codes, engine, external, sessions, studies
from tests import variants

END = "seed: 2026"
PROLIFIC = "recruitment: {route: prolific, forget_ids_after_days: 0}"
POOL = "recruitment: {route: prolific, code: pool}"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("FACENORM_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("FACENORM_DATABASE_URL", raising=False)

    def run(*arguments, code=0):
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def load(run, tmp_path):
    """Load and open the demo study with one picture and these settings."""

    def make(settings):
        (tmp_path / "faces").mkdir(exist_ok=True)
        Image.new("RGB", (64, 64), "grey").save(tmp_path / "faces" / "id01_happy.png")
        changes = [("folder: ../demo", "folder: faces"), ("per_participant: 24", "per_participant: 1")]
        changes += [("manifest: manifest.csv", 'pattern: "{identity}_{emotion}.png"')]
        path = tmp_path / "mine.yaml"
        path.write_text(variants.one_block(*changes, (END, f"{END}\n{settings}")), encoding="utf-8")
        run("study", "load", path)
        run("study", "open", "demo")

    return make


def take_part(external_id, *, outcome="complete", parameters=()):
    """Begin and end a session as the app does."""
    with engine.writing(database.opened()) as conn:
        version = studies.open_version(conn, "demo")
        shown = (Shown("target", studies.stimuli(conn, version.config_hash)[0].stimulus_id),)
        begun, _token = sessions.begin(
            conn,
            config_hash=version.config_hash,
            kind="human",
            phase="live",
            language="ko",
            nonce=secrets.token_hex(16),
            consents=[],
            draw=lambda places: Plan(("all",), (Trial(secrets.token_hex(16), 1, 1, shown),)),
            option_order={},
            utc_offset_min=0,
        )
        external.add(conn, begun, external_id, dict(parameters), salt=external.new_salt())
        return sessions.end(conn, begun.session_id, outcome) if outcome else begun


def entries():
    with engine.reading(database.opened()) as conn:
        return [(entry.what, entry.detail) for entry in audit.read(conn)]


def test_the_link_is_printed_with_the_platforms_placeholders(run, load):
    load(PROLIFIC)
    said = run("study", "link", "demo", "--base", "https://faces.example.org").output
    assert said.startswith("https://faces.example.org/?study=demo&PROLIFIC_PID={{%PROLIFIC_PID%}}&")
    assert "needs an address" in run("study", "link", "demo", "--base", "faces", code=2).output
    assert "loaded: demo" in run("study", "link", "dmo", code=1).output


def test_what_is_to_be_filled_in_is_said(run, load):
    load("recruitment: {route: panel, complete_url: 'https://x.example/', keep: [sub]}")
    result = run("study", "link", "demo")
    assert result.stdout.strip().endswith("?study=demo&id=[ID]&sub=[SUB]")
    assert "[ID] and [SUB]" in result.stderr


def test_mturk_gets_the_layout_of_a_hit(run, load):
    load("recruitment: {route: mturk}")
    said = run("study", "link", "demo").stdout
    assert 'href="http://localhost:8501/?study=demo&amp;"' in said
    assert "<script>" in said


def test_codes_are_loaded_as_a_whole_or_not_at_all(run, load, tmp_path):
    load(POOL)
    file = tmp_path / "codes.txt"
    file.write_text("\ufeffA1\r\nB2\r\n", encoding="utf-8")
    assert "Codes added: 2; free: 2." in run("codes", "load", "demo", file).output
    said = run("codes", "load", "demo", file, code=1).output
    assert f"{file}: line 1: 'A1' is in the pool already; line 2: 'B2' is in the pool already" in said
    file.write_text("C3\n\nC3\n", encoding="utf-8")
    said = run("codes", "load", "demo", file, code=1).output
    assert "line 2: it is empty; line 3: 'C3' is on line 1 already" in said
    assert run("codes", "list", "demo").output == "A1\tfree\nB2\tfree\n"
    assert ("completion codes loaded", "demo: 2") in entries()


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file"), (b"\xff\xfe", "no UTF-8"), (b"", "no codes")]
)
def test_a_file_of_codes_that_cannot_be_used_is_named(run, load, tmp_path, content, said):
    load(POOL)
    if content is not None:
        (tmp_path / "codes.txt").write_bytes(content)
    output = run("codes", "load", "demo", tmp_path / "codes.txt", code=1).output
    assert "codes.txt" in output
    assert said in output


def test_a_study_without_a_pool_takes_no_codes(run, load, tmp_path):
    load(PROLIFIC)
    assert "code: pool" in run("codes", "load", "demo", tmp_path / "codes.txt", code=1).output


def test_the_list_for_payments_holds_ids_outcomes_and_codes(run, load):
    load(POOL)
    done = take_part("abc", parameters={"SESSION_ID": "x1"}.items())
    take_part("=cmd|'/c calc'!A1", outcome="stopped")
    with engine.writing(database.opened()) as conn:
        codes.load(conn, "demo", ["POOL-1"])
        codes.take(conn, "demo", done.session_id)
    first, second = csv.DictReader(io.StringIO(run("external", "list", "demo").output))
    assert (first["external_id"], first["outcome"], first["code"]) == ("abc", "complete", "POOL-1")
    assert (first["session_id"], first["SESSION_ID"], first["paid_at"]) == (done.session_id, "x1", "")
    assert (second["outcome"], second["code"]) == ("stopped", "")
    assert second["external_id"] == "'=cmd|'/c calc'!A1", "a spreadsheet must not run it"
    assert ("external ids listed", "demo: 2") in entries()


def test_each_session_is_listed_with_the_code_of_its_version(run, load):
    load("recruitment: {route: prolific, code: fixed, fixed_code: FIRST}")
    take_part("abc")
    load("recruitment: {route: prolific, code: fixed, fixed_code: SECOND}")
    take_part("xyz")
    rows = csv.DictReader(io.StringIO(run("external", "list", "demo").output))
    assert [(row["external_id"], row["code"]) for row in rows] == [("abc", "FIRST"), ("xyz", "SECOND")]


def test_opening_a_version_tells_of_the_ratings_that_it_does_not_count(run, load):
    load(PROLIFIC)
    take_part("abc")
    assert "note:" not in run("study", "open", "demo").stderr
    load(POOL)
    assert "began in other versions: 1." in run("study", "open", "demo").stderr
    assert "note:" not in run("study", "open", "demo", "--phase", "pilot").stderr


def test_paid_ids_are_destroyed_and_unpaid_ones_stay(run, load):
    load(PROLIFIC)
    done, running = take_part("abc"), take_part("xyz", outcome=None)
    assert "No id is due" in run("external", "forget").output
    assert "Noted as paid: 1." in run("external", "paid", "demo", "--all-complete").output
    assert "no unpaid session" in run("external", "paid", "demo", "--session", done.session_id, code=1).output
    assert "demo: ids destroyed: 1." in run("external", "forget").output
    with engine.reading(database.opened()) as conn:
        assert set(external.by_session(conn, "demo")) == {running.session_id}
    run("external", "paid", "demo", "--session", running.session_id)
    assert run("external", "paid", "demo", code=2)
    assert "abc" not in repr(entries())
    assert "xyz" not in repr(entries())
