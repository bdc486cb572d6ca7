"""The last traces of deleted rows on SQLite, overwritten by writing the file anew.

A deleted row is overwritten where it lay (secure_delete). But a page of an index that was once split or
joined may keep a stray copy of one of its cells: of 300 sessions deleted in a trial, 2 left their id
behind. Only VACUUM is rid of those. And the log holds the pages as they were until it is emptied.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection, Engine

from core.errors import DatabaseError
from db import engine as db_engine

_WAIT_MS = 1000  # for readers of an older state, while writers wait behind us
_USUAL_WAIT_MS = 5000


def ask(conn: Connection) -> None:
    """Note in the transaction that deletes that the file must be written anew."""
    if conn.dialect.name == "sqlite":
        # A number in the file's header: it is part of the transaction, and of each backup.
        asked = int(conn.exec_driver_sql("PRAGMA user_version").scalar_one())
        conn.exec_driver_sql(f"PRAGMA user_version={asked + 1}")


def is_due(engine: Engine) -> bool:
    """Say whether the file may still hold traces of deleted rows."""
    if engine.dialect.name != "sqlite":
        return False
    with db_engine.reading(engine) as conn:
        return bool(conn.exec_driver_sql("PRAGMA user_version").scalar_one())


def run(engine: Engine) -> bool:
    """Overwrite the traces if there are any; False when somebody reads an older state: try again later.

    Writers wait meanwhile, a second or two for each 100 MB of pictures and answers.
    """
    if not is_due(engine):
        return True
    with db_engine.alone(engine) as connection:
        try:
            connection.execute(f"PRAGMA busy_timeout={_WAIT_MS}")
            return _write_anew(connection)
        except sqlite3.OperationalError as error:
            raise DatabaseError(
                f"the database could not be written anew ({error}), which overwrites the traces of deleted "
                "answers; see that its disk has room for a second copy of it; the next try comes by itself"
            ) from error
        finally:
            connection.execute(f"PRAGMA busy_timeout={_USUAL_WAIT_MS}")


def _write_anew(connection: sqlite3.Connection) -> bool:
    (asked,) = connection.execute("PRAGMA user_version").fetchone()
    # First without the work: a long export would make it vain.
    if not _fold_log(connection):
        return False
    connection.execute("VACUUM")
    if not _fold_log(connection):
        return False
    connection.execute("BEGIN IMMEDIATE")
    (now_asked,) = connection.execute("PRAGMA user_version").fetchone()
    if now_asked == asked:
        connection.execute("PRAGMA user_version=0")
    connection.execute("COMMIT")
    return bool(now_asked == asked)


def _fold_log(connection: sqlite3.Connection) -> bool:
    (busy, _pages, _folded) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy
