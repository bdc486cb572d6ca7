"""What is planned and done so far, for the plan of the next session.

Counting everything takes its time and is done before Begin holds the lock; under the lock only the
sessions that began meanwhile are added, so that every plan still sees the one before it. Each statement
reads indexes alone, except for the sessions.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, Text, and_, case, cast, func, or_, select

from core.records import Counting, Measure, Phase, Places, SessionKind, Spread, StudyVersion
from db import exclusions
from db.schema import answer, response, session, trial_stimulus
from db.statements import now

Condition = ColumnElement[bool]
AT_ONCE = 500  # values in one statement


@dataclass(frozen=True, slots=True)
class Scope:
    """Which sessions count together: those of one version, kind and phase, and of one language if apart."""

    version: StudyVersion
    kind: SessionKind
    phase: Phase
    language: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted, and the sessions that were there then."""

    scope: Scope
    counting: Counting
    places: Places
    sessions: frozenset[str]


def count(conn: Connection, scope: Scope, counting: Counting) -> Counted:
    """Count the main trials that are answered, and those still open in sessions that are alive.

    Sessions that were screened out, and those that a researcher excluded, do not count at all.
    """
    left_out = exclusions.reasons(exclusions.active(conn, scope.version.study_id), "session")
    counts = and_(
        session.c.outcome.is_distinct_from("screened_out"),
        session.c.session_id.not_in(left_out),
        *([session.c.language == scope.language] if counting.languages_apart else []),
    )
    seen = session.c.last_seen_at >= now() - timedelta(minutes=counting.return_min)
    alive = and_(_of(scope), counts, session.c.outcome.is_(None), seen)
    answers = (*_answers_of(scope), *_if_any(conn, and_(_of(scope), ~counts)))
    answered = {task: _answered(conn, answers, scale_id) for task, scale_id in counting.first.items()}
    complete = and_(_of(scope), counts, session.c.outcome == "complete")
    places = Places(
        ratings=_sum(answered, _open(conn, alive)),
        answered=answered,
        orders=_orders(conn, or_(complete, alive)),
        spreads=_spreads(conn, answers, counting),
    )
    return Counted(scope, counting, places, _ids(conn, scope))


def renewed(conn: Connection, scope: Scope, counting: Counting | Counted) -> Places:
    """Count, or add to what was counted what is planned for the sessions that have begun since."""
    if isinstance(counting, Counting):
        return count(conn, scope, counting).places
    if counting.scope != scope:
        return count(conn, scope, counting.counting).places
    places = counting.places
    ratings, orders = places.ratings, Counter(places.orders)
    for some in _chunks(sorted(_ids(conn, scope) - counting.sessions)):
        new = and_(_of(scope), session.c.session_id.in_(some))
        if counting.counting.languages_apart:
            new = and_(new, session.c.language == scope.language)
        ratings = _sum(ratings, _planned(conn, new))
        orders.update(_orders(conn, new))
    return replace(places, ratings=ratings, orders=orders)


def _of(scope: Scope) -> Condition:
    return and_(
        session.c.study_id == scope.version.study_id,
        session.c.study_version == scope.version.version,
        session.c.kind == scope.kind,
        session.c.phase == scope.phase,
    )


def _answers_of(scope: Scope) -> tuple[Condition, ...]:
    return (
        response.c.study_id == scope.version.study_id,
        response.c.study_version == scope.version.version,
        response.c.kind == scope.kind,
        response.c.phase == scope.phase,
        response.c.current,
        response.c.is_main,
    )


def _if_any(conn: Connection, left_out: Condition) -> Iterator[Condition]:
    """Leave the answers of these sessions out, if there are any: looking at each answer takes time."""
    found = select(session.c.session_id).where(left_out)
    if conn.scalar(found.limit(1)) is not None:
        yield response.c.session_id.not_in(found)


def _answered(conn: Connection, answers: Sequence[Condition], scale_id: str) -> dict[str, int]:
    found = select(response.c.stimulus_id, func.count()).where(*answers, response.c.scale_id == scale_id)
    return {stimulus_id: n for stimulus_id, n in conn.execute(found.group_by(response.c.stimulus_id))}


