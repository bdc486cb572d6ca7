"""Stopping, the debriefing and deleting, on the real server in a real browser."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import walk
from tests.browser.conftest import TRIALS, Server
from tests.browser.proxy import Proxy, on_answers, on_nothing

pytestmark = pytest.mark.browser
Visitor = Callable[..., Page]

DEBRIEFING = """
disclosure: after
debriefing:
  en: "**No person** on these pictures exists."
  ko: "그림 속의 사람은 **실제로 없습니다**."
  ja: "画像の人物は**実在しません**。"
"""


@pytest.fixture(scope="module")
def after(make_server: Callable[..., Server]) -> Server:
    """A server whose study tells only at the end that the faces are made."""
    return make_server(("\nattention: {instructed: 0}", f"{DEBRIEFING}\nattention: {{instructed: 0}}"))


def heading(page: Page, text: str | re.Pattern[str]) -> None:
    """Wait for a page by its heading, to which the focus has moved."""
    expect(page.get_by_role("heading", level=1)).to_have_text(text, timeout=30_000)
    expect(page.locator("h1")).to_be_focused()


def press(page: Page, name: str) -> None:
    """Reach something by the Tab key alone and press Enter."""
    for _ in range(40):
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key does not reach {name!r}")


def to_about_you(page: Page, url: str, language: str = "en") -> None:
    walk.welcome(page, url, language)
    walk.consent(page)
    page.locator(".foot a").wait_for()


def session_id(server: Server) -> str:
    (row,) = server.rows("select session_id from session order by began_at desc limit 1")
    return str(row[0])


def kept(page: Page) -> list[str]:
    """What this browser keeps of sessions."""
    return page.evaluate("Object.keys(localStorage).filter(name => name.startsWith('facenorm:'))")


def by_code(page: Page, server: Server, code: str) -> None:
    page.goto(f"{server.url}/?study=demo&lang=en&erase=code")
    page.get_by_label("Your code for deleting").fill(code)
    page.keyboard.press("Enter")


def test_stopping_by_keyboard_keeps_the_answers_and_gives_a_code(server: Server, visitor: Visitor) -> None:
    page = visitor()
    to_about_you(page, server.url)
    own = session_id(server)
    press(page, "Stop")
    heading(page, "Do you want to stop?")
    press(page, "Go on with the study")
    page.locator(".questions").wait_for()
    press(page, "Stop")
    heading(page, "Do you want to stop?")
    press(page, "Stop and keep my answers")
    heading(page, "You have stopped")
    assert re.fullmatch(r"(\w{4}-){2}\w{4}", page.locator("#erase-code").inner_text())
    assert server.rows("select outcome, completed_at from session where session_id = ?", own) == [
        ("stopped", None)
    ]
    page.reload()
    heading(page, "You have stopped")
    page.goto(f"{server.url}/?study=demo&stop=1")  # the page for stopping has nothing to ask any more
    heading(page, "You have stopped")


@pytest.mark.parametrize(
    ("language", "date"),
    [
        ("en", r"until \d\d? [A-Z][a-z]+ \d{4}\."),
        ("ko", r"\d{4}년 \d\d?월 \d\d?일까지"),
        ("ja", r"\d{4}年\d\d?月\d\d?日まで"),
    ],
)
def test_each_language_says_until_when_the_code_works(
    server: Server, visitor: Visitor, language: str, date: str
) -> None:
    page = visitor(width=320)
    to_about_you(page, server.url, language)
    page.locator(".foot a").click()
    page.locator(".choices").wait_for()
    walk.assert_fits(page)
    page.locator(".choices form button").click()
    expect(page.locator("#erase-code")).to_be_visible()
    assert re.search(date, page.locator("body").inner_text())
    walk.assert_fits(page)


def test_deleting_in_mid_session_leaves_nothing_anywhere(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    own = walk.session_of(page)
    for number in (1, 2):
        walk.face(page, number)
        walk.rate_by_keyboard(page)
    walk.face(page, 3)
    page.locator(".fn-stop").click()
    heading(page, "Do you want to stop?")
    page.get_by_role("link", name="Stop and delete my answers").click()
    heading(page, "Delete your answers for good?")
    expect(page.get_by_text("Answers to pictures: 2")).to_be_visible()
    page.get_by_role("link", name="Do not delete").click()
    walk.face(page, 3)  # nothing was deleted, and nothing lost
    page.locator(".fn-stop").click()
    page.get_by_role("link", name="Stop and delete my answers").click()
    page.get_by_role("button", name="Delete for good").click()
    heading(page, "Your answers are deleted")
    assert not any(cookie["name"] == "facenorm-demo" for cookie in page.context.cookies())
    page.wait_for_function("!Object.keys(localStorage).some(name => name.startsWith('facenorm:'))")
    for table in ("session", "consent", "trial", "trial_stimulus", "about", "response"):
        assert server.rows(f"select count(*) from {table} where session_id = ?", own) == [(0,)]
    assert_bytes_go(server, own)
    walk.welcome(page, server.url)  # as somebody new


def assert_bytes_go(server: Server, secret: str) -> None:
    """The server overwrites the last traces in its files by itself, within its minute."""
    files = [server.data / name for name in ("facenorm.db", "facenorm.db-wal")]
    for _ in range(60):
        if not any(secret.encode() in file.read_bytes() for file in files if file.exists()):
            return
        time.sleep(1)
    raise AssertionError("traces are left in the files")


def test_a_code_deletes_on_another_device_after_the_study_has_closed(
    make_server: Callable[..., Server], visitor: Visitor
) -> None:
    server = make_server()
    page = visitor()
    to_about_you(page, server.url)
    page.locator(".foot a").click()
    page.get_by_role("button", name="Stop and keep my answers").click()
    code = page.locator("#erase-code").inner_text()
    server.command("study", "close", "demo")
    phone = visitor(width=375)
    by_code(phone, server, "ABCD-EFGH-JKMN")
    expect(phone.get_by_role("alert")).to_contain_text("No answers in this study belong to this code")
    by_code(phone, server, code.lower().replace("-", " "))
    heading(phone, "Delete your answers for good?")
    assert code not in phone.url
    phone.get_by_role("button", name="Delete for good").click()
    heading(phone, "Your answers are deleted")
    assert server.rows("select count(*) from session") == [(0,)]
    assert server.rows("select what, n from tally where what = 'erased'") == [("erased", 1)]
    by_code(phone, server, code)
    expect(phone.get_by_role("alert")).to_contain_text("nothing is left to do")
    page.reload()  # the first browser's session is gone, and the study is closed
    expect(page.locator("h1")).not_to_have_text("You have stopped")


def test_after_the_last_day_it_says_whom_to_write_to(server: Server, visitor: Visitor) -> None:
    page = visitor()
    to_about_you(page, server.url)
    page.locator(".foot a").click()
    page.get_by_role("button", name="Stop and keep my answers").click()
    code = page.locator("#erase-code").inner_text()
    pass_days(server, session_id(server), 40)
    by_code(page, server, code)
    heading(page, "This can no longer be deleted here")
    expect(page.get_by_text("Please write to faces@example.org")).to_be_visible()
    page.get_by_role("link", name="Back to the study").click()
    heading(page, "You have stopped")
    expect(page.locator("#erase-code")).to_have_count(0)


def pass_days(server: Server, own: str, days: int) -> None:
    """Put the end of a session into the past, as waiting would."""
    earlier = f"strftime('%Y-%m-%dT%H:%M:%fZ', ended_at, '-{days} days')"
    write(server, f"update session set ended_at = {earlier} where session_id = ?", own)


def write(server: Server, statement: str, *parameters: object) -> None:
    """Change this server's database from outside."""
    with sqlite3.connect(server.data / "facenorm.db", timeout=10) as conn:
        conn.execute(statement, parameters)
    conn.close()


