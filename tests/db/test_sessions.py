import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from core.errors import SessionError
from core.records import ConsentGiven, Plan
from db import engine as db_engine
from db import questionnaires, sessions
from db.schema import consent, consent_text, metadata, session
from db.schema import trial as trial_table
from db.statements import now
from tests import storing


def test_a_session_comes_back_by_its_token_with_its_plan(lab):
    plan = lab.plan(3)
    begun, token = lab.begin(lab.open(), plan=plan)
    with db_engine.reading(lab.engine) as conn:
        found = sessions.by_token(conn, token)
        assert sessions.trials(conn, found.session_id) == plan
        assert sessions.answered(conn, found.session_id) == frozenset()
        assert sessions.by_token(conn, "0" * 64) is None
    assert found == begun
    assert (found.language, found.kind, found.phase) == ("ko", "human", "live")
    assert found.option_order == {"emotion": ("happy", "sad", "neutral")}
    assert not found.instructions_read
    assert found.completed_at is None


def test_the_database_holds_no_token(lab):
    _, token = lab.begin(lab.open(), nonce="n" * 32)
    with db_engine.reading(lab.engine) as conn:
        stored = repr([conn.execute(table.select()).all() for table in metadata.sorted_tables])
    assert token not in stored
    assert "n" * 32 not in stored
    assert hashlib.sha256(token.encode()).hexdigest() in stored


def test_the_same_form_sent_at_once_begins_one_session(lab):
    version, nonce = lab.open(), secrets.token_hex(16)
    with ThreadPoolExecutor(12) as pool:
        begun = list(pool.map(lambda _: lab.begin(version, nonce=nonce), range(12)))
    assert len({(one.session_id, token) for one, token in begun}) == 1
    with db_engine.reading(lab.engine) as conn:
        assert conn.scalar(select(func.count()).select_from(session)) == 1
        assert conn.scalar(select(func.count()).select_from(trial_table)) == 3


def test_the_same_form_after_a_new_version_keeps_its_session(lab):
    first = lab.begin(lab.open(content="first"), nonce="n" * 32)
    assert lab.begin(lab.open(content="second"), nonce="n" * 32) == first


def test_another_form_begins_another_session(lab):
    version = lab.open()
    (one, token), (two, other) = lab.begin(version), lab.begin(version)
    assert one.session_id != two.session_id
    assert token != other


def test_people_need_an_open_version_and_a_preview_does_not(lab):
    with db_engine.writing(lab.engine) as conn:
        version = lab.load(conn)
    with pytest.raises(SessionError, match="is loaded"):
        lab.begin(version)
    assert lab.begin(version, kind="preview")[0].kind == "preview"


def test_what_is_missing_is_named(lab):
    version = lab.open()
    with pytest.raises(SessionError, match="nonce"):
        lab.begin(version, nonce="short")
    with pytest.raises(SessionError, match="plan of this session is empty"):
        lab.begin(version, draw=lambda places: Plan((), ()))
    with pytest.raises(SessionError, match="no study version 0000"):
        lab.begin(version, config_hash="0" * 64)
    with db_engine.writing(lab.engine) as conn, pytest.raises(SessionError, match="not in the database"):
        sessions.complete(conn, "nobody")


def test_every_answer_and_every_page_is_a_sign_of_life(lab):
    version = lab.open()
    begun, _ = lab.begin(version)
    with db_engine.reading(lab.engine) as conn:
        first = sessions.trials(conn, begun.session_id)[0]
    acts = (
        lambda conn: questionnaires.save(conn, begun.session_id, None, {"age": 30}),
        lambda conn: sessions.mark_instructions(conn, begun.session_id),
        lambda conn: storing.store(conn, lab.answer(first)),
    )
    for act in acts:
        with db_engine.writing(lab.engine) as conn:
            conn.execute(update(session).values(last_seen_at=now() - timedelta(hours=3)))
            act(conn)
            assert conn.scalar(select(session.c.last_seen_at)) > now() - timedelta(minutes=5)


def test_consents_are_kept_with_the_text_that_was_seen(lab):
    given = [
        ConsentGiven("part", True, True, "ko", "1", "참여합니다"),
        ConsentGiven("share", False, False, "ko", "1", "공유합니다"),
    ]
    version = lab.open()
    lab.begin(version, consents=given)
    lab.begin(version, consents=given)
    with db_engine.reading(lab.engine) as conn:
        texts = dict(conn.execute(select(consent_text.c.text_sha256, consent_text.c.text)).tuples().all())
        rows = conn.execute(select(consent.c.item_id, consent.c.agreed, consent.c.text_sha256)).tuples().all()
    # Computed apart by hashlib, the standard library.
    assert texts == {hashlib.sha256(one.text.encode()).hexdigest(): one.text for one in given}
    assert sorted(rows) == sorted(
        [(one.item_id, one.agreed, hashlib.sha256(one.text.encode()).hexdigest()) for one in given] * 2
    )


@pytest.mark.parametrize("value", ["여자", 31, 31.5, None, ""])
def test_what_participants_say_of_themselves_keeps_its_type(lab, value):
    begun, _ = lab.begin(lab.open())
    with db_engine.writing(lab.engine) as conn:
        questionnaires.save(conn, begun.session_id, None, {"gender": "first"})
        questionnaires.save(conn, begun.session_id, None, {"gender": value})
        assert sessions.about(conn, begun.session_id) == {"gender": value}


def test_reading_the_instructions_is_remembered(lab):
    begun, token = lab.begin(lab.open())
    with db_engine.writing(lab.engine) as conn:
        sessions.mark_instructions(conn, begun.session_id)
        assert sessions.by_token(conn, token).instructions_read


def test_a_session_is_complete_only_when_every_trial_is_answered(lab):
    begun, _ = lab.begin(lab.open())
    with db_engine.reading(lab.engine) as conn:
        first, *_ = sessions.trials(conn, begun.session_id)
    lab.store(begun, lab.answer(first))
    with db_engine.writing(lab.engine) as conn:
        assert sessions.answered(conn, begun.session_id) == {first.trial_id}
        with pytest.raises(SessionError, match=r"2 trial\(s\)"):
            sessions.complete(conn, begun.session_id)
    lab.answer_all(begun)
    with db_engine.writing(lab.engine) as conn:
        done = sessions.complete(conn, begun.session_id)
        assert done.completed_at is not None
        assert sessions.complete(conn, begun.session_id) == done


def test_completion_codes_differ_and_can_be_copied_by_hand(lab):
    version = lab.open()
    codes = {lab.begin(version)[0].completion_code for _ in range(20)}
    assert len(codes) == 20
    assert all(len(code) == 8 and not set(code) & set("0O1IL") for code in codes)
