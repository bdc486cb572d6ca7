"""Which pictures a participant rates in one block."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Container, Sequence
from typing import Any

from core.plan.need import expected_half_width, is_done
from core.plan.sequence import Rules
from core.records import Places, Stimulus
from core.study import Study

Rank = Callable[[Stimulus], Any]


def ranked(
    study: Study,
    task: str,
    stimuli: Sequence[Stimulus],
    places: Places,
    *,
    held: Container[str],
    rng: random.Random,
) -> list[Stimulus]:
    """The stimuli in the order in which this participant should get them.

    The least filled come first: first of all those that the participant has in another set already
    (held), then by chance. With least-precise: those that are not done, first those without an interval,
    the least filled of them first, then the widest; of those that are done, which only fill up a block,
    the ones with the most ratings that are allowed come last.
    """
    key = (
        _by_width(study, task, places) if study.trials.assignment == "least-precise" else _by_n(task, places)
    )
    keys = {one.stimulus_id: (*key(one), one.stimulus_id not in held, rng.random()) for one in stimuli}
    return sorted(stimuli, key=lambda one: keys[one.stimulus_id])


def evenly(order: Sequence[Stimulus]) -> list[Stimulus]:
    """The same stimuli with each identity's first one before any one's second."""
    before, keys = Counter[str](), {}
    for at, one in enumerate(order):
        keys[one.stimulus_id] = (before[one.identity_id], at)
        before[one.identity_id] += 1
    return sorted(order, key=lambda one: keys[one.stimulus_id])


def chosen(
    order: Sequence[Stimulus], n: int, *, gold: Sequence[Stimulus], rules: Rules, trials: int
) -> list[Stimulus]:
    """The first n of an order that fit together in a block of so many trials; fewer where no more do.

    Left out is what would break most_per_identity, or leave too many faces of one identity or of one
    emotion to be kept apart.
    """
    room = _Room(rules, trials)
    for one in gold:
        room.take(one)
    found: list[Stimulus] = []
    for one in order:
        if len(found) == n:
            break
        if room.is_for(one):
            room.take(one)
            found.append(one)
    return found


def most_of_an_emotion(run: int | None, trials: int) -> int:
    """How many trials may intend one emotion if at most `run` of them follow each other."""
    return trials if run is None else run * (trials + 1) // (run + 1)


class _Room:
    """What still fits in a block, as far as counting can tell."""

    def __init__(self, rules: Rules, trials: int) -> None:
        self._rules, self._trials = rules, trials
        self._most = most_of_an_emotion(rules.run, trials)
        self._identities: Counter[str] = Counter()
        self._emotions: Counter[str | None] = Counter()
        self._beyond: Counter[int] = Counter()  # faces beyond the first k of each identity, by k

    def is_for(self, one: Stimulus) -> bool:
        held, most = self._identities[one.identity_id], self._rules.per_identity
        if (most is not None and held >= most) or self._emotions[one.intended_emotion] >= self._most:
            return False
        # All faces but the last k of each identity must come before the last k steps.
        step = self._rules.gap + 1
        return all(self._beyond[k] < self._trials - k * step for k in range(1, held + 1))

    def take(self, one: Stimulus) -> None:
        self._beyond.update(range(1, self._identities[one.identity_id] + 1))
        self._identities[one.identity_id] += 1
        self._emotions[one.intended_emotion] += 1


def _by_n(task: str, places: Places) -> Rank:
    counts = places.ratings.get(task, {})
    return lambda one: (counts.get(one.stimulus_id, 0),)


def _by_width(study: Study, task: str, places: Places) -> Rank:
    counts, most = places.ratings.get(task, {}), study.trials.most_ratings

    def rank(one: Stimulus) -> tuple[bool, bool, bool, float]:
        n = counts.get(one.stimulus_id, 0)
        width = expected_half_width(task, one.stimulus_id, places)
        return (
            is_done(study, task, one.stimulus_id, places),
            most is not None and n >= most,
            width is not None,
            n if width is None else -width,
        )

    return rank
