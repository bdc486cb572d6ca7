"""In which order a participant gets the task sets, and the options of a choice."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Mapping, Sequence

from core import tasks
from core.study import Study, asked

LAST = ("neutral", "other")  # a random order of options keeps these at its end
Order = tuple[str, ...]


def of_sets(study: Study, orders: Mapping[Order, int], *, rng: random.Random) -> Order:
    """The order of the task sets for one participant who does all of them.

    orders: how many have which order so far. Stages come one after the other. Within a stage a Latin
    square gives each set each position equally often: the rows least used come first, then those that
    even out the positions, then chance.
    """
    order: Order = ()
    for stage in _stages(study):
        if study.tasks.order == "shuffled":
            order += tuple(rng.sample(stage, len(stage)))
        elif study.tasks.order == "fixed":
            order += stage
        else:
            order += _least_used(stage, _of_stage(orders, stage), rng)
    return order


def williams(names: Sequence[str]) -> tuple[Order, ...]:
    """A Latin square in which each name follows each other one equally often; with mirrored rows if odd.

    Source: Williams (1949), Australian Journal of Scientific Research A 2, 149-168.
    """
    n = len(names)
    zigzag = [(k + 1) // 2 if k % 2 else n - k // 2 for k in range(n)]
    rows = [tuple(names[(start + step) % n] for step in zigzag) for start in range(n)]
    if n % 2:
        rows += [row[::-1] for row in rows]
    return tuple(dict.fromkeys(rows))


def option_order(study: Study, *, rng: random.Random) -> dict[str, tuple[str, ...]]:
    """The order of each asked choice's options for one participant."""
    order = {}
    for scale_id, scale in asked(study):
        if scale.kind != "choice":
            continue
        codes = list(scale.options)
        if scale.option_order == "random":
            first = [code for code in codes if code not in LAST]
            rng.shuffle(first)
            codes = first + [code for code in codes if code in LAST]
        order[scale_id] = tuple(codes)
    return order


def _stages(study: Study) -> list[Order]:
    by_stage = sorted(tasks.sets(study), key=lambda each: each.stage)
    groups = itertools.groupby(by_stage, key=lambda each: each.stage)
    return [tuple(each.id for each in group) for _, group in groups]


def _of_stage(orders: Mapping[Order, int], stage: Order) -> Counter[Order]:
    """How often the sets of one stage came in each order."""
    found: Counter[Order] = Counter()
    for order, n in orders.items():
        found[tuple(name for name in order if name in stage)] += n
    return found


def _least_used(stage: Order, used: Counter[Order], rng: random.Random) -> Order:
    at = Counter((place, name) for row, n in used.items() for _ in range(n) for place, name in enumerate(row))
    rows = williams(stage)
    keys = {row: (used[row], sum(at[where] for where in enumerate(row)), rng.random()) for row in rows}
    return min(rows, key=keys.__getitem__)
