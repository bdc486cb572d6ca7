"""What a run of vision models still has to do, and its results in the database."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version as installed
from itertools import chain, islice
from typing import TYPE_CHECKING

from core.errors import StimulusError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.records import AiResult, AiStatus, Detection
    from core.vision.models import Spec
    from core.vision.run import Looked, Task
    from core.vision.work import Subject

LIBRARIES = (
    *("facenorm", "numpy", "opencv-contrib-python-headless", "onnxruntime", "torch"),
    *("deepface", "mediapipe"),
)
Identity = tuple[str, str | None]  # a picture's SHA-256, and its reference's
BATCH = 16
AT_ONCE = 200  # pictures whose stored results are in memory at once


@dataclass(frozen=True, slots=True)
class Where:
    """Where a run computes, and how many pictures at once; workers are processes of this machine."""

    batch: int = BATCH
    workers: int = 1
    scheduler: str = ""


@dataclass(frozen=True)
class Plan:
    """Which raters have still to look at which pictures.

    also: references that are not among the pictures but that others' intensity is measured from.
    todo: by rater, the pictures with their references; each result that is missing stands there once.
    """

    spec: Spec
    subjects: tuple[Subject, ...]
    also: tuple[Subject, ...]
    todo: Mapping[str, frozenset[Identity]]

    @property
    def total(self) -> int:
        """How many results are missing."""
        return sum(map(len, self.todo.values()))

    def wanted(self, kinds: Collection[str]) -> Callable[[Subject], list[str]]:
        """Of a picture, the raters of these kinds that have still to look at it."""
        raters = self.spec.of_kind(*kinds)
        return lambda subject: [one for one in raters if _identity(subject) in self.todo[one]]


def plan(opened: Engine, spec: Spec, subjects: Sequence[Subject]) -> Plan:
    """Look up what is missing; each picture once, whatever name it has."""
    from core.vision import registry
    from db import ai, engine

    unique = {_identity(subject): subject for subject in subjects}
    pictures = tuple(unique.values())
    given = {subject.sha256 for subject in pictures}
    references = {one.reference.sha256: one.reference for one in pictures if one.reference}
    also = tuple(one for sha256, one in references.items() if sha256 and sha256 not in given)
    sources = {registry.source(name) for name in spec.of_kind("derived") if registry.needs_reference(name)}
    todo = {}
    with engine.reading(opened) as conn:
        for rater_id in spec.raters:
            asked = (*pictures, *also) if rater_id in sources else pictures
            known = ai.known(conn, [one.sha256 for one in asked], spec.keys[rater_id])
            # The same bytes with two references are one picture to a rater that looks at no reference.
            wanted = {
                (one.sha256, spec.settings_hash(rater_id, one.reference_sha256)): _identity(one)
                for one in asked
            }
            todo[rater_id] = frozenset(wanted[key] for key in wanted.keys() - known)
    return Plan(spec, pictures, also, todo)


def _identity(subject: Subject) -> Identity:
    return subject.sha256, subject.reference_sha256


def carry_out(
    opened: Engine,
    given: Plan,
    *,
    config_hash: str | None,
    who: str,
    where: Where,
    progress: Callable[[int], object],
) -> Counter[str]:
    """Run what is missing; every chunk is stored when it is done. How many results of each status.

    progress: is told how many results were added.
    """
    from db import ai_runs, engine

    compute = given.spec.compute
    with engine.writing(opened) as conn:
        run_id = ai_runs.begin(
            conn,
            config_hash=config_hash,
            raters=given.spec.raters,
            detector=given.spec.detector,
            settings={name: str(value) for name, value in (asdict(where) | asdict(compute)).items()},
            versions=_versions(given.spec),
            total=given.total,
            who=who,
            host=platform.node(),
        )
    statuses: Counter[str] = Counter()
    try:
        for results in chain(_looking(opened, given, where, run_id), _deriving(opened, given, run_id)):
            statuses.update(result.status for result in results)
            progress(len(results))
            with engine.writing(opened) as conn:
                ai_runs.progress(conn, run_id, done=statuses.total())
    except BaseException as error:
        with engine.writing(opened) as conn:
            ai_runs.finish(conn, run_id, problem=str(error) or type(error).__name__)
        raise
    with engine.writing(opened) as conn:
        ai_runs.finish(conn, run_id)
    return statuses


def _looking(opened: Engine, given: Plan, where: Where, run_id: int) -> Iterator[list[AiResult]]:
    """Let the raters that look at pictures do so, chunk by chunk, and store what they say."""
    from core.vision import work
    from db import ai, detections, engine

    names = given.spec.of_kind("model", "comparison")
    wanted = given.wanted(("model", "comparison"))
    subjects = [one for one in (*given.subjects, *given.also) if wanted(one)]
    if not subjects:
        return
    served = [sha256 for one in subjects for sha256 in (one.sha256, one.reference_sha256) if sha256]
    with engine.reading(opened) as conn:
        known = detections.known(
            conn, served, detector=given.spec.detector, detector_version=given.spec.detector_version
        )
    restricted = {one.sha256 for one in subjects if one.restricted}
    chunks = work.chunks(work.tasks(subjects, wanted, known), where.batch)
    # The others' models would be loaded for nothing.
    looking = replace(given.spec, raters=tuple(name for name in names if given.todo[name]))
    for looked in _spread(looking, chunks, where):
        with engine.writing(opened) as conn:
            detections.save(
                conn, [found for one in looked for found in one.detections if found.served_sha256]
            )
            ai.save_all(conn, run_id, _kept(given.spec, looked, restricted))
        yield [result for one in looked for result in one.results]


def _kept(
    spec: Spec, looked: Sequence[Looked], restricted: Collection[str]
) -> Iterator[tuple[AiResult, str]]:
    """The results that are stored, each with its settings' hash."""
    for one in looked:
        for result in one.results:
            # A file that cannot be opened now may be there the next time.
            if result.rater_id not in one.passing:
                kept = replace(result, pictures={}) if result.served_sha256 in restricted else result
                yield kept, spec.settings_hash(result.rater_id, one.reference_sha256)


