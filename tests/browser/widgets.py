"""Studies in which each widget is asked, and the way to them."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from tests import variants
from tests.browser import walk

ONE_SET = "scales: [emotion, intensity, valence, arousal, naturalness]"
ASKED = "ask: [emotion, intensity, valence, arousal, naturalness]"
NEXT_SCALE = "  # Available, not asked:"
DONT_KNOW = "{en: I don't know, ko: 잘 모르겠습니다, ja: わかりません}"


def likert(name: str, points: int, *more: str) -> str:
    """Write the YAML of a bipolar scale of points, with anchors as long as they get."""
    lines = (
        "kind: likert",
        f"question: {{en: '{name}?', ko: '{name}?', ja: '{name}?'}}",
        f"points: {points}",
        "polarity: bipolar",
        f"zero: {(points + 1) / 2}",
        "anchors:",
        "  low:",
        "    en: Certainly put on",
        "    ko: 확실히 꾸며 낸 표정이라고 생각합니다",
        "    ja: 確実に作られた表情だと思います",
        "  high:",
        "    en: Certainly felt",
        "    ko: 확실히 진심에서 우러난 표정이라고 생각합니다",
        "    ja: 確実に本物の表情だと思います",
        "source: Wording ours.",
        "status: draft",
        *more,
    )
    return "\n".join((f"  {name}:", *(f"    {line}" for line in lines), ""))


CANNOT = ("cannot_tell: true", f"cannot_tell_text: {DONT_KNOW}")
STUDIES = {
    "plain": (
        ["emotion", "intensity", "genuine", "naturalness"],
        likert("genuine", 7, *CANNOT),
        "",
    ),
    "manikins": (
        ["pleasant", "stirred", "large"],
        likert("pleasant", 5, "look: sam-valence")
        + likert("stirred", 9, "look: sam-arousal", *CANNOT)
        + likert("large", 9, "look: sam-dominance"),
        "",
    ),
    "square": (["valence", "arousal"], "", ", affect_grid: true"),
    "cells": (
        ["across", "upward"],
        likert("across", 9, *CANNOT) + likert("upward", 9, *CANNOT),
        ", affect_grid: true",
    ),
}
"""Study id -> the scales asked, further scales, and the settings of their set."""


def changes(study_id: str) -> tuple[tuple[str, str], ...]:
    """Change the demo into one of these studies."""
    asked, scales, settings = STUDIES[study_id]
    ids = f"[{', '.join(asked)}]"
    cannot = "    option_order: random\n", "    option_order: random\n    cannot_tell: true\n"
    free = (
        "    question:\n      en: Could a person",
        "    cannot_tell: true\n    question:\n      en: Could a person",
    )
    return (
        (f"{{id: all, {ONE_SET}}}", f"{{id: all, scales: {ids}{settings}}}"),
        (ASKED, f"ask: {ids}"),
        (NEXT_SCALE, scales + NEXT_SCALE),
        cannot,
        free,
    )


def write(folder: Path, pictures: Path, study_id: str) -> Path:
    """Write one of these studies as a file."""
    usual = (
        ("study: demo", f"study: {study_id}"),
        ("per_participant: 24", "per_participant: 3"),
        ("folder: ../demo", f"folder: {pictures}"),
    )
    path = folder / f"{study_id}.yaml"
    path.write_text(variants.one_block(*usual, *changes(study_id)), encoding="utf-8")
    return path


def arrive(page: Page, url: str, study_id: str, language: str = "en") -> None:
    """Go to the first face of a study."""
    to_instructions(page, url, study_id, language)
    page.locator(".st-key-start button").click()
    walk.face(page, 1)


def to_instructions(page: Page, url: str, study_id: str, language: str = "en") -> None:
    """Go to the page before the first face."""
    page.goto(f"{url}/?study={study_id}&lang={language}")
    page.locator("form .tick").first.wait_for()
    walk.consent(page)
    page.locator(".questions .continue").click()
    page.locator(".st-key-start button").wait_for()
