"""Connections, transactions and migrations."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import OperationalError

from core.errors import DatabaseError
from db import backup
from db.statements import lock

MIGRATIONS = Path(__file__).parent / "migrations"
TURN_S = 60.0
_WRITES = "facenorm_writes"
_TURN = "facenorm_turn"
_log = logging.getLogger("facenorm")


def connect(url: str) -> Engine:
    """Make the engine of a SQLite file or a PostgreSQL database."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _connect_sqlite(url, parsed.database)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True
        )
    raise DatabaseError(
        f"the database {parsed.render_as_string()!r} is of an unknown kind; "
        "FACENORM_DATABASE_URL needs sqlite:///FILE or postgresql://USER@HOST/NAME"
    )


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that sees one state of the data, takes no write lock and cannot write."""
    with _explained(), engine.execution_options(**_reader_options(engine)).begin() as conn:
        yield conn


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that writes; it commits at the end and rolls back on an error."""
    with _turn(engine), _explained(), engine.execution_options(**{_WRITES: True}).begin() as conn:
        yield conn


@contextmanager
def alone(engine: Engine) -> Iterator[sqlite3.Connection]:
    """Hold the writers' turn on SQLite with a bare connection outside of transactions, for upkeep."""
    with _turn(engine), closing(engine.raw_connection()) as pooled:
        connection = pooled.driver_connection
        if not isinstance(connection, sqlite3.Connection):
            raise DatabaseError("found a database that is not SQLite's; this upkeep needs SQLite")
        connection.execute("PRAGMA query_only=OFF")
        yield connection


def migrate(engine: Engine, *, backup_to: Path | None) -> None:
    """Bring the database to the program's schema, after a backup into the folder `backup_to`.

    PostgreSQL has tools of its own for backups: there the log says that none was made.
    Raises DatabaseError when the database is newer than the program or not Facenorm's.
    """
    scripts = ScriptDirectory.from_config(_config())
    with reading(engine) as conn:
        found = _revision(conn, scripts)
    if found == scripts.get_current_head():
        return
    if found and backup_to:
        _back_up(engine, backup_to, revision=found)
    with writing(engine) as conn:
        lock(conn, "migration")
        command.upgrade(_config(conn), "head")


def _back_up(engine: Engine, folder: Path, *, revision: str) -> None:
    if _is_sqlite(engine):
        backup.before_migration(engine, folder, revision=revision)
        return
    _log.warning(
        "the PostgreSQL database is migrated from revision %s without a backup by Facenorm; "
        "make one with pg_dump before each new version",
        revision,
    )


def problem(engine: Engine) -> str | None:
    """Say why the database cannot be used now, None when it can."""
    scripts = ScriptDirectory.from_config(_config())
    try:
        with reading(engine) as conn:
            found = _revision(conn, scripts)
    except DatabaseError as error:
        return str(error)
    newest = scripts.get_current_head()
    if found == newest:
        return None
    return f"the database is at revision {found}, the program at {newest}; start Facenorm again"


def _connect_sqlite(url: str, database: str | None) -> Engine:
    if not database or database == ":memory:":
        raise DatabaseError("a SQLite database needs a file: write sqlite:///FILE")
    Path(database).expanduser().resolve().parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 5}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine.execution_options(**{_TURN: threading.Lock()})


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Python's driver would begin transactions by itself, deferred, and commit before some statements.
    connection.isolation_level = None
    for pragma in (
        "busy_timeout=5000",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # not every build of SQLite overwrites what is deleted or revised
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(conn: Connection) -> None:
    """Take the write lock at once or not at all: a lock that is raised in mid-transaction fails when busy."""
    writes = bool(conn.get_execution_options().get(_WRITES))
    conn.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
    conn.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Let the writers of this process wait in a queue for their turn on SQLite.

    SQLite itself makes them sleep and ask again, for longer each time: on a busy machine the unlucky ones
    among hundreds asked in vain until their time was over.
    """
    turn: threading.Lock | None = engine.get_execution_options().get(_TURN)
    if turn is None:
        yield
        return
    if not turn.acquire(timeout=TURN_S):
        raise DatabaseError(f"other writers held the database for {TURN_S:.0f} s; try again")
    try:
        yield
    finally:
        turn.release()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise DatabaseError(
            f"the database does not answer as it should: {error.orig}; "
            "see that it runs, that its disk is not full and that no other program holds it, then try again"
        ) from error


def _reader_options(engine: Engine) -> dict[str, Any]:
    if _is_sqlite(engine):
        return {}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _is_sqlite(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


def _config(conn: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = conn
    return config


def _revision(conn: Connection, scripts: ScriptDirectory) -> str | None:
    tables = inspect(conn).get_table_names()
    found = MigrationContext.configure(conn).get_current_revision()
    if found is None and tables:
        raise DatabaseError(
            f"the database holds tables that are not Facenorm's ({', '.join(tables[:3])}); "
            "set FACENORM_DATABASE_URL to an empty database"
        )
    known = {script.revision for script in scripts.walk_revisions()}
    if found and found not in known:
        raise DatabaseError(
            f"the database is at revision {found}, which this program does not know; "
            f"its newest is {scripts.get_current_head()}: install a newer Facenorm or restore a backup"
        )
    return found
