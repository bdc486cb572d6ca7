"""Intended against perceived emotions: the long confusion table, hit rates, and what labels do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.agreement import confusion
from core.agreement.confusion import Confusion
from core.agreement.estimate import Ints

CONFUSION = ("intended", "perceived", "n", "proportion")
HITS = ("emotion", "n", "hits", "h", "h_low", "h_high", "hu", "chance")

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Labels:
    """The intended emotions and the responses that somebody gave."""

    intended: tuple[str, ...]
    perceived: tuple[str, ...]

    @property
    def lists(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Both lists."""
        return self.intended, self.perceived

    @property
    def shared(self) -> tuple[str, ...]:
        """The labels that both know."""
        return tuple(label for label in self.intended if label in self.perceived)

    @property
    def others(self) -> tuple[str, ...]:
        """The responses that are no intended label."""
        return tuple(label for label in self.perceived if label not in self.intended)

    @property
    def responses(self) -> tuple[str, ...]:
        """The columns of the confusion: the intended labels first, unused ones too if any was used."""
        return (self.intended if self.shared else ()) + self.others


def labels(intended: Sequence[str | None], perceived: Sequence[str]) -> Labels:
    """The two lists of labels, each once and in their order."""
    rows = tuple(dict.fromkeys(label for label in intended if label is not None))
    return Labels(rows, tuple(perceived))


def warnings(found: Labels) -> Iterator[str]:
    """What a reader of the hit rates should know of the labels."""
    lower = {label.lower(): label for label in found.intended}
    if alike := [label for label in found.others if label.lower() in lower]:
        meant = ", ".join(f"{label} for {lower[label.lower()]}" for label in alike)
        yield f"some responses differ from an intended label in capitals alone ({meant}); write them alike"
    if not found.shared:
        yield (
            f"no response is one of the intended labels {', '.join(found.intended)}; responses are "
            f"{', '.join(found.perceived)}: no hit rates are given; write both with the same words, letter "
            "by letter"
        )
        return
    if unused := [label for label in found.intended if label not in found.perceived]:
        yield (
            f"the responses do not cover the intended labels: nobody chose {', '.join(unused)}; H and Hu are "
            "0 there, which says nothing if it was no option"
        )
    if found.others:
        yield f"the responses {', '.join(found.others)} are no intended label; they count as misses"


def table(intended: Ints, perceived: Ints, known: Labels) -> Confusion | None:
    """The counts of pairs of positions in the two lists; None where no pair is complete."""
    given = (intended >= 0) & (perceived >= 0)
    pairs, n = np.unique(np.stack([intended[given], perceived[given]]), axis=1, return_counts=True)
    if not len(n):
        return None
    first, second = ([names[at] for at in places] for names, places in zip(known.lists, pairs, strict=True))
    return confusion.table(first, second, rows=known.intended, columns=known.responses, n=n)


def confusion_rows(counted: Confusion) -> Iterator[Row]:
    """One row per intended and perceived label, cells without a response too."""
    shares = confusion.proportions(counted)
    for i, intended in enumerate(counted.rows):
        for j, perceived in enumerate(counted.columns):
            yield dict(
                zip(
                    CONFUSION,
                    (intended, perceived, int(counted.counts[i, j]), float(shares[i, j])),
                    strict=True,
                )
            )


def hit_rows(counted: Confusion) -> Iterator[Row]:
    """One row per label that is intended and was used as a response."""
    for hit in confusion.hits(counted):
        cells = (hit.label, hit.n, hit.hits, hit.h, hit.low, hit.high, hit.hu, hit.chance)
        yield dict(zip(HITS, cells, strict=True))
