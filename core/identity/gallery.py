"""The pictures of a set with who they show: which are edits, of what, and whose impostors match."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.agreement.estimate import Ints
from core.identity import references

Kind = Literal["reference", "edited_neutral", "all_pairs"]
Impostors = Literal["matched", "all"]
Floats32 = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

KINDS: tuple[Kind, ...] = ("reference", "edited_neutral", "all_pairs")
MATCHED_ON = ("gender", "ethnicity", "age_group")
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture as its manifest describes it; identity and reference may be unknown."""

    stim_file: str
    identity_id: str | None
    intended_emotion: str | None = None
    reference_file: str | None = None
    traits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Pictures by position, and what follows from their manifest; -1 stands for none.

    identity, group: codes, shape (pictures,); a group shares all traits in `matched_on`.
    reference, edited_neutral: the position of the picture that each edit is compared with.
    is_neutral: pictures that an impostor's edit is compared with: references and unedited neutrals.
    """

    pictures: tuple[Picture, ...]
    identity: Ints
    group: Ints
    reference: Ints
    edited_neutral: Ints
    is_neutral: Flags
    matched_on: tuple[str, ...]

    @property
    def edits(self) -> Ints:
        """The positions of all pictures that name, or by the rule have, a reference."""
        return np.array([at for at, one in enumerate(self.pictures) if one.reference_file], dtype=np.int64)


def build(pictures: Sequence[Picture]) -> Gallery:
    """Work out who belongs to whom; a reference that is no picture of the set is -1."""
    place = {one.stim_file: at for at, one in enumerate(pictures)}
    identity = _codes([one.identity_id for one in pictures])
    reference = _positions(place.get(one.reference_file or "", NOBODY) for one in pictures)
    traits = tuple(name for name in MATCHED_ON if any(one.traits.get(name) for one in pictures))
    return Gallery(
        pictures=tuple(pictures),
        identity=identity,
        group=_groups(pictures, traits),
        reference=reference,
        edited_neutral=_edited_neutrals(pictures, reference),
        is_neutral=_neutrals(pictures, reference),
        matched_on=traits,
    )


def _positions(found: Iterable[int]) -> Ints:
    return np.fromiter(found, dtype=np.int64)


def _codes(names: Sequence[object]) -> Ints:
    """A number for each name, the same for the same one; -1 for None."""
    known: dict[object, int] = {}
    return _positions(NOBODY if name is None else known.setdefault(name, len(known)) for name in names)


def _groups(pictures: Sequence[Picture], traits: Sequence[str]) -> Ints:
    """The group of each picture's identity: a trait that its rows contradict, or none names, is unknown."""
    said: dict[str | None, list[set[str]]] = {}
    for one in pictures:
        sets = said.setdefault(one.identity_id, [set() for _ in traits])
        for values, trait in zip(sets, traits, strict=True):
            values.update(filter(None, [one.traits.get(trait)]))
    groups = {
        identity: tuple(next(iter(values)) for values in sets)
        for identity, sets in said.items()
        if traits and identity is not None and all(len(values) == 1 for values in sets)
    }
    return _codes([groups.get(one.identity_id or "") for one in pictures])


def _edited_neutrals(pictures: Sequence[Picture], reference: Ints) -> Ints:
    """For each edit with an expression, the first edited neutral of the same identity and reference."""
    first: dict[tuple[str | None, int], int] = {}
    for at, one in enumerate(pictures):
        if one.intended_emotion == references.NEUTRAL and reference[at] != NOBODY:
            first.setdefault((one.identity_id, int(reference[at])), at)
    return _positions(
        NOBODY
        if one.intended_emotion == references.NEUTRAL or reference[at] == NOBODY
        else first.get((one.identity_id, int(reference[at])), NOBODY)
        for at, one in enumerate(pictures)
    )


def _neutrals(pictures: Sequence[Picture], reference: Ints) -> Flags:
    is_neutral = np.array(
        [one.intended_emotion == references.NEUTRAL and not one.reference_file for one in pictures], bool
    )
    is_neutral[reference[reference != NOBODY]] = True
    return is_neutral
