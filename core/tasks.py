"""Which scales a trial asks: the task sets of a study, its identity pairs and its instructed checks."""

from __future__ import annotations

from collections.abc import Sequence

from core.builtin_scales import SAME_IDENTITY
from core.design_rules import PAIRS
from core.records import Trial
from core.study import Scale, Study
from core.study_design import TaskSet
from core.study_rules import EMOTION

DIMENSIONS = ("valence", "arousal")


def sets(study: Study) -> tuple[TaskSet, ...]:
    """The task sets of a study, as declared or as they are grouped by default.

    By default naming the emotion and placing it on the dimensions come first, in either order, and all
    other scales after them: naming an emotion colours the dimensions, and asking about naturalness
    invites suspicion. The identity pairs are no set; they come last of all.
    """
    if study.tasks.sets:
        return study.tasks.sets
    named = [name for name in study.ask if name == EMOTION or study.scales[name].of == EMOTION]
    placed = [name for name in study.ask if name in DIMENSIONS and name not in named]
    rest = [name for name in study.ask if name not in (*named, *placed)]
    grouped = (("expression", named, 1), ("dimensions", placed, 1), ("further", rest, 2))
    return tuple(TaskSet(id=name, scales=tuple(ids), stage=stage) for name, ids, stage in grouped if ids)


def scales_of(study: Study, task: str) -> tuple[tuple[str, Scale], ...]:
    """The scales of one task set, or of the identity pairs, in the order in which they are asked."""
    ids: Sequence[str] = (SAME_IDENTITY,)
    if task != PAIRS:
        ids = next(each.scales for each in sets(study) if each.id == task)
    return tuple((scale_id, study.scales[scale_id]) for scale_id in ids)


def asked_in(study: Study, trial: Trial) -> tuple[tuple[str, Scale], ...]:
    """The scales that one trial asks: an instructed check asks only the scale that it is about."""
    found = scales_of(study, trial.task)
    if trial.expected is not None and trial.expected.instructed:
        return tuple(pair for pair in found if pair[0] == trial.expected.scale_id)
    return found
