"""Stopping, finishing after the debriefing and deleting, over HTTP."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import update

from core import cookies
from db import engine, erase_codes, erasure, sessions
from db.schema import session as session_table
from db.statements import now
from pages.api import store, upkeep

BACK = "/?study=demo&lang=ko"


def begun(app, **changed):
    browser = app.browser()
    assert browser.post("/api/begin", data=app.form(**changed)).status_code == 303
    return browser


def post(browser, path, *, key="demo", token=None, **fields):
    cookie = browser.cookies.get(cookies.participant(key), "")
    given = {"at": key, "token": cookies.post_token(cookie) if token is None else token, "back": BACK}
    response = browser.post(path, data={**given, **fields})
    assert response.status_code == 303, response.text
    return response


def query(response):
    address = urlsplit(response.headers["location"])
    assert (address.netloc, address.path) == ("", "/")
    return {name: value for name, (value,) in parse_qs(address.query).items()}


def held(browser, key="demo"):
    with engine.reading(store.engine()) as conn:
        return sessions.by_token(conn, browser.cookies.get(cookies.participant(key), ""))


def erased(app):
    with engine.reading(store.engine()) as conn:
        return erasure.count(conn, "demo")


def code_of(browser):
    return erase_codes.shown(sessions.erase_code(browser.cookies[cookies.participant("demo")]))


def by_code(browser, typed):
    return browser.post("/api/erase/find", data={"study": "demo", "code": typed, "back": BACK})


def confirm(browser):
    token = cookies.post_token(browser.cookies.get(cookies.ERASE, ""))
    return post(browser, "/api/erase", by="code", token=token)


def test_stopping_ends_the_session_and_keeps_it(app):
    browser = begun(app)
    assert query(post(browser, "/api/stop")) == {"study": "demo", "lang": "ko"}
    assert held(browser).outcome == "stopped"
    assert held(browser).completed_at is None
    assert erased(app) == 0


def test_stopping_twice_keeps_the_first_moment(app):
    browser = begun(app)
    post(browser, "/api/stop")
    first = held(browser).ended_at
    post(browser, "/api/stop")
    assert held(browser).ended_at == first


@pytest.mark.parametrize("path", ["/api/stop", "/api/debriefed", "/api/erase"])
def test_without_the_sessions_token_nothing_happens(app, path):
    browser = begun(app)
    for token in ("", "0" * 64):
        post(browser, path, token=token, by="session")
    session = held(browser)
    assert (session.outcome, session.debriefed_at, erased(app)) == (None, None, 0)


def test_a_stranger_without_a_session_is_led_back(app):
    for path in ("/api/stop", "/api/debriefed", "/api/erase"):
        stranger = app.browser()
        assert post(stranger, path, token=cookies.post_token(""), by="session").status_code == 303


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example/?study=demo", "", "/\\evil"])
def test_the_way_back_never_leads_to_another_site(app, back):
    browser = begun(app)
    response = post(browser, "/api/stop", back=back)
    assert response.headers["location"].startswith("/?")
    assert "evil" not in response.headers["location"]


def test_the_debriefing_is_noted_once(app):
    browser = begun(app)
    post(browser, "/api/debriefed")
    first = held(browser).debriefed_at
    assert first is not None
    post(browser, "/api/debriefed")
    assert held(browser).debriefed_at == first


def test_the_browsers_own_session_is_deleted_with_its_cookie(app):
    browser = begun(app)
    session = held(browser)
    response = post(browser, "/api/erase", by="session")
    assert query(response)["erase"] == "done"
    assert cookies.participant("demo") not in browser.cookies
    assert browser.cookies[cookies.ERASED] == f"{session.session_id}."
    with engine.reading(store.engine()) as conn:
        assert sessions.get(conn, session.session_id) is None
    assert erased(app) == 1


def test_a_code_deletes_from_another_browser(app):
    browser, other = begun(app), app.browser()
    post(browser, "/api/stop")
    session = held(browser)
    found = by_code(other, code_of(browser).lower().replace("-", " "))
    assert query(found)["erase"] == "code"
    assert "code" not in query(found)
    assert "httponly" in found.headers["set-cookie"].lower()
    assert erased(app) == 0
    assert query(confirm(other))["erase"] == "done"
    assert other.cookies[cookies.ERASED] == f"{session.session_id}.stopped"
    assert cookies.ERASE not in other.cookies
    assert held(browser) is None
    assert erased(app) == 1


def test_a_code_typed_in_the_participants_browser_takes_its_cookie_away_too(app):
    browser = begun(app)
    by_code(browser, code_of(browser))
    confirm(browser)
    assert cookies.participant("demo") not in browser.cookies


def test_a_code_typed_in_somebody_elses_browser_leaves_their_session_alone(app):
    browser, other = begun(app), begun(app, nonce="m" * 32)
    by_code(other, code_of(browser))
    confirm(other)
    assert held(other) is not None
    assert held(browser) is None


def test_an_unknown_code_is_told_and_deletes_nothing(app):
    begun(app)
    stranger = app.browser()
    assert query(by_code(stranger, "ABCD-EFGH-JKMN")) == {
        "study": "demo",
        "lang": "ko",
        "erase": "other",
        "problem": "code",
    }
    assert cookies.ERASE not in stranger.cookies
    assert query(confirm(stranger))["erase"] == "code"
    assert erased(app) == 0


def test_a_cookie_that_the_server_did_not_make_deletes_nothing(app):
    browser, guesser = begun(app), app.browser()
    code = code_of(browser).replace("-", "")
    for made in (f"demo.{code}", f"{'0' * 64}.demo.{code}"):
        guesser.cookies.set(cookies.ERASE, made, domain="testserver.local", path="/")
        assert query(confirm(guesser))["erase"] == "code"
    assert erased(app) == 0


def test_guessing_has_to_wait_even_for_the_right_code(app):
    browser, guesser = begun(app), app.browser()
    for _ in range(erase_codes.MOST_ATTEMPTS):
        assert "minutes" not in query(by_code(guesser, "ABCD-EFGH-JKMN"))
    assert query(by_code(guesser, code_of(browser)))["minutes"] == "15"
    assert cookies.ERASE not in guesser.cookies


def test_after_the_last_day_nothing_is_deleted(app):
    browser = begun(app)
    post(browser, "/api/stop")
    too_late = now() - timedelta(days=app.study.erasure.days + 2)
    with engine.writing(store.engine()) as conn:
        conn.execute(update(session_table).values(ended_at=too_late))
    assert query(post(browser, "/api/erase", by="session"))["erase"] == "1"
    by_code(browser, code_of(browser))
    assert query(confirm(browser))["erase"] == "code"
    assert erased(app) == 0


def test_deleting_twice_counts_once(app):
    browser = begun(app)
    cookie = browser.cookies[cookies.participant("demo")]
    post(browser, "/api/erase", by="session")
    browser.cookies.set(cookies.participant("demo"), cookie)
    assert query(post(browser, "/api/erase", by="session"))["erase"] == "1"
    assert erased(app) == 1


def test_answers_of_a_deleted_session_are_refused_for_good(app):
    browser = begun(app)
    cookie = browser.cookies[cookies.participant("demo")]
    post(browser, "/api/erase", by="session")
    browser.cookies.set(cookies.participant("demo"), cookie)
    headers = {"X-Facenorm-Token": cookies.post_token(cookie)}
    answer = {
        "trial_id": "t",
        "revision": 1,
        "responses": [],
        "evidence": {"onset_ok": True, "blur_count": 0},
    }
    reply = browser.post("/api/answers", params={"at": "demo"}, headers=headers, json={"answers": [answer]})
    assert 400 <= reply.status_code < 500
    assert erased(app) == 1


def test_the_server_overwrites_the_traces_by_itself(app, tmp_path):
    browser = begun(app)
    session_id = held(browser).session_id.encode()
    files = [tmp_path / "facenorm.db", tmp_path / "facenorm.db-wal"]
    assert any(session_id in file.read_bytes() for file in files)
    post(browser, "/api/erase", by="session")
    assert any(session_id in file.read_bytes() for file in files)
    upkeep.settle()
    assert not any(session_id in file.read_bytes() for file in files if file.exists())
