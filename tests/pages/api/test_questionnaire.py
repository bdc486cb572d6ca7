import json

import pytest

from core import cookies, i18n
from core.questions import LONGEST
from db import engine, questionnaires, sessions
from pages.api import store
from tests import asking

WORDS = i18n.words("en")
KEY = "demo"
GOOD = {"hours": "7.5", "mood.calm": "rather_yes", "mood.faces": "no", "mood.tired": "neither"}

pytestmark = pytest.mark.parametrize("app", [(asking.change(),)], indirect=True)


@pytest.fixture
def browser(app):
    made = app.browser()
    assert made.post("/api/begin", data=app.form()).status_code == 303
    return made


def send(browser, answers, *, page="evening", leave=False, number=0, key=KEY, **more):
    cookie = browser.cookies[cookies.participant(KEY)]
    headers = {"X-Facenorm-Token": cookies.post_token(cookie)} | more
    body = json.dumps({"page": page, "answers": answers, "leave": leave, "number": number})
    return browser.post(f"/api/questionnaire?at={key}", content=body, headers=headers)


def stored(browser, page="evening"):
    with engine.reading(store.engine()) as conn:
        session = sessions.by_token(conn, browser.cookies[cookies.participant(KEY)])
        return questionnaires.read(conn, session.session_id, page)


def test_an_answer_is_stored_when_it_is_given_and_twice_is_once(browser):
    for _ in range(2):
        reply = send(browser, {"mood.calm": "rather_yes"})
        assert reply.status_code == 200
        assert reply.json()["saved"] == ["mood.calm"]
    assert stored(browser) == {"mood.calm": "rather_yes"}
    send(browser, {"mood.calm": "no", "light": "dim"})
    assert stored(browser) == {"mood.calm": "no", "light": "dim"}


def test_a_request_that_comes_after_a_later_one_changes_nothing(browser):
    assert send(browser, {"mood.calm": "no"}, number=2).status_code == 200
    late = send(browser, {"mood.calm": "rather_yes", "light": "dim"}, number=1, leave=True)
    assert (late.status_code, late.json()["newest"]) == (412, 2)
    assert stored(browser) == {"mood.calm": "no"}
    assert send(browser, {"light": "dim"}, number=2).status_code == 200, "the same one again, or another's"
    assert stored(browser) == {"mood.calm": "no", "light": "dim"}


def test_what_was_refused_overtakes_nothing(browser):
    assert send(browser, {"nothing": "x"}, number=9).status_code == 422
    assert send(browser, {"mood.calm": "no"}, number=1).status_code == 200


def test_leaving_asks_for_what_is_required_and_stores_what_was_passed_over(browser):
    reply = send(browser, {"mood.calm": "no"}, leave=True).json()
    assert reply["missing"] == ["hours", "mood.faces", "mood.tired"]
    assert reply["left"] is False
    assert stored(browser) == {"mood.calm": "no"}
    reply = send(browser, GOOD, leave=True).json()
    assert (reply["missing"], reply["wrong"], reply["left"]) == ([], {}, True)
    assert stored(browser) == {**GOOD, "hours": 7.5, "light": None}


def test_an_answer_taken_back_is_missing_again(browser):
    send(browser, GOOD)
    reply = send(browser, {"mood.calm": None}, leave=True).json()
    assert reply["missing"] == ["mood.calm"]
    assert stored(browser)["mood.calm"] is None


@pytest.mark.parametrize(
    ("field", "typed"), [("hours", "25"), ("hours", "-1"), ("hours", "a few"), ("mood.calm", "perhaps")]
)
def test_what_is_no_answer_is_told_and_not_stored(browser, field, typed):
    send(browser, GOOD)
    reply = send(browser, {**GOOD, field: typed}, leave=True).json()
    assert list(reply["wrong"]) == [field]
    assert reply["wrong"][field].startswith("Please correct this answer.")
    assert reply["left"] is False
    assert stored(browser)[field] in (7.5, "rather_yes"), "the last good answer stays"


