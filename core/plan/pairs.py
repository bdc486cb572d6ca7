"""The identity pairs: a neutral with an edit of the same identity, or, as a foil, of another one."""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.design_rules import PAIRS
from core.plan.blocks import rateable
from core.plan.checks import by_file
from core.records import Places, Shown, Stimulus
from core.study import Study

NEUTRAL = "neutral"
_ORDERS = 30  # random orders from which the one with the fewest neighbours of one identity is taken


@dataclass(frozen=True, slots=True)
class Pair:
    """A neutral and an edit; of two people where it is a foil."""

    neutral: Stimulus
    edit: Stimulus
    is_foil: bool
    neutral_first: bool = True

    @property
    def identities(self) -> frozenset[str]:
        """Who is shown."""
        return frozenset((self.neutral.identity_id, self.edit.identity_id))

    @property
    def shown(self) -> tuple[Shown, ...]:
        """The two faces from left to right."""
        sides = (Shown("reference", self.neutral.stimulus_id), Shown("target", self.edit.stimulus_id))
        return sides if self.neutral_first else sides[::-1]


def draw(study: Study, stimuli: Sequence[Stimulus], places: Places, *, rng: random.Random) -> list[Pair]:
    """One participant's pairs in order, half of them foils; none where no foil can be made.

    The least filled edits come first, chance deciding among equals and then an even share of emotions
    and identities. A foil has the emotion of a pair that is none, so that the emotion tells nothing.
    """
    if not study.identity_pairs.per_participant:
        return []
    made = _Pairs(study, stimuli)
    same = made.same(_number(study, made), places.ratings.get(PAIRS, {}), rng)
    n_foils = min(study.identity_pairs.per_participant, 2 * len(same)) // 2
    foils = made.foils([pair.edit for pair in same[:n_foils]], rng)
    return _spaced([*_sided(same, rng), *_sided(foils, rng)], rng)


def count(study: Study, stimuli: Sequence[Stimulus]) -> tuple[int, int]:
    """How many pairs and how many foils one participant gets."""
    if not study.identity_pairs.per_participant:
        return 0, 0
    n = _number(study, _Pairs(study, stimuli))
    return n, min(study.identity_pairs.per_participant, 2 * n) // 2


def n_edits(study: Study, stimuli: Sequence[Stimulus]) -> int:
    """How many edits are shown beside their neutral: those that a foil can be made for."""
    return len(_Pairs(study, stimuli).with_foil)


def warnings(study: Study, stimuli: Sequence[Stimulus]) -> Iterator[str]:
    """What researchers should know about their pairs."""
    if not study.identity_pairs.per_participant:
        return
    made = _Pairs(study, stimuli)
    wanted = study.identity_pairs.per_participant
    n, n_foils = count(study, stimuli)
    if n + n_foils < wanted:
        yield (
            f"identity_pairs: {n + n_foils} of {wanted} pairs for each participant: {len(made.neutral_of)} "
            f"edits have a neutral and {len(made.with_foil)} of these a foil of the same emotion"
        )
    unmatched = [one for one in made.with_foil if not made.is_matched(one)]
    if n_foils and unmatched:
        yield (
            f"identity_pairs: no other identity equals {unmatched[0].identity_id!r} in "
            f"{', '.join(made.columns)} for a foil that shows {unmatched[0].intended_emotion!r} "
            f"({len(unmatched)} of {len(made.with_foil)} edits); the one with the most equal columns is taken"
        )


