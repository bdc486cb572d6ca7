"""A fourth language is one file: a catalogue is added to a copy of the program, and a study runs in it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from ruamel.yaml import YAML

from core import i18n
from core.study_rules import CATALOGUES, LANGUAGES
from tests import asking, variants
from tests.browser import walk
from tests.browser.conftest import PROJECT, TRIALS, Server

pytestmark = pytest.mark.browser

PROGRAM = ("app.py", "assets", "core", "db", "pages", ".streamlit")
MARK = "‹de› "
ENGLISH = i18n.words("en")


def marked(text: str) -> str:
    """An English text as the new language has it: the same, with a mark before each line's first word."""
    return re.sub(r"(?m)^([\s>*-]*)(?=\S)", rf"\1{MARK}", text)


def in_the_new_language(node: object) -> object:
    """A study's YAML with every English text marked as the new language's, and no other language."""
    if isinstance(node, list):
        return [in_the_new_language(each) for each in node]
    if not isinstance(node, dict):
        return node
    if "en" in node:
        return {"de": marked(str(node["en"]))}
    return {key: in_the_new_language(each) for key, each in node.items()}


def catalogue() -> str:
    lines = {key: marked(text) for key, text in ENGLISH.items()}
    lines |= {key: text for key, text in ENGLISH.items() if key.startswith("language.")}
    return written(lines | {"language.code": "de-AT", "language.name": "Deutsch"})


def written(data: object) -> str:
    out = StringIO()
    YAML(typ="safe").dump(data, out)
    return out.getvalue()


def study(pictures: Path) -> str:
    changes = [
        ("languages: [en, ko, ja]", "languages: [de]"),
        ("per_participant: 24", f"per_participant: {TRIALS}"),
        ("folder: ../demo", f"folder: {pictures}"),
        asking.change(),
    ]
    return written(in_the_new_language(YAML(typ="safe").load(variants.one_block(*changes))))


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[Server]:
    """A copy of the program that has one more file, and serves a study in that language."""
    program = tmp_path_factory.mktemp("program")
    for name in PROGRAM:
        if (PROJECT / name).is_dir():
            shutil.copytree(
                PROJECT / name, program / name, ignore=shutil.ignore_patterns("__pycache__", "demo")
            )
        elif (PROJECT / name).exists():
            shutil.copy(PROJECT / name, program / name)
    (program / "assets" / "i18n" / "de.yaml").write_text(catalogue(), encoding="utf-8")
    server = Server(tmp_path_factory.mktemp("data"))
    path = server.data / "demo.yaml"
    path.write_text(study(pictures), encoding="utf-8")
    server.command("study", "load", str(path), folder=program)
    server.command("study", "open", "demo", folder=program)
    server.start(folder=program)
    yield server
    server.stop()


def check(page: Page) -> None:
    """The page speaks the new language, and every line that the catalogue has is in it."""
    assert page.evaluate("document.documentElement.lang").startswith("de")
    english = {line.strip() for text in ENGLISH.values() for line in text.splitlines()}
    seen = page.locator("body").inner_text().splitlines()
    assert [line for line in seen if line.strip() in english - {""}] == []
    assert any(line.startswith(MARK) for line in seen)


def test_a_study_runs_in_a_language_that_is_one_file(german: Server, visitor: Callable[..., Page]) -> None:
    page = visitor(locale="de-AT")
    walk.welcome(page, german.url, "de")
    check(page)
    walk.consent(page)
    page.locator("#q-age").fill("34")
    check(page)
    page.locator(".questions .continue").click()
    page.locator("#q-hours").fill("7,5")
    page.locator(".questions .continue").click()
    expect(page.get_by_role("alert")).to_contain_text(MARK)
    check(page)
    for field in ("mood.calm", "mood.faces", "mood.tired"):
        page.locator(f"input[name='{field}']").nth(3).check()
    page.locator(".questions .continue").click()
    page.locator(".st-key-start button").wait_for()
    check(page)
    page.locator(".st-key-start button").click()
    for number in range(1, TRIALS + 1):
        walk.face(page, number)
        if number == 1:
            check(page)
        walk.rate_by_keyboard(page)
    page.locator("#q-strategy").wait_for()
    check(page)
    page.locator(".questions .continue").click()
    assert walk.code(page)
    check(page)
    [(language, hashed)] = german.rows("select language, catalogue_sha256 from session")
    assert language == "de"
    assert hashed not in {i18n.catalogue_hash(other) for other in LANGUAGES}


def test_the_language_is_chosen_by_the_browser_alone(german: Server, visitor: Callable[..., Page]) -> None:
    page = visitor(locale="de-CH")
    page.goto(f"{german.url}/?study=unknown")
    expect(page.locator("h1")).to_have_text(marked(ENGLISH["nostudy.title"]))


def test_its_fonts_and_line_breaks_come_from_its_file(german: Server, visitor: Callable[..., Page]) -> None:
    page = visitor()
    walk.welcome(page, german.url, "de")
    font = page.locator("h1").evaluate("title => getComputedStyle(title).fontFamily")
    assert font == ENGLISH["language.fonts"]


@pytest.mark.parametrize("path", sorted(CATALOGUES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_catalogue_is_offered(path: Path) -> None:
    assert path.stem in LANGUAGES