def _spread(spec: Spec, chunks: Iterator[tuple[Task, ...]], where: Where) -> Iterator[tuple[Looked, ...]]:
    from core.vision import spread

    if where.scheduler:
        return spread.on_cluster(spec, chunks, where.scheduler)
    if where.workers > 1:
        return spread.in_processes(spec, chunks, where.workers)
    return spread.here(spec, chunks)


def _deriving(opened: Engine, given: Plan, run_id: int) -> Iterator[list[AiResult]]:
    """Let the raters that work on others' words do so, from what is stored."""
    from core.vision import work
    from db import ai, engine

    wanted = given.wanted(("derived",))
    todo = ((one, raters) for one in given.subjects if (raters := wanted(one)))
    while group := list(islice(todo, AT_ONCE)):
        said = _said(opened, given, [one for one, _ in group])
        results = [
            (result, given.spec.settings_hash(result.rater_id, subject.reference_sha256))
            for subject, result in work.derived(given.spec, group, lambda *key, said=said: said.get(key))
        ]
        with engine.writing(opened) as conn:
            ai.save_all(conn, run_id, results)
        yield [result for result, _ in results]


def _said(opened: Engine, given: Plan, subjects: Sequence[Subject]) -> dict[tuple[str, str], AiResult]:
    """What the sources of the derived raters said of these pictures and their references."""
    from core.vision import registry
    from db import ai, engine

    served = list({sha256 for one in subjects for sha256 in (one.sha256, one.reference_sha256) if sha256})
    sources = {registry.source(name) for name in given.spec.of_kind("derived")}
    with engine.reading(opened) as conn:
        return {
            (rater_id, result.served_sha256): result
            for rater_id in sources
            for settings_hash, result in ai.stored(conn, served, given.spec.keys[rater_id])
            if settings_hash == given.spec.settings_hash(rater_id, None)
        }


def results(
    opened: Engine, spec: Spec, subjects: Sequence[Subject], raters: Sequence[str]
) -> Iterator[tuple[int, AiResult]]:
    """Yield (the subject's place, result) of the named raters, in the order of the subjects."""
    from core.vision import run
    from db import ai, engine

    for start in range(0, len(subjects), AT_ONCE):
        group = subjects[start : start + AT_ONCE]
        served = list({one.sha256 for one in group if one.sha256})
        found: dict[tuple[str, str, str], AiResult] = {}
        with engine.reading(opened) as conn:
            for rater_id in raters:
                for settings_hash, result in ai.stored(conn, served, spec.keys[rater_id]):
                    found[rater_id, settings_hash, result.served_sha256] = result
        for place, one in enumerate(group, start):
            lost: Detection | None = None
            for rater_id in raters:
                key = (rater_id, spec.settings_hash(rater_id, one.reference_sha256), one.sha256)
                if key in found:
                    yield place, found[key]
                else:
                    lost = lost or _lost(spec, one)
                    yield place, run.result(spec.keys[rater_id], lost, None)


def _lost(spec: Spec, subject: Subject) -> Detection:
    """Why nothing could be stored of a picture: it, or its reference, cannot be opened."""
    from core.records import Detection

    status: AiStatus = "unreadable"
    reason = "the file could not be opened during the run; run it again"
    if isinstance(content := subject.read(), StimulusError):
        reason = str(content)
    elif subject.reference and isinstance(content := subject.reference.read(), StimulusError):
        status, reason = "abstained", f"the reference cannot be used: {content}"
    return Detection(subject.sha256, spec.detector, "", status, reason)


def _versions(spec: Spec) -> dict[str, str]:
    """Of everything that had a part in the run, by name."""
    raters = {one.rater_id: f"{one.rater_version} ({one.weights_sha256[:12]})" for one in spec.keys.values()}
    libraries = {name: installed(name) for name in LIBRARIES}
    python = {"python": platform.python_version(), "system": platform.platform()}
    return {**python, **libraries, spec.detector: spec.detector_version, **raters}
