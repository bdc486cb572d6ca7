"""In which order the trials of a block come, so that its constraints hold.

A search that goes back from dead ends: at each position it takes the first trial, in a random order, that
the rules allow and after which the rest can still be spread out.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from core.records import Stimulus

Kind = Literal["main", "repeat", "gold", "instructed"]
_STEPS = 6  # of a search for each trial, before it begins anew with another random order


@dataclass(frozen=True, slots=True)
class Rules:
    """What must hold in the order of a block.

    gap: trials between two faces of one identity. per_identity: most faces of one identity.
    run: most equal intended emotions in a row. repeat_gap: trials between a trial and its repeat, fewer
    where there is no other way.
    """

    gap: int
    per_identity: int | None
    run: int | None
    repeat_gap: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be put in order.

    faces: for the instructed checks, those to be taken first coming first.
    """

    main: Sequence[Stimulus]
    repeats: int
    gold: Sequence[Stimulus]
    instructed: int
    faces: Sequence[Stimulus]


@dataclass(frozen=True, slots=True)
class Slot:
    """One position of a block; `of` is the position whose trial is shown again."""

    kind: Kind
    stimulus: Stimulus
    of: int | None = None


def arrange(wanted: Wanted, rules: Rules, *, rng: random.Random, tries: int) -> tuple[Slot, ...] | None:
    """Put a block in order; None when no order was found.

    A repeat comes as late after its original as the rules say, or as late as was found to be possible.
    """
    n_checks = len(wanted.gold) + wanted.instructed
    repeat_gap = min(rules.repeat_gap, len(wanted.main) - 1 + n_checks)
    while True:
        for _ in range(tries):
            kinds = _kinds(wanted, repeat_gap, rng)
            if kinds is not None and (found := _Search(wanted, rules, kinds, repeat_gap, rng).run()):
                return found
        if not wanted.repeats or repeat_gap <= 0:
            return None
        repeat_gap = min(repeat_gap - 1, int(repeat_gap * 0.8))


