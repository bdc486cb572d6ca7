"""Real deletion: gone from every table, and from the bytes of the files."""

import secrets
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from core.errors import FacenormError, SessionError
from core.records import ConsentGiven, Counting
from db import audit, codes, copies, engine, erasure, exclusions, places, questionnaires, scrub, sessions
from db import external as externals
from db.schema import consent_text, metadata, questionnaire, session, tally
from db.statements import digest, now

TEXT = "나는 아무도 모르는 대답을 적었다 (an answer nobody else wrote)"
PROLIFIC = "5f3e9a1b2c4d6e7f8a9b0c1d"


@pytest.fixture
def version(lab):
    return lab.open()


@pytest.fixture
def held(lab, version):
    """A session that every table knows something of."""
    plan = lab.plan(3)
    begun, token = lab.begin(
        version, plan=plan, consents=[ConsentGiven("part", True, True, "ko", "1", "only this one read it")]
    )
    lab.answer_all(begun)
    with engine.writing(lab.engine) as conn:
        questionnaires.save(conn, begun.session_id, None, {"study": TEXT})
        said = {"questionnaire_id": "end", "question_id": "why", "value": TEXT, "saved_at": now()}
        conn.execute(insert(questionnaire), {"session_id": begun.session_id, **said})
        externals.add(conn, begun, PROLIFIC, {"STUDY_ID": "abc"}, salt="00")
        codes.load(conn, "demo", ["YAHOO-77"])
        assert codes.take(conn, "demo", begun.session_id) == "YAHOO-77"
        exclusions.add(conn, "demo", "session", begun.session_id, reason="asleep", who="ann")
        out = exclusions.add(conn, "demo", "trial", plan[0].trial_id, reason="slow", who="ann")
        exclusions.reverse(conn, "demo", out, reason="was fine", who="ann")
        audit.write(conn, "ann", "excluded", f"session {begun.session_id}")
        sessions.end(conn, begun.session_id, "stopped")
    return begun, token, plan


def everything(lab):
    """All rows of all tables as text."""
    with engine.reading(lab.engine) as conn:
        return {
            table.name: [str(tuple(row)) for row in conn.execute(select(table))]
            for table in metadata.sorted_tables
        }


def erase(lab, session_id, **given):
    with engine.writing(lab.engine) as conn:
        return erasure.erase(conn, session_id, **{"who": erasure.BY_PARTICIPANT, **given})


def test_no_table_tells_of_an_erased_session_and_all_else_stays(lab, version, held):
    begun, token, plan = held
    other, _ = lab.begin(version)
    lab.answer_all(other)
    before = everything(lab)
    secrets_of_it = [begun.session_id, TEXT, PROLIFIC, digest(token), "only this one", begun.completion_code]
    secrets_of_it += [trial.trial_id for trial in plan]
    for secret in secrets_of_it:
        assert any(secret in row for rows in before.values() for row in rows)
    erase(lab, begun.session_id)
    after = everything(lab)
    for secret in secrets_of_it:
        assert not any(secret in row for rows in after.values() for row in rows)
    for name, rows in after.items():
        of_others = [row for row in rows if row in before[name]]
        assert of_others == [row for row in before[name] if not any(one in row for one in secrets_of_it)] or (
            name == "exclusion" and not of_others
        )
    for name in ("session", "consent", "trial", "answer", "response"):
        assert any(other.session_id in row or name == "answer" for row in after[name])
    assert len(after["answer"]) == 3


def test_what_stays_is_a_count_and_the_moment(lab, version, held):
    begun, _token, _plan = held
    erase(lab, begun.session_id)
    with engine.reading(lab.engine) as conn:
        assert conn.execute(select(tally.c.what, tally.c.n)).all() == [("erased", 1)]
        assert erasure.count(conn, "demo") == 1
        entries = [entry for entry in audit.read(conn) if entry.what == "erased"]
        assert [entry.who for entry in entries] == ["participant"]
        assert begun.session_id not in entries[0].detail
        assert sessions.flow(conn, "demo").began == 0
    erase(lab, lab.begin(version)[0].session_id)
    with engine.reading(lab.engine) as conn:
        assert erasure.count(conn, "demo") == 2


