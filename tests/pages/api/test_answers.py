"""POST /api/answers through the whole application, as a browser reaches it."""

import asyncio
import copy
import json
import threading
import time

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, text, update
from starlette.testclient import TestClient

import app as whole
from core import cookies
from db import engine as db_engine
from db import sessions, tables
from db.schema import answer as answer_table
from db.schema import response, session
from db.schema import trial as trial_table
from pages.api import store
from tests.pages.api.test_participant import answer, begun, post


def count(table=answer_table) -> int:
    with db_engine.reading(store.engine()) as conn:
        return conn.scalar(select(func.count()).select_from(table))


def completed() -> int:
    with db_engine.reading(store.engine()) as conn:
        return sessions.flow(conn, "demo").completed


def session_of(browser):
    with db_engine.reading(store.engine()) as conn:
        return sessions.by_token(conn, browser.cookies[cookies.participant("demo")])


def headers(browser) -> dict[str, str]:
    cookie = browser.cookies[cookies.participant("demo")]
    return {
        "Cookie": f"{cookies.participant('demo')}={cookie}",
        "X-Facenorm-Token": cookies.post_token(cookie),
    }


def participants(app, n: int) -> list[tuple[dict[str, str], list]]:
    """Begin sessions: the headers and the trials of each."""
    made = []
    for number in range(n):
        browser, _ = begun(app, nonce=f"{number:032}")
        made.append((headers(browser), app.trials(browser)))
    return made


async def all_at_once(app, posts):
    transport = httpx.ASGITransport(app.asgi, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        sent = [
            client.post("/api/answers?at=demo", headers=own, json={"answers": answers}, timeout=60)
            for own, answers in posts
        ]
        return await asyncio.gather(*sent)


# What a browser never sends


@pytest.fixture
def browser(app):
    ours, _ = begun(app)
    real = TestClient(whole.app, raise_server_exceptions=False)
    real.cookies = ours.cookies
    return real


WRONG_TYPES = st.none() | st.text(max_size=5) | st.lists(st.integers(), max_size=2) | st.just({})
NO_NUMBER = WRONG_TYPES.filter(lambda value: value is not None) | st.booleans()
BAD_TEXT = st.text(st.characters(blacklist_categories=["L", "N"], blacklist_characters="_-"), max_size=9)
VALENCE = 2  # its place among the responses
WRONG = {
    ("answers",): st.sampled_from([None, {}, [], [None], [[]], "x", 1, True]),
    ("answers", 0): st.sampled_from([None, [], "x", 0.5, False]),
    ("answers", 0, "trial_id"): BAD_TEXT | st.integers() | st.none() | st.just("0" * 32) | st.just("x" * 65),
    ("answers", 0, "revision"): WRONG_TYPES
    | st.integers(max_value=0)
    | st.integers(min_value=2)
    | st.floats(),
    ("answers", 0, "evidence"): st.sampled_from([None, [], {}, "x", {"onset_ok": None}, {"onset_ok": 1}]),
    ("answers", 0, "evidence", "decode_ms"): NO_NUMBER | st.floats(max_value=-1e-6),
    ("answers", 0, "evidence", "blur_count"): NO_NUMBER | st.integers(max_value=-1) | st.just(0.5),
    ("answers", 0, "evidence", "viewport"): BAD_TEXT | st.integers(),
    ("answers", 0, "evidence", "input_device"): st.text(max_size=3) | st.integers(),
    ("answers", 0, "evidence", "more"): st.integers(),
    ("answers", 0, "responses"): st.sampled_from([None, [], {}, [None], "x"]),
    ("answers", 0, "responses", VALENCE): st.sampled_from([None, {}, [], 1, {"scale_id": "valence"}]),
    ("answers", 0, "responses", VALENCE, "scale_id"): BAD_TEXT | st.sampled_from(["emotion", "other", None]),
    ("answers", 0, "responses", VALENCE, "status"): st.text(max_size=12) | st.just("cannot_tell"),
    ("answers", 0, "responses", VALENCE, "value"): WRONG_TYPES | st.floats(max_value=-1e-6) | st.just(100.1),
    ("answers", 0, "responses", VALENCE, "label"): st.text(min_size=1, max_size=4) | st.integers(),
    ("answers", 0, "responses", VALENCE, "rt_first_ms"): NO_NUMBER | st.floats(max_value=-1e-6),
    ("answers", 0, "responses", VALENCE, "rt_submit_ms"): NO_NUMBER | st.just(1e12),
    ("answers", 0, "responses", VALENCE, "n_changes"): NO_NUMBER | st.integers(max_value=-1),
    ("answers", 0, "more"): st.integers(),
    ("more",): st.integers(),
}


def replaced(body, place, value):
    made = copy.deepcopy(body)
    inner = made
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value
    return made


@st.composite
def malformed(draw):
    """How to spoil a right body: by a wrong value in one place, an end too soon, or noise."""
    place = draw(st.sampled_from(list(WRONG)))
    value = draw(WRONG[place])
    cut, noise = draw(st.floats(0, 1, exclude_max=True)), draw(st.binary(max_size=200))
    return draw(
        st.sampled_from(
            (
                lambda body: json.dumps(replaced(body, place, value)).encode(),
                lambda body: json.dumps(body).encode()[: int(cut * len(json.dumps(body)))],
                lambda body: noise,
            )
        )
    )


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spoil=malformed())
def test_200_malformed_bodies_are_refused_with_a_reason_and_write_nothing(app, browser, spoil):
    content = spoil({"answers": [answer(app.trials(browser)[0])]})
    sent = browser.post("/api/answers?at=demo", headers=headers(browser), content=content)
    assert 400 <= sent.status_code < 500, content
    said = sent.json()
    reason = said["error"] if "error" in said else said["rejected"][0]["reason"]
    assert 10 < len(reason) < 700
    assert (count(), count(response)) == (0, 0)


