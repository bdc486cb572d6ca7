"""Changes of the demo study for the tests of the trial element, and what participants do in it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

FULL = "emotion, intensity, valence, arousal, naturalness"
ONE = f"{{id: all, scales: [{FULL}]}}"
PER_STIMULUS = "ratings_per_stimulus: 20"
Change = tuple[str, str]
# Records what moved by itself: not in the half second after a press, by which it is expected.
SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver(list => {
    for (const { value, hadRecentInput, sources } of list.getEntries())
      if (!hadRecentInput) window.shifts.push([value, ...sources.map(({ node }) => node?.className)]);
  }).observe({ type: 'layout-shift' });
}"""


def scales(names: str) -> Change:
    """Ask these scales alone."""
    return (FULL, names)


def sets(*groups: str) -> Change:
    """Ask in blocks, in this order."""
    named = (f"{{id: part{n}, scales: [{group}]}}" for n, group in enumerate(groups, start=1))
    return (ONE, ", ".join(named))


def trials(*settings: str) -> Change:
    return (PER_STIMULUS, "\n  ".join((PER_STIMULUS, *settings)))


def display(settings: str) -> Change:
    return ("\ndisplay:\n", f"\ndisplay:\n  {settings}\n")


def also(text: str) -> Change:
    """A part that the short demo lacks."""
    return ("attention: {instructed: 0}", f"attention: {{instructed: 0}}\n{text}")


def pairs(settings: str) -> Change:
    return ("identity_pairs: {per_participant: 0}", f"identity_pairs: {{{settings}}}")


def checks(n: int) -> Change:
    return ("attention: {instructed: 0}", f"attention: {{instructed: {n}}}")


def shown(page: Page) -> None:
    """Wait until a picture is on screen and its questions take answers."""
    expect(page.locator(".fn-notice")).to_be_hidden()
    expect(page.locator(".fn-scale:visible").first).to_be_visible()
    expect(page.locator(".fn-next")).to_be_visible()
    page.wait_for_timeout(60)  # two frames: before them no answer is accepted


def go_on(page: Page, title: str | None = None) -> None:
    """Continue after a pause."""
    pause = page.locator(".fn-notice")
    expect(pause).to_be_visible()
    if title is not None:
        expect(pause.get_by_role("heading")).to_have_text(title)
    page.wait_for_timeout(450)  # before that, a press was meant for what stood there before
    page.get_by_role("button", name="Continue").click()


def answer(page: Page, *, option: int = 0) -> None:
    """Answer every question on screen by mouse and press Next."""
    shown(page)
    for scale in page.locator(".fn-scale:visible").all():
        if scale.get_by_role("radio").count():
            scale.get_by_role("radio").nth(option).click()
        else:
            scale.get_by_role("slider").click()
    page.locator(".fn-next").click()


def served(page: Page) -> list[str]:
    """The hashes of the pictures on screen, from left to right."""
    return [
        (image.get_attribute("src") or "").rpartition("/")[2] for image in page.locator(".fn-face img").all()
    ]
