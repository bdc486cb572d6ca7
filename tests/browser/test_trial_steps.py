"""Questions one after another while the face stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import designs, walk
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
Visitor = Callable[..., Page]
QUESTIONS = ["Which emotion", "How strong", "How unpleasant or pleasant"]


@pytest.fixture(scope="module")
def steps(make_server: Callable[..., Server]) -> Server:
    return make_server(
        designs.scales("emotion, intensity, valence"), designs.trials("layout: one-by-one", "back: true")
    )


@pytest.fixture
def page(steps: Server, visitor: Visitor) -> Page:
    page = visitor(width=375, height=667)
    walk.to_trials(page, steps.url)
    return page


def asked(page: Page) -> str:
    expect(page.locator(".fn-scale:visible")).to_have_count(1)
    return page.locator(".fn-scale:visible h2").inner_text()


def test_enter_goes_from_question_to_question_and_the_face_stays(steps: Server, page: Page) -> None:
    session = walk.session_of(page)
    face = designs.served(page)
    place = page.locator(".fn-face").bounding_box()
    for number, question in enumerate(QUESTIONS):
        page.wait_for_timeout(60)
        assert asked(page).startswith(question)
        assert designs.served(page) == face
        assert page.locator(".fn-face").bounding_box() == place
        page.keyboard.press("ArrowRight" if number else "Digit1")
        page.keyboard.press("Enter")
    expect(page.locator(".fn-progress")).to_contain_text("Picture 2 of")
    expect(page.locator(".fn-status")).to_have_text("Saved: 1")
    responses = steps.rows("select scale_id, rt_first_ms from response where session_id = ?", session)
    times = [float(str(first)) for _, first in responses]
    assert [scale for scale, _ in responses] == ["emotion", "intensity", "valence"]
    assert times == sorted(times), "later questions are touched later, on one clock from the face"


def test_back_within_a_trial_keeps_what_was_answered(page: Page) -> None:
    page.get_by_role("radio").nth(2).click()
    page.get_by_role("button", name="Next").click()
    assert asked(page).startswith(QUESTIONS[1])
    page.get_by_role("button", name="Back").click()
    assert asked(page).startswith(QUESTIONS[0])
    expect(page.get_by_role("radio").nth(2)).to_be_checked()
    expect(page.locator(".fn-back")).to_be_hidden()
    expect(page.locator(".fn-progress")).to_contain_text("Picture 1 of")


def test_next_asks_for_what_is_open_in_this_step_alone(page: Page) -> None:
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("alert")).to_contain_text(QUESTIONS[0])
    expect(page.get_by_role("alert")).not_to_contain_text(QUESTIONS[1])


def test_a_question_that_does_not_apply_is_passed_over_in_both_directions(steps: Server, page: Page) -> None:
    session = walk.session_of(page)
    page.get_by_role("radio", name="No emotion").click()
    page.get_by_role("button", name="Next").click()
    assert asked(page).startswith(QUESTIONS[2])
    page.get_by_role("button", name="Back").click()
    assert asked(page).startswith(QUESTIONS[0])
    page.get_by_role("button", name="Next").click()
    page.get_by_role("slider").click()
    page.get_by_role("button", name="Next").click()
    expect(page.locator(".fn-status")).to_have_text("Saved: 1")
    found = steps.rows("select status from response where session_id = ? and scale_id = 'intensity'", session)
    assert found == [("not_applicable",)]


def test_back_from_the_first_question_revises_the_face_before(steps: Server, page: Page) -> None:
    session = walk.session_of(page)
    for _ in QUESTIONS:
        designs.answer(page)
    expect(page.locator(".fn-progress")).to_contain_text("Picture 2 of")
    designs.shown(page)
    page.get_by_role("button", name="Back").click()
    expect(page.locator(".fn-progress")).to_contain_text("Picture 1 of")
    for _ in QUESTIONS:
        designs.answer(page, option=1)
    expect(page.locator(".fn-progress")).to_contain_text("Picture 2 of")
    expect(page.locator(".fn-status")).to_have_text("Saved: 1")
    page.wait_for_timeout(300)
    revisions = steps.rows(
        "select revision from answer join trial using (trial_id) where session_id = ? order by revision",
        session,
    )
    assert revisions == [(1,), (2,)]