def test_a_platforms_code_stays_used_though_nobody_has_it(lab, held):
    erase(lab, held[0].session_id)
    with engine.writing(lab.engine) as conn:
        assert codes.left(conn, "demo") == 0
        assert [(one.code, one.session_id) for one in codes.listing(conn, "demo")] == [("YAHOO-77", None)]
        assert codes.take(conn, "demo", "another session") is None


def test_a_consent_text_that_others_read_too_stays(lab, version, held):
    shared = ConsentGiven("part", True, True, "ko", "1", "only this one read it")
    lab.begin(version, consents=[shared])
    erase(lab, held[0].session_id)
    with engine.reading(lab.engine) as conn:
        assert conn.scalars(select(consent_text.c.text)).all() == ["only this one read it"]


def test_the_places_of_an_erased_session_are_free_again(lab, version):
    begun, _ = lab.begin(version)
    lab.answer_all(begun)
    assert sum(planned(lab, version).values()) == 3
    erase(lab, begun.session_id)
    assert planned(lab, version) == {}


def planned(lab, version):
    scope = places.Scope(version, "human", "live", "ko")
    counting = Counting(first={"all": "emotion"})
    with engine.reading(lab.engine) as conn:
        ratings = places.count(conn, scope, counting).places.ratings
    return {stimulus_id: n for stimulus_id, n in ratings.get("all", {}).items() if n}


def test_erasing_twice_or_nobody_says_so_and_counts_nothing(lab, version, held):
    erase(lab, held[0].session_id)
    for session_id in (held[0].session_id, "nobody"):
        with pytest.raises(SessionError, match="nothing is left to delete"):
            erase(lab, session_id)
    with engine.reading(lab.engine) as conn:
        assert erasure.count(conn, "demo") == 1


def test_contents_counts_pictures_and_answered_questions(lab, version):
    begun, _ = lab.begin(version)
    (first, *_rest) = begun_trials(lab, begun)
    lab.store(begun, lab.answer(first))
    lab.store(begun, lab.answer(first, 2, value=10.0), back=True)
    with engine.writing(lab.engine) as conn:
        questionnaires.save(conn, begun.session_id, None, {"age": 34})
        questionnaires.save(conn, begun.session_id, None, {"gender": None})
        assert erasure.contents(conn, begun.session_id) == erasure.Contents(pictures=1, questions=1)


def begun_trials(lab, begun):
    with engine.reading(lab.engine) as conn:
        return sessions.trials(conn, begun.session_id)


def test_a_session_is_found_by_the_id_that_it_came_with(lab, version, held):
    later = lab.open(content="second")
    with engine.reading(lab.engine) as conn:
        assert erasure.by_external(conn, version.config_hash, PROLIFIC) == (held[0].session_id,)
        assert erasure.by_external(conn, later.config_hash, PROLIFIC) == ()
        assert erasure.by_external(conn, version.config_hash, PROLIFIC[:-1]) == ()


@pytest.mark.postgres
def test_an_answer_that_arrives_meanwhile_leaves_nothing_behind(lab, version):
    for _ in range(8):
        begun, _token = lab.begin(version)
        trials = begun_trials(lab, begun)
        start = threading.Barrier(2)

        def answer(begun=begun, trials=trials, start=start):
            start.wait()
            for trial in trials:
                try:
                    lab.store(begun, lab.answer(trial))
                except (SQLAlchemyError, FacenormError, KeyError):
                    return  # the session or its trial is gone: any refusal will do

        thread = threading.Thread(target=answer)
        thread.start()
        start.wait()
        erase(lab, begun.session_id)
        thread.join()
        rows = everything(lab)
        assert not any(begun.session_id in row for name in rows for row in rows[name])
        assert rows["answer"] == rows["response"] == rows["trial"] == []


@pytest.mark.postgres
def test_a_text_that_somebody_agrees_to_meanwhile_stays(lab, version):
    if lab.engine.dialect.name == "sqlite":
        pytest.skip("one writes at a time")
    leaving, _ = lab.begin(version)
    done = []
    thread = threading.Thread(target=lambda: done.append(erase(lab, leaving.session_id)))
    with engine.writing(lab.engine) as conn:
        staying, _ = lab.begin_in(conn, version)
        thread.start()
        thread.join(1)  # it waits for the text
        assert not done
    thread.join(30)
    assert len(done) == 1
    with engine.reading(lab.engine) as conn:
        assert sessions.consents(conn, staying.session_id) == {"part": True}
        assert conn.scalar(select(func.count()).select_from(consent_text)) == 1


