"""What a public export changes: ids, times, devices, ages, and what would single somebody out.

A *quasi-identifier* is a fact by which others might know a participant: the language and the answers about
them. Participants with the same published facts form a class, and a class has at least K participants
or publishes nothing.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from core.ratings import Value

K = 5
PHONE_BELOW_PX = 500  # the shorter side: a phone may be held upright or across
DESKTOP_FROM_PX = 1024  # the width
_AGES = ((25, "18-24"), (35, "25-34"), (45, "35-44"), (55, "45-54"), (65, "55-64"))
_VIEWPORT = re.compile(r"(\d+)x(\d+)(@[\d.]+)?")

Facts = tuple[Value, ...]


class Pseudonyms:
    """Fresh ids that agree across the files of one export and tell nothing across two.

    An id is a keyed hash (BLAKE2b) of the true one; the key is made for one export and forgotten with it.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)
        self.session = lru_cache(maxsize=1000)(lambda value: self._of("ses", value))
        self.subject = lru_cache(maxsize=1000)(lambda value: self._of("sub", value))
        self.trial = lru_cache(maxsize=1000)(lambda value: self._of("tri", value))

    def row(self, value: Value) -> str | None:
        """The id of a row."""
        return self._of("row", value)

    def _of(self, sort: str, value: Value) -> str | None:
        if value is None:
            return None
        digest = hashlib.blake2b(str(value).encode(), key=self._key, digest_size=10, person=sort.encode())
        # The letters in front keep a spreadsheet from reading 12345e67 as a number.
        return f"{sort}-{digest.hexdigest()}"


def age_band(value: Value) -> str | None:
    """The band of an age in years, `25-34`; None for what is no age."""
    try:
        age = float(str(value))
    except ValueError:
        return None
    if not 0 <= age < 130:
        return None
    if age < 18:
        return "under 18"
    return next((band for below, band in _AGES if age < below), "65 and over")


@lru_cache(maxsize=1000)
def device(viewport: Value) -> str | None:
    """The class of a browser window, `375x667@2`: phone, tablet or desktop; None for what is no window."""
    found = _VIEWPORT.fullmatch(str(viewport))
    if not found:
        return None
    width, height = int(found[1]), int(found[2])
    if min(width, height) < PHONE_BELOW_PX:
        return "phone"
    return "desktop" if width >= DESKTOP_FROM_PX else "tablet"


def suppress(facts: Mapping[str, Facts], *, k: int = K) -> dict[str, Facts]:
    """Blank facts until every participant shares what is left with k - 1 others, or has nothing left.

    facts: by participant, the same quasi-identifiers in the same order, the most useful first. First a
    value that fewer than k participants have is blanked. Then, as long as a combination is rarer than k,
    its last fact is blanked, and the one before it, and so on.
    """
    common = _without_rare_values(facts, k)
    width = len(next(iter(facts.values()), ()))
    published: dict[str, Facts] = {}
    for kept in range(width, -1, -1):
        left = {who: values[:kept] for who, values in common.items() if who not in published}
        sizes = Counter(left.values())
        published |= {
            who: values + (None,) * (width - kept)
            for who, values in left.items()
            if sizes[values] >= k or kept == 0
        }
    return {who: published[who] for who in facts}


def _without_rare_values(facts: Mapping[str, Facts], k: int) -> dict[str, Facts]:
    counts = [Counter(column) for column in zip(*facts.values(), strict=True)]
    return {
        who: tuple(value if n[value] >= k else None for value, n in zip(values, counts, strict=True))
        for who, values in facts.items()
    }