def test_the_thank_you_page_offers_to_delete(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    own = walk.session_of(page)
    for number in range(1, TRIALS + 1):
        walk.face(page, number)
        walk.rate_by_keyboard(page)
    walk.code(page)
    page.get_by_role("link", name="Delete my answers now").click()
    heading(page, "Delete your answers for good?")
    expect(page.get_by_text(f"Answers to pictures: {TRIALS}")).to_be_visible()
    expect(page.get_by_text("Your completion code is not shown any more afterwards")).to_be_visible()
    page.get_by_role("button", name="Delete for good").click()
    heading(page, "Your answers are deleted")
    assert server.rows("select count(*) from session where session_id = ?", own) == [(0,)]


def test_answers_that_could_not_be_sent_are_told_and_sent_when_they_can_be(
    server: Server, visitor: Visitor
) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    own = walk.session_of(page)
    page.route("**/api/answers*", lambda route: route.abort())
    walk.rate_by_keyboard(page)
    walk.face(page, 2)
    page.goto(f"{server.url}/?study=demo&lang=en&stop=1")
    expect(page.locator("[data-unsaved]")).to_contain_text("not saved yet: 1")
    page.unroute("**/api/answers*")
    page.get_by_role("button", name="Stop and keep my answers").click()
    heading(page, "You have stopped")
    expect(page.get_by_text("Answers to pictures: 1")).to_be_visible()
    assert server.rows("select count(*) from response where session_id = ?", own) == [(5,)]
    page.wait_for_function("!Object.keys(localStorage).some(name => name.endsWith(':queue'))")


def keep_unsent(page: Page, proxy: Proxy, server: Server, n: int) -> str:
    """Rate some faces without a connection and go to the page for stopping; the session's id."""
    walk.to_trials(page, proxy.url)
    proxy.choose = on_answers("500")
    for number in range(1, n + 1):
        walk.face(page, number)
        walk.rate_by_keyboard(page)
    walk.face(page, n + 1)
    page.goto(f"{proxy.url}/?study=demo&lang=en&stop=1")
    expect(page.locator("[data-unsaved]")).to_contain_text(f"not saved yet: {n}")
    return session_id(server)


def outcome(server: Server, own: str) -> object:
    [(found,)] = server.rows("select outcome from session where session_id = ?", own)
    return found


def answers(server: Server, own: str) -> object:
    [(found,)] = server.rows("select count(distinct trial_id) from response where session_id = ?", own)
    return found


def test_a_session_ends_without_answers_only_when_that_is_pressed(
    server: Server, proxy: Proxy, visitor: Visitor
) -> None:
    page = visitor()
    own = keep_unsent(page, proxy, server, 1)
    page.get_by_role("button", name="Stop and keep my answers").click()
    expect(page.get_by_role("alert")).to_contain_text("could not be sent: 1")
    assert outcome(server, own) is None
    page.wait_for_timeout(500)  # a press so soon would be meant for the button as it was before
    page.get_by_role("button", name="Stop without these answers").click()
    heading(page, "You have stopped")
    assert (outcome(server, own), answers(server, own)) == ("stopped", 0)
    # No server has seen it yet; once one has refused it, it need not be kept.
    assert f"facenorm:{own}:queue" in kept(page)
    proxy.choose = on_nothing
    page.wait_for_function("!Object.keys(localStorage).some(name => name.startsWith('facenorm:'))")


def test_who_waits_for_the_connection_loses_no_answer(server: Server, proxy: Proxy, visitor: Visitor) -> None:
    page = visitor()
    own = keep_unsent(page, proxy, server, 1)
    page.get_by_role("button", name="Stop and keep my answers").click()
    expect(page.get_by_role("alert")).to_contain_text("could not be sent: 1")
    proxy.choose = on_nothing
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="Stop and keep my answers").click()
    heading(page, "You have stopped")
    assert (outcome(server, own), answers(server, own)) == ("stopped", 1)


