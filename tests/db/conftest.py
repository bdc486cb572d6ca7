"""Databases for the tests: a SQLite file each, and one private PostgreSQL server for all."""

import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from core.records import (
    Answer,
    ConsentGiven,
    Evidence,
    Picture,
    Plan,
    Response,
    Session,
    Shown,
    Stimulus,
    StudyVersion,
    Trial,
)
from db import answers, sessions, studies
from db import engine as db_engine
from tests import storing

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
    # The folder is root's otherwise, which the server's user cannot enter.
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
        subprocess.run(
            _as_owner(control, "-D", data, "-m", "immediate", "stop"), check=False, capture_output=True
        )
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str]) -> None:
    # A server keeps the pipes of its parent open: files do not make us wait for its end.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(command, check=False, stdout=said, stderr=subprocess.STDOUT, cwd="/")
        said.seek(0)
        assert done.returncode == 0, said.read().decode()


@contextmanager
def _database(server: str, *, template: str = "template1") -> Iterator[str]:
    """A new database on the server, gone afterwards."""
    name = f"test_{secrets.token_hex(6)}"
    admin = db_engine.connect(f"{server}/postgres").execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    try:
        yield f"{server}/{name}"
    finally:
        with admin.connect() as conn:
            conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> Iterator[str]:
    """A database with the newest schema, for others to be copied from."""
    with _database(postgres_url) as url:
        _migrate(url)
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the newest schema, for others to be copied from."""
    path = tmp_path_factory.mktemp("migrated") / "facenorm.db"
    _migrate(f"sqlite:///{path}")
    return path


def _migrate(url: str) -> None:
    engine = db_engine.connect(url)
    db_engine.migrate(engine, backup_to=None)
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def kind(request: pytest.FixtureRequest) -> str:
    """Which kind of database the test runs on."""
    return str(request.param)


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with _database(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture
def engine(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database with the newest schema."""
    if kind == "sqlite":
        yield request.getfixturevalue("sqlite")
        return
    server, _, template = request.getfixturevalue("migrated_postgres").rpartition("/")
    with _database(server, template=template) as url:
        engine = db_engine.connect(url)
        yield engine
        engine.dispose()


@pytest.fixture
def sqlite(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Engine]:
    """A SQLite database with the newest schema."""
    shutil.copy(migrated_sqlite, tmp_path / "facenorm.db")
    engine = db_engine.connect(f"sqlite:///{tmp_path / 'facenorm.db'}")
    yield engine
    engine.dispose()


CONTENT = json.dumps(
    {
        "study": "demo",
        "scales": {
            "emotion": {"kind": "choice", "options": {"happy": {}, "sad": {}, "neutral": {}}},
            "intensity": {"kind": "likert", "points": 7},
            "valence": {"kind": "vas"},
        },
    }
)


def sha(text: str) -> str:
    """64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


class Lab:
    """Puts studies, sessions and answers into one database through the functions under test."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.tokens: dict[str, str] = {}

    def stimuli(self, n: int = 6) -> tuple[Stimulus, ...]:
        return tuple(
            Stimulus(
                stimulus_id=sha(f"served {i}")[:12],
                stim_file=f"id{i:03}_happy.png",
                stim_sha256=sha(f"original {i}"),
                served_sha256=sha(f"served {i}"),
                width_px=200,
                height_px=240,
                identity_id=f"id{i:03}",
                intended_emotion="happy" if i else None,
                generator="renderer",
                rated=bool(i),
                extra={"note": "웃음 笑い"},
            )
            for i in range(n)
        )

    def pictures(self, n: int = 6) -> Iterator[Picture]:
        for i in range(n):
            yield Picture(sha(f"original {i}"), "image/png", f"original {i}".encode())
            yield Picture(sha(f"served {i}"), "image/png", f"served {i}".encode())

    def load(self, conn: Connection, *, study_id: str = "demo", content: str = "first") -> StudyVersion:
        return studies.load(
            conn,
            study_id=study_id,
            config_hash=sha(study_id + content),
            title="Faces 얼굴",
            content=CONTENT,
            source_yaml=f"study: {study_id}",
            stimuli=self.stimuli(),
            pictures=self.pictures(),
        )

    def open(self, *, study_id: str = "demo", content: str = "first") -> StudyVersion:
        with db_engine.writing(self.engine) as conn:
            version = self.load(conn, study_id=study_id, content=content)
            return studies.open_(conn, version.config_hash, phase="live")

    def plan(self, n: int = 3, **flags: Any) -> tuple[Trial, ...]:
        rated = [stimulus.stimulus_id for stimulus in self.stimuli() if stimulus.rated]
        reference = self.stimuli()[0].stimulus_id
        return tuple(
            Trial(
                trial_id=secrets.token_hex(16),
                block=1,
                trial_index=index,
                shown=(Shown("reference", reference), Shown("target", rated[(index - 1) % len(rated)])),
                **flags,
            )
            for index in range(1, n + 1)
        )

    def begin(self, version: StudyVersion, **changed: Any) -> tuple[Session, str]:
        with db_engine.writing(self.engine) as conn:
            return self.begin_in(conn, version, **changed)

    def begin_in(
        self,
        conn: Connection,
        version: StudyVersion,
        *,
        nonce: str | None = None,
        plan: tuple[Trial, ...] = (),
        **changed: Any,
    ) -> tuple[Session, str]:
        given: dict[str, Any] = {
            "config_hash": version.config_hash,
            "kind": "human",
            "phase": "live",
            "language": "ko",
            "nonce": nonce or secrets.token_hex(16),
            "consents": [ConsentGiven("part", True, True, "ko", "1", "참여합니다")],
            "draw": lambda places: Plan(("all",), plan or self.plan()),
            "option_order": {"emotion": ("happy", "sad", "neutral")},
            "utc_offset_min": 540,
        }
        begun, token = sessions.begin(conn, **{**given, **changed})
        self.tokens[begun.session_id] = token
        return begun, token

    def answer(self, trial: Trial, revision: int = 1, *, label: str = "happy", value: float = 70.0) -> Answer:
        return Answer(
            trial_id=trial.trial_id,
            revision=revision,
            responses=(
                Response("emotion", "answered", label=label, rt_first_ms=812.5, rt_submit_ms=2000.0),
                Response("intensity", "not_applicable"),
                Response("valence", "answered", value=value, n_changes=2),
            ),
            evidence=Evidence(
                True, decode_ms=3.5, blur_count=1, input_device="keyboard", viewport="375x667@2"
            ),
        )

    def store(self, session: Session, answer: Answer, *, back: bool = False) -> None:
        with db_engine.writing(self.engine) as conn:
            answers.hold(conn, [self.tokens[session.session_id]])
            storing.store(conn, answer, back=back)

    def answer_all(self, session: Session, **given: Any) -> None:
        with db_engine.reading(self.engine) as conn:
            plan = sessions.trials(conn, session.session_id)
        for trial in plan:
            self.store(session, self.answer(trial, **given))


@pytest.fixture
def lab(engine: Engine) -> Lab:
    """The functions under test, on each kind of database."""
    return Lab(engine)


@pytest.fixture
def sqlite_lab(sqlite: Engine) -> Lab:
    """The functions under test, on SQLite alone."""
    return Lab(sqlite)
