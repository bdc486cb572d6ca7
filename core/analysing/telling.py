"""What to know of raters and designs before reading the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from core.agreement import design
from core.analysing.ratings import Ratings, Rows, Scale, listed

NO_VARIANCE_FROM = 3  # ratings that somebody needs to have given before sameness is worth a word


def designs(ratings: Ratings, subsets: Mapping[str, Rows]) -> Iterator[str]:
    """One line per scale with raters who do not vary, and per subset that falls into parts or is empty."""
    for scale in ratings.every:
        yield from _constant(ratings, scale)
    for name, rows in subsets.items():
        yield from _disconnected(ratings, name, rows)


def _constant(ratings: Ratings, scale: Scale) -> Iterator[str]:
    """Raters with no variance."""
    kept = (ratings.human | ratings.model)[scale.row]
    rater, value = ratings.rater.codes[scale.row[kept]], scale.value[kept]
    n = np.bincount(rater, minlength=len(ratings.rater.names))
    order = np.lexsort((value, rater))
    changes = (np.diff(rater[order]) == 0) & (np.diff(value[order]) != 0)
    varies = np.bincount(rater[order][1:][changes], minlength=len(n)) > 0
    same = np.nonzero((n >= NO_VARIANCE_FROM) & ~varies)[0]
    if len(same):
        yield (
            f"{scale.name}: {len(same)} raters have no variance, they gave one value throughout "
            f"({listed([ratings.rater.names[one] for one in same])}); they are kept"
        )


def _disconnected(ratings: Ratings, subset: str, rows: Rows) -> Iterator[str]:
    """Scales whose raters and stimuli fall into parts, and those that nobody rated."""
    found: dict[int, list[str]] = {}
    for scale in ratings.every:
        values = ratings.matrix(scale, rows & ratings.human)[0]
        found.setdefault(design.describe(values).parts if values.size else 0, []).append(scale.name)
    if 0 in found:
        yield f"{subset}: nobody rated {listed(found.pop(0))}; reliability.csv has no rows of it"
    found.pop(1, None)
    for parts, names in found.items():
        yield (
            f"{subset}: the design of {listed(names)} falls into {parts} disconnected parts that share "
            "no rater and no stimulus; nothing tells their raters from their stimuli, so read the "
            "parts apart (--by)"
        )