def test_a_malformed_answer_keeps_no_other_from_being_sent(
    server: Server, proxy: Proxy, visitor: Visitor
) -> None:
    page = visitor()
    own = keep_unsent(page, proxy, server, 2)
    page.evaluate(
        """name => {
          const queue = JSON.parse(localStorage.getItem(name));
          queue.unshift({ ...queue[0], revision: 0 });
          localStorage.setItem(name, JSON.stringify(queue));
        }""",
        f"facenorm:{own}:queue",
    )
    proxy.choose = on_nothing
    page.get_by_role("button", name="Stop and keep my answers").click()
    heading(page, "You have stopped")
    assert answers(server, own) == 2


def test_what_another_tab_adds_while_answers_are_sent_is_sent_too(
    server: Server, proxy: Proxy, visitor: Visitor
) -> None:
    page = visitor()
    own = keep_unsent(page, proxy, server, 2)
    page.evaluate(
        """name => {
          const [first, ...others] = JSON.parse(localStorage.getItem(name));
          const write = (queue) => localStorage.setItem(name, JSON.stringify(queue));
          write([first]);
          const send = window.fetch;
          window.fetch = async (...request) => {
            const reply = await send(...request);
            if (others.length) write([...JSON.parse(localStorage.getItem(name)), ...others.splice(0)]);
            return reply;
          };
        }""",
        f"facenorm:{own}:queue",
    )
    proxy.choose = on_nothing
    page.get_by_role("button", name="Stop and keep my answers").click()
    heading(page, "You have stopped")
    assert answers(server, own) == 2


