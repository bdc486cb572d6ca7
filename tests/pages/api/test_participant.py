import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import cookies
from core.records import Trial
from db import engine, sessions, tables
from db import studies as stored
from pages.api import store


def ratings():
    with engine.reading(store.engine()) as conn:
        return list(tables.ratings(conn, "demo"))


def answer(trial: Trial, *, emotion: str = "happy", revision: int = 1, **changed):
    numbers = {"valence": 80, "arousal": 60, "naturalness": 70}
    responses = [{"scale_id": "emotion", "status": "answered", "value": None, "label": emotion}]
    if emotion in {"neutral", "other"}:
        responses.append({"scale_id": "intensity", "status": "not_applicable", "value": None, "label": None})
    else:
        responses.append({"scale_id": "intensity", "status": "answered", "value": 55, "label": None})
    responses += [
        {"scale_id": name, "status": "answered", "value": value, "label": None}
        for name, value in numbers.items()
    ]
    timed = {"rt_first_ms": 900.5, "rt_submit_ms": 4000.0, "n_changes": 0}
    return {
        "trial_id": trial.trial_id,
        "revision": revision,
        "evidence": {
            "onset_ok": True,
            "decode_ms": 3.5,
            "blur_count": 0,
            "input_device": "mouse",
            "viewport": "375x667@2",
        },
        "responses": [
            {**response, **timed}
            if response["status"] == "answered"
            else {**response, "rt_first_ms": None, "rt_submit_ms": 4000.0, "n_changes": 0}
            for response in responses
        ],
        **changed,
    }


def post(browser, answers, *, key="demo", token=None):
    cookie = browser.cookies.get(cookies.participant(key), "")
    headers = {"X-Facenorm-Token": cookies.post_token(cookie) if token is None else token}
    return browser.post("/api/answers", params={"at": key}, headers=headers, json={"answers": answers})


def begun(app, **changed):
    browser = app.browser()
    response = browser.post("/api/begin", data=app.form(**changed))
    assert response.status_code == 303, response.text
    return browser, response


def test_begin_gives_a_cookie_that_scripts_cannot_read(app):
    browser, response = begun(app)
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert len(app.trials(browser)) == app.study.trials.per_participant


def test_the_cookie_is_secure_behind_tls(app):
    response = app.browser().post("/api/begin", data=app.form(), headers={"X-Forwarded-Proto": "https, http"})
    assert "Secure" in response.headers["set-cookie"]


def test_a_double_clicked_begin_is_one_session(app):
    first, _ = begun(app)
    second, _ = begun(app)
    assert app.trials(first) == app.trials(second)
    with engine.reading(store.engine()) as conn:
        assert sessions.flow(conn, "demo").began == 1


@pytest.mark.parametrize("left_out", ["age", "consent.take_part"])
def test_a_missing_consent_begins_nothing(app, left_out):
    form = app.form()
    del form[left_out]
    response = app.browser().post("/api/begin", data=form)
    assert response.headers["location"] == "/?study=demo&lang=en&problem=consent"
    assert "set-cookie" not in response.headers


def test_an_optional_consent_may_be_left_out_and_is_stored_as_refused(app):
    optional = next(item.id for item in app.study.consent.items if not item.required)
    form = app.form()
    del form[f"consent.{optional}"]
    browser = app.browser()
    browser.post("/api/begin", data=form)
    with engine.reading(store.engine()) as conn:
        (participant,) = tables.participants(conn, "demo")
    assert participant.consents[optional] is False
    assert participant.consents["take_part"] is True


def test_a_closed_study_says_so(app):
    with engine.writing(store.engine()) as conn:
        stored.close(conn, app.version.config_hash)
    response = app.browser().post("/api/begin", data=app.form())
    assert "problem=closed" in response.headers["location"]


def test_a_refusal_leaves_only_a_count(app):
    app.browser().post("/api/decline", data=app.form())
    with engine.reading(store.engine()) as conn:
        flow = sessions.flow(conn, "demo")
    assert (flow.declined, flow.began) == (1, 0)