# ---- the bytes


def traces(lab, *secrets_of_it: str) -> int:
    """How often the files hold one of these texts."""
    path = Path(lab.engine.url.database)
    files = [path, path.with_name(f"{path.name}-wal")]
    content = b"".join(file.read_bytes() for file in files if file.exists())
    return sum(content.count(secret.encode()) for secret in secrets_of_it)


def many(lab, version, n):
    """Sessions with a text that was revised."""
    begun = [lab.begin(version, plan=lab.plan(12))[0] for _ in range(n)]
    for one in begun:
        lab.answer_all(one)
        with engine.writing(lab.engine) as conn:
            questionnaires.save(conn, one.session_id, None, {"why": "first words " + one.session_id})
            questionnaires.save(conn, one.session_id, None, {"why": "better"})
    return begun


def test_the_bytes_of_an_erased_session_are_gone_from_file_and_log(sqlite_lab):
    lab, version = sqlite_lab, sqlite_lab.open()
    for one in many(lab, version, 20)[::7]:
        with engine.writing(lab.engine) as conn:
            questionnaires.save(conn, one.session_id, None, {"study": TEXT})
            externals.add(conn, one, PROLIFIC + one.session_id, {}, salt="00")
        assert traces(lab, one.session_id, TEXT, PROLIFIC) > 3
        erase(lab, one.session_id)
        assert erasure.settle(lab.engine)
        assert traces(lab, one.session_id, TEXT, PROLIFIC) == 0


def test_stray_copies_are_overwritten_too(sqlite_lab):
    # As pages that were split or joined leave them, and as earlier programs left what was revised.
    lab = sqlite_lab
    begun = many(lab, lab.open(), 20)[::2]
    with engine.alone(lab.engine) as connection:
        connection.execute("PRAGMA secure_delete=OFF")
        connection.execute("CREATE TABLE stray (session_id TEXT)")
        connection.executemany("INSERT INTO stray VALUES (?)", [(one.session_id,) for one in begun])
        connection.execute("DELETE FROM stray")
        connection.execute("DROP TABLE stray")
        connection.execute("PRAGMA secure_delete=ON")
    for one in begun:
        erase(lab, one.session_id)
    with engine.alone(lab.engine) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    ids = [one.session_id for one in begun]
    assert traces(lab, *ids) > 0
    assert erasure.settle(lab.engine)
    assert traces(lab, *ids) == 0


def test_a_reader_delays_the_overwriting_and_the_next_try_makes_up_for_it(sqlite_lab):
    lab = sqlite_lab
    begun, _ = lab.begin(lab.open())
    lab.answer_all(begun)
    with engine.reading(lab.engine) as conn:
        conn.scalar(select(func.count()).select_from(session))  # an export that is under way
        erase(lab, begun.session_id)
        assert not erasure.settle(lab.engine)
        assert scrub.is_due(lab.engine)
        assert traces(lab, begun.session_id) > 0
    assert erasure.settle(lab.engine)
    assert not scrub.is_due(lab.engine)
    assert traces(lab, begun.session_id) == 0


def test_a_settled_database_is_left_alone(sqlite_lab, monkeypatch):
    assert not scrub.is_due(sqlite_lab.engine)
    monkeypatch.setattr(engine, "alone", None)  # it would fail
    assert erasure.settle(sqlite_lab.engine)


def test_answers_go_on_being_stored_while_the_file_is_written_anew(sqlite_lab):
    lab, version = sqlite_lab, sqlite_lab.open()
    gone = many(lab, version, 10)
    other, _ = lab.begin(version, plan=lab.plan(12))
    erase(lab, gone[0].session_id)
    settled = []
    thread = threading.Thread(target=lambda: settled.append(erasure.settle(lab.engine)))
    thread.start()
    lab.answer_all(other)
    thread.join()
    assert settled == [True]
    with engine.reading(lab.engine) as conn:
        assert erasure.contents(conn, other.session_id).pictures == 12
        assert conn.scalar(text("PRAGMA integrity_check")) == "ok"
        assert not conn.execute(text("PRAGMA foreign_key_check")).all()


