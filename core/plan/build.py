"""One participant's whole plan: practice, a block for each task set, identity pairs."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from core import tasks
from core.design_rules import PAIRS
from core.errors import StudyError
from core.plan import blocks, checks, draw, fill, need, order, pairs
from core.plan.sequence import Slot
from core.records import Expected, Places, Plan, Role, Shown, Stimulus, Trial
from core.study import Study
from core.study_design import TaskSet
from core.study_rules import EMOTION

Files = Mapping[str, Stimulus]


def build(study: Study, stimuli: Sequence[Stimulus], places: Places, *, rng: random.Random) -> Plan:
    """Draw one participant's trials.

    places: what is planned or done so far.
    rng: seeded apart for each session, since it also gives the trials' ids.
    Raises StudyError when the stimuli do not suffice or the constraints cannot be met, which `check` says
    before anybody begins.
    """
    files = checks.by_file(stimuli)
    done = _sets(study, stimuli, places, rng)
    instructed = blocks.instructed_at_random(study, done, rng=rng)
    wanted = [_Drawn(study, each, instructed[each.id], stimuli) for each in done]
    held: set[str] = set()
    for one in wanted:
        one.choose(places, held, rng)
    trials = _practice(study, done, files, rng)
    for number, one in enumerate(wanted, start=1):
        trials += _numbered(one.trials(held, files, rng), number, len(trials))
    found = pairs.draw(study, stimuli, places, rng=rng)
    shown = [Trial(_id(rng), 0, 0, pair.shown, task=PAIRS, is_foil=pair.is_foil) for pair in found]
    trials += _numbered(shown, len(done) + 1, len(trials))
    return Plan(tuple(each.id for each in done), tuple(trials))


def _sets(
    study: Study, stimuli: Sequence[Stimulus], places: Places, rng: random.Random
) -> tuple[TaskSet, ...]:
    """The task sets of one participant in order."""
    by_id = {each.id: each for each in tasks.sets(study)}
    if study.tasks.design == "within":
        return tuple(by_id[name] for name in order.of_sets(study, places.orders, rng=rng))
    needs = {name: (need.missing(study, name, stimuli, places), rng.random()) for name in by_id}
    return (by_id[max(needs, key=needs.__getitem__)],)


class _Drawn:
    """One block on its way: its pictures are chosen, then put in order when those of all blocks are known."""

    def __init__(self, study: Study, task: TaskSet, instructed: int, stimuli: Sequence[Stimulus]) -> None:
        self._study, self._task = study, task
        self._load = blocks.load(study, task, instructed=instructed)
        self._block = block_of(study, self._load, stimuli)
        self._order: list[Stimulus] = []
        self._main: list[Stimulus] = []

    def choose(self, places: Places, held: set[str], rng: random.Random) -> None:
        """Choose the pictures and note them in `held`."""
        stimuli = self._block.stimuli
        self._order = draw.ranked(self._study, self._task.id, stimuli, places, held=held, rng=rng)
        self._main = fill.chosen_in(self._block, self._order)
        held.update(one.stimulus_id for one in self._main)

    def trials(self, held: set[str], files: Files, rng: random.Random) -> Iterator[Trial]:
        """The trials in order, without their numbers."""
        # A check's face is best one that this participant does not rate.
        faces = rng.sample(self._block.faces, len(self._block.faces))
        faces.sort(key=lambda one: one.stimulus_id in held)
        slots = self._filled(replace(self._block, faces=faces), rng)
        ids = [_id(rng) for _ in slots]
        for at, slot in enumerate(slots):
            yield Trial(
                trial_id=ids[at],
                block=0,
                trial_index=0,
                shown=_shown(self._study, slot.stimulus, files),
                is_attention=slot.kind in {"gold", "instructed"},
                is_repeat=slot.kind == "repeat",
                repeat_of=None if slot.of is None else ids[slot.of],
                task=self._task.id,
                expected=self._expected(slot, rng),
            )

    def _filled(self, block: fill.Block, rng: random.Random) -> Sequence[Slot]:
        # A version stored before the gap was checked may not allow it: then the widest that it does.
        for gap in range(block.rules.gap, -1, -1):
            looser = replace(block, rules=replace(block.rules, gap=gap))
            if slots := fill.fill(looser, self._main, self._order, rng=rng):
                return slots
        raise StudyError(
            f"found no block of task set {self._task.id!r} that meets the constraints under 'trials:'; "
            "needed one; 'facenorm study check' says which of them to loosen"
        )

    def _expected(self, slot: Slot, rng: random.Random) -> Expected | None:
        if slot.kind == "gold":
            return checks.of_gold(self._load, slot.stimulus)
        if slot.kind == "instructed":
            return checks.instruction(self._study, self._task, slot.stimulus, rng=rng)
        return None


def block_of(study: Study, load: blocks.Load, stimuli: Sequence[Stimulus]) -> fill.Block:
    """What a block with this load is filled from."""
    gold = checks.gold_of(load, stimuli)
    kept = {each.file for each in study.attention.gold}
    faces = [one for one in stimuli if one.rated and one.stim_file not in kept]
    return fill.Block(load, fill.rules_of(study), blocks.rateable(study, stimuli), gold, faces)


def _practice(study: Study, done: Sequence[TaskSet], files: Files, rng: random.Random) -> list[Trial]:
    task = next((each for each in done if EMOTION in each.scales), done[0])
    return [
        Trial(
            trial_id=_id(rng),
            block=0,
            trial_index=index,
            shown=_shown(study, files[name], files),
            is_practice=True,
            task=task.id,
            expected=checks.of_practice(study, task, files[name]),
        )
        for index, name in enumerate(study.practice.files, start=1)
    ]


def _numbered(trials: Sequence[Trial] | Iterator[Trial], block: int, before: int) -> list[Trial]:
    return [
        replace(trial, block=block, trial_index=index) for index, trial in enumerate(trials, start=before + 1)
    ]


def _shown(study: Study, stimulus: Stimulus, files: Files) -> tuple[Shown, ...]:
    def source(role: Role) -> Stimulus:
        return stimulus if role == "target" else files[stimulus.reference_file or ""]

    return tuple(Shown(role, source(role).stimulus_id) for role in study.trials.show)


def _id(rng: random.Random) -> str:
    return f"{rng.getrandbits(128):032x}"
