import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, Inspector, inspect, text
from sqlalchemy.exc import IntegrityError

from core.errors import DatabaseError
from db import engine as db_engine
from db.schema import metadata

Facts = dict[str, object]


def _schema(engine: Engine) -> Facts:
    """Everything that SQLAlchemy's inspector reads back, by table."""
    found = inspect(engine)
    return {name: _table(found, name) for name in found.get_table_names() if name != "alembic_version"}


def _table(found: Inspector, name: str) -> Facts:
    columns = {
        column["name"]: (
            str(column["type"]),
            column["nullable"],
            column["default"],
            column.get("autoincrement"),
        )
        for column in found.get_columns(name)
    }
    return {
        "columns": columns,
        "order": list(columns),
        "primary": found.get_pk_constraint(name),
        "foreign": sorted(map(repr, found.get_foreign_keys(name))),
        "unique": sorted(map(repr, found.get_unique_constraints(name))),
        "checks": sorted(map(repr, found.get_check_constraints(name))),
        "indexes": sorted(map(repr, found.get_indexes(name))),
    }


@pytest.fixture
def empty(url: str) -> Iterator[Engine]:
    engine = db_engine.connect(url)
    yield engine
    engine.dispose()


def test_the_migrations_from_empty_give_the_schema_that_the_program_declares(engine: Engine, empty: Engine):
    with db_engine.writing(empty) as conn:
        metadata.create_all(conn)
    assert set(_schema(engine)) == set(metadata.tables)
    assert _schema(engine) == _schema(empty)


def test_an_error_of_the_database_tells_no_parameters(engine: Engine):
    with pytest.raises(IntegrityError) as caught, db_engine.writing(engine) as conn:
        conn.execute(text("insert into tally (config_hash, what) values (:a, :b)"), {"a": "WID1", "b": "x"})
    assert "parameters hidden" in str(caught.value)


def test_what_an_older_schema_held_is_kept(empty: Engine, tmp_path: Path, monkeypatch):
    older = tmp_path / "migrations"
    _copy_migrations(older)
    for path in (older / "versions").glob("000[2-9]*.py"):
        path.unlink()
    with monkeypatch.context() as patched:
        patched.setattr(db_engine, "MIGRATIONS", older)
        db_engine.migrate(empty, backup_to=None)
    with db_engine.writing(empty) as conn:
        for statement in OF_THE_FIRST_SCHEMA:
            conn.execute(text(statement))
    db_engine.migrate(empty, backup_to=None)
    with db_engine.reading(empty) as conn:
        assert conn.scalar(text("SELECT value FROM response")) == 42
        assert conn.execute(text("SELECT outcome, ended_at, task_order, returns FROM session")).one() == (
            *("complete", "2026-01-02T00:00:00.000Z"),
            *(["[]", 0] if empty.dialect.name == "sqlite" else [[], 0]),
        )
        assert conn.scalar(text("SELECT task FROM trial")) == "all"
        assert conn.scalar(text("SELECT n FROM tally")) == 7


OF_THE_FIRST_SCHEMA = (
    "INSERT INTO study_version (config_hash, study_id, version, state, phase, title, content, source_yaml, "
    "loaded_at) VALUES ('c', 's', 1, 'open', 'live', 't', '{}', '', '2026-01-01T00:00:00.000Z')",
    "INSERT INTO tally (config_hash, kind, phase, what, n) VALUES ('c', 'human', 'live', 'opened', 7)",
    "INSERT INTO session (session_id, token_sha256, study_id, study_version, config_hash, kind, phase, "
    "language, option_order, completion_code, began_at, last_seen_at, completed_at) VALUES ('p', 'h', 's', "
    "1, 'c', 'human', 'live', 'en', '{}', 'X', '2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z', "
    "'2026-01-02T00:00:00.000Z')",
    "INSERT INTO trial (trial_id, session_id, trial_index, block, attempt, is_practice, is_attention, "
    "is_repeat) VALUES ('t', 'p', 1, 1, 1, false, false, false)",
    "INSERT INTO answer (trial_id, revision, body_sha256, onset_ok, blur_count, saved_at) "
    "VALUES ('t', 1, 'b', true, 0, '2026-01-01T00:00:00.000Z')",
    "INSERT INTO response (trial_id, revision, scale_id, current, status, value, n_changes, session_id, "
    "stimulus_id, study_id, study_version, kind, phase, is_main) VALUES ('t', 1, 'valence', true, "
    "'answered', 42, 0, 'p', 'f', 's', 1, 'human', 'live', true)",
)


