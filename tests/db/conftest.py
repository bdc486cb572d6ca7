"""Databases for the tests: a SQLite file each, and one private PostgreSQL server for all."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from db import engine as db_engine

POSTGRES_USER = "postgres"


def _postgres_binaries() -> Path:
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not folders:
        pytest.skip("PostgreSQL is not installed: no initdb on the path nor in /usr/lib/postgresql/*/bin")
    return folders[-1].parent


def _as_owner(*command: str | Path) -> list[str]:
    """PostgreSQL refuses to run as root, so that root runs it as the system's postgres user."""
    words = [str(word) for word in command]
    return ["runuser", "-u", POSTGRES_USER, "--", *words] if os.geteuid() == 0 else words


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A private PostgreSQL server on loopback, gone after the tests."""
    binaries = _postgres_binaries()
    folder = Path(tempfile.mkdtemp(prefix="facenorm-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, POSTGRES_USER)
    port, data = _free_port(), folder / "data"
    control = binaries / "pg_ctl"
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c max_connections=60"
    made = ("-D", data, "-U", POSTGRES_USER, "-A", "trust", "-E", "UTF8", "--locale=C")
    try:
        _run(_as_owner(binaries / "initdb", *made))
        _run(_as_owner(control, "-D", data, "-w", "-l", folder / "log", "-o", options, "start"))
        yield f"postgresql://{POSTGRES_USER}@127.0.0.1:{port}"
    finally:
        subprocess.run(_as_owner(control, "-D", data, "-m", "immediate", "stop"), capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str]) -> None:
    # A server keeps the pipes of its parent open: files do not make us wait for its end.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(command, stdout=said, stderr=subprocess.STDOUT, cwd="/")
        said.seek(0)
        assert done.returncode == 0, said.read().decode()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, on each kind of server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'facenorm.db'}"
        return
    server = request.getfixturevalue("postgres_url")
    name = f"test_{secrets.token_hex(6)}"
    admin = create_engine(f"{server}/postgres".replace("postgresql:", "postgresql+psycopg:"))
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text(f"CREATE DATABASE {name}"))
    yield f"{server}/{name}"
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def empty(url: str) -> Iterator[Engine]:
    """The engine of an empty database."""
    engine = db_engine.connect(url)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(empty: Engine) -> Engine:
    """The engine of a database with the newest schema."""
    db_engine.migrate(empty, backup_to=None)
    return empty


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    """A SQLite database with the newest schema, for what only SQLite has."""
    engine = db_engine.connect(f"sqlite:///{tmp_path / 'only.db'}")
    db_engine.migrate(engine, backup_to=None)
    yield engine
    engine.dispose()
