"""What participants do, in the words of the tests."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def welcome(page: Page, url: str, language: str = "en") -> None:
    page.goto(f"{url}/?study=demo&lang={language}")
    page.locator("form .tick").first.wait_for()


def consent(page: Page) -> None:
    for box in page.locator("form .tick input[required]").all():
        box.check()
    page.locator("form button.main").click()


def start(page: Page, url: str, language: str = "en") -> None:
    """Go as far as the press on Start."""
    welcome(page, url, language)
    consent(page)
    page.locator(".questions .continue").click()
    page.locator(".st-key-start button").click()
    page.locator(".fn-trial").wait_for()


def to_trials(page: Page, url: str, language: str = "en") -> None:
    start(page, url, language)
    face(page, 1)


def face(page: Page, number: int) -> None:
    """Wait until this picture is on screen and takes answers."""
    expect(page.locator(".fn-progress")).to_contain_text(str(number))
    page.wait_for_function("n => performance.getEntriesByName('facenorm:face').length >= n", arg=1)
    expect(page.locator(".fn-notice")).to_be_hidden()
    expect(page.locator(".fn-face img")).to_have_count(1)


def rate_by_keyboard(page: Page, *, choice: str = "Digit3") -> None:
    """Choose, then set the four lines; Enter goes from question to question and then to the next face."""
    page.wait_for_timeout(60)  # two frames: before them no answer is accepted
    page.keyboard.press(choice)
    for _ in range(4):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")


def lines(page: Page) -> list[Locator]:
    return page.get_by_role("slider").all()


def session_of(page: Page) -> str:
    """Read the session's id from the names under which the browser keeps its answers."""
    name = page.evaluate("Object.keys(localStorage).find(name => /^facenorm:.*:lease$/.test(name))")
    return name.split(":")[1]


def code(page: Page) -> str:
    page.locator("#code").wait_for()
    return page.locator("#code").inner_text()


def assert_fits(page: Page) -> None:
    """Nothing scrolls sideways at the page's present width."""
    too_wide = page.evaluate(
        "[document.documentElement, ...document.querySelectorAll('.fn-trial, [data-testid=stMain]')]"
        ".map(part => part.scrollWidth - part.clientWidth)"
    )
    assert max(too_wide) <= 0, page.viewport_size
