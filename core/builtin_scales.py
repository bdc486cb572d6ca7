"""The scale of the identity pairs, for studies that do not word their own."""

from __future__ import annotations

from collections.abc import Mapping

from core import i18n
from core.given import mapping, words
from core.study_rules import LANGUAGES

SAME_IDENTITY = "same_identity"
POINTS = 7
_SOURCE = "Wording ours."


def added(data: object) -> object:
    """A study's data with the scale of the pairs, unless it words its own; other data as it is."""
    if not isinstance(data, dict) or not isinstance(data.get("scales"), dict):
        return data
    if SAME_IDENTITY in data["scales"] or mapping(data.get("identity_pairs")).get("per_participant") == 0:
        return data
    languages = [language for language in words(data.get("languages")) if language in LANGUAGES]
    return {**data, "scales": {**data["scales"], SAME_IDENTITY: _scale(languages)}}


def _scale(languages: list[str]) -> Mapping[str, object]:
    def text(key: str) -> dict[str, str]:
        return {language: i18n.words(language)[key] for language in languages}

    return {
        "kind": "likert",
        "asks": "image",
        "question": text("pairs.question"),
        "points": POINTS,
        "polarity": "bipolar",
        "zero": (1 + POINTS) / 2,
        "anchors": {"low": text("pairs.different"), "high": text("pairs.same")},
        "source": _SOURCE,
        "status": "draft",
    }
