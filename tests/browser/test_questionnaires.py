"""Questionnaires before and after the trials: by keyboard, on a phone and on bad reception."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from core import i18n
from core.questions import LONGEST
from core.study_rules import LANGUAGES
from tests import asking
from tests.browser import walk
from tests.browser.conftest import TRIALS, Server

pytestmark = pytest.mark.browser
Visitor = Callable[..., Page]

WORDS = i18n.words("en")
ROUTE = re.compile(r"/api/questionnaire")
STATE = ".questions .state"


@pytest.fixture(scope="module")
def asking_server(make_server: Callable[..., Server]) -> Server:
    return make_server(asking.change())


@pytest.fixture
def evening(asking_server: Server, visitor: Visitor) -> Callable[..., Page]:
    """Open the questionnaire before the trials as a new participant."""

    def open_page(language: str = "en", **options: object) -> Page:
        page = visitor(**options)
        walk.welcome(page, asking_server.url, language)
        walk.consent(page)
        page.locator(".questions .continue").click()
        page.locator("[data-field=hours]").wait_for()
        return page

    return open_page


def stored(server: Server, page: Page) -> dict[str, object]:
    """What the database holds of the newest session, which is this page's."""
    [(session,)] = server.rows("select session_id from session order by rowid desc limit 1")
    rows = server.rows("select question_id, value from questionnaire where session_id = ?", session)
    return {str(field): json.loads(str(value)) for field, value in rows}


def answer_all(page: Page) -> None:
    page.locator("#q-hours").fill("7.5")
    for field in ("mood.calm", "mood.faces", "mood.tired"):
        page.locator(f"input[name='{field}']").nth(3).check()


ANSWERED = {"hours": 7.5, **dict.fromkeys(("mood.calm", "mood.faces", "mood.tired"), "rather_yes")}


def test_each_answer_is_stored_at_once_and_comes_back_after_a_reload(
    asking_server: Server, evening: Callable[..., Page]
) -> None:
    page = evening()
    expect(page.locator(STATE)).to_have_text("")
    answer_all(page)
    expect(page.locator(STATE)).to_have_text(WORDS["ask.saved"])
    assert stored(asking_server, page) == ANSWERED
    page.locator("input[name=light]").first.check()
    page.reload()
    expect(page.locator("#q-hours")).to_have_value("7.5")
    for field in ("mood.calm", "mood.faces", "mood.tired"):
        expect(page.locator(f"input[name='{field}']").nth(3)).to_be_checked()
    expect(page.locator("input[name=light]").first).to_be_checked()
    page.get_by_role("button", name="Clear this answer").click()
    expect(page.locator("input[name=light]:checked")).to_have_count(0)
    page.locator(".questions .continue").click()
    page.locator(".st-key-start").wait_for()
    assert stored(asking_server, page) == {**ANSWERED, "light": None}


def test_a_whole_questionnaire_by_keyboard(asking_server: Server, evening: Callable[..., Page]) -> None:
    page = evening()
    page.locator("#q-hours").focus()
    page.keyboard.type("8")
    page.keyboard.press("Tab")  # to the first radio of a group without an answer; Space chooses it
    page.keyboard.press("Space")
    page.keyboard.press("Tab")  # to the button that takes the answer back
    for _ in range(3):
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.locator(".questions .continue")).to_be_focused()
    page.keyboard.press("Enter")
    page.locator(".st-key-start").wait_for()
    moods = dict.fromkeys(("mood.calm", "mood.faces", "mood.tired"), "rather_no")
    assert stored(asking_server, page) == {"hours": 8, "light": "dark", **moods}