def test_a_long_text_is_told_with_its_length_and_not_cut(browser):
    reply = send(browser, {"strategy": "🙂" * (LONGEST + 1)}, page="afterwards").json()
    assert reply["wrong"]["strategy"] == WORDS["ask.long"].format(n=LONGEST + 1, most=LONGEST)
    assert stored(browser, "afterwards") == {}
    assert send(browser, {"strategy": "🙂" * LONGEST}, page="afterwards").json()["wrong"] == {}
    assert stored(browser, "afterwards") == {"strategy": "🙂" * LONGEST}


def test_a_pasted_nul_does_not_reach_the_database(browser):
    assert send(browser, {"strategy": "the\0 eyes\r\nand 👩‍👧"}, page="afterwards").status_code == 200
    assert stored(browser, "afterwards") == {"strategy": "the eyes\nand 👩‍👧"}


def test_what_is_about_the_participant_has_no_questionnaire(browser):
    assert send(browser, {"age": "３４"}, page=None, leave=True).json()["left"] is True
    assert stored(browser, None) == {"age": 34}


@pytest.mark.parametrize(
    ("page", "field"),
    [("evening", "nothing"), ("evening", "mood"), ("evening", "age"), ("nowhere", "hours"), (None, "gender")],
)
def test_what_is_not_asked_is_refused(browser, page, field):
    reply = send(browser, {field: "x"}, page=page)
    assert reply.status_code == 422
    assert reply.json()["error"]
    assert stored(browser, page) == {}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"{}", b"\xff", b'{"page": 1, "answers": {}}', b'{"answers": {}}',
        b'{"page": "evening", "answers": {"hours": 7}}',
        b'{"page": "evening", "answers": {"hours": "\\ud800"}}',
        b'{"page": "evening", "answers": {"hours": true}}',
        b'{"page": "evening", "answers": {}, "leave": "yes"}',
        b'{"page": "evening", "answers": {}, "more": 1}',
        b'{"page": "evening", "answers": {}, "number": -1}',
        b'{"page": "evening", "answers": {}, "number": 2147483648}',
        b'{"page": "' + b"x" * 41 + b'", "answers": {}}',
    ],
)  # fmt: skip
def test_a_malformed_body_is_told_and_writes_nothing(browser, body):
    cookie = browser.cookies[cookies.participant(KEY)]
    headers = {"X-Facenorm-Token": cookies.post_token(cookie)}
    reply = browser.post(f"/api/questionnaire?at={KEY}", content=body, headers=headers)
    assert reply.status_code == 400
    assert "needed" in reply.json()["error"]
    assert stored(browser) == {}


def test_a_nul_in_a_name_is_refused(browser):
    assert send(browser, {"hours\0": "7"}).status_code == 422
    assert send(browser, {"hours": "7"}, page="even\0ing").status_code == 422
    assert send(browser, {}, page="even\0ing", leave=True).status_code == 422


def test_only_the_page_itself_may_answer(app, browser):
    assert send(browser, GOOD, **{"X-Facenorm-Token": "guess"}).status_code == 401
    assert send(browser, GOOD, key="other").status_code == 401
    assert app.browser().post("/api/questionnaire?at=demo", json={}).status_code == 401
    assert stored(browser) == {}


def test_a_session_that_has_ended_keeps_its_answers(browser):
    send(browser, GOOD)
    with engine.writing(store.engine()) as conn:
        session = sessions.by_token(conn, browser.cookies[cookies.participant(KEY)])
        sessions.end(conn, session.session_id, "stopped")
    assert send(browser, {"hours": "3"}).status_code == 409
    assert stored(browser)["hours"] == 7.5


def test_sensitive_questions_are_refused_from_who_did_not_agree(app):
    browser = app.browser()
    form = app.form()
    del form["consent.sensitive_questions"]
    assert browser.post("/api/begin", data=form).status_code == 303
    assert send(browser, {"gender": "woman"}, page=None).status_code == 422
