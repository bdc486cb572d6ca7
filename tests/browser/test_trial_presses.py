"""Presses that were meant for something else, and what they were made with."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import designs, walk
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
Visitor = Callable[..., Page]

STIMULI = re.compile(r"/api/stimuli/")
AT = """([ms, code]) => {
  const [{ startTime }] = performance.getEntriesByName('facenorm:face').slice(-1);
  const event = new KeyboardEvent('keydown', { code, bubbles: true, cancelable: true });
  Object.defineProperty(event, 'timeStamp', { value: startTime + ms });
  document.activeElement.dispatchEvent(event);
}"""
TAP = """() => {
  const tap = (name) => {
    const part = document.querySelector(name);
    part.dispatchEvent(new PointerEvent('pointerdown', { pointerType: 'touch', bubbles: true }));
    part.dispatchEvent(new MouseEvent('click', { detail: 1, bubbles: true }));
  };
  for (const name of ['[role=radio]', '.fn-next']) tap(name);
}"""
TWICE = """() => {
  for (const name of ['[role=radio]', '.fn-next', '.fn-main']) document.querySelector(name).click();
}"""


@pytest.fixture(scope="module")
def short(make_server: Callable[..., Server]) -> Server:
    """One question, and a break after each second face."""
    return make_server(designs.scales("emotion"), designs.trials("break_every: 2"))


@pytest.fixture
def page(short: Server, visitor: Visitor) -> Page:
    page = visitor()
    walk.to_trials(page, short.url)
    page.wait_for_timeout(60)  # two frames: before them no answer is accepted
    return page


def test_a_press_before_the_face_appeared_is_no_answer(short: Server, page: Page) -> None:
    page.evaluate(AT, [-5, "Digit1"])
    expect(page.locator("[role=radio][aria-checked=true]")).to_have_count(0)
    page.evaluate(AT, [5, "Digit1"])
    expect(page.locator("[role=radio][aria-checked=true]")).to_have_count(1)
    page.evaluate(AT, [-5, "Enter"])
    walk.face(page, 1)
    page.evaluate(AT, [9, "Enter"])
    walk.face(page, 2)
    expect(page.locator(".fn-status")).to_have_text("Saved: 1")
    times = "select rt_first_ms, rt_submit_ms from response where session_id = ?"
    [found] = short.rows(times, walk.session_of(page))
    assert found == pytest.approx((5, 9), abs=0.01)


def test_a_tap_is_known_where_a_click_does_not_say_what_made_it(short: Server, page: Page) -> None:
    """A click is a MouseEvent in Safari before 18.2 and Firefox before 129."""
    page.evaluate(TAP)
    walk.face(page, 2)
    expect(page.locator(".fn-status")).to_have_text("Saved: 1")
    device = "select input_device from answer join trial using (trial_id) where session_id = ?"
    assert short.rows(device, walk.session_of(page)) == [("touch",)]


def test_the_second_click_of_a_double_click_passes_over_no_pause(page: Page) -> None:
    designs.answer(page)
    walk.face(page, 2)
    page.wait_for_timeout(60)
    page.evaluate(TWICE)
    page.wait_for_timeout(500)
    expect(page.locator(".fn-notice")).to_be_visible()
    designs.go_on(page, "Time for a break")
    walk.face(page, 3)


def test_a_missing_picture_hides_no_words_about_a_lost_session(short: Server, visitor: Visitor) -> None:
    page = visitor()
    passed: list[str] = []

    def first_alone(route: Route) -> None:
        if not passed:
            passed.append(route.request.url)
        if route.request.url in passed:
            route.continue_()
        else:
            route.fulfill(status=404)

    page.route(STIMULI, first_alone)
    walk.to_trials(page, short.url)
    page.context.clear_cookies()
    designs.answer(page)
    lost = page.get_by_text("The server does not know this browser any more")
    expect(lost).to_be_visible()
    for _ in range(5):
        page.wait_for_timeout(500)
        expect(lost).to_be_visible()
        expect(page.get_by_text("The picture is not here yet")).to_be_hidden()
