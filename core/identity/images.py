"""Where each edit stands: how like its reference, against impostors, and who is nearer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.agreement.estimate import Floats, Ints
from core.identity.gallery import Flags, Floats32, Gallery, Impostors
from core.identity.pairs import Between, Sides

# Above it, what is left of a difference may be noise of the file's compression: a convention.
NEAR_ONE = 0.98
UNCHANGED = "similarity near 1: the edit may have done nothing"
NEARER = "another identity's neutral is nearer"


@dataclass(frozen=True, slots=True)
class Standing:
    """One edit against the picture that it is compared with.

    percentile: the share (0 to 100) of impostor pairs that are less similar, ties half; None without any.
    nearest_file: of the other identities' neutrals, the most similar; margin: how much more similar one's
    own is; rank1: is it more similar than all of them? None where there is no other.
    """

    compared_file: str
    similarity: float
    percentile: float | None
    nearest_file: str | None
    margin: float | None
    rank1: bool | None


@dataclass(frozen=True, slots=True)
class Image:
    """One edit under one model; without a standing, `reason` says why.

    verdict: is 1 - similarity at most the model's threshold? The threshold was tuned on other data.
    """

    stim_file: str
    identity_id: str | None
    intended_emotion: str | None
    reference_file: str
    reference: Standing | None
    edited_neutral: Standing | None
    impostors: Impostors
    threshold: float | None
    verdict: bool | None
    flags: tuple[str, ...]
    reason: str


class Nearest:
    """The nearest other neutral of each edit, kept block by block."""

    def __init__(self, n: int) -> None:
        self.similarity = np.full(n, np.nan)
        self.place = np.full(n, -1, dtype=np.int64)

    def add(self, gallery: Gallery, pair: Sides, rows: slice, found: Floats32) -> None:
        """Look at the similarities of a block."""
        mine = gallery.identity[pair.first[rows]][:, None] == gallery.identity[pair.second]
        others = np.where(mine, -np.inf, found)
        place = others.argmax(axis=1)
        best = others[np.arange(len(place)), place]
        known = np.isfinite(best)
        self.similarity[rows] = np.where(known, best, np.nan)
        self.place[rows] = np.where(known, pair.second[place], -1)


def percentiles(values: Floats32, levels: Floats32, theirs: Between) -> Floats:
    """The share (0 to 100) of impostors below each value, ties half; NaN without impostors.

    levels: the distinct values, ascending, at which `theirs` was counted.
    """
    if not theirs.n:
        return np.full(len(values), np.nan)
    at = np.searchsorted(levels, values)
    return 50.0 * (theirs.below[at] + theirs.upto[at]) / theirs.n


def standings(
    gallery: Gallery, pair: Sides, own: Floats32, shares: Floats, nearest: Nearest
) -> dict[int, Standing]:
    """The standing of each picture of the first side, by position."""
    compared = pair.second[pair.own]
    margins = own.astype(np.float64) - nearest.similarity
    return {
        int(at): Standing(
            gallery.pictures[compared[row]].stim_file,
            float(own[row]),
            _number(shares[row]),
            gallery.pictures[nearest.place[row]].stim_file if nearest.place[row] >= 0 else None,
            None if np.isnan(margins[row]) else round(float(margins[row]), 6),
            None if np.isnan(margins[row]) else bool(margins[row] > 0),
        )
        for row, at in enumerate(pair.first)
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def images(
    gallery: Gallery,
    seen: Flags,
    to_reference: dict[int, Standing],
    to_edited: dict[int, Standing],
    *,
    impostors: Impostors,
    threshold: float | None,
) -> tuple[Image, ...]:
    """Every edit of the gallery, in its order."""
    return tuple(
        _image(gallery, seen, at, to_reference.get(at), to_edited.get(at), impostors, threshold)
        for at in gallery.edits.tolist()
    )


def _image(
    gallery: Gallery, seen: Flags, at: int, own: Standing | None,
    edited: Standing | None, impostors: Impostors, threshold: float | None,
) -> Image:  # fmt: skip
    picture = gallery.pictures[at]
    judged = own is not None and threshold is not None
    return Image(
        stim_file=picture.stim_file,
        identity_id=picture.identity_id,
        intended_emotion=picture.intended_emotion,
        reference_file=picture.reference_file or "",
        reference=own,
        edited_neutral=edited,
        impostors=impostors,
        threshold=threshold,
        verdict=_verdict(own.similarity, threshold) if judged else None,  # type: ignore[union-attr,arg-type]
        flags=_flags(own),
        reason="" if own else _reason(gallery, seen, at),
    )


def _verdict(similarity: float, threshold: float) -> bool:
    # As the rounded similarities have it, so that a reader of the file comes to the same.
    return round(1 - similarity, 6) <= threshold


def _flags(own: Standing | None) -> tuple[str, ...]:
    if own is None:
        return ()
    said = ((own.similarity >= NEAR_ONE, UNCHANGED), (own.rank1 is False, NEARER))
    return tuple(words for holds, words in said if holds)


def _reason(gallery: Gallery, seen: Flags, at: int) -> str:
    reference = int(gallery.reference[at])
    if gallery.identity[at] < 0:
        return "the manifest names no identity"
    if not seen[at]:
        return "no face in this picture"
    if reference < 0:
        return "the reference is not among the pictures"
    return "no face in the reference" if not seen[reference] else "the reference has no identity"


def order_by_trouble(found: tuple[Image, ...]) -> Ints:
    """The positions of images with the most doubtful first: a nearer stranger, then the smallest margin."""
    keys = [
        (one.reference is not None, _margin(one), one.reference.similarity if one.reference else 0.0)
        for one in found
    ]
    return np.array(sorted(range(len(found)), key=keys.__getitem__), dtype=np.int64)


def _margin(one: Image) -> float:
    margin = one.reference.margin if one.reference else None
    return np.inf if margin is None else margin
