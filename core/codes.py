"""The emotion codes of YAML, manifest, tables and models, and the nearest of them to a misspelling."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise", "contempt", "other")


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known word that is most like this one; None when none is like it."""
    by_key = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.strip().casefold(), by_key, n=1, cutoff=cutoff)
    return by_key[found[0]] if found else None


def listed(known: Iterable[str]) -> str:
    """Known words as a message lists them."""
    return ", ".join(known) or "none"


def mend(word: str, known: Iterable[str]) -> str:
    """The last part of a message about a wrong word: the nearest known one, or how to go on."""
    found = nearest(word, known)
    return f"did you mean {found!r}?" if found else "use one of them"
