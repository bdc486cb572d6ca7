"""A proxy between browser and server that fails in every way; the database is the judge."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.settings import PROJECT
from tests.browser import walk
from tests.browser.conftest import TRIALS, Server
from tests.browser.proxy import Fault, Proxy

pytestmark = pytest.mark.browser
Visitor = Callable[..., Page]
AN_HOUR_LATER = "const now = Date.now; Date.now = () => now() + 3600e3;"
A_DAY_BACK = "(() => { const now = Date.now; Date.now = () => now() - 86400e3; })()"


def answers_of(server: Server, session: str) -> list[tuple[object, ...]]:
    return server.rows(
        "select a.trial_id, a.revision from answer a join trial t using (trial_id) where t.session_id = ?",
        session,
    )


def rate_from(page: Page, start: int) -> None:
    for number in range(start, TRIALS + 1):
        walk.face(page, number)
        walk.rate_by_keyboard(page)


def assert_each_once(server: Server, session: str) -> None:
    answers = answers_of(server, session)
    assert len({trial for trial, _ in answers}) == TRIALS
    assert [revision for _, revision in answers] == [1] * TRIALS


def first(fault: Fault, times: int) -> Callable[[str], Fault]:
    """Fail the first requests that carry answers."""
    left = [times]

    def choose(line: str) -> Fault:
        if "/api/answers" not in line or not left[0]:
            return "pass"
        left[0] -= 1
        return fault

    return choose


@pytest.mark.parametrize("fault", ["lose request", "lose reply", "twice", "500"])
def test_answers_survive_a_proxy_that_fails(
    fault: Fault, server: Server, proxy: Proxy, visitor: Visitor
) -> None:
    proxy.choose = first(fault, 3)
    page = visitor()
    walk.to_trials(page, proxy.url)
    session = walk.session_of(page)
    rate_from(page, 1)
    assert walk.code(page)
    assert_each_once(server, session)
    assert sum(found == fault for _, found in proxy.seen) == 3


def test_a_slow_connection_is_told_and_holds_nobody_up(
    server: Server, proxy: Proxy, visitor: Visitor
) -> None:
    page = visitor()
    walk.to_trials(page, proxy.url)
    session = walk.session_of(page)
    proxy.delay_s = 4.0
    walk.rate_by_keyboard(page)
    walk.face(page, 2)
    assert answers_of(server, session) == []
    expect(page.locator(".fn-status")).to_have_text("Saving …")
    expect(page.locator(".fn-status")).to_have_text("Saved: 1", timeout=10_000)
    proxy.delay_s = 0.3
    rate_from(page, 2)
    assert walk.code(page)
    assert_each_once(server, session)


def test_an_hour_offline_with_the_tab_closed_costs_no_answer(
    server: Server, proxy: Proxy, visitor: Visitor
) -> None:
    page = visitor()
    walk.to_trials(page, proxy.url)
    session = walk.session_of(page)
    proxy.cut()
    for number in (1, 2, 3):
        walk.face(page, number)
        walk.rate_by_keyboard(page)
    walk.face(page, 4)
    expect(page.locator(".fn-status")).to_contain_text("Answers waiting for the connection: 3")
    context = page.context
    page.close()
    assert answers_of(server, session) == []
    proxy.down = False
    page = context.new_page()
    page.add_init_script(AN_HOUR_LATER)
    page.goto(f"{proxy.url}/?study=demo")
    page.locator(".fn-progress").wait_for()
    rate_from(page, 4)
    assert walk.code(page)
    assert_each_once(server, session)


def test_two_tabs_give_each_answer_once(server: Server, proxy: Proxy, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, proxy.url)
    session = walk.session_of(page)
    proxy.choose = first("lose reply", 1)
    walk.rate_by_keyboard(page)
    other = page.context.new_page()
    other.goto(f"{proxy.url}/?study=demo")
    expect(other.get_by_text("The study is open elsewhere")).to_be_visible()
    other.get_by_role("button", name="Continue here").click()
    expect(page.get_by_text("The study is open elsewhere")).to_be_visible(timeout=15_000)
    rate_from(other, 2)
    assert walk.code(other)
    assert_each_once(server, session)


def test_a_clock_set_back_changes_no_reaction_time(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    page.evaluate(A_DAY_BACK)
    rate_from(page, 1)
    assert walk.code(page)
    assert_each_once(server, session)
    times = server.rows("select rt_first_ms, rt_submit_ms from response where session_id = ?", session)
    assert all(0 < first_ms <= submit_ms < 30_000 for first_ms, submit_ms in times if first_ms is not None)


def test_a_newer_version_of_the_program_takes_over_in_mid_session(
    make_server: Callable[..., Server], visitor: Visitor, tmp_path: Path
) -> None:
    server = make_server()
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    walk.rate_by_keyboard(page)
    walk.face(page, 2)
    server.stop()
    newer = tmp_path / "newer"
    left_out = shutil.ignore_patterns(".git", ".venv", "data", "tests", "demo", ".*_cache", "__pycache__")
    shutil.copytree(PROJECT, newer, ignore=left_out)
    script = newer / "assets" / "trial" / "trial.js"
    script.write_text(f"// Newer.\n{script.read_text(encoding='utf-8')}", encoding="utf-8")
    walk.rate_by_keyboard(page)  # while nobody answers
    server.start(folder=newer)
    walk.face(page, 3)
    walk.rate_by_keyboard(page)
    expect(page.locator(".fn-status")).to_have_text("Saved: 3", timeout=25_000)
    page.reload()
    page.locator(".fn-progress").wait_for()  # the new server imports its pages first
    rate_from(page, 4)
    assert walk.code(page)
    assert_each_once(server, session)
    builds = server.rows(
        "select distinct a.app from answer a join trial t using (trial_id) where t.session_id = ?", session
    )
    assert len(builds) == 2
