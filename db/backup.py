"""Backups of a SQLite database, safe while the program runs, and their restoring."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, make_url

from core.errors import ExportError

_SIGNS = ("alembic_version", "study_version", "session", "response")


def backup(engine: Engine, path: Path) -> None:
    """Write a copy of the database to a file, whole or not at all, while others read and write.

    Raises ExportError when the database is not SQLite's or the file cannot be written.
    """
    if engine.dialect.name != "sqlite":
        raise ExportError("this database is PostgreSQL's; back it up with pg_dump")
    _copy(_database(engine.url.database), path)


def before_migration(engine: Engine, folder: Path, *, revision: str) -> Path:
    """Back up a database that is about to be changed from this revision."""
    path = folder / f"facenorm-{revision}-{_stamp()}.db"
    backup(engine, path)
    return path


def restore(url: str, path: Path) -> Path | None:
    """Put a backup in the place of the database that `url` names.

    Returns where the database lies that was there before, None when there was none.
    Raises ExportError when the file is no sound Facenorm database, or the program still runs.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise ExportError("this database is PostgreSQL's; restore it with pg_restore")
    _require_facenorm(path)
    target = _database(parsed.database)
    aside = _set_aside(target) if target.exists() else None
    try:
        _copy(path, target)
    except ExportError:
        if aside:
            aside.replace(target)
        raise
    return aside


def _database(name: str | None) -> Path:
    return Path(name or "").expanduser().resolve()


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")


def _copy(source: Path, target: Path) -> None:
    if target.exists() and target.samefile(source):
        raise ExportError(f"{target} is the database itself; name another file")
    with _explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".facenorm-", suffix=".part")
        os.close(handle)
        try:
            _copy_pages(source, Path(name))
            os.replace(name, target)
        finally:
            Path(name).unlink(missing_ok=True)


def _copy_pages(source: Path, target: Path) -> None:
    with closing(_open_read_only(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        # One file, without a log beside it, so that it can be carried away.
        new.execute("PRAGMA journal_mode=DELETE")
        _require_sound(new, source)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _open_read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)


def _require_sound(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise ExportError(f"{path} is damaged ({found}); use an older backup")


def _require_facenorm(path: Path) -> None:
    if not path.is_file():
        raise ExportError(f"{path} is not there; name a file that 'facenorm backup' wrote")
    try:
        with closing(_open_read_only(path.resolve())) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            _require_sound(connection, path)
    except sqlite3.DatabaseError as error:
        raise ExportError(f"{path} is no SQLite database ({error}); name a backup of Facenorm") from error
    if missing := [sign for sign in _SIGNS if sign not in tables]:
        raise ExportError(
            f"{path} is not a database of Facenorm (no table {missing[0]!r}); name a file that "
            "'facenorm backup' wrote"
        )


def _set_aside(target: Path) -> Path:
    """Move the database away; its log is folded in first, for which nobody else may hold it open."""
    try:
        with closing(sqlite3.connect(target, timeout=1)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        raise ExportError(f"{target} is in use ({error}); stop Facenorm, then restore again") from error
    aside = target.with_name(f"{target.stem}-before-restore-{_stamp()}{target.suffix}")
    return target.replace(aside)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise ExportError(
            f"{path} cannot be written ({error}); see that its folder is yours and not full"
        ) from error
