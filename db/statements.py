"""What SQLite and PostgreSQL both say, but SQLAlchemy only in their dialects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite


def insert(conn: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Start an INSERT that can say ON CONFLICT."""
    return postgresql.insert(table) if conn.dialect.name == "postgresql" else sqlite.insert(table)


def lock(conn: Connection, name: str) -> None:
    """Let one transaction at a time hold a name, until it ends."""
    # On SQLite a writing transaction is alone already.
    if conn.dialect.name == "postgresql":
        key = int.from_bytes(sha256(name.encode()).digest()[:8], signed=True)
        conn.execute(select(func.pg_advisory_xact_lock(key)))


def now() -> datetime:
    """The moment, in UTC, as exact as the tables keep it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def digest(text: str) -> str:
    """The SHA-256 of a text, 64 hex digits."""
    return sha256(text.encode()).hexdigest()


def canonical(value: Mapping[str, object] | Sequence[object]) -> str:
    """Write JSON in the one way that gives equal values equal hashes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
