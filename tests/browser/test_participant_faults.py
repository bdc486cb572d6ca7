"""What goes wrong on the way: the network, the server, the browser. Nothing is lost or doubled."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, Route, expect

from tests.browser import designs, walk
from tests.browser.conftest import TRIALS, Server

pytestmark = pytest.mark.browser
Visitor = Callable[..., Page]

ANSWERS = re.compile(r"/api/answers")
STIMULI = re.compile(r"/api/stimuli/")


def stored(server: Server, session: str) -> list[tuple[object, ...]]:
    return server.rows(
        "select a.trial_id, a.revision from answer a join trial t using (trial_id) "
        "where t.session_id = ? order by t.trial_index",
        session,
    )


def rate_the_rest(page: Page, start: int) -> None:
    for number in range(start, TRIALS + 1):
        walk.face(page, number)
        walk.rate_by_keyboard(page)


def assert_complete(server: Server, session: str) -> None:
    answers = stored(server, session)
    assert len(answers) == len({trial for trial, _ in answers}) == TRIALS
    assert {revision for _, revision in answers} == {1}


def test_a_network_cut_of_20_s_loses_and_doubles_nothing(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    walk.rate_by_keyboard(page)
    walk.face(page, 2)
    expect(page.locator(".fn-status")).to_have_text("Saved: 1")
    page.context.set_offline(True)
    for number in (2, 3):
        walk.face(page, number)
        walk.rate_by_keyboard(page)
    walk.face(page, 4)
    expect(page.locator(".fn-status")).to_contain_text("Answers waiting for the connection: 2")
    page.wait_for_timeout(20_000)
    expect(page.locator(".fn-status")).to_contain_text("Not saved yet")
    expect(page.get_by_text("Connection error")).to_be_hidden()
    walk.rate_by_keyboard(page)
    walk.face(page, 5)
    assert len(stored(server, session)) == 1
    page.context.set_offline(False)
    expect(page.locator(".fn-status")).to_have_text("Saved: 4", timeout=25_000)
    rate_the_rest(page, 5)
    assert walk.code(page)
    assert_complete(server, session)


def test_after_sigkill_every_acknowledged_answer_is_there(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    acknowledged: list[tuple[str, int]] = []

    def note(response: Response) -> None:
        if ANSWERS.search(response.url) and response.ok:
            acknowledged.extend((trial, revision) for trial, revision in response.json()["acked"])

    page.on("response", note)
    for number in (1, 2, 3):
        walk.face(page, number)
        walk.rate_by_keyboard(page)
    page.wait_for_timeout(20)
    server.kill()
    # Streamlit makes the page inert under its dialog within seconds; keys and mouse must go on.
    page.wait_for_timeout(8000)
    walk.face(page, 4)
    walk.rate_by_keyboard(page)
    walk.face(page, 5)
    walk.lines(page)[1].click()
    expect(page.locator(".fn-thumb").nth(1)).to_be_visible()
    expect(page.locator(".fn-status")).to_contain_text("Not saved yet")
    server.start()
    assert acknowledged
    assert set(acknowledged) <= set(stored(server, session))
    expect(page.locator(".fn-status")).to_have_text("Saved: 4", timeout=25_000)
    rate_the_rest(page, 5)
    assert walk.code(page)
    assert_complete(server, session)


def test_the_code_appears_only_when_every_answer_is_acknowledged(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    page.route(ANSWERS, lambda route: route.abort())
    rate_the_rest(page, 1)
    expect(page.get_by_text("Your last answers are being saved")).to_be_visible()
    page.wait_for_timeout(2000)
    expect(page.locator("#code")).to_have_count(0)
    assert stored(server, session) == []
    page.unroute(ANSWERS)
    assert walk.code(page)
    assert_complete(server, session)


def test_an_answer_stored_but_not_acknowledged_is_stored_once(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    lost = []

    def lose_the_first(route: Route) -> None:
        response = route.fetch()
        if lost:
            route.fulfill(response=response)
        else:
            lost.append(response)
            route.abort()

    page.route(ANSWERS, lose_the_first)
    rate_the_rest(page, 1)
    assert walk.code(page)
    assert_complete(server, session)


def test_a_500_is_tried_again(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    page.route(ANSWERS, lambda route: route.fulfill(status=500, body="broken"), times=2)
    rate_the_rest(page, 1)
    assert walk.code(page)
    assert_complete(server, session)


def test_a_refused_answer_is_told_never_repeated_and_asked_again(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    refused: list[str] = []

    def refuse(route: Route) -> None:
        answers = json.loads(route.request.post_data or "{}")["answers"]
        refused.extend(answer["trial_id"] for answer in answers)
        rejected = [
            {"trial_id": answer["trial_id"], "revision": 1, "status": 422, "reason": "a test said so"}
            for answer in answers
        ]
        route.fulfill(status=422, json={"acked": [], "rejected": rejected})

    page.route(ANSWERS, refuse, times=1)
    rate_the_rest(page, 1)
    expect(page.get_by_text("Some answers could not be saved")).to_be_visible()
    notice = page.locator(".fn-notice")
    expect(notice).to_contain_text("Answers that could not be saved: 1.")
    expect(notice).not_to_contain_text("a test said so")  # it is said to developers, in English
    assert len(refused) == 1
    assert len(stored(server, session)) == TRIALS - 1
    page.get_by_role("button", name="Answer again").click()
    walk.face(page, 1)
    walk.rate_by_keyboard(page)
    assert walk.code(page)
    assert_complete(server, session)


def test_a_lost_cookie_stops_with_words_and_keeps_the_answers(server: Server, visitor: Visitor) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    held = page.context.cookies()
    page.context.clear_cookies()
    walk.rate_by_keyboard(page)
    expect(page.get_by_text("The server does not know this browser any more")).to_be_visible()
    assert (
        len(page.evaluate("JSON.parse(Object.entries(localStorage).find(([n]) => n.endsWith(':queue'))[1])"))
        == 1
    )
    page.context.add_cookies(held)
    page.get_by_role("button", name="Try again").click()
    rate_the_rest(page, 2)
    assert walk.code(page)


def test_a_closed_tab_gives_its_answers_when_the_link_is_opened_again(
    server: Server, visitor: Visitor
) -> None:
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    page.route(ANSWERS, lambda route: route.abort())
    for number in (1, 2):
        walk.face(page, number)
        walk.rate_by_keyboard(page)
    walk.face(page, 3)
    context = page.context
    page.close()
    assert stored(server, session) == []
    page = context.new_page()
    page.goto(f"{server.url}/?study=demo")
    rate_the_rest(page, 3)
    assert walk.code(page)
    assert_complete(server, session)


def test_without_localstorage_the_participant_is_told_the_truth(server: Server, visitor: Visitor) -> None:
    page = visitor()
    page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('refused') }")
    walk.to_trials(page, server.url)
    page.route(ANSWERS, lambda route: route.abort())
    walk.rate_by_keyboard(page)
    expect(page.locator(".fn-status")).to_contain_text("This browser keeps nothing")
    page.unroute(ANSWERS)
    rate_the_rest(page, 2)
    assert walk.code(page)


def test_a_picture_that_fails_is_tried_again_and_its_trial_flagged(server: Server, visitor: Visitor) -> None:
    page = visitor()
    page.route(STIMULI, lambda route: route.abort())
    walk.welcome(page, server.url)
    walk.consent(page)
    page.locator(".questions .continue").click()
    page.locator(".st-key-start button").click()
    expect(page.get_by_text("The picture is not here yet")).to_be_visible()
    session = walk.session_of(page)
    page.unroute(STIMULI)
    page.get_by_role("button", name="Try now").click()
    rate_the_rest(page, 1)
    assert walk.code(page)
    flags = server.rows(
        "select onset_ok from answer join trial using (trial_id) where session_id = ? order by trial_index",
        session,
    )
    assert flags[0] == (0,)
    assert flags[-1] == (1,)


def test_going_back_makes_a_revision_and_keeps_the_first(
    make_server: Callable[..., Server], visitor: Visitor
) -> None:
    server = make_server(("ratings_per_stimulus: 20", "ratings_per_stimulus: 20\n  back: true"))
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    walk.rate_by_keyboard(page, choice="Digit1")
    walk.face(page, 2)
    page.get_by_role("button", name="Back").click()
    walk.face(page, 1)
    expect(page.get_by_role("radio").first).to_be_checked()
    page.get_by_role("radio").nth(1).click()
    walk.lines(page)[0].click()
    page.get_by_role("button", name="Next").click()
    rate_the_rest(page, 2)
    assert walk.code(page)
    answers = stored(server, session)
    assert len(answers) == TRIALS + 1
    assert [revision for _, revision in answers[:2]] == [1, 2]


def test_a_refused_revision_leaves_the_stored_answer_and_holds_nobody_up(
    make_server: Callable[..., Server], visitor: Visitor
) -> None:
    server = make_server(designs.scales("emotion"), designs.trials("back: true"))
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    designs.answer(page)
    walk.face(page, 2)
    expect(page.locator(".fn-status")).to_have_text("Saved: 1")
    page.get_by_role("button", name="Back").click()
    walk.face(page, 1)
    page.route(ANSWERS, lambda route: route.fulfill(status=422, json={"error": "a test said so"}), times=1)
    designs.answer(page, option=1)
    expect(page.locator(".fn-status")).to_contain_text("another answer to the picture counts: 1")
    for number in range(2, TRIALS + 1):
        walk.face(page, number)
        designs.answer(page)
    assert walk.code(page)
    assert_complete(server, session)


def test_who_leaves_an_open_page_by_its_own_buttons_was_never_away(
    make_server: Callable[..., Server], visitor: Visitor
) -> None:
    server = make_server(("seed: 2026", "seed: 2026\nresume: {policy: refuse, grace_s: 8}"))
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    page.wait_for_timeout(10_000)  # longer than the grace
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Nothing is lost. You go on where you were.")).to_be_visible()
    page.wait_for_timeout(10_000)
    page.get_by_role("link", name="Go on with the study").click()
    walk.face(page, 1)
    other = page.context.new_page()
    other.goto(f"{server.url}/?study=demo&lang=en")
    expect(other.get_by_text("The study is open elsewhere")).to_be_visible()
    other.wait_for_timeout(10_000)
    other.get_by_role("button", name="Continue here").click()
    walk.face(other, 1)
    ends = "select returns, resume_due, outcome from session where session_id = ?"
    assert server.rows(ends, session) == [(0, 0, None)]


MANY = 30  # trials that no 64 KiB hold with this many scales
SCALE = """
  extra_{n}:
    kind: vas
    question: {{en: Question {n}, ko: 질문 {n}, ja: 質問 {n}}}
    polarity: unipolar
    zero: 0
    anchors: {{low: {{en: No, ko: 아니요, ja: いいえ}}, high: {{en: Yes, ko: 예, ja: はい}}}}
    source: Made up.
    status: draft
