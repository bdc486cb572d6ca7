"""Every widget by keyboard, mouse and touch: what it stores, says and leaves alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import walk, widgets
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
Visitor = Callable[..., Page]
PHONE = {"width": 375, "height": 667, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
NOTHING = "no answer yet"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[Server]:
    """One server with a study for each group of widgets."""
    made = Server(tmp_path_factory.mktemp("widgets"))
    for study_id in widgets.STUDIES:
        made.command("study", "load", str(widgets.write(made.data, pictures, study_id)))
        made.command("study", "open", study_id)
    made.start()
    yield made
    made.stop()


class Hand:
    """A keyboard, a mouse or a finger."""

    def __init__(self, page: Page, kind: str) -> None:
        self.page, self.kind = page, kind

    def press(self, part: Locator, *, x: float = 0.5, y: float = 0.5) -> None:
        """Press a part at shares of its width and height, inside its border and padding."""
        part.scroll_into_view_if_needed()
        at = part.evaluate(
            "(part, [x, y]) => { const style = getComputedStyle(part), box = part.getBoundingClientRect();"
            " const [left, top] = [parseFloat(style.paddingLeft) + part.clientLeft, part.clientTop];"
            " return [box.x + left + x * (box.width - 2 * left), box.y + top + y * part.clientHeight]; }",
            [x, y],
        )
        if self.kind == "touch":
            self.page.touchscreen.tap(*at)
        else:
            self.page.mouse.click(*at)


@pytest.fixture(params=["mouse", "touch"])
def hand(request: pytest.FixtureRequest, visitor: Visitor) -> Hand:
    page = visitor(**PHONE) if request.param == "touch" else visitor()
    return Hand(page, request.param)


def stored(server: Server, page: Page) -> dict[str, tuple[object, ...]]:
    """Return status, value, label and number of changes of each scale of the first trial, as stored."""
    expect(page.locator(".fn-status")).to_have_text("Saved: 1")
    rows = server.rows(
        "select scale_id, status, value, label, n_changes from response r join trial t using (trial_id) "
        "where t.session_id = ? and trial_index = 1 and current",
        walk.session_of(page),
    )
    return {str(row[0]): row[1:] for row in rows}


def next_face(page: Page) -> None:
    page.get_by_role("button", name="Next").click()


def keys(page: Page, *names: str) -> None:
    page.wait_for_timeout(60)  # two frames: before them no answer is accepted
    for name in names:
        page.keyboard.press(name)


def third_emotion(server: Server, page: Page) -> str:
    [(orders,)] = server.rows("select option_order from session where session_id = ?", walk.session_of(page))
    return str(json.loads(str(orders))["emotion"][2])


def test_plain_widgets_by_keyboard(server: Server, visitor: Visitor) -> None:
    page = visitor()
    widgets.arrive(page, server.url, "plain")
    keys(page, "3", "ArrowRight", "Enter", "6", "0", "Enter")
    assert stored(server, page) == {
        "emotion": ("answered", None, third_emotion(server, page), 0),
        "intensity": ("answered", 51, None, 0),
        "genuine": ("answered", 6, None, 0),
        "naturalness": ("cannot_tell", None, None, 0),
    }


def test_plain_widgets_by_mouse_and_touch(server: Server, hand: Hand) -> None:
    page = hand.page
    widgets.arrive(page, server.url, "plain")
    hand.press(page.get_by_role("radio").nth(2))
    hand.press(page.get_by_role("slider").first, x=0.25)
    hand.press(page.get_by_role("radiogroup").nth(1).get_by_role("radio").nth(5))
    hand.press(page.get_by_role("button", name="I can’t tell").last)
    next_face(page)
    found = stored(server, page)
    assert found.pop("intensity")[1] == pytest.approx(25, abs=1)  # a finger's centre is rounded to pixels
    assert found == {
        "emotion": ("answered", None, third_emotion(server, page), 0),
        "genuine": ("answered", 6, None, 0),
        "naturalness": ("cannot_tell", None, None, 0),
    }


def test_manikins_by_keyboard(server: Server, visitor: Visitor) -> None:
    page = visitor()
    widgets.arrive(page, server.url, "manikins")
    keys(page, "4", "0", "ArrowLeft", "Enter")
    assert stored(server, page) == {
        "pleasant": ("answered", 4, None, 0),
        "stirred": ("cannot_tell", None, None, 0),
        "large": ("answered", 9, None, 0),  # from nothing, to the left lies the last
    }


def test_manikins_by_mouse_and_touch_and_the_gaps_between_them(server: Server, hand: Hand) -> None:
    page = hand.page
    widgets.arrive(page, server.url, "manikins")
    hand.press(page.get_by_role("radio", name="4 of 5"))
    hand.press(page.get_by_role("radio", name="6 of 9").first)
    hand.press(page.get_by_role("radio", name="9 of 9, Certainly felt").last)
    expect(page.locator(".fn-card.fn-on")).to_have_count(2)  # 6 of 9 lies between two figures
    next_face(page)
    assert stored(server, page) == {
        "pleasant": ("answered", 4, None, 0),
        "stirred": ("answered", 6, None, 0),
        "large": ("answered", 9, None, 0),
    }


def test_a_square_by_keyboard(server: Server, visitor: Visitor) -> None:
    page = visitor()
    widgets.arrive(page, server.url, "square")
    keys(page, "ArrowUp", "ArrowUp", "ArrowLeft", "PageDown", "Enter")
    found = stored(server, page)
    assert found == {"valence": ("answered", 49, None, 0), "arousal": ("answered", 42, None, 0)}


def test_the_ends_of_a_square_by_keyboard(server: Server, visitor: Visitor) -> None:
    page = visitor()
    widgets.arrive(page, server.url, "cells")
    keys(page, "End", *["ArrowUp"] * 6, "Enter")
    assert stored(server, page) == {"across": ("answered", 9, None, 0), "upward": ("answered", 9, None, 0)}


def test_a_square_by_mouse_and_touch(server: Server, hand: Hand) -> None:
    page = hand.page
    widgets.arrive(page, server.url, "square")
    hand.press(page.locator(".fn-square"), x=0.8, y=0.3)
    next_face(page)
    found = stored(server, page)
    assert found["valence"][1] == pytest.approx(80, abs=1)
    assert found["arousal"][1] == pytest.approx(70, abs=1)
    times = server.rows(
        "select distinct rt_first_ms from response where session_id = ? and current", walk.session_of(page)
    )
    assert len(times) == 1  # one gesture


def test_cells_by_mouse_and_touch(server: Server, hand: Hand) -> None:
    page = hand.page
    widgets.arrive(page, server.url, "cells")
    hand.press(page.locator(".fn-square"), x=8.5 / 9, y=0.5 / 9)
    hand.press(page.locator(".fn-square"), x=1.5 / 9, y=0.5 / 9)
    next_face(page)
    assert stored(server, page) == {"across": ("answered", 2, None, 1), "upward": ("answered", 9, None, 0)}


def test_who_cannot_tell_says_so_of_both_axes(server: Server, hand: Hand) -> None:
    page = hand.page
    widgets.arrive(page, server.url, "cells")
    hand.press(page.locator(".fn-square"))
    hand.press(page.get_by_role("button", name="I don't know"))
    expect(page.locator(".fn-mark")).to_be_hidden()
    next_face(page)
    cannot = ("cannot_tell", None, None, 1)
    assert stored(server, page) == {"across": cannot, "upward": cannot}


def test_an_answer_takes_cannot_tell_back(server: Server, visitor: Visitor) -> None:
    page = visitor()
    widgets.arrive(page, server.url, "cells")
    button = page.get_by_role("button", name="I don't know")
    keys(page, "Tab", "Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    keys(page, "ArrowRight")
    expect(button).to_have_attribute("aria-pressed", "false")
    keys(page, "Enter")
    assert stored(server, page) == {"across": ("answered", 6, None, 1), "upward": ("answered", 5, None, 1)}


def test_nothing_more_is_asked_of_an_emotion_that_one_cannot_tell(server: Server, visitor: Visitor) -> None:
    page = visitor()
    widgets.arrive(page, server.url, "plain")
    page.get_by_role("slider").first.click()
    page.get_by_role("button", name="I can’t tell").first.click()
    expect(page.locator(".fn-scale").nth(1)).to_contain_text("not applicable")
    page.get_by_role("button", name="I don't know").click()
    page.get_by_role("slider").last.click()
    next_face(page)
    found = stored(server, page)
    assert found["emotion"][:3] == ("cannot_tell", None, None)
    assert found["intensity"][:3] == ("not_applicable", None, None)


@pytest.mark.parametrize("study_id", list(widgets.STUDIES))
def test_no_widget_has_a_start_value(server: Server, visitor: Visitor, study_id: str) -> None:
    page = visitor()
    widgets.arrive(page, server.url, study_id)
    page.wait_for_timeout(500)  # a press right after a face appears may be meant for the one before
    next_face(page)
    expect(page.get_by_role("alert")).not_to_be_empty()
    assert page.locator("[aria-checked=true], [aria-pressed=true], .fn-set, .fn-on").count() == 0
    for slider in page.get_by_role("slider").all():
        assert slider.get_attribute("aria-valuetext") == NOTHING
    for mark in page.locator(".fn-thumb, .fn-mark").all():
        expect(mark).to_be_hidden()
    count = "select count(*) from answer a join trial t using (trial_id) where t.session_id = ?"
    assert server.rows(count, walk.session_of(page)) == [(0,)]


def test_one_drag_is_no_change_and_may_leave_the_line_and_the_square(
    server: Server, visitor: Visitor
) -> None:
    page = visitor()
    widgets.arrive(page, server.url, "square")
    box = page.locator(".fn-square").bounding_box()
    drag(page, (box["x"] + 20, box["y"] + 20), (box["x"] + box["width"] + 90, box["y"] + box["height"] + 60))
    next_face(page)
    assert stored(server, page) == {
        "valence": ("answered", 100, None, 0),
        "arousal": ("answered", 0, None, 0),
    }
    page = visitor()
    widgets.arrive(page, server.url, "plain")
    box = page.get_by_role("slider").first.bounding_box()
    drag(page, (box["x"] + 40, box["y"] + 20), (box["x"] - 90, box["y"] + 200))
    assert page.get_by_role("slider").first.get_attribute("aria-valuenow") == "0"


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=8)
    page.mouse.up()


def test_a_finger_that_scrolls_over_a_line_answers_nothing(server: Server, visitor: Visitor) -> None:
    page = visitor(**PHONE)
    widgets.arrive(page, server.url, "plain")
    line = page.get_by_role("slider").first
    line.scroll_into_view_if_needed()
    box = line.bounding_box()
    before = page.evaluate("document.querySelector('.fn-trial').scrollTop")
    swipe_up(page, box["x"] + 150, box["y"] + 20)
    page.wait_for_function("before => document.querySelector('.fn-trial').scrollTop > before", arg=before)
    assert line.get_attribute("aria-valuetext") == NOTHING


def swipe_up(page: Page, x: float, y: float) -> None:
    """Move a finger up by 150 pixels; the browser decides whether that scrolls."""
    finger = page.context.new_cdp_session(page)
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for moved in range(10, 160, 10):
        points = [{"x": x, "y": y - moved}]
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_finger_draws_in_a_square_without_scrolling(server: Server, visitor: Visitor) -> None:
    page = visitor(**PHONE)
    widgets.arrive(page, server.url, "square")
    square = page.locator(".fn-square")
    square.scroll_into_view_if_needed()
    box = square.bounding_box()
    before = page.evaluate("document.querySelector('.fn-trial').scrollTop")
    swipe_up(page, box["x"] + 60, box["y"] + box["height"] - 30)
    assert page.evaluate("document.querySelector('.fn-trial').scrollTop") == before
    assert int(page.get_by_role("slider").last.get_attribute("aria-valuenow") or 0) > 30


def test_a_screen_reader_hears_each_widgets_name_points_and_state(server: Server, visitor: Visitor) -> None:
    page = visitor()
    widgets.arrive(page, server.url, "manikins")
    figures = page.get_by_role("radiogroup", name="pleasant?")
    expect(figures).to_match_aria_snapshot(
        """
        - radiogroup "pleasant?":
          - radio "1 of 5, Certainly put on"
          - radio "2 of 5"
          - radio "3 of 5"
          - radio "4 of 5"
          - radio "5 of 5, Certainly felt"
        """
    )
    expect(figures).to_have_accessible_description("Certainly put on Certainly felt")
    keys(page, "2")
    expect(figures.get_by_role("radio", name="2 of 5")).to_be_checked()


def test_a_screen_reader_hears_both_values_of_a_square(server: Server, visitor: Visitor) -> None:
    page = visitor()
    widgets.arrive(page, server.url, "cells")
    square = page.get_by_role("group", name="A square that answers both questions")
    across, upward = square.get_by_role("slider").all()
    expect(across).to_have_accessible_name("across?")
    expect(upward).to_have_accessible_name("upward?")
    assert across.get_attribute("aria-orientation") == "horizontal"
    keys(page, "ArrowRight", "ArrowUp")
    expect(upward).to_be_focused()  # it moved, so it is heard
    assert upward.get_attribute("aria-valuetext") == "6 of 9, from Certainly put on to Certainly felt"
    keys(page, "ArrowLeft")
    expect(across).to_be_focused()
    assert across.get_attribute("aria-valuetext") == "5 of 9, from Certainly put on to Certainly felt"
    stops = page.locator(".fn-square [tabindex='0']")
    expect(stops).to_have_count(1)


@pytest.mark.parametrize(
    ("study_id", "language"),
    [
        *(("plain", language) for language in ("en", "ko", "ja")),
        *(("manikins", "ja"), ("square", "en"), ("cells", "en"), ("cells", "ko")),
    ],
)
def test_widgets_fit_from_320_px_on_and_at_200_percent(
    server: Server, visitor: Visitor, study_id: str, language: str
) -> None:
    page = visitor()
    widgets.arrive(page, server.url, study_id, language)
    # 1280 px at 200 % are 640 px.
    for width, height in ((320, 640), (375, 667), (640, 400), (1280, 800)):
        page.set_viewport_size({"width": width, "height": height})
        walk.assert_fits(page)
        for part in page.locator(".fn-scale :is([role=radio], [role=slider], button)").all():
            assert part.bounding_box()["height"] >= 44
    page.set_viewport_size({"width": 320, "height": 640})
    for words in page.locator(".fn-anchors span, .fn-side").all():
        over = words.evaluate("words => words.scrollWidth - words.clientWidth")
        assert over <= 1, words.inner_text()  # px; both widths are rounded


def test_seven_points_are_44_px_wide_on_the_smallest_phone(server: Server, visitor: Visitor) -> None:
    page = visitor(width=320, height=640, has_touch=True, is_mobile=True)
    widgets.arrive(page, server.url, "plain", "ko")
    points = page.locator(".fn-likert [role=radio]").all()
    assert len(points) == 7
    assert min(point.bounding_box()["width"] for point in points) >= 44


@pytest.mark.parametrize("study_id", ["manikins", "cells"])
def test_forced_colours_and_reduced_motion_leave_answers_visible(
    server: Server, visitor: Visitor, study_id: str
) -> None:
    page = visitor(forced_colors="active", reduced_motion="reduce")
    widgets.arrive(page, server.url, study_id)
    if study_id == "cells":
        page.locator(".fn-square").click(position={"x": 30, "y": 30})
        shown = page.locator(".fn-mark")
    else:
        page.get_by_role("radio", name="2 of 5").click()
        shown = page.locator(".fn-card.fn-on")
    expect(shown).to_be_visible()
    ink, paper = shown.evaluate(
        "part => [getComputedStyle(part).backgroundColor,"
        " getComputedStyle(part.closest('.fn-trial')).backgroundColor]"
    )
    assert ink != paper


@pytest.mark.parametrize("study_id", list(widgets.STUDIES))
def test_instructions_show_the_widgets_of_this_study(server: Server, visitor: Visitor, study_id: str) -> None:
    page = visitor()
    widgets.to_instructions(page, server.url, study_id)
    main = page.get_by_test_id("stMain")
    expect(main).to_contain_text("You will see 3 pictures")
    expect(main).not_to_contain_text("may come more than once")
    known = {"choice": ".fn-choice", "line": ".fn-track", "manikins": ".fn-manikins", "grid": ".fn-square"}
    shown = {
        "plain": {"choice", "line"},
        "manikins": {"manikins"},
        "square": {"grid"},
        "cells": {"grid"},
    }
    for name, part in known.items():
        assert (page.locator(f".fn-examples {part}").count() > 0) == (name in shown[study_id])
    assert (page.locator(".keys kbd", has_text="0").count() > 0) == (study_id != "square")


def test_the_first_faces_are_there_before_start(server: Server, visitor: Visitor) -> None:
    page = visitor()
    widgets.to_instructions(page, server.url, "square")
    page.wait_for_function(
        "performance.getEntriesByType('resource').filter(e => e.name.includes('/api/stimuli/')).length === 3"
    )
    page.evaluate("performance.clearResourceTimings()")
    page.locator(".st-key-start button").click()
    walk.face(page, 1)
    sizes = page.evaluate(
        "performance.getEntriesByType('resource').filter(e => e.name.includes('/api/stimuli/'))"
        ".map(e => e.transferSize)"
    )
    assert set(sizes) <= {0}  # Resource Timing: 0 bytes are what the browser had already
