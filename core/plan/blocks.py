"""What one block of a task set holds: pictures to rate, repeats of some, and attention checks."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core import tasks
from core.records import Stimulus
from core.study import Study
from core.study_design import Gold, TaskSet
from core.study_rules import EMOTION


@dataclass(frozen=True, slots=True)
class Load:
    """How many trials of each kind one block has."""

    main: int
    repeats: int
    gold: tuple[Gold, ...]
    instructed: int

    @property
    def checks(self) -> int:
        """Attention checks of both kinds."""
        return len(self.gold) + self.instructed

    @property
    def trials(self) -> int:
        """All trials."""
        return self.main + self.repeats + self.checks


def load(study: Study, task: TaskSet, *, instructed: int) -> Load:
    """What a block of this task set holds with so many instructed checks."""
    main = study.trials.per_participant
    repeats = int(main * study.repeats.share + 0.5)
    return Load(main, repeats, study.attention.gold if EMOTION in task.scales else (), instructed)


def instructed(study: Study, done: Sequence[TaskSet], *, tie: Callable[[TaskSet], float]) -> dict[str, int]:
    """How many instructed checks the block of each task set gets, so that all have equally many checks.

    done: the task sets that one participant does. tie: who comes first among equals.
    """
    given = {each.id: 0 for each in done}
    gold = {each.id: len(load(study, each, instructed=0).gold) for each in done}
    for _ in range(study.attention.instructed):
        next_ = min(done, key=lambda each: (given[each.id] + gold[each.id], tie(each)))
        given[next_.id] += 1
    return given


def instructed_at_random(study: Study, done: Sequence[TaskSet], *, rng: random.Random) -> dict[str, int]:
    """The same with chance among equals."""
    return instructed(study, done, tie=lambda _each: rng.random())


def possible_loads(study: Study, task: TaskSet) -> tuple[Load, ...]:
    """What a block of this task set may hold, whatever chance says."""
    done = (task,) if study.tasks.design == "between" else tasks.sets(study)
    most = instructed(study, done, tie=lambda each: float(each.id != task.id))[task.id]
    least = instructed(study, done, tie=lambda each: float(each.id == task.id))[task.id]
    return tuple(load(study, task, instructed=n) for n in sorted({least, most}))


def rateable(study: Study, stimuli: Sequence[Stimulus]) -> tuple[Stimulus, ...]:
    """The stimuli that are rated: all rows of the manifest but those of practice and gold checks."""
    kept = {*study.practice.files, *(gold.file for gold in study.attention.gold)}
    return tuple(each for each in stimuli if each.rated and each.stim_file not in kept)