def _number(study: Study, made: _Pairs) -> int:
    """How many pairs of one person: half of all, the odd one with them."""
    most = study.identity_pairs.per_participant
    return min(most - most // 2, len(made.with_foil))


class _Pairs:
    """The pairs that a study's pictures allow."""

    def __init__(self, study: Study, stimuli: Sequence[Stimulus]) -> None:
        files = by_file(stimuli)
        rated = rateable(study, stimuli)
        neutrals: dict[str, Stimulus] = {}
        for one in stimuli:
            if one.rated and one.intended_emotion == NEUTRAL:
                neutrals.setdefault(one.identity_id, one)
        self._by_id = {one.stimulus_id: one for one in rated}
        self.neutral_of: dict[str, Stimulus] = {}
        for one in rated:
            neutral = files.get(one.reference_file or "") or neutrals.get(one.identity_id)
            if (
                neutral is not None
                and neutral.stimulus_id != one.stimulus_id
                and (one.reference_file or not _is_neutral(one))
            ):
                self.neutral_of[one.stimulus_id] = neutral
        self.columns = _columns(study.identity_pairs.match, rated)
        self._by_emotion = defaultdict(list)
        for stimulus_id in self.neutral_of:
            one = self._by_id[stimulus_id]
            self._by_emotion[one.intended_emotion].append(one)
        identities = {
            emotion: {one.identity_id for one in edits} for emotion, edits in self._by_emotion.items()
        }
        self.with_foil = [
            self._by_id[name]
            for name in self.neutral_of
            if len(identities[self._by_id[name].intended_emotion]) > 1
        ]
        self._kinds: dict[tuple[object, ...], set[str]] = defaultdict(set)
        for one in self.with_foil:
            self._kinds[self._kind(one)].add(one.identity_id)

    def same(self, n: int, counts: Mapping[str, int], rng: random.Random) -> list[Pair]:
        """Pairs of one person: the least filled edits, of even shares of emotions and identities."""
        edits = self.with_foil
        tie = {one.stimulus_id: rng.random() for one in edits}
        emotions, identities, found = Counter[str | None](), Counter[str](), list[Pair]()
        left = {one.stimulus_id: one for one in edits}
        while len(found) < n:
            least = min(counts.get(name, 0) for name in left)
            one = min(
                (each for name, each in left.items() if counts.get(name, 0) == least),
                key=lambda one: (
                    emotions[one.intended_emotion],
                    identities[one.identity_id],
                    tie[one.stimulus_id],
                ),
            )
            del left[one.stimulus_id]
            emotions[one.intended_emotion] += 1
            identities[one.identity_id] += 1
            found.append(Pair(self.neutral_of[one.stimulus_id], one, is_foil=False))
        return found

    def foils(self, edits: Sequence[Stimulus], rng: random.Random) -> list[Pair]:
        """Pairs of two people, one of each emotion that these edits show."""
        used, found = Counter(one.stimulus_id for one in edits), list[Pair]()
        shown = Counter(one.identity_id for one in edits)
        for like in edits:
            group = rng.sample(
                self._by_emotion[like.intended_emotion], len(self._by_emotion[like.intended_emotion])
            )
            # Who is matched exactly comes first, then who was shown least.
            one = min(group, key=lambda each: (not self.is_matched(each), shown[each.identity_id]))
            others = [each for each in group if each.identity_id != one.identity_id]
            edit = min(
                others,
                key=lambda each: (-self._equal(one, each), used[each.stimulus_id], shown[each.identity_id]),
            )
            used[edit.stimulus_id] += 1
            shown.update((one.identity_id, edit.identity_id))
            found.append(Pair(self.neutral_of[one.stimulus_id], edit, is_foil=True))
        return found

    def is_matched(self, one: Stimulus) -> bool:
        """Whether another identity has an edit of the same emotion, and equals this one in all columns."""
        return len(self._kinds[self._kind(one)]) > 1

    def _kind(self, one: Stimulus) -> tuple[object, ...]:
        return (one.intended_emotion, *(one.extra.get(name) for name in self.columns))

    def _equal(self, one: Stimulus, other: Stimulus) -> int:
        return sum(one.extra.get(name) == other.extra.get(name) for name in self.columns)


def _columns(match: Iterable[str], rated: Sequence[Stimulus]) -> tuple[str, ...]:
    """The columns to match on that the manifest has."""
    return tuple(name for name in match if any(one.extra.get(name) for one in rated))


def _is_neutral(one: Stimulus) -> bool:
    return one.intended_emotion == NEUTRAL


def _sided(pairs: Sequence[Pair], rng: random.Random) -> list[Pair]:
    """The pairs with the neutral on the left in half of them."""
    first = rng.random() < 0.5
    sides = [first if k % 2 else not first for k in range(len(pairs))]
    rng.shuffle(sides)
    return [
        Pair(pair.neutral, pair.edit, pair.is_foil, side) for pair, side in zip(pairs, sides, strict=True)
    ]


def _spaced(pairs: Sequence[Pair], rng: random.Random) -> list[Pair]:
    """The pairs in random order, with as few neighbours of one identity as was found."""
    orders = (_walk(rng.sample(pairs, len(pairs))) for _ in range(_ORDERS))
    best, fewest = list(pairs), len(pairs) + 1
    for order in orders:
        clashes = sum(bool(a.identities & b.identities) for a, b in itertools.pairwise(order))
        if clashes < fewest:
            best, fewest = order, clashes
        if not fewest:
            break
    return best


def _walk(pairs: list[Pair]) -> list[Pair]:
    """The pairs in this order, but each time the next one that shows nobody of the one before."""
    order: list[Pair] = []
    while pairs:
        free = (at for at, pair in enumerate(pairs) if order and not pair.identities & order[-1].identities)
        order.append(pairs.pop(next(free, 0)))
    return order
