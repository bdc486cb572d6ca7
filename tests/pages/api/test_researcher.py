import inspect
import io
import re
import zipfile

import pytest

from core import cookies
from db import audit, engine, researchers
from pages import login
from pages.api import login as routes
from pages.api import store

NEW = "correct horse battery"


@pytest.fixture
def password(app) -> str:
    with engine.writing(store.engine()) as conn:
        return researchers.set_one_time(conn, "ada")


def log_in(browser, password, **more):
    return browser.post("/api/login", data={"name": "ada", "password": password, **more})


def renew(browser, new=NEW, repeated=None, token=None):
    token = cookies.post_token(browser.cookies[cookies.LOGIN]) if token is None else token
    form = {"new": new, "repeated": repeated or new, "token": token}
    return browser.post("/api/password", data=form)


def test_a_right_password_opens_the_page_that_was_asked_for(app, password):
    response = log_in(app.browser(), password, next="/dashboard")
    assert response.headers["location"] == "/dashboard"
    assert "HttpOnly" in response.headers["set-cookie"]


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/api/logout", ""])
def test_a_login_leads_to_no_other_site(app, password, target):
    assert log_in(app.browser(), password, next=target).headers["location"] == "/studies"


def test_a_wrong_password_is_said_and_gives_no_cookie(app, password):
    response = log_in(app.browser(), "guess")
    assert response.headers["location"] == "/researcher?problem=wrong&next=%2Fstudies"
    assert "set-cookie" not in response.headers


def test_after_five_wrong_passwords_the_right_one_must_wait(app, password):
    browser = app.browser()
    for _ in range(5):
        log_in(browser, "guess")
    assert log_in(browser, password).headers["location"].startswith("/researcher?problem=wait&minutes=15&")


def test_a_name_cannot_change_the_wait(app, password):
    browser, name = app.browser(), "; wait 99 minute(s), then try again"
    for _ in range(6):
        response = log_in(browser, "guess", name=name)
    assert "problem=wait&minutes=15&" in response.headers["location"]


def test_a_one_time_password_must_be_replaced_before_anything_is_exported(app, password):
    browser = app.browser()
    log_in(browser, password)
    assert browser.get("/api/export/demo").status_code == 401
    assert renew(browser).headers["location"] == "/studies"
    assert browser.get("/api/export/demo").status_code == 200
    assert log_in(app.browser(), password).headers["location"].startswith("/researcher?problem=wrong&")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"repeated": "something else 1"}, "differ"),
        ({"new": "eleven char"}, "length"),
        ({"new": "x" * 1025}, "length"),
        ({"token": "0" * 64}, "ended"),
    ],
)
def test_a_password_is_changed_only_by_its_owner_and_to_a_good_one(app, password, changed, code):
    browser = app.browser()
    log_in(browser, password)
    assert renew(browser, **changed).headers["location"] == f"/researcher?problem={code}"


def test_a_password_is_not_changed_to_itself_nor_after_the_login_has_ended(app, password):
    browser = app.browser()
    log_in(browser, password)
    assert renew(browser, password).headers["location"] == "/researcher?problem=same"
    with engine.writing(store.engine()) as conn:
        researchers.log_out(conn, browser.cookies[cookies.LOGIN])
    assert renew(browser).headers["location"] == "/researcher?problem=ended"


def test_the_page_has_words_for_every_code_that_a_route_gives():
    source = inspect.getsource(routes)
    codes = set(re.findall(r'problem(?:=|": )"(\w+)"', source))
    assert codes == set(login.PROBLEMS)


def test_logging_out_ends_the_login_on_the_server(app, password):
    browser = app.browser()
    log_in(browser, password)
    kept = browser.cookies[cookies.LOGIN]
    browser.post("/api/logout", data={"token": cookies.post_token(kept)})
    with engine.reading(store.engine()) as conn:
        assert researchers.by_token(conn, kept) is None


def test_a_researcher_sees_every_picture(app, password):
    browser = app.browser()
    log_in(browser, password)
    assert browser.get(f"/api/stimuli/{app.stimuli[0].served_sha256}").status_code == 200


def test_an_export_is_a_zip_of_tables_and_is_noted(app, password):
    browser = app.browser()
    log_in(browser, password)
    renew(browser)
    response = browser.get("/api/export/demo?public=0&excel=1")
    assert response.status_code == 200
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        names = {name.rpartition("/")[2] for name in archive.namelist()}
        assert {"ratings.csv", "norms.csv", "participants.csv", "stimuli.csv", "codebook.csv"} <= names
    with engine.reading(store.engine()) as conn:
        assert any(entry.what == "private export" and entry.who == "ada" for entry in audit.read(conn))


@pytest.mark.parametrize("study_id", ["nope", "..", "--help"])
def test_an_export_of_no_study_says_so(app, password, study_id):
    browser = app.browser()
    log_in(browser, password)
    renew(browser)
    assert browser.get(f"/api/export/{study_id}").status_code in {404, 409}
