"""What has to hold on every page that a participant can meet, in every language, in light and dark."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from core import i18n
from core.study_rules import LANGUAGES
from tests.browser import tour, walk
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
Visitor = Callable[..., Page]
Part = Callable[[Page, str, str], Iterator[str]]

GRAVE = {"serious", "critical"}
# A narrow phone, and a window of 1280 by 720 pixels at a zoom of 200 %.
SIZES = ((320, 640), (640, 360))
USUAL = {"width": 1280, "height": 800}
PARTS = pytest.mark.parametrize("part", tour.EVERYWHERE, ids=lambda part: part.__name__)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("data"))
    tour.load(server, pictures)
    server.start()
    yield server
    server.stop()


def findings(page: Page) -> list[str]:
    """What axe-core, which others write and keep, holds to be a serious or critical barrier."""
    response = Axe().run(page).response
    return [
        f"{found['id']}: {node['html'][:120]} ({node.get('failureSummary', '')[:200]})"
        for found in response["violations"]
        if found["impact"] in GRAVE
        for node in found["nodes"]
    ]


def sideways(page: Page) -> list[str]:
    found = []
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        try:
            walk.assert_fits(page)
        except AssertionError:
            found.append(f"scrolls sideways at {width}")
    page.set_viewport_size(USUAL)
    return found


@pytest.mark.timeout(900)
@pytest.mark.parametrize("language", LANGUAGES)
@PARTS
def test_no_page_has_a_barrier(everything: Server, visitor: Visitor, part: Part, language: str) -> None:
    page = visitor(**USUAL, reduced_motion="reduce")
    problems = []
    for name in part(page, everything.url, language):
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(150)
            problems += [f"{name} ({scheme}): {found}" for found in findings(page)]
        problems += [f"{name}: {found}" for found in sideways(page)]
        if page.evaluate("document.documentElement.lang") != language:
            problems.append(f"{name}: the language is not told")
    assert problems == [], "\n".join(problems)


# What can be pressed or filled in, with one name for all radio buttons of a group.
_CONTROLS = """() => {
  const name = (element) => {
    const group = element.role === 'radio' && element.closest('[role=radiogroup]');
    if (element.href) return `link ${element.href}`;
    if (element.type === 'radio') return `radios ${element.name}`;
    if (group) return `radios ${group.getAttribute('aria-labelledby')}`;
    return `${element.tagName} ${element.id} ${element.textContent.trim()}`.slice(0, 60);
  };
  window.controlName = name;
  const usable = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled
    && !element.closest('[inert], [aria-hidden=true]');
  const found = document.querySelectorAll('a[href], button, input, select, textarea, [tabindex="0"]');
  return [...new Set([...found].filter(usable).map(name))];
}"""
_FOCUSED = """() => {
  const element = document.activeElement;
  const marks = ({ outlineStyle, boxShadow }) => outlineStyle !== 'none' || boxShadow !== 'none';
  const parts = [element, ...element.querySelectorAll('*')];
  return { name: window.controlName(element), ringed: parts.some((part) => marks(getComputedStyle(part))) };
}"""


def unreached(page: Page) -> list[str]:
    """The controls to which the Tab key does not lead, and those that do not show the focus."""
    wanted, reached, plain = set(page.evaluate(_CONTROLS)), set(), set()
    for _ in range(2 * len(wanted) + 10):
        page.keyboard.press("Tab")
        focused = page.evaluate(_FOCUSED)
        reached.add(focused["name"])
        if not focused["ringed"] and focused["name"] in wanted:
            plain.add(focused["name"])
        if reached >= wanted:
            break
    page.evaluate("document.activeElement.blur()")
    lost = [f"the Tab key does not reach {name!r}" for name in sorted(wanted - reached)]
    return [*lost, *(f"no ring around {name!r}" for name in sorted(plain))]


@pytest.mark.timeout(900)
@PARTS
def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    everything: Server, visitor: Visitor, part: Part
) -> None:
    page = visitor(**USUAL)
    problems = []
    for name in part(page, everything.url, "en"):
        problems += [f"{name}: {found}" for found in unreached(page)]
    assert problems == [], "\n".join(problems)


STIMULI = re.compile(r"/api/stimuli/")


def test_nothing_moves_when_the_face_appears(server: Server, visitor: Visitor) -> None:
    page = visitor(width=375, height=667)
    held: list[Route] = []
    free = False

    def hold(route: Route) -> None:
        route.continue_() if free else held.append(route)

    page.route(STIMULI, hold)
    walk.start(page, server.url)
    page.locator(".fn-panel").wait_for()
    page.wait_for_timeout(500)
    parts = page.locator(".fn-head, .fn-faces, .fn-panel, .fn-scale, .fn-next").all()
    before = [part.bounding_box() for part in parts]
    free = True
    for route in held:
        route.continue_()
    walk.face(page, 1)
    assert [part.bounding_box() for part in parts] == before


def test_a_screen_reader_meets_one_main_part_named_questions_and_live_messages(
    server: Server, visitor: Visitor
) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    expect(page.locator(".fn-trial")).to_match_aria_snapshot("""
    - status
    - button "Stop"
    - figure:
      - img "Face to rate"
    - heading "Which emotion does this face show?" [level=2]
    - radiogroup "Which emotion does this face show?":
      - radio "Anger"
    - slider "How strong is the emotion that you chose?"
    - alert
    - button "Next"
    """)
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.locator(".fn-status")).to_have_attribute("role", "status")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_lost_connection_is_told_in_the_studys_words(
    make_server: Callable[[], Server], visitor: Visitor, language: str
) -> None:
    server, words = make_server(), i18n.words(language)
    page = visitor()
    walk.welcome(page, server.url, language)
    walk.consent(page)
    page.locator("#q-age").wait_for()
    line = page.locator(".fn-lost")
    expect(line).to_have_text("")
    server.kill()
    expect(line).to_have_text(words["connection.lost"], timeout=30_000)
    expect(line).to_have_attribute("role", "status")
    page.wait_for_timeout(20_000)  # Streamlit's own dialog comes after about as long
    expect(page.get_by_text("Connection error")).to_be_hidden()
    page.locator("#q-age").fill("34")
    expect(page.locator(".questions .state")).to_have_text(words["ask.waiting"])
    server.start()
    expect(line).to_have_text("", timeout=60_000)
    expect(page.locator(".questions .state")).to_have_text(words["ask.saved"], timeout=30_000)
    assert server.rows("select value from about") == [(34,)]
    expect(page.locator("#q-age")).to_have_value("34")


def test_a_new_page_begins_at_its_top_with_its_heading(everything: Server, visitor: Visitor) -> None:
    page = visitor(width=375, height=500)
    walk.welcome(page, everything.url)
    walk.consent(page)
    page.locator("#q-age").wait_for()
    page.wait_for_timeout(1000)  # the page notices twice a second which one it is
    page.locator(".questions .continue").click()
    page.locator("#q-hours").wait_for()
    expect(page.locator("h1")).to_be_focused()
    assert page.get_by_test_id("stMain").evaluate("part => part.scrollTop") == 0
