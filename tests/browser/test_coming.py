"""Coming by a platform, a lab's code or an app's link, going away and coming back, in a real browser."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import walk
from tests.browser.conftest import Server, variant
from tests.browser.proxy import Proxy, on_answers, on_nothing

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # each of these pages comes from a server that others use, too
Visitor = Callable[..., Page]

FEW = ("per_participant: 6", "per_participant: 3")
END = "seed: 2026"
STUDIES = {
    "prolific": "recruitment: {route: prolific, code: fixed, fixed_code: C1A2B3, device: computer, "
    "complete_url: 'https://platform.invalid/complete?cc={code}&who={external_id}'}",
    "again": "recruitment: {route: sona}\nresume: {policy: restart-block, grace_s: 8}",
    "once": "recruitment: {route: sona}\nresume: {policy: refuse, grace_s: 8}",
    "lab": "recruitment: {route: lab}",
    "full": "recruitment: {route: panel, complete_url: 'https://platform.invalid/c', "
    "quota_url: 'https://platform.invalid/full?id={external_id}'}",
}
LINE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Safari Line/14.1.0"
KAKAO = "Mozilla/5.0 (Linux; Android 13; wv) AppleWebKit/537.36 Chrome/120 Mobile Safari KAKAOTALK 10.4.5"
AWAY_MS = 10_000  # longer than the grace of the two studies that mind
PHONE = {"width": 375, "height": 667, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[Server]:
    """One server with a study for each way of coming."""
    server = Server(tmp_path_factory.mktemp("coming"))
    for name, settings in STUDIES.items():
        changes = [FEW, (END, f"{END}\n{settings}")]
        if name == "lab":
            changes.append(("size_px: 400", "size_deg: 8"))
        if name == "full":
            changes = [("per_participant: 6", "per_participant: 1"), *changes[1:]]
            changes.append(("ratings_per_stimulus: 20", "ratings_per_stimulus: 1"))
            changes.append(("manifest: manifest.csv", 'pattern: "{identity}_{emotion}.jpg"'))
            changes.append((f"folder: {pictures}", f"folder: {one_face(server.data, pictures)}"))
        server.command("study", "load", str(variant(server.data, pictures, name, *changes)))
        server.command("study", "open", name)
    server.start()
    yield server
    server.stop()


def one_face(folder: Path, pictures: Path) -> Path:
    """A folder with one picture: one participant is all that the study needs."""
    target = folder / "one"
    target.mkdir(exist_ok=True)
    found = next(iter(sorted(pictures.glob("*_happy.jpg"))))
    (target / found.name).write_bytes(found.read_bytes())
    return target


def come(page: Page, server: Server, link: str) -> None:
    page.goto(f"{server.url}/?{link}")
    page.locator("form .tick").first.wait_for()


def new_code() -> int:
    """A code with which nobody has come, not even in an earlier try of the same test."""
    return 10**6 + secrets.randbelow(9 * 10**6)


def to_trials(page: Page) -> None:
    walk.consent(page)
    page.locator(".questions .continue").click()
    page.locator(".st-key-start button").click()
    walk.face(page, 1)


def sessions(server: Server, study: str) -> list[tuple[object, ...]]:
    return server.rows("select session_id, outcome, returns from session where study_id = ?", study)


def test_a_participant_comes_from_a_platform_and_goes_back_to_it(server: Server, visitor: Visitor) -> None:
    page = visitor()
    page.route("https://platform.invalid/**", lambda route: route.fulfill(body="thank you"))
    come(page, server, "study=prolific&lang=en&PROLIFIC_PID=a%2Fb&STUDY_ID=s&SESSION_ID=t")
    to_trials(page)
    assert "a%2Fb" not in page.url
    assert "PROLIFIC_PID" not in page.url
    for number in range(1, 4):
        walk.face(page, number)
        walk.rate_by_keyboard(page)
    assert walk.code(page) == "C1A2B3"
    back = page.get_by_role("link", name="Go back to where you came from")
    expect(back).to_have_attribute("href", "https://platform.invalid/complete?cc=C1A2B3&who=a%2Fb")
    # By itself, since everything is stored; nothing is pressed here.
    page.wait_for_url("https://platform.invalid/**", timeout=40_000)
    rows = server.rows("select external_id, parameters from external where study_id = 'prolific'")
    assert [row[0] for row in rows] == ["a/b"]


def test_who_stays_on_the_last_page_is_not_led_away_and_finds_it_again(
    server: Server, visitor: Visitor
) -> None:
    page = visitor()
    come(page, server, "study=prolific&lang=en&PROLIFIC_PID=stays")
    to_trials(page)
    for number in range(1, 4):
        walk.face(page, number)
        walk.rate_by_keyboard(page)
    walk.code(page)
    page.get_by_role("button", name="Stay on this page").click()
    expect(page.get_by_text("This happens by itself")).to_have_count(0)
    # Another browser, another day: the same link leads to the same last page, and to no second session.
    other = visitor()
    other.goto(f"{server.url}/?study=prolific&lang=en&PROLIFIC_PID=stays")
    expect(other.get_by_role("heading", name="You have been here before")).to_be_visible()
    before = sessions(server, "prolific")
    other.get_by_role("button", name="Show the last page").click()
    assert walk.code(other) == "C1A2B3"
    assert sessions(server, "prolific") == before


@pytest.mark.parametrize("link", ["", "&PROLIFIC_PID=", "&PROLIFIC_PID=%7B%7B%25PROLIFIC_PID%25%7D%7D"])
def test_a_link_without_its_id_says_so_and_begins_nothing(
    server: Server, visitor: Visitor, link: str
) -> None:
    page = visitor()
    before = sessions(server, "prolific")
    page.goto(f"{server.url}/?study=prolific&lang=en{link}")
    expect(page.get_by_role("heading", name="This link is incomplete")).to_be_visible()
    expect(page.get_by_text("faces@example.org")).to_be_visible()
    expect(page.locator("form")).to_have_count(0)
    assert sessions(server, "prolific") == before


def test_a_lost_browser_goes_on_through_the_same_link(server: Server, visitor: Visitor) -> None:
    page = visitor()
    come(page, server, "study=prolific&lang=en&PROLIFIC_PID=lost")
    to_trials(page)
    walk.rate_by_keyboard(page)
    walk.face(page, 2)
    page.wait_for_timeout(500)
    session = walk.session_of(page)
    other = visitor()
    other.goto(f"{server.url}/?study=prolific&lang=en&PROLIFIC_PID=lost")
    expect(other.get_by_role("heading", name="Welcome back")).to_be_visible()
    other.get_by_role("button", name="Go on").click()
    walk.face(other, 2)
    assert walk.session_of(other) == session


def test_two_people_may_share_a_browser(server: Server, visitor: Visitor) -> None:
    page = visitor()
    come(page, server, "study=prolific&lang=en&PROLIFIC_PID=first")
    to_trials(page)
    session = walk.session_of(page)
    come(page, server, "study=prolific&lang=en&PROLIFIC_PID=second")
    to_trials(page)
    assert page.evaluate("document.querySelectorAll('.fn-trial').length") == 1
    ids = dict(server.rows("select external_id, session_id from external"))
    assert ids["first"] == session
    assert ids["second"] != session


def answered(server: Server, session: object) -> list[tuple[object, ...]]:
    return server.rows(
        "select t.trial_index, t.attempt, t.superseded, a.revision from trial t "
        "left join answer a using (trial_id) where t.session_id = ? order by t.attempt, t.trial_index",
        session,
    )


def test_an_absence_begins_the_block_again_and_loses_no_answer(
    server: Server, proxy: Proxy, visitor: Visitor
) -> None:
    page, link = visitor(), f"study=again&lang=en&survey_code={new_code()}"
    come(page, proxy, link)
    to_trials(page)
    session = walk.session_of(page)
    walk.rate_by_keyboard(page)
    walk.face(page, 2)
    expect(page.locator(".fn-status")).to_have_text("Saved: 1")
    # The second answer stays in this browser: the server is not reached any more.
    proxy.choose = on_answers("lose request")
    walk.rate_by_keyboard(page)
    walk.face(page, 3)
    be_away(page, f"{proxy.url}/?{link}")
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    assert [row[2] for row in answered(server, session)] == [0, 0, 0], "nothing happened yet"
    page.reload()
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    proxy.choose = on_nothing
    page.get_by_role("button", name="Continue").click()
    walk.face(page, 1)
    assert answered(server, session) == [
        (1, 1, 1, 1), (2, 1, 1, 1), (3, 1, 1, None), (1, 2, 0, None), (2, 2, 0, None), (3, 2, 0, None),
    ]  # fmt: skip
    assert [row[1:] for row in sessions(server, "again") if row[0] == session] == [(None, 1)]
    main = server.rows("select distinct is_main from response where session_id = ?", session)
    assert main == [(0,)]
    for number in range(1, 4):
        walk.face(page, number)
        walk.rate_by_keyboard(page)
    assert walk.code(page)
    counted = "select count(distinct trial_id) from response where session_id = ? and is_main and current"
    assert server.rows(counted, session) == [(3,)]


def be_away(page: Page, back: str) -> None:
    """Leave for longer than the grace, and come back by the link."""
    page.goto("about:blank")
    page.wait_for_timeout(AWAY_MS)
    page.goto(back)


def test_a_new_connection_of_the_same_page_is_no_absence(server: Server, visitor: Visitor) -> None:
    page = visitor()
    come(page, server, f"study=again&lang=en&survey_code={new_code()}")
    to_trials(page)
    session = walk.session_of(page)
    walk.rate_by_keyboard(page)
    walk.face(page, 2)
    page.wait_for_timeout(AWAY_MS)
    server.kill()
    time.sleep(2)
    server.start()
    page.wait_for_timeout(8000)  # the page connects again by itself
    walk.rate_by_keyboard(page)
    walk.face(page, 3)
    walk.rate_by_keyboard(page)
    assert walk.code(page)
    assert server.rows("select returns from session where session_id = ?", session) == [(0,)]


def test_a_study_in_one_go_ends_with_an_absence_and_keeps_the_answers(
    server: Server, proxy: Proxy, visitor: Visitor
) -> None:
    page, link = visitor(), f"study=once&lang=ko&survey_code={new_code()}"
    come(page, proxy, link)
    to_trials(page)
    session = walk.session_of(page)
    proxy.choose = on_answers("lose request")
    walk.rate_by_keyboard(page)
    walk.face(page, 2)
    be_away(page, f"{proxy.url}/?{link}")
    expect(page.get_by_text("한 번에 끝까지")).to_be_visible()
    page.get_by_role("button", name="계속").click()
    expect(page.get_by_role("alert")).to_contain_text("보내지 못한 응답: 1개")
    expect(page.get_by_role("button", name="이 응답 없이 계속")).to_be_enabled()
    assert [row[1] for row in sessions(server, "once") if row[0] == session] == [None], "nothing ended yet"
    proxy.choose = on_nothing
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="계속").click()
    expect(page.get_by_role("button", name="계속")).to_have_count(0)
    page.locator(".fn-page h1").first.wait_for()
    assert server.rows("select outcome, returns from session where session_id = ?", session) == [
        ("stopped", 1)
    ]
    assert len([row for row in answered(server, session) if row[3]]) == 1


def test_a_lab_leaves_nothing_of_the_last_participant(server: Server, visitor: Visitor) -> None:
    page = visitor()
    page.goto(f"{server.url}/?study=lab&lang=en")
    page.get_by_label("Code").fill("secret-p01")
    page.get_by_role("button", name="Continue").click()
    page.locator("form .tick").first.wait_for()
    walk.consent(page)
    calibrate(page)
    page.locator(".questions .continue").click()
    page.locator(".st-key-start button").click()
    for number in range(1, 4):
        walk.face(page, number)
        walk.rate_by_keyboard(page)
    code = walk.code(page)
    [(session, stored)] = server.rows("select session_id, px_per_cm from session where study_id = 'lab'")
    assert stored == pytest.approx(340 / 8.56, abs=0.01)  # ISO/IEC 7810 ID-1: 85.60 mm wide
    page.get_by_role("button", name="Next participant").click()
    expect(page.get_by_role("heading", name="Participant code")).to_be_visible()
    expect(page.get_by_label("Code")).to_have_value("")
    traces = [code, str(session), "secret-p01", "SECRET-P01"]
    assert_no_trace(page, traces)
    for _ in range(3):
        page.go_back()
        page.wait_for_timeout(1500)
        assert_no_trace(page, traces)
    assert "SECRET-P01" in [row[0] for row in server.rows("select external_id from external")]


def test_a_lab_is_told_when_its_next_participant_cannot_begin(server: Server, visitor: Visitor) -> None:
    page = visitor()
    come(page, server, f"study=lab&lang=en&code={time.monotonic_ns()}")  # a code begins once
    walk.consent(page)
    page.get_by_role("slider").wait_for()
    page.goto(f"{server.url}/?study=lab&lang=en&stop=1")
    page.get_by_role("button", name="Stop and keep my answers").click()
    go = page.get_by_role("button", name="Next participant")
    go.wait_for()
    page.evaluate("localStorage.setItem('facenorm:elsewhere:queue', '[1]')")
    page.evaluate("localStorage.setItem('facenorm:elsewhere:lease', '{}')")
    page.route("**/api/next", lambda route: route.fulfill(status=500, body="broken"))
    go.click()
    expect(page.get_by_role("alert")).to_contain_text("nothing was removed from this browser")
    assert "facenorm-lab" in [cookie["name"] for cookie in page.context.cookies()]
    page.unroute("**/api/next")
    go.click()
    expect(page.get_by_role("heading", name="Participant code")).to_be_visible()
    assert "facenorm-lab" not in [cookie["name"] for cookie in page.context.cookies()]
    # What another study's session has not sent can still be sent, on its own page.
    held = page.evaluate("Object.keys(localStorage).filter(name => name.startsWith('facenorm:'))")
    assert held == ["facenorm:elsewhere:queue"]


def calibrate(page: Page) -> None:
    """With the keyboard alone: make the drawing 340 pixels wide."""
    slider = page.get_by_role("slider")
    slider.focus()
    expect(slider).to_have_value("323.5")  # 96 pixels an inch, the usual screen
    for key, times in (("PageUp", 2), ("ArrowLeft", 7)):
        for _ in range(times):
            page.keyboard.press(key)
    expect(slider).to_have_value("340")
    box = page.locator(".fn-card").bounding_box()
    assert box["width"] == pytest.approx(340, abs=0.6)
    assert box["height"] == pytest.approx(340 * 53.98 / 85.60, abs=0.6)
    page.get_by_role("button", name="It is as large as the card").click()


def assert_no_trace(page: Page, traces: list[str]) -> None:
    names = [cookie["name"] for cookie in page.context.cookies()]
    assert not [name for name in names if name.startswith("facenorm-")]
    if not page.url.startswith("http"):
        return  # before the first page of all
    held = page.evaluate(
        "() => JSON.stringify([{...localStorage}, {...sessionStorage}, location.href, document.title])"
        " + document.documentElement.outerHTML"
    )
    assert not [trace for trace in traces if trace in held]
    assert "facenorm:" not in held


def test_a_labs_code_in_a_link_leaves_the_address_at_once(server: Server, visitor: Visitor) -> None:
    page = visitor()
    come(page, server, "study=lab&lang=en&code=p02")
    expect(page.locator("form input[name='typed']")).to_have_value("P02")
    assert "p02" not in page.url
    walk.consent(page)
    page.get_by_role("slider").wait_for()
    assert ("P02",) in server.rows("select external_id from external")


def test_the_card_can_be_dragged_and_stands_upright_on_a_narrow_screen(
    server: Server, visitor: Visitor
) -> None:
    page = visitor(width=320, height=800)
    come(page, server, "study=lab&lang=en&code=p03")
    walk.consent(page)
    page.get_by_role("slider").wait_for()
    box = page.locator(".fn-card").bounding_box()
    assert box["height"] > box["width"]
    page.mouse.move(box["x"] + box["width"] - 10, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] + 14, box["y"] + 20, steps=4)
    page.mouse.up()
    assert page.locator(".fn-card").bounding_box()["width"] == pytest.approx(box["width"] + 24, abs=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_full_study_thanks_and_leads_back(server: Server, visitor: Visitor) -> None:
    page = visitor()
    page.route("https://platform.invalid/**", lambda route: route.fulfill(body="quota"))
    come(page, server, "study=full&lang=en&id=one")
    walk.consent(page)
    page.locator(".questions .continue").wait_for()
    late = visitor()
    late.route("https://platform.invalid/**", lambda route: route.fulfill(body="quota"))
    late.goto(f"{server.url}/?study=full&lang=ja&id=two%26x")
    expect(late.get_by_role("heading", name="必要な人数に達しました")).to_be_visible()
    back = late.get_by_role("link", name="元のページに戻る")
    expect(back).to_have_attribute("href", "https://platform.invalid/full?id=two%26x")
    assert server.rows("select n from tally where what = 'full'") == [(1,)]
    assert len(sessions(server, "full")) == 1


def test_apps_are_told_to_open_the_browser(server: Server, visitor: Visitor) -> None:
    link = "study=prolific&lang=en&PROLIFIC_PID=app"
    page = visitor(user_agent=LINE, **PHONE)
    come(page, server, link)
    expect(page.get_by_text("You are reading this inside LINE")).to_be_visible()
    way = page.get_by_role("link", name="Open in my browser")
    expect(way).to_have_attribute("href", f"{server.url}/?{link}&openExternalBrowser=1")
    page = visitor(user_agent=KAKAO, **PHONE)
    come(page, server, link)
    href = page.get_by_role("link", name="Open in my browser").get_attribute("href")
    # As the page's own encodeURIComponent, which is not ours, writes the address.
    assert href == "kakaotalk://web/openExternal?url=" + page.evaluate("encodeURIComponent(location.href)")
    page = visitor()
    come(page, server, link)
    expect(page.get_by_role("link", name="Open in my browser")).to_have_count(0)


def test_another_device_than_the_recommended_one_is_told_and_not_kept_out(
    server: Server, visitor: Visitor
) -> None:
    link, words = "study=prolific&lang=en&PROLIFIC_PID=device", "This study is made for a computer"
    page = visitor(**PHONE)
    come(page, server, link)
    expect(page.get_by_text(words)).to_be_visible()
    expect(page.locator("form button.main")).to_be_enabled()
    page = visitor()
    come(page, server, link)
    expect(page.get_by_text(words)).to_be_hidden()