def test_a_right_body_passes_where_the_malformed_ones_did_not(app, browser):
    sent = post(browser, [answer(app.trials(browser)[0])])
    assert (sent.status_code, count()) == (200, 1)


@pytest.mark.parametrize("content", [b" " * 1_000_001, b"[" * 900_000, b'{"answers":[' + b"{}," * 300_000])
def test_a_huge_body_is_refused_in_the_form_of_every_refusal(app, browser, content):
    sent = browser.post("/api/answers?at=demo", headers=headers(browser), content=content)
    assert sent.status_code in {400, 413}
    assert sent.json()["error"]
    assert count() == 0


# Sessions that are over


@pytest.mark.parametrize("outcome", ["stopped", "screened_out"])
def test_a_session_that_ended_early_is_gone_for_new_answers(app, outcome):
    browser, _ = begun(app)
    first, second = app.trials(browser)[:2]
    assert post(browser, [answer(first)]).status_code == 200
    with db_engine.writing(store.engine()) as conn:
        sessions.end(conn, session_of(browser).session_id, outcome)
    sent = post(browser, [answer(first), answer(second)])
    assert sent.status_code == 410
    assert sent.json() == {
        "error": "this session has ended; it takes no more answers",
        "acked": [[first.trial_id, 1]],  # it is stored, whatever came later
    }
    assert count() == 1
    assert post(browser, [answer(first)]).status_code == 200


def test_a_session_that_is_not_there_is_unknown(app):
    browser, _ = begun(app)
    trial = app.trials(browser)[0]
    with db_engine.writing(store.engine()) as conn:
        conn.execute(update(session).values(token_sha256="0" * 64))
    sent = post(browser, [answer(trial)])
    assert sent.status_code == 401
    assert "not known any more" in sent.json()["error"]
    assert count() == 0


def test_a_trial_that_was_begun_anew_conflicts(app):
    browser, _ = begun(app)
    first, second = app.trials(browser)[:2]
    with db_engine.writing(store.engine()) as conn:
        conn.execute(
            update(trial_table).where(trial_table.c.trial_id == first.trial_id).values(superseded=True)
        )
    sent = post(browser, [answer(first), answer(second)])
    assert sent.status_code == 409
    assert sent.json()["acked"] == [[second.trial_id, 1]]
    assert "begun anew" in sent.json()["rejected"][0]["reason"]


def test_a_session_is_complete_whichever_answer_comes_last(app):
    browser, _ = begun(app)
    first, *others = app.trials(browser)
    assert post(browser, [answer(trial) for trial in others]).status_code == 200
    assert completed() == 0
    assert post(browser, [answer(first)]).status_code == 200
    assert completed() == 1


# Many at once