def _planned(conn: Connection, of: Condition) -> Iterator[tuple[str, str, int]]:
    return _targets(conn, and_(of, trial_stimulus.c.is_main))


def _open(conn: Connection, of: Condition) -> Iterator[tuple[str, str, int]]:
    has_answer = select(answer.c.trial_id).where(answer.c.trial_id == trial_stimulus.c.trial_id).exists()
    return _targets(conn, and_(of, trial_stimulus.c.is_main, ~has_answer))


def _targets(conn: Connection, of: Condition) -> Iterator[tuple[str, str, int]]:
    """Count the trials of some sessions by task and stimulus."""
    by = (trial_stimulus.c.task, trial_stimulus.c.stimulus_id)
    found = (
        select(*by, func.count())
        .select_from(session)
        .join(trial_stimulus, trial_stimulus.c.session_id == session.c.session_id)
        .where(of, trial_stimulus.c.role == "target")
        .group_by(*by)
    )
    yield from ((task, stimulus_id, n) for task, stimulus_id, n in conn.execute(found))


def _orders(conn: Connection, of: Condition) -> dict[tuple[str, ...], int]:
    # PostgreSQL groups by no JSON.
    written = cast(session.c.task_order, Text)
    found = select(written, func.count()).where(of).group_by(written)
    return {tuple(json.loads(order)): n for order, n in conn.execute(found) if json.loads(order)}


def _ids(conn: Connection, scope: Scope) -> frozenset[str]:
    """The sessions of a version, of every kind and phase."""
    found = select(session.c.session_id).where(
        session.c.study_id == scope.version.study_id, session.c.study_version == scope.version.version
    )
    return frozenset(conn.scalars(found))


def _spreads(
    conn: Connection, answers: Sequence[Condition], counting: Counting
) -> dict[str, dict[str, tuple[Spread, ...]]]:
    given = (*answers, response.c.status == "answered")
    found: dict[str, dict[str, tuple[Spread, ...]]] = defaultdict(dict)
    for task, measures in counting.measures.items():
        for measure in measures:
            for stimulus_id, spread in _moments(conn, given, measure):
                found[task][stimulus_id] = (*found[task].get(stimulus_id, ()), spread)
    for task, choices in counting.choices.items():
        for scale_id in choices:
            for stimulus_id, spread in _modes(conn, given, scale_id):
                found[task][stimulus_id] = (*found[task].get(stimulus_id, ()), spread)
    return dict(found)


def _moments(conn: Connection, given: Sequence[Condition], measure: Measure) -> Iterator[tuple[str, Spread]]:
    above = response.c.value - measure.zero
    slope = case((above >= 0, measure.above), else_=measure.below)
    value = above * slope
    found = select(response.c.stimulus_id, func.count(), func.avg(value), func.avg(value * value))
    of_scale = (*given, response.c.scale_id == measure.scale_id, response.c.value.is_not(None))
    for stimulus_id, n, mean, squares in conn.execute(
        found.where(*of_scale).group_by(response.c.stimulus_id)
    ):
        yield stimulus_id, Spread(n, mean=float(mean), squares=float(squares))


def _modes(conn: Connection, given: Sequence[Condition], scale_id: str) -> Iterator[tuple[str, Spread]]:
    by = (response.c.stimulus_id, response.c.label)
    found = select(*by, func.count()).where(*given, response.c.scale_id == scale_id).group_by(*by)
    counts: dict[str, list[int]] = defaultdict(list)
    for stimulus_id, _label, n in conn.execute(found):
        counts[stimulus_id].append(n)
    for stimulus_id, each in counts.items():
        yield stimulus_id, Spread(sum(each), mode=max(each))


def _sum(
    before: Mapping[str, Mapping[str, int]], more: Iterable[tuple[str, str, int]]
) -> dict[str, dict[str, int]]:
    total = {task: dict(counts) for task, counts in before.items()}
    for task, stimulus_id, n in more:
        counts = total.setdefault(task, {})
        counts[stimulus_id] = counts.get(stimulus_id, 0) + n
    return total


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]
