"""The process's one engine and what every route reads again and again."""

from functools import cache, lru_cache

from sqlalchemy import Connection, Engine

from core import settings, study
from core.errors import SessionError
from core.study import Study
from db import engine as db_engine
from db import studies


@cache
def engine() -> Engine:
    """Return the engine of the configured database; made on first use."""
    return db_engine.connect(settings.load().database_url)


def migrate() -> None:
    """Bring the database up to date, after a backup into the data folder."""
    db_engine.migrate(engine(), backup_to=settings.load().data / "backups")


@lru_cache(maxsize=64)
def _parsed(_config_hash: str, content: str) -> Study:
    return study.from_json(content)


def study_of(conn: Connection, config_hash: str) -> Study:
    """Return the study of a version; versions never change, so it is parsed once."""
    version = studies.get(conn, config_hash)
    if version is None:
        raise SessionError(f"study version {config_hash[:12]} is not in this database; load the study again")
    return _parsed(version.config_hash, version.content)
