"""Copies of the data that left the database: exports and backups, each noted when it was made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from core.records import Phase, SessionKind
from db import audit
from db.schema import audit as audit_table
from db.schema import time_text

DOWNLOAD = "download"
PUBLIC, PRIVATE, BACKUP = "public export", "private export", "backup"

_EXPORT = re.compile(
    r"(?P<study>\S+) version (?P<version>\d+)(, (?P<phase>\w+) (?P<kind>\w+), to (?P<where>.+))?", re.DOTALL
)
_STAMP = re.compile(r"-(\d{8}T\d{6})\d*Z\.")


@dataclass(frozen=True, slots=True)
class Copy:
    """One export or backup."""

    at: datetime
    what: str  # public export, private export or backup
    where: str  # a path on the machine that made it, or "download"


def note_export(
    conn: Connection,
    who: str,
    *,
    study_id: str,
    version: int,
    phase: Phase,
    kind: SessionKind,
    public: bool,
    where: str,
) -> None:
    """Note that answers are about to leave the database."""
    detail = f"{study_id} version {version}, {phase} {kind}, to {where}"
    audit.write(conn, who, PUBLIC if public else PRIVATE, detail)


def note_backup(conn: Connection, who: str, path: Path) -> None:
    """Note that the whole database was copied to a file."""
    audit.write(conn, who, BACKUP, str(path.resolve()))


def exports(
    conn: Connection, *, study_id: str, version: int, phase: Phase, kind: SessionKind, since: datetime
) -> tuple[Copy, ...]:
    """List the exports since a moment that hold such sessions, the oldest first."""
    noted = audit_table.c.what.in_((PUBLIC, PRIVATE)) & (audit_table.c.at >= since)
    rows = conn.execute(select(audit_table).where(noted).order_by(audit_table.c.entry_id))
    found = ((row, _EXPORT.fullmatch(row.detail)) for row in rows)
    return tuple(
        Copy(row.at, row.what, said["where"] or "")
        for row, said in found
        if said
        and (said["study"], int(said["version"])) == (study_id, version)
        # Notes of earlier programs do not say what was exported: then it may be anything.
        and (said["phase"] or phase, said["kind"] or kind) == (phase, kind)
    )


def backups(conn: Connection, *, folder: Path | None, since: datetime) -> tuple[Copy, ...]:
    """List the backups since a moment, the oldest first.

    folder: where backups are made before a migration. Files that are there no more are left out.
    """
    noted = (audit_table.c.what == BACKUP) & (audit_table.c.at >= since)
    rows = conn.execute(select(audit_table.c.at, audit_table.c.detail).where(noted))
    found = {path: at for at, path in rows if Path(path).is_file()}
    found |= {str(path): at for path, at in _stamped(conn.engine, folder) if at >= since}
    return tuple(Copy(at, BACKUP, path) for path, at in sorted(found.items(), key=lambda item: item[1]))


def dumped(found: Iterable[Copy]) -> list[dict[str, str]]:
    """Write copies as JSON takes them."""
    return [{"at": time_text(one.at), "what": one.what, "where": one.where} for one in found]


def loaded(written: Iterable[Mapping[str, str]]) -> tuple[Copy, ...]:
    """Read copies back, each once, the oldest first."""
    found = {Copy(datetime.fromisoformat(one["at"]), one["what"], one["where"]) for one in written}
    return tuple(sorted(found, key=lambda one: (one.at, one.where)))


def _stamped(engine: Engine, folder: Path | None) -> Iterator[tuple[Path, datetime]]:
    """Backups whose names tell when they were made, and databases set aside by a restore."""
    database = engine.url.database if engine.dialect.name == "sqlite" else None
    folders = [(folder, "*.db")] if folder else []
    if database:
        beside = Path(database).expanduser().resolve()
        folders.append((beside.parent, f"{beside.stem}-before-restore-*{beside.suffix}"))
    for where, pattern in folders:
        for path in where.glob(pattern):
            if said := _STAMP.search(path.name):
                yield path, datetime.strptime(said[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
