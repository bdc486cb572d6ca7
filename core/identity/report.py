"""Everything that one model's embeddings say of a set's identities, in one pass over each kind of pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from core.errors import AgreementError
from core.identity import images, pairs
from core.identity.gallery import KINDS, NOBODY, Flags, Floats32, Gallery, Impostors, Kind
from core.identity.images import Image, Nearest, Standing
from core.identity.pairs import Between, Counter, Sides
from core.identity.separation import RESAMPLES, About, Separation, separation

PAIRED: Mapping[Kind, str] = {
    "reference": "an edit with its reference; impostors: an edit with another identity's neutral",
    "edited_neutral": "an edit with its identity's edited neutral; impostors: with another identity's",
    "all_pairs": "all pairs of pictures of one identity; impostors: all pairs of two identities",
}
CONFOUNDED = (
    "There is no edited neutral (a neutral picture that has a reference), so a lower similarity may come "
    "from the expression or from editing as such: expression and editing are confounded."
)
UNMATCHED = (
    "The manifest says nothing of gender, ethnicity or age group, so impostors are any two people, which are "
    "easier to tell apart than two of a kind."
)


@dataclass(frozen=True, slots=True)
class Report:
    """One model's answers; where a number is missing, `missing` says why, by (kind, impostors)."""

    model: str
    headline: Impostors
    separations: tuple[Separation, ...]
    images: tuple[Image, ...]
    missing: Mapping[tuple[Kind, Impostors], str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def of(self, kind: Kind, impostors: Impostors | None = None) -> Separation | None:
        """The separation of a kind of pair, against the headline's impostors unless others are asked for."""
        wanted = (kind, impostors or self.headline)
        return next((one for one in self.separations if (one.kind, one.impostors) == wanted), None)


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    pair: Sides
    mine: pairs.Within
    levels: Floats32
    theirs: Mapping[Impostors, Between]
    nearest: Nearest


def compute(
    model: str,
    embeddings: npt.ArrayLike,
    gallery: Gallery,
    *,
    threshold: float | None = None,
    needs_edits: bool = True,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Report:
    """Report on one model's embeddings of a gallery's pictures.

    embeddings: shape (pictures, dimensions), each of length 1, or NaN where there is no face.
    threshold: the cosine distance up to which the model's authors say "the same person".
    needs_edits: photographs of people without references still have pairs; False reports on these alone.
    Raises AgreementError where the embeddings do not fit, or there is no edit with a face and a reference.
    """
    found = pairs.usable(embeddings, len(gallery.pictures))
    seen: Flags = np.asarray(np.isfinite(found).all(axis=1))
    headline = _headline(gallery, seen)
    counted = {kind: _counted(found, gallery, seen, kind, seed) for kind in KINDS}
    if needs_edits and not len(counted["reference"].pair.first):
        raise AgreementError(
            f"{model}: no edit has a face, an identity and a reference with a face; needed is at least one: "
            "name identities and references in the manifest, or try another detector"
        )
    separations, missing = _separations(gallery, counted, seed, resamples)
    return Report(
        model=model,
        headline=headline,
        separations=separations,
        images=images.images(
            gallery,
            seen,
            _standings(gallery, counted["reference"], headline),
            _standings(gallery, counted["edited_neutral"], headline),
            impostors=headline,
            threshold=threshold,
        ),
        missing=missing,
        notes=tuple(_notes(gallery, headline)),
    )


def _headline(gallery: Gallery, seen: Flags) -> Impostors:
    pair = pairs.sides(gallery, seen, "reference")
    if not len(pair.first):
        pair = pairs.sides(gallery, seen, "all_pairs")
    return "matched" if gallery.matched_on and pairs.count(gallery, pair, matched=True) else "all"


def _notes(gallery: Gallery, headline: Impostors) -> Sequence[str]:
    notes = []
    if not (gallery.edited_neutral != NOBODY).any():
        notes.append(CONFOUNDED)
    if headline == "all":
        traits = " and ".join(gallery.matched_on).replace("_", " ")
        notes.append(
            f"No two identities share {traits}, so impostors are any two people." if traits else UNMATCHED
        )
    return notes


def _counted(embeddings: Floats32, gallery: Gallery, seen: Flags, kind: Kind, seed: int) -> _Counted:
    pair = pairs.sides(gallery, seen, kind)
    mine = pairs.within(embeddings, gallery, pair)
    levels = np.unique(mine.values)
    wanted: tuple[Impostors, ...] = ("matched", "all") if gallery.matched_on else ("all",)
    counters = {
        which: Counter(
            pairs.count(gallery, pair, matched=which == "matched"), levels, rng=np.random.default_rng(seed)
        )
        for which in wanted
    }
    nearest = Nearest(len(pair.first))
    for rows, similarities in pairs.blocks(embeddings, pair):
        if not pair.triangle:
            nearest.add(gallery, pair, rows, similarities)
        for which, counter in counters.items():
            apart = pairs.strangers(gallery, pair, rows, matched=which == "matched")
            counter.add(gallery, pair, rows, similarities, apart)
    return _Counted(pair, mine, levels, {which: one.result() for which, one in counters.items()}, nearest)


def _separations(
    gallery: Gallery, counted: Mapping[Kind, _Counted], seed: int, resamples: int
) -> tuple[tuple[Separation, ...], dict[tuple[Kind, Impostors], str]]:
    found: list[Separation] = []
    missing: dict[tuple[Kind, Impostors], str] = {}
    for kind, one in counted.items():
        for which, theirs in one.theirs.items():
            about = _about(gallery, one, kind, which, theirs, resamples)
            rng = np.random.default_rng(seed)
            try:
                found.append(separation(one.mine, theirs, about, rng=rng, resamples=resamples))
            except AgreementError as error:
                missing[kind, which] = str(error)
    return tuple(found), missing


def _about(
    gallery: Gallery, one: _Counted, kind: Kind, which: Impostors, theirs: Between, resamples: int
) -> About:
    pictures = np.union1d(one.pair.first, one.pair.second)
    n_identities = len(np.unique(gallery.identity[pictures]))
    matched = (
        f" of the same {' and '.join(gallery.matched_on).replace('_', ' ')}" if which == "matched" else ""
    )
    carried = len(theirs.values)
    drawn = (
        f"; {carried} of {theirs.n} impostor pairs, drawn at random, carry it" if carried < theirs.n else ""
    )
    method = (
        f"{PAIRED[kind]}{matched}; percentile bootstrap of {resamples} resamples of {n_identities} "
        f"identities{drawn}"
    )
    return About(kind, which, n_identities, len(pictures), method)


def _standings(gallery: Gallery, one: _Counted, headline: Impostors) -> dict[int, Standing]:
    shares = images.percentiles(one.mine.values, one.levels, one.theirs[headline])
    return images.standings(gallery, one.pair, one.mine.values, shares, one.nearest)
