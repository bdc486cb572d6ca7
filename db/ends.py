"""How sessions ended, or that they went silent, and who left no session behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, and_, case, func, select

from core.records import Phase, SessionKind
from db.schema import session, tally
from db.statements import now


@dataclass(frozen=True, slots=True)
class Ends:
    """What became of those who did not finish.

    running, left: sessions that have not ended, with a sign of life lately and without one.
    full, erased: visits when nobody was needed any more, and sessions that were deleted.
    """

    stopped: int = 0
    screened_out: int = 0
    running: int = 0
    left: int = 0
    full: int = 0
    erased: int = 0


def of_version(
    conn: Connection,
    config_hash: str,
    *,
    silent_for: timedelta,
    kind: SessionKind = "human",
    phase: Phase = "live",
) -> Ends:
    """Count the ends of a version's sessions; who was silent for so long has left."""
    alive = session.c.last_seen_at >= now() - silent_for
    end = case(
        (session.c.outcome.is_not(None), session.c.outcome),
        (alive, "running"),
        else_="left",
    )
    of_sessions = and_(session.c.config_hash == config_hash, session.c.kind == kind, session.c.phase == phase)
    of_tally = and_(tally.c.config_hash == config_hash, tally.c.kind == kind, tally.c.phase == phase)
    found: dict[str, int] = {
        **dict(conn.execute(select(end, func.count()).where(of_sessions).group_by(end)).tuples().all()),
        **dict(conn.execute(select(tally.c.what, tally.c.n).where(of_tally)).tuples().all()),
    }
    names = ("stopped", "screened_out", "running", "left", "full", "erased")
    return Ends(**{name: found.get(name, 0) for name in names})
