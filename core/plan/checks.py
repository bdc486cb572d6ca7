"""Practice and attention checks: which pictures they show, and what passes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from core.codes import nearest
from core.plan.blocks import Load
from core.records import Expected, Stimulus
from core.scales import bounds
from core.study import Scale, Study
from core.study_design import TaskSet
from core.study_rules import EMOTION

OUTER_SHARE = 0.1  # of a line: a mark there is at its end


def by_file(stimuli: Sequence[Stimulus]) -> dict[str, Stimulus]:
    """The stimuli by the names of their files."""
    return {one.stim_file: one for one in stimuli}


def gold_of(load: Load, stimuli: Sequence[Stimulus]) -> tuple[Stimulus, ...]:
    """The pictures of a block's gold checks."""
    known = by_file(stimuli)
    return tuple(known[gold.file] for gold in load.gold)


def of_gold(load: Load, stimulus: Stimulus) -> Expected:
    """The answer that passes a gold check."""
    answer = next(gold.answer for gold in load.gold if gold.file == stimulus.stim_file)
    return Expected(EMOTION, instructed=False, label=answer)


def of_practice(study: Study, task: TaskSet, stimulus: Stimulus) -> Expected | None:
    """The right answer of a practice trial: its intended emotion, where that can be answered."""
    if EMOTION not in task.scales or stimulus.intended_emotion not in study.scales[EMOTION].options:
        return None
    return Expected(EMOTION, instructed=False, label=stimulus.intended_emotion)


def instruction(study: Study, task: TaskSet, stimulus: Stimulus, *, rng: random.Random) -> Expected:
    """What an instructed check says to choose: an option of a choice, or one end of another scale."""
    # "The emotion that you chose" means nothing where no emotion is asked.
    alone = [name for name in task.scales if study.scales[name].of != EMOTION]
    scale_id = rng.choice(alone or list(task.scales))
    scale = study.scales[scale_id]
    if scale.kind == "choice":
        # Who only looks at the face chooses what it shows, and must not pass by that.
        shown = stimulus.intended_emotion if scale_id == EMOTION else None
        label = rng.choice([code for code in scale.options if code != shown])
        return Expected(scale_id, instructed=True, label=label)
    low, high = _end(scale, right=rng.random() < 0.5)
    return Expected(scale_id, instructed=True, low=low, high=high)


def problems(study: Study, stimuli: Sequence[Stimulus]) -> Iterator[str]:
    """What is wrong with the pictures of practice and gold checks."""
    rated = [one.stim_file for one in stimuli if one.rated]
    practice, gold = study.practice.files, [each.file for each in study.attention.gold]
    for at, file in enumerate(gold):
        if file in practice or file in gold[:at]:
            where = "practice.files" if file in practice else "attention.gold"
            yield f"attention.gold: found {file!r}, which is in {where} too; needed each once; remove one"
    for where, files in (("practice.files", practice), ("attention.gold", gold)):
        for file in files:
            if file not in rated:
                near = nearest(file, rated)
                how = f"did you mean {near!r}?" if near else "add it to the manifest or remove it"
                yield f"{where}: found {file!r}; needed a picture of the manifest; {how}"


def _end(scale: Scale, *, right: bool) -> tuple[float, float]:
    low, high = bounds(scale)
    # A line cannot be hit to the point; steps can.
    width = (high - low) * OUTER_SHARE if scale.kind == "vas" else 0.0
    return (high - width, high) if right else (low, low + width)
