"""POST /api/here: a page that is open says so before it loads another one."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from core import cookies
from db import engine as db_engine
from db import returning, sessions
from db.schema import session
from db.statements import now
from pages.api import coming, store
from tests.pages.api.test_participant import begun

HOUR = timedelta(hours=1)


def known(browser):
    with db_engine.reading(store.engine()) as conn:
        return sessions.by_token(conn, browser.cookies[cookies.participant("demo")])


def silent(**more):
    """Let the last sign of life lie an hour back."""
    with db_engine.writing(store.engine()) as conn:
        conn.execute(update(session).values(last_seen_at=now() - HOUR, **more))


def here(browser, *, token=None):
    cookie = browser.cookies.get(cookies.participant("demo"), "")
    headers = {"X-Facenorm-Token": cookies.post_token(cookie) if token is None else token}
    return browser.post("/api/here", params={"at": "demo"}, headers=headers).status_code


def arrive(app, browser):
    with db_engine.writing(store.engine()) as conn:
        return returning.arrive(conn, known(browser).session_id, coming.policy(app.study))


def test_who_was_there_until_now_comes_back_from_nowhere(app):
    browser, _ = begun(app)
    silent()
    assert here(browser) == 204
    assert now() - known(browser).last_seen_at < HOUR / 2
    assert arrive(app, browser).returns == 0


def test_without_it_the_same_page_load_ends_an_absence(app):
    browser, _ = begun(app)
    silent()
    assert arrive(app, browser).returns == 1


@pytest.mark.parametrize("more", [{"resume_due": True}, {"outcome": "stopped", "ended_at": now()}])
def test_a_session_that_waits_or_has_ended_stays_as_it_is(app, more):
    browser, _ = begun(app)
    silent(**more)
    before = known(browser)
    assert here(browser) == 204
    assert known(browser) == before


@pytest.mark.parametrize("token", ["", "0" * 64])
def test_it_needs_the_page_s_token(app, token):
    browser, _ = begun(app)
    silent()
    assert here(browser, token=token) == 401
    assert now() - known(browser).last_seen_at > HOUR / 2


def test_it_needs_a_session(app):
    assert here(app.browser()) == 401