"""
RATE_ALL = """async total => {
  const press = code => document.activeElement.dispatchEvent(
    new KeyboardEvent('keydown', { code, bubbles: true, cancelable: true }));
  const queue = () => Object.keys(localStorage).find(name => name.endsWith(':queue'));
  const held = () => JSON.parse(localStorage.getItem(queue()) ?? '[]').length;
  for (let done = 0; done < total; await new Promise(requestAnimationFrame)) {
    press('Digit3');
    while (document.activeElement.closest('.fn-vas')) {
      press('ArrowRight');
      const before = document.activeElement;
      press('Enter');
      if (before === document.activeElement) break;
    }
    done = held();
  }
  return localStorage.getItem(queue()).length;
}"""


def test_a_queue_longer_than_one_request_may_be_arrives_whole(
    make_server: Callable[..., Server], visitor: Visitor
) -> None:
    extra = ", ".join(f"extra_{n}" for n in range(10))
    server = make_server(
        (f"per_participant: {TRIALS}", f"per_participant: {MANY}"),
        ("\nask: [", "".join(SCALE.format(n=n) for n in range(10)) + "\nask: ["),
        designs.scales(f"{designs.FULL}, {extra}"),
    )
    page = visitor()
    walk.to_trials(page, server.url)
    session = walk.session_of(page)
    page.route(ANSWERS, lambda route: route.abort())
    assert page.evaluate(RATE_ALL, MANY) > 65_536
    assert stored(server, session) == []
    page.unroute(ANSWERS)
    assert walk.code(page)
    assert len(stored(server, session)) == MANY


@pytest.fixture
def pairs(make_server: Callable[..., Server], pictures: Path, tmp_path: Path) -> Server:
    """Edited faces beside the neutral that each was made from, which is not rated itself."""
    folder = tmp_path / "faces"
    shutil.copytree(pictures, folder)
    rows = (folder / "manifest.csv").read_text(encoding="utf-8").splitlines()
    edited = [row for row in rows if "_neutral.jpg,id" not in row]
    (folder / "manifest.csv").write_text("\n".join(edited), encoding="utf-8")
    return make_server(
        ("ratings_per_stimulus: 20", "ratings_per_stimulus: 20\n  show: [target, reference]"),
        (f"folder: {pictures}", f"folder: {folder}"),
    )


def test_two_faces_are_shown_in_named_roles(pairs: Server, visitor: Visitor) -> None:
    page = visitor(width=375, height=667)
    walk.welcome(page, pairs.url)
    walk.consent(page)
    page.locator(".questions .continue").click()
    page.locator(".st-key-start button").click()
    expect(page.get_by_role("img")).to_have_count(2)
    expect(page.get_by_role("img", name="Face to rate")).to_be_visible()
    expect(page.get_by_role("img", name="For comparison")).to_be_visible()
    boxes = [image.bounding_box() for image in page.get_by_role("img").all()]
    assert boxes[0]["width"] == boxes[1]["width"]
    assert boxes[1]["x"] + boxes[1]["width"] <= 375