@pytest.mark.postgres
def test_postgres_makes_room_again(lab, held):
    erase(lab, held[0].session_id)
    assert erasure.settle(lab.engine)


# ---- copies that were made before


def exported(lab, *, public=True, version=1, phase="live", kind="human", where="/x"):
    with engine.writing(lab.engine) as conn:
        copies.note_export(
            conn, "ann", study_id="demo", version=version, phase=phase, kind=kind, public=public, where=where
        )


def test_exports_of_the_sessions_version_since_it_began_are_reported(lab, version):
    exported(lab, where="/before")
    pause()
    begun, _ = lab.begin(version)
    exported(lab, where="/public dir/a: b")
    exported(lab, public=False, where="download")
    exported(lab, version=2, where="/another version")
    exported(lab, phase="pilot", where="/the pilot")
    exported(lab, kind="simulated", where="/simulated")
    with engine.writing(lab.engine) as conn:
        audit.write(conn, "ann", "private export", "demo version 1")  # as earlier programs noted it
        audit.write(conn, "ann", "private export", "demo2 version 1")
    report = erase(lab, begun.session_id)
    found = [(one.what, one.where) for one in report.exports]
    assert found == [
        ("public export", "/public dir/a: b"),
        ("private export", "download"),
        ("private export", ""),
    ]


def test_public_exports_hold_nobody_who_did_not_agree_to_sharing(lab, version):
    begun, _ = lab.begin(version)
    exported(lab)
    exported(lab, public=False, where="/private")
    assert [one.where for one in erase(lab, begun.session_id, shared=False).exports] == ["/private"]


def test_backups_since_it_began_are_reported_while_their_files_are_there(sqlite_lab, tmp_path):
    lab = sqlite_lab
    stamp = (now() - timedelta(days=3)).strftime("%Y%m%dT%H%M%S%fZ")
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / f"facenorm-0001-{stamp}.db").touch()
    begun, _ = lab.begin(lab.open())
    later = (now() + timedelta(seconds=5)).strftime("%Y%m%dT%H%M%S%fZ")
    made = [folder / f"facenorm-0001-{later}.db", tmp_path / f"facenorm-before-restore-{later}.db"]
    made.append(tmp_path / "kept.db")
    for path in made:
        path.touch()
    with engine.writing(lab.engine) as conn:
        copies.note_backup(conn, "ann", tmp_path / "kept.db")
        copies.note_backup(conn, "ann", tmp_path / "thrown away.db")
    report = erase(lab, begun.session_id, backups=folder)
    assert {one.where for one in report.backups} == {str(path) for path in made}
    with engine.reading(lab.engine) as conn:
        assert erasure.notice(conn, "demo").backups == report.backups
        made[0].unlink()
        assert len(erasure.notice(conn, "demo").backups) == 2
        assert erasure.notice(conn, "another") is None


def test_the_notice_gathers_the_copies_of_all_erasures_once(lab, version):
    begun = [lab.begin(version)[0] for _ in range(3)]
    exported(lab, where="/first")
    erase(lab, begun[0].session_id)
    pause()
    exported(lab, where="/second")
    erase(lab, begun[1].session_id)
    pause()
    exported(lab, where="/third, nobody left since")
    with engine.reading(lab.engine) as conn:
        found = erasure.notice(conn, "demo")
    assert [one.where for one in found.exports] == ["/first", "/second"]
    assert found.last <= now()


def pause():
    """Let a millisecond pass: moments are kept no finer."""
    threading.Event().wait(0.005)


def test_ids_in_the_notes_of_others_do_not_match_by_chance(lab, version):
    begun, _ = lab.begin(version)
    with engine.writing(lab.engine) as conn:
        audit.write(conn, "ann", "excluded", f"session {secrets.token_hex(16)}")
    erase(lab, begun.session_id)
    with engine.reading(lab.engine) as conn:
        assert [entry.what for entry in audit.read(conn)] == ["erased", "excluded"]
