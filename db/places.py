"""What is planned and done so far, for the plan of the next session."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, func, or_, select

from core.records import Phase, Places, SessionKind, StudyVersion
from db.schema import session, trial_stimulus
from db.statements import now

LIVE_FOR = timedelta(hours=2)
"""After this time without a sign of life a session no longer holds its open trials."""


def taken(
    conn: Connection, version: StudyVersion, *, kind: SessionKind, phase: Phase, language: str | None = None
) -> Places:
    """Count the main trials of complete sessions and of those still alive, by task and stimulus."""
    del language
    alive = or_(session.c.completed_at.is_not(None), session.c.last_seen_at >= now() - LIVE_FOR)
    of_version = (session.c.config_hash == version.config_hash, session.c.kind == kind)
    by = (trial_stimulus.c.task, trial_stimulus.c.stimulus_id)
    found = (
        select(*by, func.count())
        .join(session, session.c.session_id == trial_stimulus.c.session_id)
        .where(
            *of_version,
            session.c.phase == phase,
            alive,
            trial_stimulus.c.role == "target",
            trial_stimulus.c.is_main,
        )
        .group_by(*by)
    )
    ratings: dict[str, dict[str, int]] = {}
    for task, stimulus_id, n in conn.execute(found):
        ratings.setdefault(task, {})[stimulus_id] = n
    return Places(ratings)
