"""The process's one engine and what every route reads again and again."""

from functools import cache

from sqlalchemy import Connection, Engine

from core import settings, study
from core.errors import SessionError
from core.study import Study
from db import engine as db_engine
from db import studies
from pages.api.kept import Kept


@cache
def engine() -> Engine:
    """Return the engine of the configured database; made on first use."""
    return db_engine.connect(settings.load().database_url)


def migrate() -> None:
    """Bring the database up to date, after a backup into the data folder."""
    db_engine.migrate(engine(), backup_to=settings.load().data / "backups")


@cache
def _studies() -> Kept[str, Study]:
    return Kept(64)


def study_of(conn: Connection, config_hash: str) -> Study:
    """Return the study of a version; versions never change, so each is read and parsed once."""
    known = _studies().get(config_hash)
    if known is not None:
        return known
    version = studies.get(conn, config_hash)
    if version is None:
        raise SessionError(f"study version {config_hash[:12]} is not in this database; load the study again")
    parsed = study.from_json(version.content)
    _studies().keep(config_hash, parsed)
    return parsed
