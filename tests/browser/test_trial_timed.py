"""Timed exposure: cross, face for whole frames, mask, questions; nobody sees a face twice."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import designs, walk
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
Visitor = Callable[..., Page]

FACE_MS = 700
MASK_MS = 400
EXPOSURE = f"exposure: {{fixation_ms: 600, duration_ms: {FACE_MS}, mask_ms: {MASK_MS}}}"
EVIDENCE = (
    "select {} from answer join trial using (trial_id) where session_id = ? order by trial_index, revision"
)


@pytest.fixture(scope="module")
def timed(make_server: Callable[..., Server]) -> Server:
    return make_server(designs.scales("emotion"), designs.display(EXPOSURE), designs.trials("back: true"))


def choose(page: Page) -> None:
    page.get_by_role("radio").first.click()
    page.locator(".fn-next").click()


RECORD = """() => {
  const place = document.querySelector('.fn-face');
  const panel = document.querySelector('.fn-panel');
  const press = () => window.dispatchEvent(
    new KeyboardEvent('keydown', { code: 'Digit1', cancelable: true }));
  window.stages = [];
  const note = () => {
    if (place.children.length > 1) window.stages.push('two things at once');
    const shows = place.firstElementChild?.className || place.firstElementChild?.tagName || 'nothing';
    const stage = `${shows} ${getComputedStyle(panel).visibility}`;
    if (window.stages.at(-1) !== stage) window.stages.push(stage);
    if (shows !== 'nothing') press();
  };
  new MutationObserver(note).observe(document.querySelector('.fn-trial'),
    { subtree: true, childList: true, attributes: true, attributeFilter: ['class'] });
}"""


def test_cross_face_mask_and_then_the_questions(timed: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.start(page, timed.url)
    page.get_by_role("radio").first.wait_for()
    page.evaluate(RECORD)
    page.evaluate(designs.SHIFTS)
    choose(page)
    expect(page.locator(".fn-progress")).to_contain_text("Picture 2 of")
    page.get_by_role("radio").first.wait_for()
    # A slow machine shows the empty place for a frame between two stages.
    stages = [stage for stage in page.evaluate("window.stages") if stage != "nothing hidden"]
    assert stages[-4:] == ["fn-cross hidden", "IMG hidden", "fn-mask hidden", "nothing visible"]
    chosen = page.get_by_role("radio", checked=True)
    assert chosen.count() == 0, "a key was taken before the questions came"
    assert page.evaluate("window.shifts") == []


def test_reaction_times_count_from_the_face(timed: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.start(page, timed.url)
    session = walk.session_of(page)
    page.get_by_role("radio").first.wait_for()
    choose(page)
    expect(page.locator(".fn-status")).to_have_text("Saved: 1")
    [(first, submit)] = timed.rows(
        "select rt_first_ms, rt_submit_ms from response where session_id = ?", session
    )
    assert FACE_MS + MASK_MS - 50 < first < submit


def is_face(frame: bytes, box: dict[str, float], width: int) -> bool:
    """Whether a recorded frame shows a coloured picture where the face belongs."""
    picture = Image.open(io.BytesIO(frame)).convert("HSV")
    scale = picture.width / width
    corners = (box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"])
    saturation = picture.crop(tuple(round(at * scale) for at in corners)).getchannel("S")
    return sum(saturation.histogram()[40:]) > 0.1 * saturation.width * saturation.height


def test_the_time_shown_is_the_time_on_screen(timed: Server, visitor: Visitor) -> None:
    """Oracle: the frames that Chromium's compositor hands to the developer tools, with its own times.

    It records each changed frame, so the face lasts from the first frame with it to the first without.
    The tolerance is three frames of a machine that also encodes every frame.
    """
    page = visitor(width=900, height=600)
    devtools = page.context.new_cdp_session(page)
    frames: list[tuple[float, bytes]] = []

    def keep(event: dict[str, object]) -> None:
        at = float(event["metadata"]["timestamp"])  # type: ignore[index]
        frames.append((at, base64.b64decode(str(event["data"]))))
        devtools.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    devtools.on("Page.screencastFrame", keep)
    walk.start(page, timed.url)
    session = walk.session_of(page)
    box = page.locator(".fn-face").bounding_box()
    page.get_by_role("radio").first.wait_for()
    # The first face came while the page was being loaded; the second is the one to watch.
    devtools.send("Page.startScreencast", {"format": "jpeg", "quality": 60})
    choose(page)
    page.locator(".fn-mask").wait_for()
    page.get_by_role("radio").first.wait_for()
    page.wait_for_timeout(300)
    devtools.send("Page.stopScreencast")
    choose(page)
    expect(page.locator(".fn-status")).to_have_text("Saved: 2")
    shows = [(at, is_face(frame, box, 900)) for at, frame in frames]
    begins = [after for (_, was), (after, now) in pairwise(shows) if now and not was]
    ends = [after for (_, was), (after, now) in pairwise(shows) if was and not now]
    assert len(begins) == len(ends) == 1
    [_, (shown,)] = timed.rows(EVIDENCE.format("shown_ms"), session)
    assert float(str(shown)) == pytest.approx(1000 * (ends[0] - begins[0]), abs=50)


def test_a_face_is_shown_for_whole_frames(timed: Server, visitor: Visitor) -> None:
    """Where no frame was lost, the time is that of 42 frames of 1/60 s, the nearest to 700 ms."""
    page = visitor()
    walk.start(page, timed.url)
    session = walk.session_of(page)
    for number in (1, 2, 3):
        page.get_by_role("radio").first.wait_for()
        choose(page)
        expect(page.locator(".fn-progress")).to_contain_text(f"Picture {number + 1} of")
    expect(page.locator(".fn-status")).to_have_text("Saved: 3")
    found = timed.rows(EVIDENCE.format("shown_ms, onset_ok, frame_sd_ms"), session)
    for shown, ok, deviation in found:
        assert deviation is not None
        off = abs(float(str(shown)) - FACE_MS)
        assert off < 10 if ok else off >= 5
    assert any(ok for _, ok, _ in found)


def test_a_reload_does_not_show_the_face_again_and_flags_the_trial(timed: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.start(page, timed.url)
    session = walk.session_of(page)
    page.locator(".fn-face img").wait_for()
    page.reload()
    page.evaluate(
        "() => { window.faces = 0; new MutationObserver(() => {"
        " window.faces += document.querySelectorAll('.fn-face img').length; })"
        ".observe(document, { subtree: true, childList: true }); }"
    )
    page.get_by_role("radio").first.wait_for()
    choose(page)
    page.locator(".fn-cross").wait_for()
    assert page.evaluate("window.faces") == 0
    page.get_by_role("radio").first.wait_for()
    choose(page)
    expect(page.locator(".fn-status")).to_have_text("Saved: 2")
    flags = timed.rows(EVIDENCE.format("onset_ok, shown_ms is null"), session)
    assert flags[0] == (0, 1)
    assert flags[1][1] == 0


def test_back_shows_the_questions_without_the_face(timed: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.start(page, timed.url)
    session = walk.session_of(page)
    page.get_by_role("radio").first.wait_for()
    choose(page)
    page.locator(".fn-mask").wait_for()
    page.get_by_role("radio").first.wait_for()
    page.get_by_role("button", name="Back").click()
    expect(page.locator(".fn-progress")).to_contain_text("Picture 1 of")
    expect(page.get_by_role("radio").first).to_be_checked()
    assert page.locator(".fn-face > *").count() == 0
    page.get_by_role("radio").nth(1).click()
    page.locator(".fn-next").click()
    expect(page.locator(".fn-progress")).to_contain_text("Picture 2 of")
    page.get_by_role("radio").first.wait_for()
    assert page.locator(".fn-face > *").count() == 0, "the second face was seen, too"
    for _ in range(100):
        revisions = timed.rows(EVIDENCE.format("revision, onset_ok"), session)
        if len(revisions) == 2:
            break
        page.wait_for_timeout(100)
    assert [revision for revision, _ in revisions] == [1, 2]
    assert revisions[1] == (2, 0)


HIDE = """hidden => {
  const state = hidden ? 'hidden' : 'visible';
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


def test_a_hidden_page_takes_the_face_away_at_once(timed: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.start(page, timed.url)
    session = walk.session_of(page)
    page.locator(".fn-face img").wait_for()
    page.evaluate(HIDE, True)
    assert page.locator(".fn-face img").count() == 0
    page.evaluate(HIDE, False)
    page.get_by_role("radio").first.wait_for()
    choose(page)
    expect(page.locator(".fn-status")).to_have_text("Saved: 1")
    [(shown, ok, hidden)] = timed.rows(EVIDENCE.format("shown_ms, onset_ok, hidden_count"), session)
    assert 0 < float(str(shown)) < FACE_MS
    assert (ok, hidden) == (0, 1)


def test_who_comes_back_is_asked_whether_they_are_ready(timed: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.start(page, timed.url)
    page.get_by_role("radio").first.wait_for()
    choose(page)
    page.locator(".fn-cross").wait_for()
    expect(page.locator(".fn-status")).to_have_text("Saved: 1")
    page.reload()
    designs.go_on(page, "Ready?")
    began = time.monotonic()
    page.locator(".fn-face img").wait_for()
    assert time.monotonic() - began < 10