def test_a_preview_works_on_a_closed_study_and_does_not_count(app):
    with engine.writing(store.engine()) as conn:
        stored.close(conn, app.version.config_hash)
        link = stored.make_link(conn, "demo", "preview")
    browser, _ = begun(app, link=link)
    trial = app.trials(browser, "preview.demo")[0]
    assert post(browser, [answer(trial)], key="preview.demo").status_code == 200
    assert ratings() == []


def test_an_unknown_link_begins_nothing(app):
    response = app.browser().post("/api/begin", data=app.form(link="guess"))
    assert "problem=closed" in response.headers["location"]


def test_an_answer_is_acknowledged_again_and_stored_once(app):
    browser, _ = begun(app)
    one = answer(app.trials(browser)[0])
    for _ in range(3):
        response = post(browser, [one])
        assert response.status_code == 200
        assert response.json() == {"acked": [[one["trial_id"], 1]], "rejected": []}
    rows = ratings()
    assert len(rows) == 5
    assert {row["scale_id"]: row["response"] for row in rows}["intensity"] == 55


def test_another_body_for_the_same_revision_is_a_conflict_and_changes_nothing(app):
    browser, _ = begun(app)
    trial, other = app.trials(browser)[:2]
    post(browser, [answer(trial)])
    response = post(browser, [answer(trial, emotion="sad"), answer(other)])
    assert response.status_code == 409
    assert response.json()["acked"] == [[other.trial_id, 1]]
    assert response.json()["rejected"][0]["status"] == 409
    labels = {row["trial_id"]: row["response_label"] for row in ratings() if row["scale_id"] == "emotion"}
    assert labels[trial.trial_id] == "happy"


def test_going_back_is_refused_where_the_study_does_not_allow_it(app):
    browser, _ = begun(app)
    trial = app.trials(browser)[0]
    post(browser, [answer(trial)])
    response = post(browser, [answer(trial, emotion="sad", revision=2)])
    assert response.status_code == 422


def test_intensity_after_neutral_is_stored_as_not_applicable(app):
    browser, _ = begun(app)
    assert post(browser, [answer(app.trials(browser)[0], emotion="neutral")]).status_code == 200
    intensity = next(row for row in ratings() if row["scale_id"] == "intensity")
    assert intensity["response"] is None
    assert intensity["status"] == "not_applicable"


def test_the_session_is_complete_when_the_last_answer_is_acknowledged(app):
    browser, _ = begun(app)
    trials = app.trials(browser)
    for trial in trials[:-1]:
        post(browser, [answer(trial)])
    with engine.reading(store.engine()) as conn:
        assert sessions.flow(conn, "demo").completed == 0
    post(browser, [answer(trials[-1])])
    with engine.reading(store.engine()) as conn:
        assert sessions.flow(conn, "demo").completed == 1


@pytest.mark.parametrize("token", ["", "0" * 64, "ü"])
def test_an_answer_without_the_page_s_token_is_refused(app, token):
    browser, _ = begun(app)
    response = browser.post(
        "/api/answers",
        params={"at": "demo"},
        headers={"X-Facenorm-Token": token.encode()},
        json={"answers": [answer(app.trials(browser)[0])]},
    )
    assert response.status_code == 401
    assert ratings() == []


def test_an_answer_to_somebody_else_s_trial_is_refused(app):
    mine, _ = begun(app)
    theirs, _ = begun(app, nonce="m" * 32)
    response = post(mine, [answer(app.trials(theirs)[0])])
    assert response.status_code == 422
    assert ratings() == []


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
            ),
        ).map(lambda value: json.dumps({"answers": value}).encode()),
    )
)
def test_a_malformed_body_is_refused_with_a_reason(app, body):
    browser, _ = begun(app)
    cookie = browser.cookies[cookies.participant("demo")]
    response = browser.post(
        "/api/answers",
        params={"at": "demo"},
        headers={"X-Facenorm-Token": cookies.post_token(cookie)},
        content=body,
    )
    assert 400 <= response.status_code < 500
    assert response.json()["error"]
    assert ratings() == []