def test_a_second_migration_changes_nothing_and_makes_no_backup(sqlite: Engine, tmp_path: Path):
    db_engine.migrate(sqlite, backup_to=tmp_path / "backups")
    assert not (tmp_path / "backups").exists()


def test_many_programs_that_start_at_once_migrate_once(url: str):
    engines = [db_engine.connect(url) for _ in range(6)]
    problems: list[Exception] = []

    def start(engine: Engine) -> None:
        try:
            db_engine.migrate(engine, backup_to=None)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=start, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert all(db_engine.problem(engine) is None for engine in engines)
    for engine in engines:
        engine.dispose()


def test_a_database_newer_than_the_program_is_refused(engine: Engine):
    with db_engine.writing(engine) as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match=r"revision 9999.*install a newer Facenorm"):
        db_engine.migrate(engine, backup_to=None)
    assert "9999" in str(db_engine.problem(engine))


def test_somebody_elses_database_is_refused(empty: Engine):
    with db_engine.writing(empty) as conn:
        conn.execute(text("CREATE TABLE theirs (n INTEGER)"))
    with pytest.raises(DatabaseError, match=r"not Facenorm's \(theirs\)"):
        db_engine.migrate(empty, backup_to=None)


def test_an_older_database_is_backed_up_before_it_changes(sqlite: Engine, tmp_path: Path, monkeypatch):
    newer = tmp_path / "migrations"
    _copy_migrations(newer)
    (newer / "versions" / "0005_next.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\nrevision = '0005'\ndown_revision = '0004'\n"
        "def upgrade():\n    op.create_table('next', sa.Column('n', sa.Integer()))\n"
    )
    monkeypatch.setattr(db_engine, "MIGRATIONS", newer)
    db_engine.migrate(sqlite, backup_to=tmp_path / "backups")
    (kept,) = (tmp_path / "backups").iterdir()
    assert kept.name.startswith("facenorm-0004-")
    with closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0004",)
        assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'next'").fetchone() is None
    assert "next" in inspect(sqlite).get_table_names()


@pytest.mark.postgres
@pytest.mark.parametrize("kind", ["postgresql"])
def test_before_an_older_postgresql_schema_changes_the_log_says_that_nothing_is_backed_up(
    engine: Engine, tmp_path: Path, monkeypatch, caplog
):
    db_engine.migrate(engine, backup_to=tmp_path / "backups")
    assert not caplog.records
    broken = tmp_path / "migrations"
    _copy_migrations(broken)
    (broken / "versions" / "0005_broken.py").write_text(
        "revision = '0005'\ndown_revision = '0004'\ndef upgrade():\n    raise ValueError('first words')\n"
    )
    monkeypatch.setattr(db_engine, "MIGRATIONS", broken)
    with pytest.raises(ValueError, match="first words"):
        db_engine.migrate(engine, backup_to=tmp_path / "backups")
    (said,) = caplog.records
    assert (said.name, said.levelname) == ("facenorm", "WARNING")
    assert "from revision 0004 without a backup" in said.getMessage()
    assert not (tmp_path / "backups").exists()


def _copy_migrations(folder: Path) -> None:
    for path in db_engine.MIGRATIONS.rglob("*.py"):
        target = folder / path.relative_to(db_engine.MIGRATIONS)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text())


