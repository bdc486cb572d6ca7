"""Blocks, breaks, instructed checks, identity pairs and going back, in the trial element."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import designs, walk
from tests.browser.conftest import TRIALS, Server

pytestmark = pytest.mark.browser
Visitor = Callable[..., Page]
PAIRS = 4


@pytest.fixture(scope="module")
def parts(make_server: Callable[..., Server]) -> Server:
    """Two blocks with breaks, a check in each, and oval pairs."""
    return make_server(
        designs.sets("emotion, intensity", "valence, arousal, naturalness"),
        designs.checks(2),
        designs.pairs(f"per_participant: {PAIRS}, crop: oval"),
        designs.trials("back: true", "break_every: 4"),
    )


@pytest.fixture
def page(parts: Server, visitor: Visitor) -> Page:
    page = visitor()
    walk.start(page, parts.url)
    return page


def told(page: Page) -> str:
    return page.locator(".fn-notice").inner_text()


def instruction(page: Page) -> str | None:
    """What an instructed check says to do, where the trial on screen is one."""
    _, check, wanted = page.locator(".fn-scale:visible h2").first.inner_text().partition("being read. ")
    return wanted if check else None


def obey(page: Page) -> None:
    wanted = instruction(page) or ""
    expect(page.locator(".fn-scale:visible")).to_have_count(1)
    if wanted.startswith("Please choose: "):
        page.get_by_role("radio", name=wanted.removeprefix("Please choose: "), exact=False).last.click()
    else:
        end = wanted.rpartition(": ")[2]
        left = page.locator(".fn-anchors span").first.inner_text() == end
        page.get_by_role("slider").focus()
        page.keyboard.press("Home" if left else "End")
    page.locator(".fn-next").click()


def rate(page: Page) -> None:
    designs.shown(page)
    if instruction(page):
        obey(page)
    else:
        designs.answer(page)


def test_each_part_says_what_is_asked_and_breaks_come_within_it(parts: Server, page: Page) -> None:
    expect(page.locator(".fn-notice")).to_contain_text("Part 1 of 3")
    session = walk.session_of(page)
    [(total,)] = parts.rows("select count(*) from trial where session_id = ?", session)
    blocks = dict(
        parts.rows("select block, count(*) from trial where session_id = ? group by block", session)
    )
    assert list(blocks) == [1, 2, 3]
    seen = 0
    for block, size in blocks.items():
        assert f"Part {block} of 3" in told(page)
        assert str(size) in told(page)
        asked = {1: "Which emotion", 2: "How calm or activated", 3: "the same person"}
        assert asked[int(str(block))] in told(page)
        designs.go_on(page)
        for at in range(int(str(size))):
            if at and at % 4 == 0:
                assert f"{seen} of {total}" in told(page)
                designs.go_on(page, "Time for a break")
            seen += 1
            expect(page.locator(".fn-progress")).to_have_text(f"Part {block} of 3 · {seen} of {total}")
            rate(page)
    assert walk.code(page)
    assert seen == total
    check_answers(parts, session)


def check_answers(server: Server, session: str) -> None:
    """Each trial is answered on the scales of its task, a check on its own scale with what it wants."""
    passed = server.rows(
        "select t.expected ->> 'scale_id' = r.scale_id and (r.label = t.expected ->> 'label' or "
        "r.value between t.expected ->> 'low' and t.expected ->> 'high') from trial t "
        "join response r using (trial_id) where t.session_id = ? and t.is_attention",
        session,
    )
    assert passed == [(1,), (1,)]
    asked = server.rows(
        "select distinct task, scale_id from trial t join response r using (trial_id) "
        "where t.session_id = ? order by task, scale_id",
        session,
    )
    assert asked == [
        ("identity_pairs", "same_identity"),
        ("part1", "emotion"), ("part1", "intensity"),
        ("part2", "arousal"), ("part2", "naturalness"), ("part2", "valence"),
    ]  # fmt: skip


def test_enter_goes_on_after_a_pause_but_not_at_once(page: Page) -> None:
    """The key that answered the last question must not skip what is told next."""
    pause = page.locator(".fn-notice")
    expect(pause).to_be_visible()
    page.evaluate("() => { const box = document.querySelector('.fn-notice'); box.focus(); }")
    page.wait_for_timeout(500)
    page.keyboard.press("Enter")
    expect(pause).to_be_hidden()


def test_a_reload_within_a_part_comes_back_to_the_face(page: Page) -> None:
    designs.go_on(page, "Part 1 of 3")
    rate(page)
    designs.shown(page)
    expect(page.locator(".fn-status")).to_have_text("Saved: 1")
    face = designs.served(page)
    page.reload()
    designs.shown(page)
    assert designs.served(page) == face


def to_pairs(page: Page) -> None:
    for _ in range(40):
        page.locator(".fn-notice, .fn-scale").locator("visible=true").first.wait_for()
        if page.locator(".fn-notice").is_visible():
            last = "side by side" in told(page)
            designs.go_on(page)
            if last:
                return
        else:
            rate(page)
    raise AssertionError("the pairs do not come")


def test_pairs_are_ovals_side_by_side_in_the_stored_order(parts: Server, visitor: Visitor) -> None:
    page = visitor(width=375, height=667)
    walk.start(page, parts.url)
    session = walk.session_of(page)
    to_pairs(page)
    designs.shown(page)
    order = parts.rows(
        "select served_sha256 from trial t join trial_stimulus s using (trial_id) "
        "join stimulus using (config_hash, stimulus_id) where t.session_id = ? and t.task = 'identity_pairs' "
        "order by trial_index, s.position limit 2",
        session,
    )
    assert designs.served(page) == [served for (served,) in order]
    assert [image.get_attribute("alt") for image in page.get_by_role("img").all()] == [
        "Picture 1",
        "Picture 2",
    ]
    assert page.locator("figcaption").count() == 0
    places = [box.bounding_box() for box in page.locator(".fn-face").all()]
    assert places[0]["y"] == places[1]["y"]
    assert places[0]["x"] + places[0]["width"] < places[1]["x"]
    assert places[1]["x"] + places[1]["width"] <= 375
    assert min(place["width"] for place in places) > 150
    for place in places:
        check_oval(page, place)


def check_oval(page: Page, place: dict[str, float]) -> None:
    """By the pixels: the surround in the corners of the place, the picture at the middle of each side."""
    clip = {name: round(place[name]) for name in ("x", "y", "width", "height")}
    cut = Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")
    wide, high = cut.size
    surround = (128, 128, 128)
    corners = [(3, 3), (wide - 4, 3), (3, high - 4), (wide - 4, high - 4)]
    assert [cut.getpixel(at) for at in corners] == [surround] * 4
    sides = [(3, high // 2), (wide - 4, high // 2), (wide // 2, 3), (wide // 2, high - 4)]
    assert surround not in [cut.getpixel(at) for at in sides]


def test_back_stays_within_a_part_and_makes_a_revision(parts: Server, page: Page) -> None:
    designs.go_on(page, "Part 1 of 3")
    session = walk.session_of(page)
    designs.shown(page)
    expect(page.locator(".fn-back")).to_be_hidden()
    faces = []
    while not page.locator(".fn-notice").is_visible():
        faces.append(designs.served(page))
        rate(page)
        page.wait_for_timeout(150)
    designs.go_on(page, "Time for a break")
    designs.shown(page)
    page.get_by_role("button", name="Back").click()
    designs.shown(page)
    assert designs.served(page) == faces[-1]
    expect(page.locator('[aria-checked="true"], .fn-set').first).to_be_visible()
    rate(page)
    while not page.locator(".fn-notice").is_visible():
        designs.shown(page)
        rate(page)
        page.wait_for_timeout(150)
    designs.go_on(page, "Part 2 of 3")
    designs.shown(page)
    expect(page.locator(".fn-back")).to_be_hidden()
    expect(page.locator(".fn-status")).to_contain_text("Saved")
    found = parts.rows(
        "select trial_index, count(*) from answer join trial using (trial_id) where session_id = ? "
        "group by trial_index having count(*) > 1",
        session,
    )
    assert found == [(4, 2)]


def test_a_study_of_one_block_begins_with_a_face(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    expect(page.locator(".fn-progress")).to_have_text(f"Picture 1 of {TRIALS}")
