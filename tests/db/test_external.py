import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db import engine as db_engine
from db import external, sessions
from db.schema import external as table
from db.schema import metadata, session
from db.statements import now

SECRET = b"s" * 32
ID = "5f3e9a1b2c4d6e7f8a9b0c1d"


def begin(lab, version, external_id=ID, **changed):
    """As the form's route does it: the nonce follows from the id."""
    salt = external.new_salt()
    begun, token = lab.begin(version, nonce=external.nonce(SECRET, salt, external_id), **changed)
    with db_engine.writing(lab.engine) as conn:
        external.add(conn, begun, external_id, {"SESSION_ID": "x"}, salt=salt)
    return begun, token


def test_the_same_id_finds_its_session_and_its_token(lab):
    begun, token = begin(lab, lab.open())
    with db_engine.writing(lab.engine) as conn:
        assert external.session_of(conn, "demo", "human", ID) == begun
        assert external.token(conn, begun, ID, secret=SECRET) == token
        assert external.session_of(conn, "demo", "human", "another") is None
        assert external.session_of(conn, "demo", "preview", ID) is None
        assert external.of_session(conn, begun.session_id).parameters == {"SESSION_ID": "x"}


def test_an_id_lies_in_one_table_alone(lab):
    begin(lab, lab.open())
    with db_engine.reading(lab.engine) as conn:
        holding = [
            each.name for each in metadata.sorted_tables if ID in repr(conn.execute(each.select()).all())
        ]
    assert holding == ["external"]


def test_who_knows_secret_and_id_finds_nothing_once_the_id_is_destroyed(lab):
    begun, _token = begin(lab, lab.open())
    with db_engine.writing(lab.engine) as conn:
        external.mark_paid(conn, "demo", begun.session_id)
        assert external.forget(conn, {begun.config_hash: 0}) == {"demo": 1}
        assert external.session_of(conn, "demo", "human", ID) is None
        stored = repr([conn.execute(each.select()).all() for each in metadata.sorted_tables])
    # What an id could be recognised by without its salt: hashes of it, keyed by the secret or not.
    guesses = [hashlib.sha256(ID.encode()).hexdigest(), external.nonce(SECRET, "", ID)]
    guesses += [sessions.token_of(external.nonce(SECRET, "", ID), "demo", "human")]
    assert not [guess for guess in guesses if guess in stored]
    assert not [guess for guess in guesses if hashlib.sha256(guess.encode()).hexdigest() in stored]


def test_a_database_restored_without_its_secret_gives_the_session_a_new_token(lab):
    begun, token = begin(lab, lab.open())
    with db_engine.writing(lab.engine) as conn:
        renewed = external.token(conn, begun, ID, secret=b"another secret")
        assert renewed != token
        assert sessions.by_token(conn, renewed).session_id == begun.session_id
        assert sessions.by_token(conn, token) is None
        stored = conn.scalar(select(session.c.erase_code_sha256))
        assert stored == hashlib.sha256(sessions.erase_code(renewed).encode()).hexdigest()
        assert external.token(conn, begun, ID, secret=b"another secret") == renewed


def test_one_begin_at_a_time_looks_for_an_id(lab):
    version = lab.open()

    def come(_number):
        with db_engine.writing(lab.engine) as conn:
            external.hold(conn, "demo", "human", ID)
            known = external.session_of(conn, "demo", "human", ID)
            if known is None:
                salt = external.new_salt()
                nonce = external.nonce(SECRET, salt, ID)
                known, _ = lab.begin_in(conn, version, nonce=nonce)
                external.add(conn, known, ID, {}, salt=salt)
            return known.session_id, external.token(conn, known, ID, secret=SECRET)

    with ThreadPoolExecutor(8) as pool:
        came = set(pool.map(come, range(16)))
    assert len(came) == 1


def test_a_preview_gives_its_id_to_the_next_one(lab):
    version = lab.open()
    begin(lab, version, kind="preview")
    with db_engine.writing(lab.engine) as conn:
        external.release(conn, "demo", "preview", ID)
    again, _ = begin(lab, version, kind="preview")
    with db_engine.reading(lab.engine) as conn:
        assert external.session_of(conn, "demo", "preview", ID) == again


def test_claims_say_what_a_payment_needs(lab):
    version = lab.open()
    done, running = begin(lab, version)[0], begin(lab, version, "other")[0]
    begin(lab, version, "preview", kind="preview")
    lab.answer_all(done)
    with db_engine.writing(lab.engine) as conn:
        sessions.complete(conn, done.session_id)
        first, second = external.claims(conn, "demo")
    assert (first.external_id, first.outcome, first.completion_code) == (ID, "complete", done.completion_code)
    assert (second.external_id, second.outcome, second.pool_code) == ("other", None, None)
    assert second.session_id == running.session_id


def test_all_complete_sessions_are_marked_paid_once(lab):
    version = lab.open()
    done, _running = begin(lab, version)[0], begin(lab, version, "other")[0]
    lab.answer_all(done)
    with db_engine.writing(lab.engine) as conn:
        sessions.complete(conn, done.session_id)
        assert external.mark_paid(conn, "demo") == 1
        first = external.by_session(conn, "demo")[done.session_id].paid_at
        assert external.mark_paid(conn, "demo") == 0
        assert external.mark_paid(conn, "demo", done.session_id) == 0
        assert external.mark_paid(conn, "other study", done.session_id) == 0
        assert external.by_session(conn, "demo")[done.session_id].paid_at == first


@pytest.mark.parametrize(("paid_days_ago", "gone"), [(None, {}), (29, {}), (31, {"demo": 1})])
def test_ids_go_a_set_number_of_days_after_payment(lab, paid_days_ago, gone):
    version = lab.open()
    begun, _ = begin(lab, version)
    with db_engine.writing(lab.engine) as conn:
        if paid_days_ago is not None:
            conn.execute(update(table).values(paid_at=now() - timedelta(days=paid_days_ago)))
        assert external.due(conn, {version.config_hash: 30}) is bool(gone)
        assert not external.due(conn, {"0" * 64: 0})
        assert external.forget(conn, {version.config_hash: 30}) == gone
        assert (begun.session_id in external.by_session(conn, "demo")) is not bool(gone)
