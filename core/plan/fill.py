"""One block: its pictures drawn and put in order, so that the constraints hold whatever chance says."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from core.plan.blocks import Load
from core.plan.draw import chosen, evenly
from core.plan.sequence import Rules, Slot, Wanted, arrange
from core.records import Stimulus
from core.study import Study

_TRIES = 6  # orders of one choice of pictures
_WITNESSES = 24


@dataclass(frozen=True, slots=True)
class Block:
    """What a block is filled from.

    stimuli: that are rated. gold: of the checks. faces: for instructed checks, the preferred ones first.
    """

    load: Load
    rules: Rules
    stimuli: Sequence[Stimulus]
    gold: Sequence[Stimulus]
    faces: Sequence[Stimulus]


def rules_of(study: Study) -> Rules:
    """The constraints of every block."""
    trials = study.trials
    return Rules(trials.identity_gap, trials.most_per_identity, trials.most_emotion_run, study.repeats.gap)


def chosen_in(block: Block, order: Sequence[Stimulus]) -> list[Stimulus]:
    """The pictures of a block: the first of an order that fit together."""
    load = block.load
    return chosen(order, load.main, gold=block.gold, rules=block.rules, trials=load.trials)


def shut_out(block: Block) -> list[Stimulus]:
    """The pictures that no block was found to hold beside its gold checks, whatever else it holds."""
    beside = partial(chosen, n=1, gold=block.gold, rules=block.rules, trials=block.load.trials)
    checked = {one.identity_id for one in block.gold}
    return [
        one
        for one in block.stimuli
        if not beside([one]) or (one.identity_id in checked and witness(block, of=one) is None)
    ]


def fill(
    block: Block, main: Sequence[Stimulus], order: Sequence[Stimulus], *, rng: random.Random
) -> tuple[Slot, ...] | None:
    """Put a block's chosen pictures in order; None when its constraints cannot be met.

    order: in which this participant should get the pictures. Where the chosen ones have no order that
    meets the constraints, others are taken, those that come first in `order` for each identity, and at
    last those of the one order that `witness` finds for every participant.
    """
    for pictures in _choices(block, main, order):
        if len(pictures) == block.load.main and (found := _arranged(block, pictures, rng, _TRIES)):
            return found
    safe = witness(block)
    return safe and _exchanged(safe, order, rng)


def witness(block: Block, *, of: Stimulus | None = None) -> tuple[Slot, ...] | None:
    """One way to fill a block that meets the constraints, always the same; None when none was found.

    of: a picture that the block has to hold.
    """
    stimuli = sorted(block.stimuli, key=lambda one: one.stimulus_id)
    faces = sorted(block.faces, key=lambda one: one.stimulus_id)
    for attempt in range(_WITNESSES):
        rng = random.Random(attempt)
        order = evenly(rng.sample(stimuli, len(stimuli)))
        if of is not None:
            order.sort(key=lambda one: one is not of)
        main = chosen_in(block, order)
        fresh = replace(block, faces=rng.sample(faces, len(faces)))
        if len(main) == block.load.main and (found := _arranged(fresh, main, rng, tries=3)):
            return found
    return None


def _choices(
    block: Block, main: Sequence[Stimulus], order: Sequence[Stimulus]
) -> Iterator[Sequence[Stimulus]]:
    yield main
    yield chosen_in(block, evenly(order))


def _arranged(
    block: Block, main: Sequence[Stimulus], rng: random.Random, tries: int
) -> tuple[Slot, ...] | None:
    load = block.load
    wanted = Wanted(main, load.repeats, block.gold, load.instructed, block.faces)
    return arrange(wanted, block.rules, rng=rng, tries=tries)


def _exchanged(slots: Sequence[Slot], order: Sequence[Stimulus], rng: random.Random) -> tuple[Slot, ...]:
    """The same order with other pictures of the same identities and emotions: those that come first.

    Repeats and checks that show a rated picture show the one in its place, so that no identity has more
    faces than before.
    """
    rated = defaultdict(list)
    for slot in slots:
        if slot.kind == "main":
            rated[_alike(slot.stimulus)].append(slot.stimulus.stimulus_id)
    found: dict[str, Stimulus] = {}
    for one in order:
        if free := rated[_alike(one)]:
            found[free.pop(rng.randrange(len(free)))] = one
    return tuple(
        replace(slot, stimulus=found.get(slot.stimulus.stimulus_id, slot.stimulus)) for slot in slots
    )


def _alike(one: Stimulus) -> tuple[str, str | None]:
    return (one.identity_id, one.intended_emotion)