def test_posts_that_come_together_are_stored_together(app):
    made = participants(app, 12)
    commits = []
    event.listen(store.engine(), "commit", lambda _: commits.append(1))
    posts = [(own, [answer(trial)]) for own, trials in made for trial in trials[:8]]
    sent = asyncio.run(all_at_once(app, posts * 2))  # each twice, as after a lost acknowledgement
    assert {one.status_code for one in sent} == {200}
    assert (count(), count(response)) == (96, 480)
    assert len(commits) < 48


def test_one_bad_answer_spoils_no_other_in_its_transaction(app):
    made = participants(app, 4)
    (ours, trials), (theirs, others) = made[0], made[1]
    post_all = [
        (ours, [answer(trials[0])]),
        (ours, [answer(others[0])]),  # somebody else's trial
        (theirs, [answer(others[0])]),
        (ours, [answer(trials[1], revision=2)]),
        (ours, [answer(trials[2]), answer(trials[3], responses=[]), answer(trials[4])]),
        (ours, [answer(trials[5]), answer(trials[5], emotion="sad")]),
        ({**ours, "X-Facenorm-Token": "0" * 64}, [answer(trials[6])]),
        (made[2][0], [answer(made[2][1][0])]),
    ]
    sent = asyncio.run(all_at_once(app, post_all))
    assert [one.status_code for one in sent] == [200, 422, 200, 422, 400, 409, 401, 200]
    assert sent[5].json()["acked"] == [[trials[5].trial_id, 1]]
    assert count() == 4


def test_a_row_that_the_database_refuses_spoils_no_other_in_its_transaction(app):
    (ours, trials), (theirs, others) = participants(app, 2)
    with db_engine.writing(store.engine()) as conn:
        conn.execute(
            text(
                "CREATE TRIGGER broken BEFORE INSERT ON answer "
                f"WHEN NEW.trial_id = '{trials[1].trial_id}' BEGIN SELECT RAISE(ABORT, 'broken'); END"
            )
        )
    posts = [
        (ours, [answer(trials[0])]),
        (ours, [answer(trials[1])]),
        *((theirs, [answer(each)]) for each in others),
    ]
    sent = asyncio.run(all_at_once(app, posts))
    assert [one.status_code for one in sent] == [200, 500, *[200] * len(others)]
    assert count() == 1 + len(others)


def test_an_answer_is_acknowledged_only_after_its_commit(app):
    ((ours, trials),) = participants(app, 1)
    sent = []

    def send():
        sent.extend(asyncio.run(all_at_once(app, [(ours, [answer(trials[0])])])))

    poster = threading.Thread(target=send)
    with db_engine.writing(store.engine()):
        poster.start()
        time.sleep(0.5)
        assert sent == []
    poster.join()
    assert (sent[0].status_code, count()) == (200, 1)


def test_a_database_that_cannot_be_written_is_told_and_the_answer_may_come_again(app, monkeypatch):
    ((ours, trials),) = participants(app, 1)
    posts = [(ours, [answer(trials[0])])]
    monkeypatch.setattr(db_engine, "TURN_S", 0.2)
    with db_engine.writing(store.engine()):
        (sent,) = asyncio.run(all_at_once(app, posts))
    assert sent.status_code == 503
    assert sent.json()["error"]
    (sent,) = asyncio.run(all_at_once(app, posts))
    assert (sent.status_code, count()) == (200, 1)


def test_a_browser_that_does_not_wait_for_its_answer_stops_nobody(app):
    (ours, trials), (theirs, others) = participants(app, 2)

    async def leave():
        leaving = asyncio.create_task(all_at_once(app, [(ours, [answer(trials[0])])]))
        await asyncio.sleep(0.005)
        leaving.cancel()
        return await all_at_once(app, [(theirs, [answer(others[0])])])

    (sent,) = asyncio.run(leave())
    assert sent.status_code == 200


def test_the_stored_rows_are_those_of_the_answer(app):
    ((ours, trials),) = participants(app, 1)
    asyncio.run(all_at_once(app, [(ours, [answer(trials[0], emotion="sad")])]))
    with db_engine.reading(store.engine()) as conn:
        rows = {row["scale_id"]: row for row in tables.ratings(conn, "demo")}
    assert rows["emotion"]["response_label"] == "sad"
    assert {name: row["response"] for name, row in rows.items() if name != "emotion"} == {
        "intensity": 55,
        "valence": 80,
        "arousal": 60,
        "naturalness": 70,
    }
    assert {row["trial_id"] for row in rows.values()} == {trials[0].trial_id}
