"""All pairs of pictures by matrix products of a few million similarities at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.agreement.estimate import Ints
from core.errors import AgreementError
from core.identity.gallery import NOBODY, Flags, Floats32, Gallery, Kind

AT_ONCE = 4_000_000  # similarities: 16 MB
CARRIED = 100_000  # impostor pairs behind an interval; where there are more, so many are drawn
DECIMALS = 6  # of a similarity: float32 carries no more
EDGES = np.linspace(-1, 1, 101)
LENGTH_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """Whom a kind of pair compares: pictures on two sides, by position in the gallery.

    own: the position within `second` of what each of `first` belongs to; empty where a kind has none.
    triangle: both sides are the same, and each pair counts once.
    """

    first: Ints
    second: Ints
    own: Ints
    triangle: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Within:
    """The similarities of one identity's pairs, in the order of the first side, with the identity of each."""

    values: Floats32
    identity: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Between:
    """The similarities of pairs of two identities, counted.

    total, squares: sums; below, upto: shape (levels,), how many lie below each level, and at most at it.
    bins: how many lie between each two of EDGES.
    values, one, other: some of them with the two identities, ascending; all where n is at most CARRIED.
    """

    n: int
    total: float
    squares: float
    below: Ints
    upto: Ints
    bins: Ints
    values: Floats32
    one: Ints
    other: Ints


def usable(embeddings: npt.ArrayLike, n: int) -> Floats32:
    """Embeddings of n pictures as float32, checked: shape (n, dimensions), length 1 or NaN for no face."""
    found = np.asarray(embeddings, dtype=np.float32)
    if found.ndim != 2 or len(found) != n:
        raise AgreementError(f"embeddings of shape {found.shape} do not fit {n} pictures; give one row each")
    lengths = np.linalg.norm(found, axis=1)
    wrong = np.abs(lengths - 1) > LENGTH_TOLERANCE
    if wrong.any():
        raise AgreementError(
            f"{wrong.sum()} embeddings have another length than 1 (one has {lengths[wrong][0]:g}); divide "
            "each by its length, and give NaN where there is no face"
        )
    return found


def sides(gallery: Gallery, seen: Flags, kind: Kind) -> Sides:
    """Who is compared with whom; seen: which pictures have an embedding."""
    known = seen & (gallery.identity != NOBODY)
    if kind == "all_pairs":
        # Sorted by identity, one's own pairs lie beside each other.
        everyone = np.flatnonzero(known)
        everyone = everyone[np.argsort(gallery.identity[everyone], kind="stable")]
        return Sides(everyone, everyone, np.empty(0, np.int64), triangle=True)
    target = gallery.reference if kind == "reference" else gallery.edited_neutral
    first = np.flatnonzero(known & (target != NOBODY))
    first = first[known[target[first]]]
    is_second = np.zeros(len(known), dtype=bool)
    is_second[target[first]] = True
    second = np.flatnonzero(is_second | (gallery.is_neutral & known if kind == "reference" else False))
    return Sides(first, second, np.searchsorted(second, target[first]))


def within(embeddings: Floats32, gallery: Gallery, pair: Sides) -> Within:
    """The similarities of one identity's pairs."""
    one, other = mine(gallery, pair)
    return Within(similarity(embeddings, one, other), gallery.identity[one])


def similarity(embeddings: Floats32, one: Ints, other: Ints) -> Floats32:
    """The cosine of pairs of pictures."""
    return _cosine(np.einsum("nd,nd->n", embeddings[one], embeddings[other], dtype=np.float64))


def mine(gallery: Gallery, pair: Sides) -> tuple[Ints, Ints]:
    """The pairs of one identity, as positions in the gallery."""
    if not pair.triangle:
        return pair.first, pair.second[pair.own]
    identity = gallery.identity[pair.first]
    ends = np.searchsorted(identity, identity, side="right")
    places = np.arange(len(identity))
    later = ends - places - 1
    one = np.repeat(places, later)
    other = one + 1 + np.arange(len(one)) - np.repeat(np.cumsum(later) - later, later)
    return pair.first[one], pair.first[other]


def _cosine(products: npt.NDArray[np.floating]) -> Floats32:
    return np.clip(np.round(products.astype(np.float32, copy=False), DECIMALS), -1, 1)


