"""Practice: what a face is meant to show is told, and the study begins for those who pass."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import designs, walk
from tests.browser.conftest import TRIALS, Server

pytestmark = pytest.mark.browser
Visitor = Callable[..., Page]

RULES = "feedback: true, pass_share: 1, attempts: 2"
FACES = ["Anger", "Happiness"]


@pytest.fixture(scope="module")
def practised(make_server: Callable[..., Server]) -> Server:
    files = "[id01_angry.jpg, id02_happy.jpg]"
    return make_server(designs.scales("emotion"), designs.also(f"practice: {{files: {files}, {RULES}}}"))


@pytest.fixture
def page(practised: Server, visitor: Visitor) -> Page:
    page = visitor()
    walk.start(page, practised.url)
    return page


def practise(page: Page, *choices: str) -> None:
    """Answer the practice trials and read what is told after each."""
    for number, (choice, meant) in enumerate(zip(choices, FACES, strict=True), start=1):
        designs.shown(page)
        expect(page.locator(".fn-progress")).to_have_text(f"Practice · {number} of 2")
        page.get_by_role("radio", name=choice).click()
        page.get_by_role("button", name="Next").click()
        told = page.locator(".fn-panel").get_by_role("status")
        expect(told).to_contain_text(f"This face is meant to show: {meant}.")
        expect(told).to_contain_text("That is what you chose" if choice == meant else f"You chose: {choice}")
        page.wait_for_timeout(450)
        page.get_by_role("button", name="Continue").click()


def outcome(server: Server, session: str) -> object:
    [(found,)] = server.rows("select outcome from session where session_id = ?", session)
    return found


def test_who_passes_goes_on_to_all_faces(practised: Server, page: Page) -> None:
    expect(page.locator(".fn-notice")).to_contain_text("at least 2 of 2 answers match")
    session = walk.session_of(page)
    designs.go_on(page, "Practice")
    practise(page, *FACES)
    expect(page.locator(".fn-notice")).to_contain_text("From here on your answers count", timeout=10_000)
    designs.go_on(page)
    for number in range(1, TRIALS + 1):
        expect(page.locator(".fn-progress")).to_have_text(f"Picture {number} of {TRIALS}")
        designs.answer(page)
    assert walk.code(page)
    assert outcome(practised, session) == "complete"


def test_who_does_not_pass_practises_once_more(practised: Server, page: Page) -> None:
    session = walk.session_of(page)
    designs.go_on(page, "Practice")
    practise(page, "Fear", "Happiness")
    expect(page.locator(".fn-notice")).to_contain_text("This is the last try", timeout=10_000)
    page.reload()
    designs.go_on(page, "The practice once more")
    practise(page, *FACES)
    expect(page.locator(".fn-notice")).to_contain_text("From here on your answers count", timeout=10_000)
    attempts = practised.rows(
        "select attempt, superseded, count(*) from trial where session_id = ? and is_practice "
        "group by attempt",
        session,
    )
    assert attempts == [(1, 1, 2), (2, 0, 2)]


def test_who_never_passes_is_screened_out(practised: Server, page: Page) -> None:
    session = walk.session_of(page)
    designs.go_on(page, "Practice")
    practise(page, "Fear", "Fear")
    expect(page.locator(".fn-notice")).to_contain_text("This is the last try", timeout=10_000)
    designs.go_on(page, "The practice once more")
    practise(page, "Fear", "Fear")
    expect(page.locator(".fn-trial")).to_have_count(0, timeout=15_000)
    assert outcome(practised, session) == "screened_out"


def test_the_browser_knows_no_face_beyond_the_practice(practised: Server, page: Page) -> None:
    """What comes later is neither sent nor fetched ahead until the practice is passed."""
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.reload()
    designs.go_on(page, "Practice")
    designs.shown(page)
    assert len({url for url in fetched if "/api/stimuli/" in url}) == 2


def test_a_double_click_on_next_does_not_skip_what_is_told(page: Page) -> None:
    designs.go_on(page, "Practice")
    designs.shown(page)
    page.get_by_role("radio").first.click()
    page.locator(".fn-next").dblclick()
    expect(page.locator(".fn-told")).to_contain_text("This face is meant to show")
    page.wait_for_timeout(300)
    expect(page.locator(".fn-progress")).to_have_text("Practice · 1 of 2")