def test_continue_says_what_is_missing_beside_the_question_and_in_one_summary(
    evening: Callable[..., Page],
) -> None:
    page = evening()
    page.locator("input[name='mood.calm']").nth(1).check()
    page.locator(".questions .continue").click()
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("How many hours did you sleep last night?")
    expect(summary.get_by_role("link")).to_have_count(3)
    expect(page.locator("#q-hours-wrong")).to_have_text(WORDS["ask.open"])
    expect(page.locator("#q-hours")).to_be_focused()
    assert page.locator("#q-hours").get_attribute("aria-invalid") == "true"
    assert "q-hours-wrong" in str(page.locator("#q-hours").get_attribute("aria-describedby"))
    expect(page.locator("[id='q-mood.calm-wrong']")).to_be_hidden()
    summary.get_by_role("link", name="I am tired.").click()
    expect(page.locator("input[name='mood.tired']").first).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("[id='q-mood.tired-wrong']")).to_be_hidden()


def test_a_number_out_of_range_is_told_and_not_called_saved(
    asking_server: Server, evening: Callable[..., Page]
) -> None:
    page = evening()
    page.locator("#q-hours").fill("25")
    page.locator("#q-hours").blur()
    expect(page.locator("#q-hours-wrong")).to_contain_text("A number from 0 to 24")
    expect(page.locator(STATE)).not_to_have_text(WORDS["ask.saved"])
    assert stored(asking_server, page) == {}
    page.locator("#q-hours").fill("２４")
    expect(page.locator(STATE)).to_have_text(WORDS["ask.saved"])
    assert stored(asking_server, page) == {"hours": 24}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_likert_list_is_stacked_on_a_phone_and_a_grid_on_a_wide_screen(
    evening: Callable[..., Page], language: str
) -> None:
    page = evening(language)
    for width in (320, 375, 1280):
        page.set_viewport_size({"width": width, "height": 700})
        walk.assert_fits(page)
        boxes = [option.bounding_box() for option in page.locator("[data-field='mood.calm'] .option").all()]
        assert all(box["height"] >= 44 for box in boxes)
        rows, columns = {box["y"] for box in boxes}, {box["x"] for box in boxes}
        assert (len(rows), len(columns)) == ((1, 5) if width == 1280 else (5, 1))
    for field in ("mood.calm", "mood.faces"):
        group = page.locator(f"[data-field='{field}'][role=radiogroup]")
        assert page.get_by_role("radiogroup", name=group.locator("p").first.inner_text()).count() == 1


def test_what_is_not_acknowledged_is_never_called_saved(
    asking_server: Server, evening: Callable[..., Page]
) -> None:
    page = evening()
    page.route(ROUTE, lambda route: route.abort())
    answer_all(page)
    expect(page.locator(STATE)).to_have_text(WORDS["ask.waiting"])
    assert stored(asking_server, page) == {}
    page.reload()
    expect(page.locator("#q-hours")).to_have_value("7.5")
    expect(page.locator(STATE)).to_have_text(WORDS["ask.waiting"])
    page.unroute(ROUTE)
    expect(page.locator(STATE)).to_have_text(WORDS["ask.saved"])
    assert stored(asking_server, page) == ANSWERED
    assert page.evaluate("Object.keys(localStorage).filter(name => name.includes('questions'))") == []


def test_a_reply_lost_after_storing_changes_nothing(
    asking_server: Server, evening: Callable[..., Page]
) -> None:
    page = evening()
    lost: list[Route] = []

    def lose(route: Route) -> None:
        route.fetch()  # the server stores it, the browser never hears of it
        lost.append(route)
        route.abort()

    page.route(ROUTE, lose, times=2)
    page.locator("#q-hours").fill("6")
    expect(page.locator(STATE)).to_have_text(WORDS["ask.waiting"])
    expect(page.locator(STATE)).to_have_text(WORDS["ask.saved"])
    assert len(lost) == 2
    assert stored(asking_server, page) == {"hours": 6}


