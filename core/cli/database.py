"""The database behind a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import settings
from core.errors import StudyError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from core.records import StudyVersion


def opened() -> Engine:
    """Return the configured database, made or migrated where that is needed."""
    from db import engine

    configured = settings.load()
    settings.make_data(configured)
    connected = engine.connect(configured.database_url)
    engine.migrate(connected, backup_to=configured.data / "backups")
    return connected


def newest(conn: Connection, study_id: str) -> StudyVersion:
    """Return a study's newest version, or say which studies there are."""
    from db import studies

    version = studies.latest(conn, study_id)
    if version is None:
        known = ", ".join(sorted({each.study_id for each in studies.listing(conn)})) or "none"
        raise StudyError(
            f"no study {study_id!r} is loaded (loaded: {known}); load it with 'facenorm study load FILE'"
        )
    return version


def numbered(conn: Connection, study_id: str, number: int) -> StudyVersion:
    """Return a study's version of that number."""
    from db import studies

    last = newest(conn, study_id).version
    for version in studies.listing(conn, study_id):
        if version.version == number:
            return version
    raise StudyError(f"{study_id} has no version {number}; its versions are 1 to {last}")


def current(conn: Connection, study_id: str) -> StudyVersion:
    """Return the version that takes participants, else the newest."""
    from db import studies

    return studies.open_version(conn, study_id) or newest(conn, study_id)
