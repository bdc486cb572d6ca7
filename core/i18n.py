"""The words on screen, per language, and the choice of a language."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from core import located
from core.codes import listed
from core.errors import StudyError
from core.study_rules import CATALOGUES, LANGUAGES

_BREAKS = re.compile("normal|keep-all|break-all|auto-phrase")
_STYLES = {
    "language.fonts": ("--fn-fonts: {};", re.compile(r"[\w\s\",-]+")),
    "language.word_break": ("--fn-word-break: {};", _BREAKS),
    "language.phrase_break": ("--fn-phrase-break: {};", _BREAKS),
    "language.line_break": ("--fn-line-break: {};", re.compile("auto|loose|normal|strict|anywhere")),
    "language.vertical": ("--fn-vertical: {};", re.compile("mixed|upright")),
}
"""Keys of a catalogue that say how its language is set: their CSS, and what they may hold."""


@functools.cache
def words(language: str) -> Mapping[str, str]:
    """The catalogue of a language: flat keys such as `welcome.begin`.

    Raises StudyError when there is no such catalogue or it does not hold text alone.
    """
    if language not in LANGUAGES:
        raise StudyError(f"found the language {language!r}; needed one of {listed(LANGUAGES)}")
    return catalogue(CATALOGUES / f"{language}.yaml")


def catalogue(path: Path) -> Mapping[str, str]:
    """Read one catalogue; raises StudyError naming the lines that are not `key: text`."""
    try:
        found = located.read(path.read_text(encoding="utf-8-sig"), path=str(path))
    except OSError as error:
        raise StudyError(f"{path}: found {error.strerror}; needed a catalogue; reinstall Facenorm") from error
    if not isinstance(found.data, dict):
        raise StudyError(f"{path}:1: found no keys; needed 'key: text' lines; write them")
    problems = list(found.problems)
    for key, text in found.data.items():
        if not isinstance(text, str) or not text.strip():
            problems.append((found.line((key,)), f"{key}: found {text!r}; needed text; put it in quotes"))
    if problems:
        raise StudyError("\n".join(f"{path}:{line}: {text}" for line, text in sorted(problems)))
    return MappingProxyType({key: str(text).strip() for key, text in found.data.items()})


@functools.cache
def catalogue_hash(language: str) -> str:
    """SHA-256 (64 hex digits) of the words of a language, whatever their order and comments in the file."""
    content = json.dumps(dict(words(language)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()


def stylesheet() -> str:
    """The CSS variables of every language that has a catalogue, for what is marked with its `lang`.

    Raises StudyError when a catalogue asks for what CSS does not have.
    """
    return "".join(map(_style, LANGUAGES))


def _style(language: str) -> str:
    spoken = words(language)
    rules = []
    for key, (rule, allowed) in _STYLES.items():
        if not allowed.fullmatch(spoken[key]):
            needed = f"text of the form {allowed.pattern}"
            raise StudyError(f"{language}.yaml: {key}: found {spoken[key]!r}; needed {needed}; correct it")
        rules.append(rule.format(spoken[key]))
    return f":lang({language}) {{ {' '.join(rules)} }}\n"


def placeholders(text: str) -> frozenset[str]:
    """The names in braces that a text leaves to be filled in."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def choose(preferred: Sequence[str], offered: Sequence[str]) -> str:
    """The first preferred language (such as `ko-KR`) that is offered; else the first one offered.

    Raises StudyError when none is offered.
    """
    if not offered:
        raise StudyError("found no language on offer; needed at least one; add it to 'languages:'")
    wanted = (tag.replace("_", "-").split("-")[0].strip().lower() for tag in preferred)
    return next((language for language in wanted if language in offered), offered[0])


def text(words: Mapping[str, str], language: str) -> str:
    """A study's text in one of its languages; raises StudyError when it has none."""
    if language not in words:
        raise StudyError(f"found text in {listed(words)}; needed {language!r}; add it to the study")
    return words[language]
