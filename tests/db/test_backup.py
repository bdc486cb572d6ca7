import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import ExportError
from db import audit, backup
from db import engine as db_engine


def _entries(path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute("SELECT count(*) FROM audit").fetchone()[0]


def _write(engine, n=1) -> None:
    for _ in range(n):
        with db_engine.writing(engine) as conn:
            audit.write(conn, "ann", "wrote")


def test_a_backup_is_one_sound_file_that_only_its_owner_reads(sqlite, tmp_path):
    _write(sqlite, 3)
    target = tmp_path / "folder" / "kept.db"
    backup.backup(sqlite, target)
    assert _entries(target) == 3
    assert [path.name for path in target.parent.iterdir()] == ["kept.db"]
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_backup_while_others_write_is_one_state_and_stops_nobody(sqlite, tmp_path):
    stop, problems, written = threading.Event(), [], []

    def write() -> None:
        while not stop.is_set():
            try:
                _write(sqlite)
                written.append(1)
            except Exception as error:
                problems.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    found = []
    for n in range(5):
        before = len(written)
        backup.backup(sqlite, tmp_path / f"{n}.db")
        found.append(_entries(tmp_path / f"{n}.db"))
        assert before <= found[-1] <= len(written) + 1
    stop.set()
    writer.join()
    assert problems == []
    assert found == sorted(found)


def test_a_backup_that_fails_leaves_the_older_one_and_no_rest(sqlite, tmp_path, monkeypatch):
    target = tmp_path / "kept" / "backup.db"
    backup.backup(sqlite, target)
    _write(sqlite)
    monkeypatch.setattr(backup.os, "replace", _full)
    with pytest.raises(ExportError, match="cannot be written"):
        backup.backup(sqlite, target)
    assert _entries(target) == 0
    assert [path.name for path in target.parent.iterdir()] == ["backup.db"]


def _full(*_paths) -> None:
    raise OSError("no space left on device")


def test_the_database_is_no_place_for_its_own_backup(sqlite):
    with pytest.raises(ExportError, match="is the database itself"):
        backup.backup(sqlite, Path(sqlite.url.database))


def test_a_restored_database_is_the_backup_and_the_old_one_lies_aside(sqlite, tmp_path):
    _write(sqlite, 2)
    backup.backup(sqlite, tmp_path / "kept.db")
    _write(sqlite, 5)
    sqlite.dispose()
    aside = backup.restore(str(sqlite.url), tmp_path / "kept.db")
    assert _entries(sqlite.url.database) == 2
    assert _entries(aside) == 7
    db_engine.migrate(sqlite, backup_to=None)
    _write(sqlite)
    with db_engine.reading(sqlite) as conn:
        assert len(audit.read(conn)) == 3


def test_what_only_the_log_holds_is_aside_too(sqlite, tmp_path):
    """A program that was killed leaves answers in the write-ahead log."""
    backup.backup(sqlite, tmp_path / "kept.db")
    other = tmp_path / "killed.db"
    _write(sqlite, 4)
    for suffix in ("", "-wal"):
        with open(f"{sqlite.url.database}{suffix}", "rb") as file:
            (tmp_path / f"killed.db{suffix}").write_bytes(file.read())
    aside = backup.restore(f"sqlite:///{other}", tmp_path / "kept.db")
    assert _entries(aside) == 4
    assert _entries(other) == 0
    assert not (tmp_path / "killed.db-wal").exists()


def test_a_restore_where_nothing_was_makes_the_database(sqlite, tmp_path):
    _write(sqlite)
    backup.backup(sqlite, tmp_path / "kept.db")
    assert backup.restore(f"sqlite:///{tmp_path / 'new' / 'facenorm.db'}", tmp_path / "kept.db") is None
    assert _entries(tmp_path / "new" / "facenorm.db") == 1


def test_a_restore_under_a_running_program_is_refused(sqlite, tmp_path):
    backup.backup(sqlite, tmp_path / "kept.db")
    _write(sqlite)  # the engine keeps its connection, as a running program does
    with pytest.raises(ExportError, match=r"is in use.*stop Facenorm"):
        backup.restore(str(sqlite.url), tmp_path / "kept.db")
    _write(sqlite)
    with db_engine.reading(sqlite) as conn:
        assert len(audit.read(conn)) == 2


def test_only_a_sound_database_of_facenorm_is_restored(sqlite, tmp_path):
    text, foreign, damaged = tmp_path / "text.db", tmp_path / "foreign.db", tmp_path / "damaged.db"
    text.write_text("not a database at all, only some words that are longer than a header" * 20)
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE theirs (n INTEGER)")
    _write(sqlite, 300)
    backup.backup(sqlite, damaged)
    content = bytearray(damaged.read_bytes())
    content[len(content) // 4 : -len(content) // 4] = b"\x00" * len(
        content[len(content) // 4 : -len(content) // 4]
    )
    damaged.write_bytes(content)
    sqlite.dispose()
    said = {
        tmp_path / "nothing.db": "is not there",
        text: "is no SQLite database",
        foreign: "is not a database of Facenorm",
        damaged: "damaged|is no SQLite database",
    }
    for path, words in said.items():
        with pytest.raises(ExportError, match=words):
            backup.restore(str(sqlite.url), path)
    assert _entries(sqlite.url.database) == 300


@pytest.mark.postgres
def test_on_postgresql_its_own_tools_are_named(postgres_url, tmp_path):
    engine = db_engine.connect(f"{postgres_url}/postgres")
    with pytest.raises(ExportError, match="pg_dump"):
        backup.backup(engine, tmp_path / "kept.db")
    with pytest.raises(ExportError, match="pg_restore"):
        backup.restore(postgres_url, tmp_path / "kept.db")
    engine.dispose()
