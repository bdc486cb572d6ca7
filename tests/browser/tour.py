"""Every page that a participant can meet, one after the other, for what has to hold on all of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, expect

from tests import asking, variants
from tests.browser import walk, widgets
from tests.browser.conftest import Server

_DEBRIEFING = """
disclosure: after
debriefing:
  en: |
    The faces were made by a computer. Some pairs showed **two people**.
  ko: |
    얼굴은 컴퓨터로 만들어졌습니다. 일부 짝은 **서로 다른 사람**이었습니다.
  ja: |
    顔はコンピューターで作られたものです。一部の組は**別々の人**でした。
practice: {files: [id08_happy.jpg, id08_sad.jpg], feedback: true}
"""
_FEW = ("per_participant: 24", "per_participant: 4\n  back: true\n  break_every: 3")
_PAIRS = ("identity_pairs:\n  per_participant: 12", "identity_pairs:\n  per_participant: 2")
_END = "\nseed: 2026"
_TIMED = (
    ("per_participant: 24", "per_participant: 3\n  layout: one-by-one"),
    ("size_px: 400", "size_px: 400\n  exposure: {fixation_ms: 300, duration_ms: 200, mask_ms: 200}"),
)
_LAB = (
    ("per_participant: 24", "per_participant: 3"),
    ("size_px: 400", "size_deg: 8"),
    (_END, f"\nrecruitment: {{route: lab}}{_END}"),
)
_ONCE = (
    ("per_participant: 24", "per_participant: 48"),
    ("ratings_per_stimulus: 20", "ratings_per_stimulus: 1"),
)
_FACE = "document.querySelector('.fn-face img')?.getAttribute('src') ?? null"


def load(server: Server, pictures: Path) -> None:
    """Load and open the studies that this tour goes through."""
    folder = ("folder: ../demo", f"folder: {pictures}")
    pages, ending = asking.change(), (_END, f"{_DEBRIEFING}{_END}")
    whole = variants.DEMO.read_text(encoding="utf-8")
    texts = {
        "demo": variants.changed(whole, folder, _FEW, _PAIRS, ending, pages),
        "timed": variants.one_block(folder, ("study: demo", "study: timed"), *_TIMED),
        "lab": variants.one_block(folder, ("study: demo", "study: lab"), *_LAB),
        "full": variants.one_block(folder, ("study: demo", "study: full"), *_ONCE),
    }
    for study_id, text in texts.items():
        (server.data / f"{study_id}.yaml").write_text(text, encoding="utf-8")
    for study_id in ("manikins", "square", "plain"):
        widgets.write(server.data, pictures, study_id)
    for study_id in (*texts, "manikins", "square", "plain"):
        server.command("study", "load", str(server.data / f"{study_id}.yaml"))
        server.command("study", "open", study_id)


def whole_path(page: Page, url: str, language: str) -> Iterator[str]:
    """Go from the link to the end; gives the name of each page while it is on screen."""
    yield from before_the_trials(page, url, language)
    yield from trials(page)
    page.locator("#q-strategy").wait_for()
    yield "questionnaire after"
    page.locator(".questions .continue").click()
    page.locator("form[action='/api/debriefed']").wait_for()
    yield "debriefing"
    page.locator("form[action='/api/debriefed'] button").click()
    walk.code(page)
    yield "done"


def before_the_trials(page: Page, url: str, language: str) -> Iterator[str]:
    """Go from the link to Start."""
    page.goto(f"{url}/?study=nowhere&lang={language}")
    page.locator("h1").wait_for()
    yield "no study"
    walk.welcome(page, url, language)
    yield "welcome"
    page.locator("form button[formaction]").click()
    page.locator("h1").wait_for()
    yield "declined"
    walk.welcome(page, url, language)
    walk.consent(page)
    page.locator("#q-age").wait_for()
    yield "about you"
    page.locator(".questions .continue").click()
    page.locator("#q-hours").wait_for()
    page.locator(".questions .continue").click()
    page.locator(".questions .summary li").first.wait_for()
    yield "questionnaire before"
    page.locator("#q-hours").fill("8")
    for field in ("mood.calm", "mood.faces", "mood.tired"):
        page.locator(f"input[name='{field}']").nth(3).check()
    page.locator(".questions .continue").click()
    page.locator(".st-key-start button").wait_for()
    yield "instructions"
    page.locator(".st-key-start button").click()


def trials(page: Page) -> Iterator[str]:
    """Rate what comes, whatever is asked; gives a name whenever the page looks different from before."""
    seen: set[str] = set()
    while (name := _look(page)) != "over":
        if name not in seen:
            seen.add(name)
            yield name
        _go_on(page)


def _look(page: Page) -> str:
    """Wait until something can be done, and say what it is."""
    state = page.wait_for_function(
        """() => {
          const trial = document.querySelector('.fn-trial');
          if (!trial) return document.querySelector('.questions, #code, form') && 'over';
          const notice = trial.querySelector('.fn-notice');
          const title = notice.querySelector('h2').textContent;
          if (!notice.hidden) return notice.querySelector('.fn-main:not([hidden])') && `notice: ${title}`;
          if (trial.querySelector('.fn-panel').inert || !trial.querySelector('.fn-face img')) return null;
          const kinds = [...trial.querySelectorAll('.fn-scale:not([hidden])')].map((each) => each.className);
          const faces = trial.querySelectorAll('.fn-face img').length;
          return kinds.length ? `trial: ${faces} ${kinds.join(' ')}`.replaceAll('fn-scale fn-', '') : null;
        }"""
    )
    return str(state.json_value())


def _go_on(page: Page) -> None:
    page.wait_for_timeout(80)  # two frames: before them no answer is accepted
    if page.locator(".fn-notice").is_visible():
        page.locator(".fn-notice button.fn-main").click()
        return
    before = page.evaluate(_FACE)
    for _ in range(12):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.wait_for_timeout(40)
        if page.evaluate(_FACE) != before or page.locator(".fn-notice").is_visible():
            return


def beside_the_path(page: Page, url: str, language: str) -> Iterator[str]:
    """Go to the pages that the whole path does not meet, as somebody who has begun and not ended."""
    for _ in before_the_trials(page, url, language):
        pass
    page.goto(f"{url}/?study=demo&lang={language}&stop=1")
    page.locator("form[action='/api/stop']").wait_for()
    yield "stop"
    page.goto(f"{url}/?study=demo&lang={language}&erase=code")
    page.locator("#erase-code").wait_for()
    yield "erase, by code"
    page.goto(f"{url}/?study=demo&lang={language}&erase=1")
    page.locator("form[action='/api/erase']").wait_for()
    yield "erase"
    page.goto(f"{url}/?study=demo&lang={language}&stop=1")
    page.locator("form[action='/api/stop'] button").click()
    page.locator("#erase-code").wait_for()
    yield "stopped"


def other_studies(page: Page, url: str, language: str) -> Iterator[str]:
    """Go to the first trial of studies with other widgets and layouts, and to the pages of a lab."""
    for study_id in ("plain", "manikins", "square"):
        widgets.arrive(page, url, study_id, language)
        yield f"trial: {study_id}"
    widgets.to_instructions(page, url, "timed", language)
    page.locator(".st-key-start button").click()
    page.locator(".fn-scale:visible").first.wait_for()
    page.locator(".st-key-start").wait_for(state="detached")
    yield "trial: one by one"
    page.goto(f"{url}/?study=lab&lang={language}")
    page.locator("h1").wait_for()
    yield "lab code"
    page.get_by_test_id("stForm").locator("input").fill(f"P{secrets.token_hex(3)}")  # a code begins once
    page.get_by_test_id("stForm").locator("button").last.click()
    page.locator("form .tick").first.wait_for()
    walk.consent(page)
    page.locator("[role=slider], input[type=range]").first.wait_for()
    yield "calibrate"


def full_study(page: Page, url: str, language: str) -> Iterator[str]:
    """Go to a study that needs nobody any more; the first who comes fills it."""
    page.goto(f"{url}/?study=full&lang={language}")
    page.locator("h1").wait_for()
    if page.locator("form .tick").count():
        walk.consent(page)
        page.locator("#q-age").wait_for()
        page.context.clear_cookies()
        page.goto(f"{url}/?study=full&lang={language}")
    expect(page.locator("form .tick")).to_have_count(0)
    page.locator("h1").wait_for()
    yield "full"


EVERYWHERE = (whole_path, beside_the_path, other_studies, full_study)
