"""The parts of the trial element that keep and fetch, each by itself on an empty page: no server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from core.settings import PROJECT

pytestmark = pytest.mark.browser
Visitor = Callable[..., Page]
Reply = tuple[int, dict[str, object]]

SITE = "http://trial.test"
PARTS = ("base", "keeping", "outbox", "pictures")
SCRIPT = "\n".join((PROJECT / "assets" / "trial" / f"{part}.js").read_text("utf-8") for part in PARTS)
OPEN = """data => {
  window.box?.destroy();
  window.box = new Outbox(new Store('s'), { url: '/api/answers', token: 't', ...data }, () => {});
}"""
GIVE = "([trial_id, revision]) => { box.add({ trial_id, revision }); return box.send(); }"
LACKING = "box.lacking.map(({ answer }) => answer.trial_id)"


class Alone:
    """An empty page with the parts, and a server that answers as it is told."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.replies: list[Reply] = []
        self.asked: list[str] = []
        page.route(f"{SITE}/**", self.answer)
        page.goto(SITE)
        page.add_script_tag(content=SCRIPT)

    def answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(SITE)
        self.asked.append(path)
        if path == "/":
            route.fulfill(body="<!doctype html><title>Alone</title>", content_type="text/html")
        elif path == "/api/answers":
            status, body = self.replies.pop(0)
            route.fulfill(status=status, json=body)
        else:
            route.fulfill(status=404)

    def open(self, *, answered: tuple[str, ...] = (), trials: tuple[str, ...] | None = None) -> None:
        """Begin as a page that was just loaded; trials: None where it shows none."""
        shown = None if trials is None else [{"id": trial} for trial in trials]
        self.page.evaluate(OPEN, {"answered": list(answered), "trials": shown})

    def give(self, trial: str, revision: int, *reply: object) -> None:
        """Answer a trial, to which the server says this."""
        self.replies.append(reply)  # type: ignore[arg-type]
        self.page.evaluate(GIVE, [trial, revision])
        assert not self.replies

    def see(self, expression: str) -> Any:
        return self.page.evaluate(expression)


@pytest.fixture
def alone(visitor: Visitor) -> Alone:
    return Alone(visitor())


def acked(trial: str, revision: int = 1) -> Reply:
    return 200, {"acked": [[trial, revision]], "rejected": []}


def rejected(status: int, trial: str, revision: int = 1) -> Reply:
    refusal = {"trial_id": trial, "revision": revision, "status": status, "reason": "developers' words"}
    return status, {"acked": [], "rejected": [refusal]}


def test_a_refused_revision_leaves_the_stored_answer_and_its_number(alone: Alone) -> None:
    alone.open(trials=("a", "b"))
    alone.give("a", 1, *acked("a"))
    alone.give("a", alone.see("box.revision('a')"), *rejected(422, "a", 2))
    assert alone.see(LACKING) == []
    assert alone.see("[box.aside.length, box.revision('a')]") == [1, 2]
    alone.give("b", 1, *acked("b"))
    assert alone.see("box.aside") == [], "it was told while the next answer was on its way"


def test_a_trial_refused_twice_is_lacking_once(alone: Alone) -> None:
    alone.open(trials=("a",))
    for status in (422, 400):
        alone.give("a", alone.see("box.revision('a')"), *rejected(status, "a"))
        assert alone.see(LACKING) == ["a"]
        assert alone.see("box.revision('a')") == 1


def test_a_conflict_ends_what_was_lacking(alone: Alone) -> None:
    alone.open(trials=("a", "b"))
    alone.give("a", 1, *rejected(422, "a"))
    alone.give("a", 1, *rejected(409, "a"))
    assert alone.see(LACKING) == []
    assert alone.see("box.aside.map(({ status }) => status)") == [409]
    alone.give("b", 1, *acked("b"))
    assert alone.see("box.aside") == []


def test_what_was_refused_of_an_answered_or_replaced_trial_is_no_more(alone: Alone) -> None:
    alone.open(trials=("a", "b", "c"))
    for trial in "abc":
        alone.give(trial, 1, 400, {"error": "developers' words"})
    alone.open()
    assert alone.see(LACKING) == ["a", "b", "c"], "a page without trials leaves all where it is"
    alone.open(answered=("a",), trials=("a", "c"))
    assert alone.see("box.aside.map(({ answer }) => answer.trial_id)") == ["c"]


def test_a_server_that_refuses_everything_is_known_by_its_status(alone: Alone) -> None:
    alone.open(trials=("a",))
    alone.give("a", 1, 403, {"error": "developers' words"})
    assert alone.see("[box.stopped, box.items.length]") == [403, 1]


@pytest.mark.parametrize("end", ["fetched.destroy()", "fetched.ahead(9)"])
def test_pictures_that_nobody_wants_any_more_are_not_tried_again(alone: Alone, end: str) -> None:
    trials = [{"stimuli": [{"src": f"/missing/{n}"}]} for n in range(10)]
    alone.page.evaluate(
        "trials => { window.fetched = new Pictures(trials, () => (window.told = true)); fetched.get(0); }",
        trials,
    )
    alone.page.wait_for_function("window.told")
    alone.page.evaluate(end)
    alone.page.wait_for_timeout(2500)
    assert alone.asked.count("/missing/0") == 1
