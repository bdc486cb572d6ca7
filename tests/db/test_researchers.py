from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from sqlalchemy import select, update

from core.errors import LoginError
from db import engine as db_engine
from db import researchers
from db.schema import login, login_attempt, metadata, researcher
from db.statements import now

NEW = "a long new password"


@pytest.fixture
def one_time(engine):
    with db_engine.writing(engine) as conn:
        return researchers.set_one_time(conn, "ann")


def _by_token(engine, token):
    with db_engine.reading(engine) as conn:
        return researchers.by_token(conn, token)


def _has_own_password(engine, name):
    with db_engine.reading(engine) as conn:
        return researchers.has_own_password(conn, name)


def _change(engine, token, new):
    with db_engine.writing(engine) as conn:
        return researchers.change_password(conn, token, new)


def test_the_one_time_password_logs_in_and_must_be_changed(engine, one_time):
    opened = researchers.log_in(engine, "ann", one_time)
    assert opened.must_change
    assert _by_token(engine, opened.token) == opened
    assert not _has_own_password(engine, "ann")
    changed = _change(engine, opened.token, NEW)
    assert not changed.must_change
    assert _has_own_password(engine, "ann")
    assert not _has_own_password(engine, "nobody")
    assert not researchers.log_in(engine, "ann", NEW).must_change
    with pytest.raises(LoginError, match="wrong"):
        researchers.log_in(engine, "ann", one_time)


def test_a_changed_password_ends_the_other_logins(engine, one_time):
    first, second = (researchers.log_in(engine, "ann", one_time) for _ in range(2))
    third = _change(engine, first.token, NEW)
    assert _by_token(engine, first.token) is None
    assert _by_token(engine, second.token) is None
    assert _by_token(engine, third.token) is not None


def test_a_new_one_time_password_ends_logins_and_waits(engine, one_time):
    opened = researchers.log_in(engine, "ann", one_time)
    for _ in range(researchers.ATTEMPTS):
        with pytest.raises(LoginError):
            researchers.log_in(engine, "ann", "wrong")
    with db_engine.writing(engine) as conn:
        again = researchers.set_one_time(conn, "ann")
        assert researchers.names(conn) == ("ann",)
    assert _by_token(engine, opened.token) is None
    assert researchers.log_in(engine, "ann", again).must_change


def test_passwords_are_argon2id_hashes_and_tokens_are_hashes(engine, one_time):
    opened = researchers.log_in(engine, "ann", one_time)
    with db_engine.reading(engine) as conn:
        stored = repr([conn.execute(table.select()).all() for table in metadata.sorted_tables])
        parameters = extract_parameters(conn.scalar(select(researcher.c.password_hash)))
    assert one_time not in stored
    assert opened.token not in stored
    # OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, 2 passes and 1 lane at the least.
    assert (parameters.type, parameters.time_cost, parameters.memory_cost, parameters.parallelism) == (
        *(Type.ID, 2, 19456, 1),
    )


def test_too_many_attempts_must_wait_even_with_the_right_password(engine, one_time):
    for _ in range(researchers.ATTEMPTS):
        with pytest.raises(LoginError, match="name or the password is wrong"):
            researchers.log_in(engine, "ann", "wrong")
    with pytest.raises(LoginError, match=r"too many attempts for 'ann'; wait 15 minute"):
        researchers.log_in(engine, "ann", one_time)
    _attempts_were_earlier(engine, timedelta(minutes=13))
    with pytest.raises(LoginError, match="wait 2 minute"):
        researchers.log_in(engine, "ann", one_time)
    _attempts_were_earlier(engine, timedelta(minutes=2))
    assert researchers.log_in(engine, "ann", one_time).name == "ann"


def _attempts_were_earlier(engine, by):
    with db_engine.writing(engine) as conn:
        for attempt_id, tried_at in conn.execute(
            select(login_attempt.c.attempt_id, login_attempt.c.tried_at)
        ):
            conn.execute(
                update(login_attempt)
                .where(login_attempt.c.attempt_id == attempt_id)
                .values(tried_at=tried_at - by)
            )


def test_one_name_that_must_wait_stops_no_other(engine, one_time):
    for _ in range(researchers.ATTEMPTS + 1):
        with pytest.raises(LoginError):
            researchers.log_in(engine, "somebody", "wrong")
    assert researchers.log_in(engine, "ann", one_time).name == "ann"


def test_a_login_forgives_the_attempts_before_it(engine, one_time):
    for _ in range(3):
        for _ in range(researchers.ATTEMPTS - 1):
            with pytest.raises(LoginError, match="wrong"):
                researchers.log_in(engine, "ann", "wrong")
        researchers.log_in(engine, "ann", one_time)


def test_guesses_at_the_same_time_are_counted(engine, one_time):
    def guess(n):
        try:
            researchers.log_in(engine, "ann", f"wrong {n}")
        except LoginError as error:
            return "wait" if "wait 15" in str(error) else "tried"

    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(guess, range(12)))
    assert outcomes.count("tried") == researchers.ATTEMPTS
    assert outcomes.count("wait") == 12 - researchers.ATTEMPTS


def test_an_unknown_name_says_the_same_as_a_wrong_password(engine, one_time):
    said = set()
    for name in ("ann", "nobody"):
        with pytest.raises(LoginError) as caught:
            researchers.log_in(engine, name, "wrong")
        said.add(str(caught.value))
    assert len(said) == 1


def test_what_was_typed_as_a_name_is_not_stored(engine):
    with pytest.raises(LoginError):
        researchers.log_in(engine, "my secret password", "x")
    with db_engine.reading(engine) as conn:
        assert "secret" not in repr([conn.execute(table.select()).all() for table in metadata.sorted_tables])


def test_a_login_ends_after_12_hours_and_on_log_out(engine, one_time):
    opened = researchers.log_in(engine, "ann", one_time)
    assert timedelta(hours=11, minutes=59) < opened.expires_at - now() <= timedelta(hours=12)
    with db_engine.writing(engine) as conn:
        conn.execute(update(login).values(expires_at=now()))
    assert _by_token(engine, opened.token) is None
    with pytest.raises(LoginError, match="login is over"):
        _change(engine, opened.token, NEW)
    other = researchers.log_in(engine, "ann", one_time)
    with db_engine.writing(engine) as conn:
        researchers.log_out(conn, other.token)
    assert _by_token(engine, other.token) is None


def test_a_weak_password_is_refused(engine, one_time):
    token = researchers.log_in(engine, "ann", one_time).token
    with pytest.raises(LoginError, match="has 5 characters; it needs 12 to 1024"):
        _change(engine, token, "short")
    with pytest.raises(LoginError, match="has 1025 characters"):
        _change(engine, token, "x" * 1025)
    with pytest.raises(LoginError, match="the old one or your name"):
        _change(engine, token, one_time)
    assert researchers.log_in(engine, "ann", one_time).must_change


@pytest.mark.parametrize("name", ["", "  ", "x" * 81])
def test_a_name_that_does_not_do_is_refused(engine, name):
    with db_engine.writing(engine) as conn, pytest.raises(LoginError, match="1 to 80 characters"):
        researchers.set_one_time(conn, name)


def test_a_huge_password_is_no_work_for_the_hash(engine, one_time):
    with pytest.raises(LoginError, match="wrong"):
        researchers.log_in(engine, "ann", "x" * 10_000_000)