def test_an_older_request_that_arrives_later_changes_nothing(
    asking_server: Server, evening: Callable[..., Page]
) -> None:
    page = evening()
    late: list[str | None] = []

    def hold(route: Route) -> None:
        late.append(route.request.post_data)
        route.abort()

    page.route(ROUTE, hold, times=1)
    page.locator("#q-hours").fill("6")
    expect(page.locator(STATE)).to_have_text(WORDS["ask.waiting"])
    page.locator("#q-hours").fill("8")
    expect(page.locator(STATE)).to_have_text(WORDS["ask.saved"])
    with page.expect_request(ROUTE) as seen:
        page.locator("input[name=light]").first.check()
    headers = {"X-Facenorm-Token": seen.value.headers["x-facenorm-token"]}
    reply = page.request.post(seen.value.url, headers=headers, data=late[0])
    assert reply.status == 412
    assert stored(asking_server, page)["hours"] == 8


def test_a_device_that_knows_of_no_earlier_request_is_heard(
    asking_server: Server, evening: Callable[..., Page]
) -> None:
    page = evening()
    answer_all(page)
    expect(page.locator(STATE)).to_have_text(WORDS["ask.saved"])
    page.evaluate("localStorage.clear()")
    page.reload()
    page.locator("#q-hours").fill("9")
    expect(page.locator(STATE)).to_have_text(WORDS["ask.saved"])
    assert stored(asking_server, page) == {**ANSWERED, "hours": 9}


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_the_server_will_never_take_is_told_and_not_sent_for_ever(
    asking_server: Server, evening: Callable[..., Page], status: int
) -> None:
    page = evening()
    answer_all(page)
    expect(page.locator(STATE)).to_have_text(WORDS["ask.saved"])
    refused: list[Route] = []

    def refuse(route: Route) -> None:
        refused.append(route)
        route.fulfill(status=status, json={"error": "no"})

    page.route(ROUTE, refuse)
    page.locator("#q-hours").fill("4")
    told = WORDS["ask.refused"].format(contact="faces@example.org")
    expect(page.locator(STATE)).to_have_text(told)
    page.wait_for_timeout(4000)
    assert len(refused) == 1
    page.unroute(ROUTE)
    page.locator(".questions .continue").click()
    page.locator(".st-key-start").wait_for()
    assert stored(asking_server, page) == {**ANSWERED, "hours": 4, "light": None}


def test_half_a_character_is_left_out(asking_server: Server, evening: Callable[..., Page]) -> None:
    page = evening()
    page.locator("#q-hours").evaluate(
        "box => { box.value = '7\\ud800'; box.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    expect(page.locator(STATE)).to_have_text(WORDS["ask.saved"])
    assert stored(asking_server, page) == {"hours": 7}


def test_continue_without_a_connection_goes_on_when_it_is_back(
    asking_server: Server, evening: Callable[..., Page]
) -> None:
    page = evening()
    answer_all(page)
    expect(page.locator(STATE)).to_have_text(WORDS["ask.saved"])
    page.route(ROUTE, lambda route: route.fulfill(status=503, body="a proxy's page"))
    page.locator(".questions .continue").click()
    expect(page.locator(STATE)).to_have_text(WORDS["ask.waiting.next"])
    page.locator("#q-hours").fill("5")
    page.unroute(ROUTE)
    page.locator(".st-key-start").wait_for()
    assert stored(asking_server, page) == {**ANSWERED, "hours": 5, "light": None}


def test_the_questionnaire_after_the_trials_comes_before_the_code(
    asking_server: Server, evening: Callable[..., Page]
) -> None:
    page = evening()
    answer_all(page)
    page.locator(".questions .continue").click()
    page.locator(".st-key-start button").click()
    for number in range(1, TRIALS + 1):
        walk.face(page, number)
        walk.rate_by_keyboard(page)
    box = page.get_by_label("What did you go by when you judged the faces?")
    box.wait_for()
    assert page.locator("#code").count() == 0
    # Characters of two parts, and what is too long by some, are told and not cut.
    assert int(str(box.get_attribute("maxlength"))) > 3 * LONGEST
    box.fill("the eyes\0 🙂\nand the mouth")
    page.locator(".questions .continue").click()
    assert walk.code(page)
    assert stored(asking_server, page)["strategy"] == "the eyes 🙂\nand the mouth"
