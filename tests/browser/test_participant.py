"""A participant's way through the demo, on the real server in a real browser."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import walk
from tests.browser.conftest import TRIALS, Server

pytestmark = pytest.mark.browser
Visitor = Callable[..., Page]

SCALES = ["emotion", "intensity", "valence", "arousal", "naturalness"]


def test_opening_the_link_creates_no_session(server: Server, visitor: Visitor) -> None:
    before = server.rows("select count(*) from session")
    walk.welcome(visitor(), server.url)
    assert server.rows("select count(*) from session") == before


def test_a_required_box_is_explained_in_the_studys_language(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.welcome(page, server.url, "ja")
    before = server.rows("select count(*) from session")
    page.get_by_role("button", name="始める").click()
    message = page.locator("form input[required]").first.evaluate("box => box.validationMessage")
    assert message == "参加を希望される場合は、ここにチェックしてください。"
    assert server.rows("select count(*) from session") == before


def test_refusing_leaves_a_count_and_nothing_else(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.welcome(page, server.url)
    sessions = server.rows("select count(*) from session")
    page.get_by_role("button", name="I do not want to take part").click()
    expect(page.get_by_text("You are not taking part")).to_be_visible()
    assert server.rows("select count(*) from session") == sessions
    assert server.rows("select n from tally where what = 'declined'") == [(1,)]


@pytest.mark.parametrize(("language", "begin"), [("en", "Begin"), ("ko", "시작하기"), ("ja", "始める")])
def test_the_page_says_which_language_it_speaks(
    server: Server, visitor: Visitor, language: str, begin: str
) -> None:
    page = visitor()
    walk.welcome(page, server.url, language)
    expect(page.get_by_role("button", name=begin)).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == language


def test_a_whole_study_by_keyboard_at_1280(server: Server, visitor: Visitor) -> None:
    page = visitor(width=1280)
    walk.welcome(page, server.url)
    tick_by_keyboard(page)
    expect(page.get_by_label("How old are you?")).to_be_visible()
    page.get_by_label("How old are you?").focus()
    page.keyboard.type("34")
    tab_to(page, "Continue")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Start").wait_for()
    tab_to(page, "Start")
    page.keyboard.press("Enter")
    walk.face(page, 1)
    session = walk.session_of(page)
    for number in range(1, TRIALS + 1):
        walk.face(page, number)
        walk.rate_by_keyboard(page)
    code = walk.code(page)
    assert server.rows("select completion_code from session where session_id = ?", session) == [(code,)]
    assert server.rows("select value from about where session_id = ?", session) == [(34,)]
    check_responses(server, session, "keyboard")


def tick_by_keyboard(page: Page) -> None:
    required = page.locator("form input[required]")
    for index in range(required.count()):
        while not required.nth(index).evaluate("box => box === document.activeElement"):
            page.keyboard.press("Tab")
        page.keyboard.press("Space")
    tab_to(page, "Begin")
    page.keyboard.press("Enter")


def tab_to(page: Page, name: str) -> None:
    for _ in range(40):
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key does not reach {name!r}")


def check_responses(server: Server, session: str, device: str) -> None:
    """Each trial has one answer, each scale one response, with times in their order."""
    answers = server.rows(
        "select a.trial_id, a.revision, a.onset_ok, a.input_device from answer a "
        "join trial t using (trial_id) where t.session_id = ?",
        session,
    )
    assert len({row[0] for row in answers}) == len(answers) == TRIALS
    assert {row[1:] for row in answers} == {(1, 1, device)}
    responses = server.rows(
        "select scale_id, status, value, label, rt_first_ms, rt_submit_ms from response "
        "where session_id = ? and current",
        session,
    )
    assert len(responses) == TRIALS * len(SCALES)
    for scale, status, value, label, first, submit in responses:
        assert status == "answered"
        assert (label is None) == (scale != "emotion")
        assert (value is None) == (scale == "emotion")
        assert 0 < float(first) < float(submit) < 60_000  # type: ignore[arg-type]


def test_a_whole_study_by_touch_at_375(server: Server, visitor: Visitor) -> None:
    page = visitor(width=375, height=667, has_touch=True, is_mobile=True, device_scale_factor=2)
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    for number in range(1, TRIALS + 1):
        walk.face(page, number)
        rate_by_touch(page)
    assert walk.code(page)
    check_responses(server, session, "touch")


def rate_by_touch(page: Page) -> None:
    page.get_by_role("radio").nth(2).tap()
    for line in walk.lines(page):
        line.scroll_into_view_if_needed()
        assert covered(page, line.bounding_box()) == 0, "the face lies over the scale"
        assert page.locator(".fn-face img").bounding_box()["y"] >= 0, "the face left the screen"
        line.tap(position={"x": 200, "y": 22})
    page.get_by_role("button", name="Next").tap()


def covered(page: Page, box: dict[str, float]) -> float:
    """Pixels of a scale that lie under the face."""
    stage = page.locator(".fn-stage").bounding_box()
    return max(0.0, stage["y"] + stage["height"] - box["y"])


WIDTHS = [320, 375, 1280]


@pytest.mark.parametrize("language", ["en", "ko", "ja"])
def test_nothing_scrolls_sideways_and_fingers_find_their_targets(
    server: Server, visitor: Visitor, language: str
) -> None:
    page = visitor()
    walk.welcome(page, server.url, language)
    assert_fits(page)
    walk.to_trials(page, server.url, language)
    assert_fits(page)
    for target in [*page.get_by_role("radio").all(), *walk.lines(page), page.locator(".fn-next")]:
        assert target.bounding_box()["height"] >= 44


def assert_fits(page: Page) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 640})
        walk.assert_fits(page)


def test_a_line_has_no_thumb_until_it_is_touched(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    line, thumb = walk.lines(page)[1], page.locator(".fn-thumb").nth(1)
    expect(thumb).to_be_hidden()
    assert line.get_attribute("aria-valuetext") == "no answer yet"
    line.click(position={"x": 100, "y": 22})
    expect(thumb).to_be_visible()


def test_intensity_is_not_applicable_after_neutral_and_stored_as_such(
    server: Server, visitor: Visitor
) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    page.get_by_role("radio", name="No emotion").click()
    intensity = page.locator(".fn-scale").nth(1)
    expect(intensity).to_contain_text("not applicable")
    for line in walk.lines(page)[1:]:
        line.click()
    page.get_by_role("button", name="Next").click()
    walk.face(page, 2)
    expect(page.locator(".fn-status")).to_have_text("Saved: 1")
    found = server.rows(
        "select status, value, rt_first_ms from response where session_id = ? and scale_id = 'intensity'",
        session,
    )
    assert found == [("not_applicable", None, None)]


def test_another_emotion_asks_for_its_intensity_again(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    page.get_by_role("radio", name="Anger").click()
    for line in walk.lines(page):
        line.click()
    page.get_by_role("radio", name="Fear").click()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("alert")).to_contain_text("How strong is the emotion that you chose?")
    walk.face(page, 1)


def test_next_says_what_is_missing(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    page.get_by_role("radio", name="Anger").click()
    walk.lines(page)[0].click()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("alert")).to_contain_text("Questions still open: 3")
    walk.lines(page)[3].click()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("alert")).to_contain_text("How unpleasant or pleasant")
    expect(page.get_by_role("alert")).to_contain_text("How calm or activated")
    assert walk.lines(page)[1].evaluate("line => line === document.activeElement")


def test_digits_work_while_a_korean_input_method_is_on(server: Server, visitor: Visitor) -> None:
    """An input method reports the key as `Process`; only the code says which key it was."""
    page = visitor()
    walk.to_trials(page, server.url, "ko")
    page.evaluate(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'Process', code: 'Numpad2', bubbles: true, cancelable: true}))"
    )
    expect(page.get_by_role("radio").nth(1)).to_be_checked()


def test_a_reload_resumes_at_the_first_unanswered_face(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    shown = page.locator(".fn-face img").get_attribute("src")
    walk.rate_by_keyboard(page)
    walk.face(page, 2)
    walk.rate_by_keyboard(page)
    walk.face(page, 3)
    third = page.locator(".fn-face img").get_attribute("src")
    page.reload()
    walk.face(page, 3)
    assert page.locator(".fn-face img").get_attribute("src") == third != shown
    for number in range(3, TRIALS + 1):
        walk.face(page, number)
        walk.rate_by_keyboard(page)
    assert walk.code(page)
    check_responses(server, session, "keyboard")


def test_a_second_tab_says_that_the_study_is_open_elsewhere(server: Server, visitor: Visitor) -> None:
    first = visitor()
    walk.to_trials(first, server.url)
    session = walk.session_of(first)
    walk.rate_by_keyboard(first)
    walk.face(first, 2)
    second = first.context.new_page()
    second.goto(f"{server.url}/?study=demo")
    expect(second.get_by_text("The study is open elsewhere")).to_be_visible()
    second.get_by_role("button", name="Continue here").click()
    walk.face(second, 2)
    expect(first.get_by_text("The study is open elsewhere")).to_be_visible()
    for number in range(2, TRIALS + 1):
        walk.face(second, number)
        walk.rate_by_keyboard(second)
    assert walk.code(second)
    check_responses(server, session, "keyboard")


def test_the_code_copies_and_the_browser_forgets_the_answers(server: Server, visitor: Visitor) -> None:
    page = visitor(permissions=["clipboard-read", "clipboard-write"])
    walk.to_trials(page, server.url)
    for number in range(1, TRIALS + 1):
        walk.face(page, number)
        walk.rate_by_keyboard(page)
    code = walk.code(page)
    page.get_by_role("button", name="Copy the code", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == code
    assert page.evaluate("Object.keys(localStorage).filter(name => name.startsWith('facenorm:'))") == []


NAMES = {
    "angry": "Anger", "sad": "Sadness", "happy": "Happiness", "disgust": "Disgust",
    "surprise": "Surprise", "neutral": "No emotion",
}  # fmt: skip


def intended(server: Server, page: Page) -> str:
    """Look up what the face on screen was drawn to show; the browser does not know."""
    served = (page.locator(".fn-face img").get_attribute("src") or "").rpartition("/")[2]
    [(emotion,)] = server.rows(
        "select distinct intended_emotion from stimulus where served_sha256 = ?", served
    )
    return str(emotion)


def test_picture_of_the_trial_for_the_docs(server: Server, visitor: Visitor) -> None:
    """With FACENORM_PICTURES set to a folder, writes trial.png there."""
    page = visitor(width=1280, height=800, device_scale_factor=2)
    walk.to_trials(page, server.url)
    emotion = intended(server, page)
    for number in range(2, TRIALS):
        if emotion != "neutral":
            break
        walk.rate_by_keyboard(page)
        walk.face(page, number)
        emotion = intended(server, page)
    page.get_by_role("radio", name=NAMES[emotion]).click()
    walk.lines(page)[0].click(position={"x": 300, "y": 22})
    walk.lines(page)[1].click(position={"x": 380 if emotion == "happy" else 110, "y": 22})
    page.mouse.move(5, 5)
    picture = page.screenshot()
    if folder := os.environ.get("FACENORM_PICTURES"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / "trial.png").write_bytes(picture)
    assert picture.startswith(b"\x89PNG")
