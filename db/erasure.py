"""Deleting a session with everything that tells of it; a count is all that stays."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, Table, delete, func, or_, select, update

from core.errors import SessionError
from core.records import Session, SessionKind
from db import audit, copies, scrub, sessions, studies
from db.copies import Copy
from db.schema import (
    about,
    answer,
    code,
    consent,
    consent_text,
    exclusion,
    external,
    questionnaire,
    response,
    session,
    study_version,
    tally,
    trial,
    trial_stimulus,
)
from db.schema import audit as audit_table
from db.statements import lock, now

BY_PARTICIPANT = "participant"
ERASED: Final = "erased"
_OF_SESSION = (response, trial_stimulus, about, questionnaire, consent, external)
_CHANGED = (*_OF_SESSION, answer, trial, session, consent_text, exclusion, code, audit_table)


@dataclass(frozen=True, slots=True)
class Contents:
    """How much a session holds."""

    pictures: int  # answered trials
    questions: int  # answered, about the participant and in questionnaires


@dataclass(frozen=True, slots=True)
class Report:
    """What an erasure could not reach: copies made while the session was there."""

    exports: tuple[Copy, ...]
    backups: tuple[Copy, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """What a researcher should know of a study's erasures."""

    last: datetime
    exports: tuple[Copy, ...]
    backups: tuple[Copy, ...]


def contents(conn: Connection, session_id: str) -> Contents:
    """Count what a session holds."""
    answered = (
        select(func.count(answer.c.trial_id.distinct()))
        .join(trial, trial.c.trial_id == answer.c.trial_id)
        .where(trial.c.session_id == session_id)
    )
    pictures = conn.scalar(answered) or 0
    return Contents(pictures, sum(_given(conn, table, session_id) for table in (about, questionnaire)))


def _given(conn: Connection, table: Table, session_id: str) -> int:
    # A question passed over is a row without a value.
    values = conn.scalars(select(table.c.value).where(table.c.session_id == session_id))
    return sum(value is not None for value in values)


def by_external(conn: Connection, config_hash: str, external_id: str) -> tuple[str, ...]:
    """Find the ids of a version's sessions that came with an id of somebody else's."""
    found = (
        select(session.c.session_id)
        .join(external, external.c.session_id == session.c.session_id)
        .where(session.c.config_hash == config_hash, external.c.external_id == external_id)
    )
    return tuple(conn.scalars(found.order_by(session.c.began_at, session.c.session_id)))


def erase(
    conn: Connection, session_id: str, *, who: str, shared: bool = True, backups: Path | None = None
) -> Report:
    """Delete a session in this transaction; its places are free again.

    who: a researcher, or BY_PARTICIPANT. shared: may public exports hold the session?
    backups: the folder of backups made before migrations.
    Returns which copies still hold the session. Call `settle` after the transaction.
    Raises SessionError when there is no such session.
    """
    # On PostgreSQL nobody stores an answer of the session meanwhile.
    conn.execute(select(session.c.session_id).where(session.c.session_id == session_id).with_for_update())
    gone = sessions.get(conn, session_id)
    if gone is None:
        raise SessionError("this session is not in the database any more; nothing is left to delete")
    report = _report(conn, gone, shared=shared, backups=backups)
    _delete_rows(conn, gone)
    sessions.tally(conn, gone.config_hash, ERASED, kind=gone.kind, phase=gone.phase)
    audit.write(conn, who, ERASED, _detail(gone.study_id, report))
    scrub.ask(conn)
    return report


def settle(engine: Engine) -> bool:
    """Overwrite what is left of deleted rows; False when it must be tried again later.

    On PostgreSQL it makes the rows' room free for others; its own vacuuming would do so in time, too.
    """
    if engine.dialect.name == "sqlite":
        return scrub.run(engine)
    names = ", ".join(table.name for table in _CHANGED)
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as conn:
        conn.exec_driver_sql(f"VACUUM {names}")
    return True


def count(conn: Connection, study_id: str, *, kind: SessionKind = "human") -> int:
    """Count the sessions of a study that were deleted, in all its versions and phases."""
    versions = select(study_version.c.config_hash).where(study_version.c.study_id == study_id)
    counted = select(func.sum(tally.c.n)).where(
        tally.c.config_hash.in_(versions), tally.c.what == ERASED, tally.c.kind == kind
    )
    return int(conn.scalar(counted) or 0)


def notice(conn: Connection, study_id: str) -> Notice | None:
    """Gather which copies still hold deleted answers of a study; None where nothing was deleted."""
    rows = conn.execute(select(audit_table).where(audit_table.c.what == ERASED))
    found = [(row.at, said) for row in rows if (said := json.loads(row.detail))["study"] == study_id]
    if not found:
        return None
    exports = (each for _at, said in found for each in said["exports"])
    backups = (each for _at, said in found for each in said["backups"] if Path(each["where"]).is_file())
    return Notice(max(at for at, _said in found), copies.loaded(exports), copies.loaded(backups))


def _report(conn: Connection, gone: Session, *, shared: bool, backups: Path | None) -> Report:
    version = studies.get(conn, gone.config_hash)
    exports = copies.exports(
        conn,
        study_id=gone.study_id,
        version=version.version if version else 0,
        phase=gone.phase,
        kind=gone.kind,
        since=gone.began_at,
    )
    return Report(
        exports=tuple(one for one in exports if shared or one.what == copies.PRIVATE),
        backups=copies.backups(conn, folder=backups, since=gone.began_at),
    )


def _detail(study_id: str, report: Report) -> str:
    said = {
        "study": study_id,
        "exports": copies.dumped(report.exports),
        "backups": copies.dumped(report.backups),
    }
    return json.dumps(said, ensure_ascii=False)


def _delete_rows(conn: Connection, gone: Session) -> None:
    session_id = gone.session_id
    trials = select(trial.c.trial_id).where(trial.c.session_id == session_id)
    texts = select(consent.c.text_sha256).where(consent.c.session_id == session_id)
    agreed = conn.scalars(texts).all()
    named = or_(
        (exclusion.c.target_kind == "session") & (exclusion.c.target_id == session_id),
        (exclusion.c.target_kind == "trial") & exclusion.c.target_id.in_(trials),
    )
    conn.execute(delete(exclusion).where(named, exclusion.c.study_id == gone.study_id))
    conn.execute(delete(audit_table).where(audit_table.c.detail.contains(session_id, autoescape=True)))
    conn.execute(delete(response).where(response.c.session_id == session_id))
    conn.execute(delete(answer).where(answer.c.trial_id.in_(trials)))
    for table in _OF_SESSION:
        conn.execute(delete(table).where(table.c.session_id == session_id))
    conn.execute(delete(trial).where(trial.c.session_id == session_id))
    # A platform's code stays used, so that nobody else gets it; whose it was is gone.
    given = code.c.session_id == session_id
    conn.execute(update(code).where(given).values(session_id=None, given_at=now()))
    lock(conn, sessions.CONSENT_TEXTS)
    used = select(consent.c.text_sha256).where(consent.c.text_sha256 == consent_text.c.text_sha256)
    conn.execute(delete(consent_text).where(consent_text.c.text_sha256.in_(agreed), ~used.exists()))
    conn.execute(delete(session).where(session.c.session_id == session_id))
