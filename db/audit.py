"""Who did what: an entry for each act of a researcher, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from db.schema import audit
from db.statements import now


@dataclass(frozen=True, slots=True)
class Entry:
    """One act."""

    at: datetime
    who: str
    what: str
    detail: str


def write(conn: Connection, who: str, what: str, detail: str = "") -> None:
    """Add an entry."""
    conn.execute(audit.insert(), {"at": now(), "who": who, "what": what, "detail": detail})


def read(conn: Connection, *, limit: int = 100) -> tuple[Entry, ...]:
    """List the newest entries, the newest first."""
    fields = (audit.c.at, audit.c.who, audit.c.what, audit.c.detail)
    rows = conn.execute(select(*fields).order_by(audit.c.entry_id.desc()).limit(limit))
    return tuple(Entry(**row._asdict()) for row in rows)
