"""Attempts to guess a secret, counted under the hash of what they are about; addresses are not kept."""

from __future__ import annotations

import math
from datetime import timedelta

from sqlalchemy import Connection, delete, func, select

from db.schema import login_attempt
from db.statements import digest, lock, now

WITHIN = timedelta(minutes=15)


def count(conn: Connection, what: str, *, most: int) -> int | None:
    """Count an attempt before it is tried, so that parallel guesses count, too.

    Returns None when it may be tried, else how many minutes to wait.
    """
    name_sha256 = digest(what)
    lock(conn, f"attempt {name_sha256}")
    conn.execute(delete(login_attempt).where(login_attempt.c.tried_at <= now() - WITHIN))
    tried = select(func.count(), func.min(login_attempt.c.tried_at))
    n, first = conn.execute(tried.where(login_attempt.c.name_sha256 == name_sha256)).one()
    if n >= most:
        left: timedelta = first + WITHIN - now()
        return max(1, math.ceil(left / timedelta(minutes=1)))
    conn.execute(login_attempt.insert(), {"name_sha256": name_sha256, "tried_at": now()})
    return None


def forget(conn: Connection, what: str) -> None:
    """Forget the attempts after one that succeeded."""
    conn.execute(delete(login_attempt).where(login_attempt.c.name_sha256 == digest(what)))
