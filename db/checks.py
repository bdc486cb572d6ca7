"""Checks and practice: what a trial expected on one scale, and who answered as it did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, cast, func, select

from core.records import Expected
from db.schema import response, session, trial


@dataclass(frozen=True, slots=True)
class Checks:
    """How one session did in its attention checks, and how often it tried the practice."""

    n_checks: int = 0
    n_checks_passed: int = 0
    practice_attempts: int = 0


# The checks of a study share a few texts.
@lru_cache(maxsize=1024)
def expected(text: str) -> Expected:
    """What a trial expects, as it is stored."""
    return Expected(**json.loads(text))


def passed(wanted: Expected, *, status: object, value: object, label: object) -> bool:
    """Whether an answer on the expected scale is what was wanted."""
    if status != "answered":
        return False
    if wanted.label is not None:
        return label == wanted.label
    if not isinstance(value, int | float):
        return False
    return (wanted.low is None or wanted.low <= value) and (wanted.high is None or value <= wanted.high)


def of_sessions(conn: Connection, of_study: Sequence[ColumnElement[bool]]) -> dict[str, Checks]:
    """Count the answered checks and tries of the sessions that meet these conditions, by session.

    A check of a superseded attempt does not count; each try of the practice does.
    """
    found: dict[str, Checks] = {}
    for session_id, tries in conn.execute(_tries(of_study)):
        found[session_id] = Checks(practice_attempts=tries)
    for session_id, wanted, scale_id, status, value, label in conn.execute(_answers(of_study)):
        check = expected(wanted)
        if check.scale_id == scale_id:
            one = found.get(session_id, Checks())
            right = passed(check, status=status, value=value, label=label)
            found[session_id] = replace(
                one, n_checks=one.n_checks + 1, n_checks_passed=one.n_checks_passed + right
            )
    return found


def _tries(of_study: Sequence[ColumnElement[bool]]) -> Select[tuple[str, int]]:
    answered = select(response.c.trial_id).where(response.c.trial_id == trial.c.trial_id).exists()
    return (
        select(trial.c.session_id, func.max(trial.c.attempt))
        .join(session)
        .where(*of_study, trial.c.is_practice, answered)
        .group_by(trial.c.session_id)
    )


def _answers(of_study: Sequence[ColumnElement[bool]]) -> Select[tuple[Any, ...]]:
    return (
        select(
            trial.c.session_id,
            cast(trial.c.expected, Text),
            *(response.c[name] for name in ("scale_id", "status", "value", "label")),
        )
        .join(session, session.c.session_id == trial.c.session_id)
        .join(response, and_(response.c.trial_id == trial.c.trial_id, response.c.current))
        .where(*of_study, trial.c.is_attention, ~trial.c.superseded, trial.c.expected.is_not(None))
    )
