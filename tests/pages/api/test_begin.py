"""Coming with a link: one session for each id, whatever happens to cookies, tabs and the study."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from core import cookies, study
from db import audit, engine, returning, sessions
from db import studies as stored
from db.schema import external as external_table
from db.schema import metadata, tally
from db.schema import session as session_table
from db.statements import now
from pages.api import coming, forgetting, store
from pages.api.headers import OwnForms
from tests import variants

PROLIFIC = "recruitment: {route: prolific}"
COOKIE = cookies.participant("demo")


def reopened(app, *settings, changes=()):
    """Open the demo again, as a newer version with these settings."""
    text = "\n".join([variants.one_block(*changes), *settings])
    parsed = study.parse(text, path="demo.yaml")
    with engine.writing(store.engine()) as conn:
        version = stored.load(
            conn,
            study_id="demo",
            config_hash=study.config_hash(parsed, app.stimuli),
            title="Demo",
            content=study.to_json(parsed),
            source_yaml="",
            stimuli=app.stimuli,
            pictures=(),
        )
        return stored.open_(conn, version.config_hash, phase="live")


def form(app, pid="abc", nonce="n" * 32, **changed):
    return app.form(nonce=nonce, **({"url.PROLIFIC_PID": pid} if pid else {}), **changed)


def begin(app, browser=None, **changed):
    browser = browser or app.browser()
    response = browser.post("/api/begin", data=form(app, **changed))
    return browser, response


def query(response):
    assert response.status_code == 303
    return {name: value for name, (value,) in parse_qs(urlsplit(response.headers["location"]).query).items()}


def rows(column):
    with engine.reading(store.engine()) as conn:
        return list(conn.scalars(select(column)))


def test_begin_stores_the_id_and_takes_it_out_of_the_address(app):
    reopened(app, PROLIFIC)
    _browser, response = begin(app, **{"url.STUDY_ID": "s1", "url.utm": "x"})
    assert query(response) == {"study": "demo", "lang": "en"}
    assert rows(external_table.c.external_id) == ["abc"]
    assert rows(external_table.c.parameters) == [{"STUDY_ID": "s1"}]


def test_the_same_id_from_another_browser_is_the_same_session(app):
    reopened(app, PROLIFIC)
    first, _ = begin(app)
    second, _ = begin(app, nonce="m" * 32)
    assert first.cookies[COOKIE] == second.cookies[COOKIE]
    assert rows(func.count(session_table.c.session_id)) == [1]


def test_the_same_id_at_once_is_one_session(app):
    reopened(app, PROLIFIC)

    def come(number):
        return begin(app, nonce=f"{number:032d}")[0].cookies[COOKIE]

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(come, range(12)))) == 1
    assert rows(func.count(session_table.c.session_id)) == [1]


def test_another_id_in_the_same_browser_is_another_person(app):
    reopened(app, PROLIFIC)
    browser, _ = begin(app)
    mine = browser.cookies[COOKIE]
    begin(app, browser, pid="xyz", nonce="m" * 32)
    assert browser.cookies[COOKIE] != mine
    assert sorted(rows(external_table.c.external_id)) == ["abc", "xyz"]


def test_who_took_part_cannot_begin_again_in_any_version(app):
    reopened(app, PROLIFIC)
    first, _ = begin(app)
    with engine.writing(store.engine()) as conn:
        conn.execute(update(session_table).values(outcome="complete", ended_at=now(), completed_at=now()))
    second, _ = begin(app, nonce="m" * 32)
    assert second.cookies[COOKIE] == first.cookies[COOKIE]
    assert rows(func.count(session_table.c.session_id)) == [1]


def test_an_older_version_takes_its_people_back(app):
    first_version = reopened(app, PROLIFIC)
    first, _ = begin(app)
    reopened(app, "recruitment: {route: prolific, device: computer}")
    second, _ = begin(app, nonce="m" * 32)
    assert second.cookies[COOKIE] == first.cookies[COOKIE]
    assert rows(session_table.c.config_hash) == [first_version.config_hash]


@pytest.mark.parametrize(
    ("pid", "problem"), [("", "incomplete"), ("{{%PROLIFIC_PID%}}", "incomplete"), ("x" * 201, "damaged")]
)
def test_without_a_usable_id_nothing_begins(app, pid, problem):
    reopened(app, PROLIFIC)
    _browser, response = begin(app, pid=pid)
    assert query(response)["problem"] == problem
    assert rows(session_table.c.session_id) == rows(external_table.c.session_id) == []


def test_a_form_that_failed_keeps_the_links_parameters(app):
    reopened(app, PROLIFIC)
    sent = form(app, **{"url.study": "other", "url.STUDY_ID": "s"})
    del sent["age"]
    response = app.browser().post("/api/begin", data=sent)
    assert query(response) == {
        "study": "demo",
        "lang": "en",
        "problem": "consent",
        "PROLIFIC_PID": "abc",
        "STUDY_ID": "s",
    }


def test_an_mturk_preview_cannot_begin(app):
    reopened(app, "recruitment: {route: mturk}")
    unaccepted = {"url.assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE", "url.workerId": "A1"}
    _browser, response = begin(app, pid="", **unaccepted)
    assert query(response)["problem"] == "unaccepted"
    assert rows(session_table.c.session_id) == []


@pytest.mark.parametrize("path", ["/api/begin", "/api/return", "/api/resume", "/api/next"])
def test_scanners_and_prefetchers_create_nothing(app, path):
    reopened(app, PROLIFIC)
    for method in ("GET", "HEAD"):
        assert (
            app.browser().request(method, path, params={"study": "demo", "PROLIFIC_PID": "abc"}).status_code
            == 405
        )
    assert rows(session_table.c.session_id) == []


def test_coming_back_gives_the_session_and_asks_for_no_consent(app):
    reopened(app, PROLIFIC)
    first, _ = begin(app)
    second = app.browser()
    response = second.post("/api/return", data={"study": "demo", "url.PROLIFIC_PID": "abc", "language": "ko"})
    assert query(response) == {"study": "demo", "lang": "ko"}
    assert second.cookies[COOKIE] == first.cookies[COOKIE]


def test_coming_back_works_after_the_study_closed(app):
    version = reopened(app, PROLIFIC)
    first, _ = begin(app)
    with engine.writing(store.engine()) as conn:
        stored.close(conn, version.config_hash)
    assert query(begin(app, pid="new")[1])["problem"] == "closed"
    second = app.browser()
    second.post("/api/return", data={"study": "demo", "url.PROLIFIC_PID": "abc"})
    assert second.cookies[COOKIE] == first.cookies[COOKIE]


@pytest.mark.parametrize(
    "data", [{}, {"study": "nowhere"}, {"study": "demo"}, {"study": "demo", "url.PROLIFIC_PID": "?"}]
)
def test_coming_back_without_having_been_there_gives_nothing(app, data):
    reopened(app, PROLIFIC)
    response = app.browser().post("/api/return", data=data)
    assert response.status_code == 303
    assert "set-cookie" not in response.headers


def test_a_preview_needs_no_id_and_may_use_one_again_and_again(app):
    reopened(app, PROLIFIC)
    with engine.writing(store.engine()) as conn:
        link = stored.make_link(conn, "demo", "preview")
    begin(app, pid="", link=link)
    for nonce in ("a" * 32, "b" * 32):
        begin(app, pid="test", nonce=nonce, link=link)
    assert rows(func.count(session_table.c.session_id)) == [3]
    assert rows(external_table.c.kind) == ["preview"]
    begin(app, pid="test", nonce="c" * 32)
    assert sorted(rows(external_table.c.kind)) == ["human", "preview"]


def test_the_cookie_lasts_as_long_as_one_may_come_back(app):
    reopened(app, PROLIFIC, "resume: {max_age_h: 2000}")
    _browser, response = begin(app)
    assert "Max-Age=7200000" in response.headers["set-cookie"]


def test_a_study_that_has_what_it_needs_lets_nobody_new_begin_and_counts_them(app):
    few = ("ratings_per_stimulus: 20", "ratings_per_stimulus: 1")
    version = reopened(app, PROLIFIC, changes=[few])
    n = len(app.stimuli) // app.study.trials.per_participant
    for number in range(n):
        assert "problem" not in query(begin(app, pid=f"p{number}", nonce=f"{number:032d}")[1])
    late, response = begin(app, pid="late")
    assert query(response)["problem"] == "full"
    assert COOKIE not in late.cookies
    with engine.reading(store.engine()) as conn:
        counted = conn.execute(
            select(tally.c.n).where(tally.c.what == "full", tally.c.config_hash == version.config_hash)
        ).scalar()
    assert counted == 1
    assert "late" not in rows(external_table.c.external_id)
    # Who has begun goes on, also from another browser.
    again, response = begin(app, pid="p0", nonce="z" * 32)
    assert COOKIE in again.cookies


def test_neither_addresses_nor_user_agents_are_stored(app):
    reopened(app, PROLIFIC)
    browser = app.browser()
    browser.headers.update({"User-Agent": "Line/13.5.0 marker", "X-Forwarded-For": "203.0.113.7"})
    begin(app, browser)
    with engine.reading(store.engine()) as conn:
        everything = json.dumps([repr(conn.execute(each.select()).all()) for each in metadata.sorted_tables])
    assert "marker" not in everything
    assert "203.0.113.7" not in everything
    assert "testclient" not in everything


def test_ids_are_destroyed_by_the_server_once_they_are_due(app):
    reopened(app, "recruitment: {route: prolific, forget_ids_after_days: 30}")
    begin(app)
    begin(app, pid="unpaid", nonce="m" * 32)
    with engine.writing(store.engine()) as conn:
        paid = update(external_table).where(external_table.c.external_id == "abc")
        conn.execute(paid.values(paid_at=now() - timedelta(days=31)))
    forgetting._forget_on.cache_clear()
    forgetting.forget_ids()
    assert rows(external_table.c.external_id) == ["unpaid"]
    with engine.reading(store.engine()) as conn:
        entry = audit.read(conn)[0]
    assert (entry.what, entry.detail) == ("external ids destroyed", "demo: 1")
    assert forgetting._forget_on.cache_info().currsize == 1


def away(app, browser):
    with engine.writing(store.engine()) as conn:
        conn.execute(update(session_table).values(last_seen_at=now() - timedelta(hours=1)))
        found = sessions.by_token(conn, browser.cookies[COOKIE])
        policy = coming.policy(store.study_of(conn, found.config_hash))
        return returning.arrive(conn, found.session_id, policy)


def resume(browser, **changed):
    token = cookies.post_token(browser.cookies.get(COOKIE, ""))
    return browser.post("/api/resume", data={"study": "demo", "at": "demo", "token": token, **changed})


def test_going_on_needs_the_pages_token(app):
    reopened(app, PROLIFIC, "resume: {policy: refuse}")
    browser, _ = begin(app)
    assert away(app, browser).resume_due
    resume(browser, token="0" * 64)
    assert rows(session_table.c.outcome) == [None]
    assert query(resume(browser)) == {"study": "demo"}
    assert rows(session_table.c.outcome) == ["stopped"]


def test_a_labs_code_goes_back_into_no_address(app):
    reopened(app, "recruitment: {route: lab}")
    _, refused = begin(app, pid="", typed="p 01", age="")
    assert query(refused) == {"study": "demo", "lang": "en", "problem": "consent"}
    declined = app.browser().post("/api/decline", data=form(app, pid="", typed="p 01"))
    assert query(declined) == {"study": "demo", "lang": "en", "declined": "1"}


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_forms_of_other_sites_are_refused(app, site):
    browser = TestClient(OwnForms(app.asgi), follow_redirects=False)
    sent = form(app)
    assert browser.post("/api/begin", data=sent, headers={"Sec-Fetch-Site": site}).status_code == 403
    assert rows(session_table.c.session_id) == []
    assert browser.post("/api/begin", data=sent, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303
    assert len(rows(session_table.c.session_id)) == 1


def test_the_next_participant_finds_no_cookie(app):
    reopened(app, "recruitment: {route: lab}")
    browser, _ = begin(app, pid="", typed="p 01")
    assert rows(external_table.c.external_id) == ["P01"]
    token = cookies.post_token(browser.cookies[COOKIE])
    for name in (cookies.ERASE, cookies.ERASED):
        browser.cookies.set(name, "demo.of the one before", domain="testserver.local", path="/")
    browser.post("/api/next", data={"study": "demo", "at": "demo", "token": "0" * 64})
    assert list(browser.cookies) == [COOKIE], "what others may see of a deletion goes in any case"
    gone = browser.post("/api/next", data={"study": "demo", "at": "demo", "token": token})
    assert query(gone) == {"study": "demo"}
    assert gone.headers["cache-control"] == "no-store"
    assert COOKIE not in browser.cookies
