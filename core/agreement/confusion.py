"""Confusion of labels: intended against perceived, perceived against AI, or any other pair.

Rows and columns are lists of their own and keep their order, so a matrix may be rectangular: people may
answer "other", and a model may know labels that nobody was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.agreement.categorical import wilson
from core.agreement.estimate import Floats, Ints
from core.errors import AgreementError


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """How often each row label met each column label: counts of shape (rows, columns)."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: Ints
    n_missing: int = 0  # pairs left out because one of the two labels is missing

    @property
    def shared(self) -> tuple[str, ...]:
        """The labels that are both rows and columns, in the order of the rows."""
        return tuple(label for label in self.rows if label in self.columns)


@dataclass(frozen=True, slots=True)
class Hit:
    """How well one label was recognised.

    h: hits / n, with its Wilson interval; None when nothing of this label was rated.
    hu: Wagner's unbiased hit rate; 0 by convention when nobody used the label.
    chance: the proportion of all ratings that independence would put into this cell.
    """

    label: str
    n: int
    hits: int
    h: float | None
    low: float | None
    high: float | None
    hu: float | None
    chance: float
    method: str = "pooled over raters; Wilson interval, ratings as independent"


def table(
    first: Sequence[object],
    second: Sequence[object],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    n: npt.ArrayLike | None = None,
) -> Confusion:
    """Count how often each label of `rows` in `first` met each label of `columns` in `second`.

    first, second: one label per pair; None, NaN and the empty text are missing, the pair is left out.
    n: shape (pairs,), how often each pair was seen, for data that are counted already; 1 by default.
    Raises AgreementError when no pair is complete or a label is not in its list.
    """
    if len(first) != len(second):
        raise AgreementError(f"{len(first)} labels meet {len(second)}; confusion needs pairs")
    times = np.ones(len(first), dtype=np.int64) if n is None else np.asarray(n, dtype=np.int64)
    i, j = _positions(first, rows, "rows"), _positions(second, columns, "columns")
    complete = (i >= 0) & (j >= 0)
    if not times[complete].any():
        raise AgreementError("no pair of labels is complete; confusion needs at least one")
    flat = np.bincount(
        i[complete] * len(columns) + j[complete],
        weights=times[complete],
        minlength=len(rows) * len(columns),
    )
    counts = flat.astype(np.int64).reshape(len(rows), len(columns))
    return _frozen(rows, columns, counts, int(times[~complete].sum()))


def restrict(confusion: Confusion) -> Confusion:
    """Only the labels that both sides know, in the order of the rows: proportions are then renormalised.

    Raises AgreementError when they share no label.
    """
    shared = confusion.shared
    if not shared:
        raise AgreementError(
            f"rows {', '.join(confusion.rows)} and columns {', '.join(confusion.columns)} share no label"
        )
    i = [confusion.rows.index(label) for label in shared]
    j = [confusion.columns.index(label) for label in shared]
    return _frozen(shared, shared, confusion.counts[np.ix_(i, j)], confusion.n_missing)


def proportions(confusion: Confusion) -> Floats:
    """Each row's counts by the row's sum: shape (rows, columns); NaN in a row without ratings."""
    counts = confusion.counts.astype(np.float64)
    sums = counts.sum(axis=1, keepdims=True)
    shares = np.full(counts.shape, np.nan)
    np.divide(counts, sums, out=shares, where=sums > 0)
    return shares


def hits(confusion: Confusion, *, confidence: float = 0.95) -> tuple[Hit, ...]:
    """Hit rate H = n_ii / R_i and Wagner's unbiased Hu = n_ii^2 / (R_i C_i) of each shared label.

    R_i counts every response to the label, "other" too; C_i counts every use of the label.
    An unused label (C_i = 0) has Hu = 0 by convention. A row that is no column cannot be hit and is left out.
    Raises AgreementError when rows and columns share no label.
    Source: Wagner (1993), Journal of Nonverbal Behavior 17, 3-28.
    """
    if not confusion.shared:
        raise AgreementError("rows and columns share no label, so nothing can be a hit; mend the label lists")
    return tuple(_hit(confusion, label, confidence) for label in confusion.shared)


def overall(confusion: Confusion, *, confidence: float = 0.95) -> Hit:
    """The proportion of all ratings on the diagonal; `chance` is what independence would put there.

    Hu is undefined for all labels together.
    Raises AgreementError as `hits` does.
    """
    parts = hits(confusion, confidence=confidence)
    n, hit = sum(part.n for part in parts), sum(part.hits for part in parts)
    if not n:
        raise AgreementError("no stimulus of a shared label was rated; a hit rate needs at least one")
    low, high = wilson(hit, n, confidence=confidence)
    return Hit("all", n, hit, hit / n, low, high, None, sum(part.chance for part in parts))


def _hit(confusion: Confusion, label: str, confidence: float) -> Hit:
    counts = confusion.counts
    i, j = confusion.rows.index(label), confusion.columns.index(label)
    hit, n, used = int(counts[i, j]), int(counts[i].sum()), int(counts[:, j].sum())
    chance = n * used / int(counts.sum()) ** 2 if counts.any() else 0.0
    if not n:
        return Hit(label, 0, 0, None, None, None, None, chance)
    low, high = wilson(hit, n, confidence=confidence)
    return Hit(label, n, hit, hit / n, low, high, hit**2 / (n * used) if used else 0.0, chance)


def _positions(labels: Sequence[object], known: Sequence[str], side: str) -> Ints:
    place: dict[object, int] = {label: i for i, label in enumerate(known)}
    if len(place) != len(known):
        raise AgreementError(f"{side} names a label twice: {', '.join(known)}")
    positions = [-1 if _missing(label) else place.get(label, -2) for label in labels]
    if -2 in positions:
        found = labels[positions.index(-2)]
        raise AgreementError(f"{found!r} is not among the {side}: {', '.join(known)}; add it or leave it out")
    return np.array(positions, dtype=np.int64)


def _missing(label: object) -> bool:
    return label is None or label == "" or (isinstance(label, float) and np.isnan(label))


def _frozen(rows: Sequence[str], columns: Sequence[str], counts: Ints, n_missing: int) -> Confusion:
    counts.setflags(write=False)
    return Confusion(tuple(rows), tuple(columns), counts, n_missing)
