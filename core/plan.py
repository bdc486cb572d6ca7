"""Which stimuli a participant rates, and in which order."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

from core import tasks
from core.errors import StudyError
from core.records import Places, Plan, Role, Shown, Stimulus, Trial
from core.study import Study, asked

LAST = ("neutral", "other")  # a random order keeps these at its end


def check(study: Study, stimuli: Sequence[Stimulus]) -> None:
    """Raise StudyError unless these stimuli suffice for one participant."""
    rated = [stimulus for stimulus in stimuli if stimulus.rated]
    wanted = study.trials.per_participant
    if wanted > len(rated):
        raise StudyError(
            f"trials.per_participant: found {wanted}; needed at most the {len(rated)} rated stimuli; "
            "lower it or add pictures"
        )
    files = {stimulus.stim_file for stimulus in stimuli}
    alone = [stimulus.stim_file for stimulus in rated if stimulus.reference_file not in files]
    if "reference" in study.trials.show and alone:
        raise StudyError(
            f"trials.show: found 'reference', but {len(alone)} rated stimuli have none ({alone[0]}); "
            "needed one for each; fill the manifest's column 'reference' or write 'show: [target]'"
        )


def build(study: Study, stimuli: Sequence[Stimulus], places: Places, *, rng: random.Random) -> Plan:
    """Draw one participant's trials: the least rated stimuli first, chance among equals.

    places: what is planned or done so far.
    rng: seeded apart for each session, since it also gives the trials' ids.
    The same identity never comes twice in a row unless there is no other way.
    Raises StudyError when the stimuli do not suffice.
    """
    check(study, stimuli)
    order = tuple(each.id for each in tasks.sets(study))
    trials: list[Trial] = []
    for block, task in enumerate(order, start=1):
        trials += _block(study, stimuli, (block, task, len(trials)), places.ratings.get(task, {}), rng)
    return Plan(order, tuple(trials))


def _block(
    study: Study,
    stimuli: Sequence[Stimulus],
    where: tuple[int, str, int],
    counts: Mapping[str, int],
    rng: random.Random,
) -> list[Trial]:
    block, task, before = where
    rated = [stimulus for stimulus in stimuli if stimulus.rated]
    rng.shuffle(rated)
    rated.sort(key=lambda stimulus: counts.get(stimulus.stimulus_id, 0))
    drawn = _spaced(rated[: study.trials.per_participant], rng)
    by_file = {stimulus.stim_file: stimulus for stimulus in stimuli}
    return [
        Trial(
            trial_id=f"{rng.getrandbits(128):032x}",
            block=block,
            trial_index=index,
            shown=tuple(_shown(role, stimulus, by_file) for role in study.trials.show),
            task=task,
        )
        for index, stimulus in enumerate(drawn, start=before + 1)
    ]


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


def _shown(role: Role, stimulus: Stimulus, by_file: Mapping[str, Stimulus]) -> Shown:
    source = stimulus if role == "target" else by_file[stimulus.reference_file or ""]
    return Shown(role=role, stimulus_id=source.stimulus_id)


def _spaced(stimuli: Sequence[Stimulus], rng: random.Random) -> list[Stimulus]:
    """The stimuli in random order with as few repeats of an identity in a row as can be."""
    left: dict[str, list[Stimulus]] = defaultdict(list)
    for stimulus in rng.sample(stimuli, len(stimuli)):
        left[stimulus.identity_id].append(stimulus)
    order: list[Stimulus] = []
    while left:
        last = order[-1].identity_id if order else None
        identity = _next_identity({name: len(rest) for name, rest in left.items()}, last, rng)
        order.append(left[identity].pop())
        if not left[identity]:
            del left[identity]
    return order


def _next_identity(left: Mapping[str, int], last: str | None, rng: random.Random) -> str:
    others = [name for name in left if name != last]
    if not others:
        return next(iter(left))
    # An identity with more than half of what is left must come now: later it could not be kept apart.
    crowded = [name for name in others if 2 * left[name] > sum(left.values())]
    if crowded:
        return crowded[0]
    # Weights make every stimulus as likely, not every identity.
    return rng.choices(others, weights=[left[name] for name in others])[0]
