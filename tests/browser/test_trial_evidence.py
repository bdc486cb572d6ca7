"""What a trial records of its presentation, what moves on the page, and how one stops."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import designs, walk
from tests.browser.conftest import Server
from tests.browser.test_trial_timed import HIDE

pytestmark = pytest.mark.browser
Visitor = Callable[..., Page]
ANSWERS = re.compile(r"/api/answers")


def evidence(server: Server, session: str) -> dict[str, object]:
    """The newest answer's evidence."""
    names = (
        "onset_ok decode_ms paint_ms shown_ms frame_sd_ms blur_count hidden_count input_device viewport app"
    )
    [row] = server.rows(
        f"select {', '.join(names.split())} from answer join trial using (trial_id) "
        "where session_id = ? order by trial_index desc limit 1",
        session,
    )
    return dict(zip(names.split(), row, strict=True))


def save_one(page: Page) -> None:
    walk.rate_by_keyboard(page)
    expect(page.locator(".fn-status")).to_contain_text("Saved")


def test_a_trial_records_how_it_was_presented(server: Server, visitor: Visitor) -> None:
    page = visitor(width=1280, height=800, device_scale_factor=2)
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    page.wait_for_timeout(700)
    save_one(page)
    found = evidence(server, session)
    assert found["onset_ok"] == 1
    assert 0 <= float(str(found["paint_ms"])) < 100
    assert 0 <= float(str(found["frame_sd_ms"])) < 100
    assert (found["blur_count"], found["hidden_count"], found["shown_ms"]) == (0, 0, None)
    assert (found["input_device"], found["viewport"]) == ("keyboard", "1280x800@2")
    assert re.fullmatch(r"[0-9A-Za-z._+-]{8,64}", str(found["app"]))


def test_paint_is_measured_by_chromium_itself(server: Server, visitor: Visitor) -> None:
    """Oracle: a second observer of Element Timing, and the times of all frames the page asked for."""
    page = visitor()
    page.add_init_script(
        "new PerformanceObserver(list => { for (const entry of list.getEntries())"
        " (window.painted ??= []).push(entry.renderTime); }).observe({ type: 'element', buffered: true });"
        "const usual = window.requestAnimationFrame.bind(window); window.frameTimes = [];"
        "window.requestAnimationFrame = call => usual(at => { frameTimes.push(at); call(at); });"
    )
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    page.wait_for_timeout(500)
    save_one(page)
    paint = float(str(evidence(server, session)["paint_ms"]))
    swapped = page.evaluate("window.painted[0]") - paint
    assert 0 <= paint < 100
    assert min(abs(at - swapped) for at in page.evaluate("frameTimes")) < 0.1  # ms; the page's clock ticks .1


def test_leaving_the_page_is_counted_once_each_way(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    page.evaluate(HIDE, True)
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    page.evaluate(HIDE, False)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    save_one(page)
    found = evidence(server, session)
    assert (found["blur_count"], found["hidden_count"]) == (2, 1)


@pytest.fixture(scope="module")
def parts(make_server: Callable[..., Server]) -> Server:
    return make_server(
        designs.sets("emotion", "valence, arousal"),
        designs.scales("emotion, valence, arousal"),
        designs.pairs("per_participant: 2, crop: oval"),
        designs.checks(1),
    )


@pytest.mark.parametrize(("width", "height"), [(375, 667), (1280, 800), (667, 375)])
def test_nothing_shifts_when_a_face_appears(parts: Server, visitor: Visitor, width: int, height: int) -> None:
    """By Chromium's Layout Instability; pictures come late, so that no press excuses what they do."""
    page = visitor(width=width, height=height)
    walk.start(page, parts.url)
    page.locator(".fn-notice").wait_for()
    devtools = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 800, "downloadThroughput": -1, "uploadThroughput": -1}
    devtools.send("Network.emulateNetworkConditions", slow)
    page.evaluate(designs.SHIFTS)
    for _ in range(40):
        page.locator(".fn-notice, .fn-scale").locator("visible=true").first.wait_for()
        if page.locator(".fn-main").is_visible():
            designs.go_on(page)
        elif page.locator(".fn-notice").is_visible():
            break  # the last answers are on their way
        else:
            page.locator(".fn-face img").first.wait_for()
            designs.answer(page)
        assert page.evaluate("window.shifts") == []


def test_stop_sends_what_waits_and_goes_to_its_page(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    page.route(ANSWERS, lambda route: route.abort(), times=1)
    walk.rate_by_keyboard(page)
    walk.face(page, 2)
    page.get_by_role("button", name="Stop").click()
    page.wait_for_url(re.compile(r"[?&]stop=1"))
    assert "study=demo" in page.url
    saved = server.rows(
        "select count(*) from answer join trial using (trial_id) where session_id = ?", session
    )
    assert saved == [(1,)]


def test_stop_says_what_could_not_be_sent_and_lets_one_go_on(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    page.route(ANSWERS, lambda route: route.abort())
    walk.rate_by_keyboard(page)
    walk.face(page, 2)
    page.get_by_role("radio").first.click()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".fn-notice")).to_contain_text("Answers that could not be sent: 1", timeout=15_000)
    page.get_by_role("button", name="Go on with the study").click()
    walk.face(page, 2)
    expect(page.get_by_role("radio").first).to_be_checked()
    page.unroute(ANSWERS)
    for line in walk.lines(page):
        line.click()
    page.get_by_role("button", name="Next").click()
    expect(page.locator(".fn-status")).to_have_text("Saved: 2", timeout=20_000)


@pytest.fixture(scope="module")
def lab(make_server: Callable[..., Server]) -> Server:
    return make_server(
        designs.display("size_deg: 8\n  distance_cm: 60"),
        designs.also("recruitment: {route: lab}"),
        designs.scales("emotion"),
    )


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (600, 320)])
def test_a_face_has_the_size_of_its_visual_angle(
    lab: Server, visitor: Visitor, width: int, height: int
) -> None:
    """8 degrees at 60 cm are 8.39 cm, and a card is 8.56 cm wide (ISO/IEC 7810, ID-1)."""
    page = visitor(width=width, height=height)
    page.goto(f"{lab.url}/?study=demo&lang=en&code=p{width}")
    page.locator("form .tick").first.wait_for()
    walk.consent(page)
    page.get_by_role("slider").wait_for()
    card = float(page.get_by_role("slider").input_value())
    page.get_by_role("button", name="It is as large as the card").click()
    page.locator(".questions .continue").click()
    page.locator(".st-key-start button").click()
    walk.face(page, 1)
    box = page.locator(".fn-face img").bounding_box()
    wanted = 2 * 60 * math.tan(math.radians(4)) * card / 8.56
    assert 300 < wanted < 330
    assert box["width"] == pytest.approx(wanted, abs=0.5)
    assert box["height"] == pytest.approx(wanted, abs=0.5)
    page.locator(".fn-next").scroll_into_view_if_needed()
    expect(page.locator(".fn-next")).to_be_in_viewport()