def test_answers_to_questions_are_sent_before_a_session_ends(server: Server, visitor: Visitor) -> None:
    page = visitor()
    to_about_you(page, server.url)
    own = session_id(server)
    page.locator(".foot a").click()
    heading(page, "Do you want to stop?")
    page.evaluate('name => localStorage.setItem(name, \'{"age": "34"}\')', f"facenorm:{own}:questions:")
    expect(page.locator("[data-unsaved]")).to_contain_text("not saved yet: 1")
    page.get_by_role("button", name="Stop and keep my answers").click()
    heading(page, "You have stopped")
    assert server.rows("select question_id, value from about where session_id = ?", own) == [("age", 34)]
    page.wait_for_function("!Object.keys(localStorage).some(name => name.startsWith('facenorm:'))")


def test_stopping_ends_the_session_in_another_tab_too(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    other = page.context.new_page()
    other.goto(f"{server.url}/?study=demo&lang=en&stop=1")
    other.get_by_role("button", name="Stop and keep my answers").click()
    heading(other, "You have stopped")
    page.bring_to_front()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have stopped", timeout=30_000)


def test_an_end_on_another_device_is_told_with_what_was_not_saved(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    own = walk.session_of(page)
    write(server, "update session set outcome = 'stopped', ended_at = last_seen_at where session_id = ?", own)
    walk.rate_by_keyboard(page)
    notice = page.get_by_role("alertdialog")
    expect(notice).to_contain_text("The study has ended", timeout=30_000)
    expect(notice).to_contain_text("not saved by then: 1")
    assert server.rows("select count(*) from response where session_id = ?", own) == [(0,)]
    notice.get_by_role("button", name="Continue").click()
    heading(page, "You have stopped")


def test_the_debriefing_comes_last_and_the_answers_may_stay(after: Server, visitor: Visitor) -> None:
    page = visitor()
    finish_trials(page, after)
    heading(page, "What this study was about")
    expect(page.get_by_text("No person", exact=True)).to_be_visible()
    own = session_id(after)
    stored = "select debriefed_at is null, outcome, disclosure from session where session_id = ?"
    assert after.rows(stored, own) == [(1, None, "after")]
    press(page, "Keep my answers and finish")
    walk.code(page)
    assert after.rows(stored, own) == [(0, "complete", "after")]


def test_who_withdraws_at_the_debriefing_is_deleted(after: Server, visitor: Visitor) -> None:
    page = visitor(width=375)
    finish_trials(page, after)
    own = session_id(after)
    page.get_by_role("link", name="Withdraw and delete my answers").click()
    heading(page, "Delete your answers for good?")
    page.get_by_role("link", name="Do not delete").click()
    heading(page, "What this study was about")
    page.get_by_role("link", name="Withdraw and delete my answers").click()
    page.get_by_role("button", name="Delete for good").click()
    heading(page, "Your answers are deleted")
    assert after.rows("select count(*) from session where session_id = ?", own) == [(0,)]


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "deleted"])
def test_who_stops_early_is_debriefed_as_well(after: Server, visitor: Visitor, keep: bool) -> None:
    page = visitor()
    to_about_you(page, after.url)
    page.locator(".foot a").click()
    heading(page, "Do you want to stop?")
    expect(page.get_by_text("No person", exact=True)).to_have_count(0)
    if keep:
        page.get_by_role("button", name="Stop and keep my answers").click()
    else:
        page.get_by_role("link", name="Stop and delete my answers").click()
        page.get_by_role("button", name="Delete for good").click()
    heading(page, "You have stopped" if keep else "Your answers are deleted")
    expect(page.get_by_text("No person", exact=True)).to_be_visible()


def test_nobody_is_told_before_taking_part(after: Server, visitor: Visitor) -> None:
    page = visitor()
    for query in ("erase=done", "erase=1", "erase=code", "stop=1"):
        page.goto(f"{after.url}/?study=demo&lang=en&{query}")
        page.locator("h1").wait_for()
        expect(page.get_by_text("No person", exact=True)).to_have_count(0)


def finish_trials(page: Page, server: Server) -> None:
    walk.to_trials(page, server.url)
    for number in range(1, TRIALS + 1):
        walk.face(page, number)
        walk.rate_by_keyboard(page)