def test_a_huge_body_is_refused(app):
    browser, _ = begun(app)
    cookie = browser.cookies[cookies.participant("demo")]
    response = browser.post(
        "/api/answers",
        params={"at": "demo"},
        headers={"X-Facenorm-Token": cookies.post_token(cookie)},
        content=b" " * 1_000_001,
    )
    assert response.status_code == 413


def test_a_picture_needs_a_session_of_its_study(app):
    browser, _ = begun(app)
    shown = {one.stimulus_id for trial in app.trials(browser) for one in trial.shown}
    mine = next(one for one in app.stimuli if one.stimulus_id in shown)
    other = next(one for one in app.stimuli if one.stimulus_id not in shown)
    response = browser.get(f"/api/stimuli/{mine.served_sha256}")
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/png"
    assert response.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert app.browser().get(f"/api/stimuli/{mine.served_sha256}").status_code == 404
    # Not in this participant's trials: nobody can look up the rest of the set.
    assert browser.get(f"/api/stimuli/{other.served_sha256}").status_code == 404


@pytest.mark.parametrize("name", ["0" * 64, "../secret.key", "%2e%2e%2fsecret.key", "A" * 64, "x"])
def test_only_hashes_of_pictures_are_served(app, name):
    browser, _ = begun(app)
    assert browser.get(f"/api/stimuli/{name}").status_code == 404


def test_health_answers_for_the_database(app):
    response = app.browser().get("/api/health")
    assert (response.status_code, response.json()) == (200, {"ok": True})


def test_a_simulated_rating_never_passes_for_a_person_s(app):
    with engine.writing(store.engine()) as conn:
        link = stored.make_link(conn, "demo", "simulated")
    browser, _ = begun(app, link=link)
    post(browser, [answer(app.trials(browser, "simulated.demo")[0])], key="simulated.demo")
    assert ratings() == []
    with engine.reading(store.engine()) as conn:
        rows = list(tables.ratings(conn, "demo", kinds=("simulated",)))
    assert {row["rater_type"] for row in rows} == {"simulated"}


@pytest.mark.parametrize("body", [b"study=demo%00&nonce=x", b"\xff\xfe", b"a=1&" * 300])
def test_a_form_that_no_browser_sends_is_refused(app, body):
    response = app.browser().post(
        "/api/begin", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert response.status_code == 400


def test_begin_in_a_second_tab_is_no_second_session(app):
    browser, _ = begun(app)
    trials = app.trials(browser)
    browser.post("/api/begin", data=app.form(nonce="m" * 32))
    assert app.trials(browser) == trials
    with engine.reading(store.engine()) as conn:
        assert sessions.flow(conn, "demo").began == 1


def test_a_preview_can_be_taken_again(app):
    with engine.writing(store.engine()) as conn:
        link = stored.make_link(conn, "demo", "preview")
    browser, _ = begun(app, link=link)
    first = app.trials(browser, "preview.demo")
    browser.post("/api/begin", data=app.form(link=link, nonce="m" * 32))
    assert app.trials(browser, "preview.demo") == first
    post(browser, [answer(trial) for trial in first], key="preview.demo")
    browser.post("/api/begin", data=app.form(link=link, nonce="m" * 32))
    assert app.trials(browser, "preview.demo") != first


def test_the_minimum_age_is_stored_with_the_consents(app):
    begun(app)
    with engine.reading(store.engine()) as conn:
        (participant,) = tables.participants(conn, "demo")
    assert participant.consents["minimum_age"] is True


def test_a_study_called_login_leaves_the_researcher_s_cookie_alone():
    assert cookies.participant(cookies.session_key("login", "human")) != cookies.LOGIN
