"""Completion codes that a platform gave: each is handed out once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from core.errors import StudyError
from db.schema import code as code_table
from db.statements import lock, now

LONGEST = 80
_SHOWN = 5  # wrong lines that a message lists


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a pool, and the session that has it."""

    code: str
    session_id: str | None
    given_at: datetime | None


def load(conn: Connection, study_id: str, lines: Sequence[str]) -> int:
    """Add the codes of a file to a study's pool, one a line: all of them or none.

    Returns how many were added.
    Raises StudyError naming the lines that are empty, too long, there twice or in the pool already.
    """
    lock(conn, f"codes {study_id}")
    known = set(conn.scalars(select(code_table.c.code).where(code_table.c.study_id == study_id)))
    first: dict[str, int] = {}
    problems = []
    for number, line in enumerate(lines, start=1):
        found = line.strip()
        if problem := _problem(found, known, first):
            problems.append(f"line {number}: {problem}")
        first.setdefault(found, number)
    if problems or not lines:
        raise StudyError(_refusal(problems))
    conn.execute(code_table.insert(), [{"study_id": study_id, "code": line.strip()} for line in lines])
    return len(lines)


def take(conn: Connection, study_id: str, session_id: str) -> str | None:
    """Give a session its code of the pool, the same one each time; None when the pool is empty."""
    lock(conn, f"codes {study_id}")
    if given := held(conn, session_id):
        return given
    free = (
        select(code_table.c.code)
        .where(code_table.c.study_id == study_id, code_table.c.given_at.is_(None))
        .order_by(code_table.c.code)
        .limit(1)
    )
    found = conn.scalar(free)
    if found is not None:
        this = (code_table.c.study_id == study_id) & (code_table.c.code == found)
        conn.execute(update(code_table).where(this).values(session_id=session_id, given_at=now()))
    return found


def held(conn: Connection, session_id: str) -> str | None:
    """Read the code that a session was given."""
    found: str | None = conn.scalar(select(code_table.c.code).where(code_table.c.session_id == session_id))
    return found


def left(conn: Connection, study_id: str) -> int:
    """Count the codes that nobody has yet."""
    # The code of a deleted session stays given: the platform has seen it.
    free = (code_table.c.study_id == study_id) & code_table.c.given_at.is_(None)
    return conn.scalar(select(func.count()).select_from(code_table).where(free)) or 0


def listing(conn: Connection, study_id: str) -> tuple[Code, ...]:
    """List a study's pool."""
    fields = (code_table.c.code, code_table.c.session_id, code_table.c.given_at)
    found = select(*fields).where(code_table.c.study_id == study_id).order_by(code_table.c.code)
    return tuple(Code(*row) for row in conn.execute(found))


def _problem(found: str, known: set[str], first: dict[str, int]) -> str | None:
    if not found:
        return "it is empty"
    if len(found) > LONGEST:
        return f"it has {len(found)} characters; a code has at most {LONGEST}"
    if found in first:
        return f"{found!r} is on line {first[found]} already"
    return f"{found!r} is in the pool already" if found in known else None


def _refusal(problems: Sequence[str]) -> str:
    if not problems:
        return "found no codes; needed a file with one code a line"
    rest = f"; and {len(problems) - _SHOWN} more lines" if len(problems) > _SHOWN else ""
    return f"{'; '.join(problems[:_SHOWN])}{rest}; nothing was stored: correct the file and load it again"