def blocks(embeddings: Floats32, pair: Sides, *, at_once: int = AT_ONCE) -> Iterator[tuple[slice, Floats32]]:
    """Yield the similarities of some of the first side with all of the second, until all have come.

    In a triangle the second side begins with the first of the block.
    """
    first, second = embeddings[pair.first], embeddings[pair.second]
    start = 0
    while start < len(first):
        columns = second[start:] if pair.triangle else second
        rows = slice(start, min(len(first), start + max(1, at_once // max(1, len(columns)))))
        yield rows, _cosine(first[rows] @ columns.T)
        start = rows.stop


def strangers(gallery: Gallery, pair: Sides, rows: slice, *, matched: bool) -> Flags:
    """Which pairs of a block are of two identities, and of one group where `matched`."""
    one, other = pair.first[rows], pair.second[rows.start :] if pair.triangle else pair.second
    apart: Flags = gallery.identity[one][:, None] != gallery.identity[other]
    if pair.triangle:
        apart &= np.arange(len(one))[:, None] < np.arange(len(other))
    if matched:
        group = gallery.group[one]
        apart &= (group[:, None] == gallery.group[other]) & (group != NOBODY)[:, None]
    return apart


def count(gallery: Gallery, pair: Sides, *, matched: bool) -> int:
    """How many pairs of two identities there are, without looking at each."""
    groups = gallery.group if matched else np.zeros_like(gallery.group)
    known = [side[groups[side] != NOBODY] for side in (pair.first, pair.second)]
    same_group = _meetings(groups, known[0], known[1])
    total = same_group - _meetings(gallery.identity, known[0], known[1])
    return total // 2 if pair.triangle else total


def _meetings(codes: Ints, first: Ints, second: Ints) -> int:
    """How many pairs of the two sides share a code."""
    n = int(codes.max(initial=0)) + 1
    return int(np.bincount(codes[first], minlength=n) @ np.bincount(codes[second], minlength=n))


class Counter:
    """Counts impostors block by block."""

    def __init__(self, n: int, levels: Floats32, *, rng: np.random.Generator) -> None:
        self.n, self.levels, self.seen = n, levels, 0
        self.total = self.squares = 0.0
        self.below = np.zeros(len(levels), dtype=np.int64)
        self.upto = np.zeros(len(levels), dtype=np.int64)
        self.bins = np.zeros(len(EDGES) - 1, dtype=np.int64)
        self.chosen = np.arange(n) if n <= CARRIED else np.unique(rng.integers(n, size=CARRIED))
        nobody = np.empty(0, np.int64)
        self.drawn: list[tuple[Floats32, Ints, Ints]] = [(np.empty(0, np.float32), nobody, nobody)]

    def add(self, gallery: Gallery, pair: Sides, rows: slice, found: Floats32, apart: Flags) -> None:
        """Count a block's pairs of strangers."""
        flat = np.flatnonzero(apart)
        values = found.ravel()[flat]
        low, high = np.searchsorted(self.chosen, [self.seen, self.seen + len(values)])
        picked = self.chosen[low:high] - self.seen
        self._draw(gallery, pair, rows, values[picked], flat[picked], found.shape[1])
        self.seen += len(values)
        self.total += float(values.sum(dtype=np.float64))
        self.squares += float(np.einsum("n,n->", values, values, dtype=np.float64))
        values.sort()
        self.below += np.searchsorted(values, self.levels, side="left")
        self.upto += np.searchsorted(values, self.levels, side="right")
        self.bins += binned(values)

    def _draw(
        self, gallery: Gallery, pair: Sides, rows: slice, values: Floats32, flat: Ints, width: int
    ) -> None:
        second = pair.second[rows.start :] if pair.triangle else pair.second
        one, other = pair.first[rows.start + flat // width], second[flat % width]
        self.drawn.append((values, gallery.identity[one], gallery.identity[other]))

    def result(self) -> Between:
        """What was counted."""
        values, one, other = (np.concatenate(part) for part in zip(*self.drawn, strict=True))
        order = np.argsort(values, kind="stable")
        return Between(
            self.n, self.total, self.squares, self.below, self.upto, self.bins,
            values[order], one[order], other[order],
        )  # fmt: skip


def binned(ascending: Floats32) -> Ints:
    """How many of the similarities lie between each two of EDGES; the last bin has both its ends."""
    places = np.searchsorted(ascending, EDGES[1:-1], side="left")
    return np.diff(places, prepend=0, append=len(ascending))