def test_a_migration_that_fails_leaves_the_database_as_it_was(engine: Engine, tmp_path: Path, monkeypatch):
    broken = tmp_path / "migrations"
    _copy_migrations(broken)
    (broken / "versions" / "0005_broken.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\nrevision = '0005'\ndown_revision = '0004'\n"
        "def upgrade():\n    op.create_table('half', sa.Column('n', sa.Integer()))\n"
        "    raise ValueError('half')\n"
    )
    monkeypatch.setattr(db_engine, "MIGRATIONS", broken)
    with pytest.raises(ValueError, match="half"):
        db_engine.migrate(engine, backup_to=None)
    monkeypatch.undo()
    assert "half" not in inspect(engine).get_table_names()
    assert db_engine.problem(engine) is None


def test_a_reader_sees_one_state_while_others_write(engine: Engine):
    count = text("SELECT count(*) FROM audit")
    with db_engine.reading(engine) as reader:
        before = reader.scalar(count)
        with db_engine.writing(engine) as writer:
            _entry(writer)
        assert reader.scalar(count) == before == 0
    with db_engine.reading(engine) as reader:
        assert reader.scalar(count) == 1


def test_a_reader_cannot_write(engine: Engine):
    with pytest.raises(Exception, match=r"read.?only"), db_engine.reading(engine) as conn:
        _entry(conn)
    with db_engine.writing(engine) as conn:
        _entry(conn)


def _entry(conn: Connection) -> None:
    conn.execute(text("INSERT INTO audit (at, who, what, detail) VALUES ('2026', 'a', 'b', 'c')"))


def test_an_error_takes_the_whole_transaction_back(engine: Engine):
    with pytest.raises(DatabaseError, match="x"), db_engine.writing(engine) as conn:
        _entry_then_fail(conn)
    with db_engine.reading(engine) as conn:
        assert conn.scalar(text("SELECT count(*) FROM audit")) == 0


def _entry_then_fail(conn: Connection) -> None:
    _entry(conn)
    raise DatabaseError("x")


def test_sqlite_syncs_every_commit_and_holds_foreign_keys(sqlite: Engine):
    with db_engine.reading(sqlite) as conn:
        found = {
            name: conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_on_sqlite_a_writer_holds_the_lock_from_its_first_moment_and_readers_go_on(sqlite: Engine):
    with db_engine.writing(sqlite), closing(sqlite3.connect(str(sqlite.url.database), timeout=0)) as other:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        with db_engine.reading(sqlite) as conn:
            assert conn.scalar(text("SELECT count(*) FROM audit")) == 0


def test_on_sqlite_a_writer_that_waits_in_vain_is_told_so(sqlite: Engine, monkeypatch):
    monkeypatch.setattr(db_engine, "TURN_S", 0.01)
    with (
        db_engine.writing(sqlite),
        pytest.raises(DatabaseError, match="other writers"),
        db_engine.writing(sqlite),
    ):
        pass
    with db_engine.writing(sqlite) as conn:
        _entry(conn)


def test_on_sqlite_another_program_that_writes_is_waited_for_and_then_named(sqlite: Engine):
    with closing(sqlite3.connect(str(sqlite.url.database))) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match="locked"), db_engine.writing(sqlite):
            pass
        other.execute("ROLLBACK")
    with db_engine.writing(sqlite) as conn:
        _entry(conn)


def test_on_sqlite_a_reader_holds_no_lock_that_stops_a_writer(sqlite: Engine):
    with (
        db_engine.reading(sqlite) as conn,
        closing(sqlite3.connect(str(sqlite.url.database), timeout=0)) as other,
    ):
        conn.scalar(text("SELECT count(*) FROM audit"))
        other.execute("BEGIN IMMEDIATE")


def test_a_database_that_does_not_answer_is_named():
    engine = db_engine.connect("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(DatabaseError, match="does not answer"), db_engine.reading(engine):
        pass
    assert "does not answer" in str(db_engine.problem(engine))
    engine.dispose()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://somewhere/else"])
def test_an_unusable_address_says_what_is_needed(url: str):
    with pytest.raises(DatabaseError, match="sqlite:///FILE"):
        db_engine.connect(url)
