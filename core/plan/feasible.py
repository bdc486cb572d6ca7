"""Whether every participant can get a plan: said when a study is loaded, with the numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from core import tasks
from core.codes import listed
from core.errors import StudyError
from core.plan import blocks, checks, fill, pairs
from core.plan.build import block_of
from core.records import Stimulus
from core.study import Study


def check(study: Study, stimuli: Sequence[Stimulus]) -> None:
    """Raise StudyError unless these stimuli suffice for every participant, one line for each problem."""
    found = [*checks.problems(study, stimuli), *_references(study, stimuli)]
    if not found:
        found = [*_numbers(study, stimuli)] or [*_constraints(study, stimuli)]
    if found:
        raise StudyError("\n".join(dict.fromkeys(found)))


def warnings(study: Study, stimuli: Sequence[Stimulus]) -> tuple[str, ...]:
    """What a study with a plan for everybody should still think about, one sentence each."""
    return tuple(pairs.warnings(study, stimuli))


def _references(study: Study, stimuli: Sequence[Stimulus]) -> Iterator[str]:
    files = {one.stim_file for one in stimuli}
    rated = [one for one in stimuli if one.rated]
    alone = [one.stim_file for one in rated if one.reference_file not in files]
    if "reference" in study.trials.show and alone:
        yield (
            f"trials.show: found 'reference', but {len(alone)} rated stimuli have none ({alone[0]}); "
            "needed one for each; fill the manifest's column 'reference' or write 'show: [target]'"
        )


def _numbers(study: Study, stimuli: Sequence[Stimulus]) -> Iterator[str]:
    wanted, rated = study.trials.per_participant, sum(one.rated for one in stimuli)
    left = len(blocks.rateable(study, stimuli))
    if wanted > left:
        kept = f" ({rated - left} more are kept for practice and gold checks)" if rated > left else ""
        yield (
            f"trials.per_participant: found {wanted}; needed at most the {left} rated stimuli{kept}; "
            "lower it or add pictures"
        )
    yield from _gold(study, stimuli)
    for load in _loads(study):
        others = load.main + load.repeats
        if load.checks > others:
            yield (
                f"attention: found {load.checks} checks in a block of {others} other trials; needed at most "
                "one after each of these; lower 'instructed' or raise trials.per_participant"
            )


def _gold(study: Study, stimuli: Sequence[Stimulus]) -> Iterator[str]:
    """Say whether the gold checks, which come in one block, show one identity too often by themselves."""
    files, most = checks.by_file(stimuli), study.trials.most_per_identity
    counts = Counter(files[gold.file].identity_id for gold in study.attention.gold)
    for identity, n in counts.items():
        if most is not None and n > most:
            yield (
                f"trials.most_per_identity: found {most} with {n} gold checks of identity {identity!r}; "
                f"needed {n} or more; write 'most_per_identity: {n}' or choose other pictures"
            )


def _loads(study: Study) -> Iterator[blocks.Load]:
    done: set[blocks.Load] = set()
    for task in tasks.sets(study):
        for load in blocks.possible_loads(study, task):
            if load not in done:
                done.add(load)
                yield load


def _constraints(study: Study, stimuli: Sequence[Stimulus]) -> Iterator[str]:
    for load in _loads(study):
        block = block_of(study, load, stimuli)
        if fill.witness(block) is None:
            yield _explained(block)
        elif alone := fill.shut_out(block):
            yield (
                f"attention.gold: found {len(alone)} pictures ({alone[0].stim_file}) that are never rated, "
                f"since the gold checks leave them no place in a block of {_size(load)}; needed none; choose "
                "gold checks of other identities or emotions, or raise trials.per_participant"
            )


def _explained(block: fill.Block) -> str:
    """Which constraint a block cannot meet, and what it could."""
    rules = block.rules
    free = replace(rules, gap=0, per_identity=None, run=None)
    if not _possible(replace(block, rules=replace(free, per_identity=rules.per_identity))):
        return _too_few_each(block)
    if not _possible(replace(block, rules=replace(free, gap=rules.gap))):
        gap = _widest(replace(block, rules=replace(free, gap=rules.gap)))
        repeats = "lower 'repeats: share:' or " if block.load.repeats else ""
        return (
            f"trials.identity_gap: found {rules.gap} in a block of {_size(block.load)} with faces of "
            f"{_identities(block)} identities; needed {gap} or less; write 'identity_gap: {gap}', "
            f"{repeats}add identities"
        )
    if not _possible(replace(block, rules=replace(free, run=rules.run))):
        run = _shortest(replace(block, rules=replace(free, run=rules.run)))
        return (
            f"trials.most_emotion_run: found {rules.run} in a block of {_size(block.load)} with "
            f"{_emotions(block)}; needed {run} or more; write 'most_emotion_run: {run}' or even the "
            "emotions out"
        )
    return _together(block)


def _together(block: fill.Block) -> str:
    names = {
        "identity_gap": block.rules.gap or None,
        "most_per_identity": block.rules.per_identity,
        "most_emotion_run": block.rules.run,
    }
    given = [f"{name} {value}" for name, value in names.items() if value is not None]
    gap, run = _widest(block), _shortest(block)
    ways = [
        *([] if gap is None else [f"write 'identity_gap: {gap}'"]),
        *([] if run is None else [f"write 'most_emotion_run: {run}'"]),
        "remove one of them",
    ]
    return (
        f"trials: found no order for a block of {_size(block.load)} from {len(block.stimuli)} pictures of "
        f"{_identities(block)} identities in which {listed(given)} hold together; needed one; "
        f"{' or '.join(ways)}"
    )


def _too_few_each(block: fill.Block) -> str:
    most, wanted = block.rules.per_identity or 0, block.load.main
    held = Counter(one.identity_id for one in block.gold)
    there = Counter(one.identity_id for one in block.stimuli)

    def usable(limit: int) -> int:
        return sum(min(n, max(0, limit - held[name])) for name, n in there.items())

    enough = next(
        limit for limit in range(most, most + wanted + len(block.gold) + 1) if usable(limit) >= wanted
    )
    return (
        f"trials.most_per_identity: found {most}, which leaves {usable(most)} pictures of {len(there)} "
        f"identities for a block; needed {wanted} (trials.per_participant); "
        f"write 'most_per_identity: {enough}', lower trials.per_participant or add identities"
    )


def _possible(block: fill.Block) -> bool:
    return fill.witness(block) is not None


def _widest(block: fill.Block) -> int | None:
    """The widest gap that a block allows; None where it allows none."""
    low, high = -1, min(block.rules.gap, block.load.trials)
    while low < high:
        middle = (low + high + 1) // 2
        if _possible(replace(block, rules=replace(block.rules, gap=middle))):
            low = middle
        else:
            high = middle - 1
    return None if low < 0 else low


def _shortest(block: fill.Block) -> int | None:
    """The fewest equal emotions in a row that a block needs; None where that is not the problem."""
    if block.rules.run is None:
        return None
    low, high = block.rules.run, block.load.trials + 1
    while low < high:
        middle = (low + high) // 2
        if _possible(replace(block, rules=replace(block.rules, run=middle))):
            high = middle
        else:
            low = middle + 1
    return None if low > block.load.trials else low


def _size(load: blocks.Load) -> str:
    return (
        f"{load.trials} trials ({load.main} pictures, {load.repeats} repeats, {load.checks} attention checks)"
    )


def _identities(block: fill.Block) -> int:
    return len({one.identity_id for one in block.stimuli})


def _emotions(block: fill.Block) -> str:
    counts = Counter(one.intended_emotion or "" for one in block.stimuli)
    return listed(f"{n} {emotion}" for emotion, n in counts.most_common()) + " pictures to draw from"