def _kinds(wanted: Wanted, repeat_gap: int, rng: random.Random) -> list[Kind] | None:
    """Which kind of trial comes at each position; None where repeats cannot be so far from their originals.

    Checks are spread evenly, each after another trial, so that none is first and no two follow each other.
    """
    checks: list[Kind] = ["gold" for _ in wanted.gold]
    checks += ["instructed" for _ in range(wanted.instructed)]
    n, n_checks = len(wanted.main) + wanted.repeats, len(checks)
    if n_checks > n:
        return None
    rng.shuffle(checks)
    after = {rng.randrange(k * n // n_checks, (k + 1) * n // n_checks) for k in range(n_checks)}
    kinds: list[Kind] = []
    for other in range(n):
        kinds.append("main")
        if other in after:
            kinds.append(checks.pop())
    if not wanted.repeats:
        return kinds
    free = [at for at, kind in enumerate(kinds) if kind == "main"]
    late = [at for at in free if at > repeat_gap]
    for places in (rng.sample(late, wanted.repeats) if len(late) >= wanted.repeats else (), free):
        chosen = sorted(places)[-wanted.repeats :]
        if chosen and _can_repeat(free, chosen, repeat_gap):
            again = set(chosen)
            return ["repeat" if at in again else kind for at, kind in enumerate(kinds)]
    return None


def _can_repeat(free: Sequence[int], repeats: Sequence[int], repeat_gap: int) -> bool:
    """Whether each of the repeats, in order, finds one more original that is far enough before it."""
    again, before, originals = set(repeats), 0, 0
    for number, at in enumerate(repeats, start=1):
        while before < len(free) and free[before] < at - repeat_gap:
            originals += free[before] not in again
            before += 1
        if originals < number:
            return False
    return True


class _Search:
    """One search with one random order of everything."""

    def __init__(
        self, wanted: Wanted, rules: Rules, kinds: Sequence[Kind], repeat_gap: int, rng: random.Random
    ) -> None:
        self._rules, self._kinds, self._repeat_gap, self._rng = rules, kinds, repeat_gap, rng
        self._left = {"main": rng.sample(wanted.main, len(wanted.main)), "gold": list(wanted.gold)}
        rng.shuffle(self._left["gold"])
        self._faces = wanted.faces
        self._slots: list[Slot] = []
        self._runs: list[int] = []
        self._last: dict[str, int] = {}
        self._repeated: set[int] = set()
        listed = [*wanted.main, *wanted.gold]
        self._files = {each.stimulus_id for each in listed}
        self._faces_of = Counter(each.identity_id for each in listed)
        self._waiting = Counter(each.identity_id for each in listed)
        self._emotions = Counter(each.intended_emotion for each in listed)
        # How many identities have more than k faces left, for each k.
        self._levels = [0] * max(self._waiting.values(), default=0)
        for n in self._waiting.values():
            for k in range(n):
                self._levels[k] += 1

    def run(self) -> tuple[Slot, ...] | None:
        """The slots in order, or None when the steps are used up or every order was tried."""
        stack = [self._candidates()]
        for _ in range(_STEPS * len(self._kinds) + 50):
            if next(stack[-1], None) is None:
                stack.pop()
                if not stack:
                    return None
            elif len(self._slots) == len(self._kinds):
                return tuple(self._slots)
            else:
                stack.append(self._candidates())
        return None

    def _candidates(self) -> Iterator[bool]:
        """Put one slot after the other at the next position, taking each back when the next is wanted."""
        kind = self._kinds[len(self._slots)]
        if kind == "repeat":
            return self._repeats()
        return self._checks() if kind == "instructed" else self._waiting_ones(kind)

    def _waiting_ones(self, kind: Literal["main", "gold"]) -> Iterator[bool]:
        left, tried = self._left[kind], set()
        for at in range(len(left)):
            one = left[at]
            # Two pictures of one identity and emotion fit in the same places.
            alike = (one.identity_id, one.intended_emotion)
            if alike in tried or not self._allowed(one):
                continue
            tried.add(alike)
            del left[at]
            self._count(one, -1)
            yield from self._put(Slot(kind, one))
            self._count(one, 1)
            left.insert(at, one)

    def _repeats(self) -> Iterator[bool]:
        far = len(self._slots) - self._repeat_gap
        places = [at for at in range(far) if self._kinds[at] == "main" and at not in self._repeated]
        self._rng.shuffle(places)
        tried = set()
        for at in places:
            one = self._slots[at].stimulus
            alike = (one.identity_id, one.intended_emotion)
            if alike in tried or not self._allowed(one):
                continue
            tried.add(alike)
            self._repeated.add(at)
            yield from self._put(Slot("repeat", one, of=at))
            self._repeated.discard(at)

    def _checks(self) -> Iterator[bool]:
        tried = set()
        for one in self._faces:
            alike = (one.identity_id, one.intended_emotion, one.stimulus_id in self._files)
            if alike in tried or not self._allowed(one) or not self._has_room(one):
                continue
            tried.add(alike)
            new = one.stimulus_id not in self._files
            if new:
                self._files.add(one.stimulus_id)
                self._faces_of[one.identity_id] += 1
            yield from self._put(Slot("instructed", one))
            if new:
                self._files.discard(one.stimulus_id)
                self._faces_of[one.identity_id] -= 1

    def _has_room(self, one: Stimulus) -> bool:
        most = self._rules.per_identity
        return most is None or one.stimulus_id in self._files or self._faces_of[one.identity_id] < most

    def _count(self, one: Stimulus, step: int) -> None:
        before = self._waiting[one.identity_id]
        self._waiting[one.identity_id] += step
        self._levels[min(before, before + step)] += step
        self._emotions[one.intended_emotion] += step

    def _put(self, slot: Slot) -> Iterator[bool]:
        identity = slot.stimulus.identity_id
        run, before = self._run_with(slot.stimulus), self._last.get(identity)
        self._last[identity] = len(self._slots)
        self._slots.append(slot)
        self._runs.append(run)
        if self._rest_fits():
            yield True
        self._slots.pop()
        self._runs.pop()
        if before is None:
            del self._last[identity]
        else:
            self._last[identity] = before

    def _allowed(self, one: Stimulus) -> bool:
        last = self._last.get(one.identity_id)
        if last is not None and len(self._slots) - last <= self._rules.gap:
            return False
        return self._rules.run is None or self._run_with(one) <= self._rules.run

    def _run_with(self, one: Stimulus) -> int:
        """How many equal emotions in a row there are with this one; without an emotion there is no row."""
        if one.intended_emotion is None:
            return 0
        if self._slots and self._slots[-1].stimulus.intended_emotion == one.intended_emotion:
            return self._runs[-1] + 1
        return 1

    def _rest_fits(self) -> bool:
        """Whether what must still come could be spread over the positions left; needed, not sufficient."""
        return self._identities_fit() and (self._rules.run is None or self._emotions_fit(self._rules.run))

    def _identities_fit(self) -> bool:
        step, end = self._rules.gap + 1, len(self._kinds)
        if step == 1:
            return True
        here = len(self._slots)
        # Of those shown lately, the first that is left must wait.
        for at in range(max(0, here - step), here):
            left = self._waiting[self._slots[at].stimulus.identity_id]
            if left and at + left * step >= end:
                return False
        # All faces but the last k of each identity must come before the last k steps.
        beyond = 0
        for k in range(len(self._levels) - 1, 0, -1):
            beyond += self._levels[k]
            if beyond > max(0, end - here - k * step):
                return False
        return True

    def _emotions_fit(self, most: int) -> bool:
        rest = len(self._kinds) - len(self._slots)
        last = self._slots[-1].stimulus.intended_emotion
        for emotion, left in self._emotions.items():
            first = most - self._runs[-1] if emotion == last else most
            if emotion is not None and left > first + most * (rest - left):
                return False
        return True
