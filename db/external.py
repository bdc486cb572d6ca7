"""The ids that others gave to participants: kept in one table, and destroyed some time after payment.

Nothing else in the database leads from an id to a session. The token of a session that began with an id
follows from the id, a salt beside it and the installation's secret, so that the same id finds the same
session in any browser; with the row gone, even who knows both the id and the secret finds nothing.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

from core.records import Outcome, Session, SessionKind
from db import scrub, sessions
from db.schema import code as code_table
from db.schema import external, session
from db.statements import digest, lock, now


@dataclass(frozen=True, slots=True)
class External:
    """One participant's id on the platform that sent them, with the parameters that came along."""

    session_id: str
    kind: SessionKind
    external_id: str
    parameters: Mapping[str, str]
    paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a researcher needs to approve one payment."""

    external_id: str
    session_id: str
    config_hash: str
    phase: str
    language: str
    began_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    completion_code: str  # the session's own, whether it was shown or not
    pool_code: str | None
    paid_at: datetime | None
    parameters: Mapping[str, str]


_FIELDS = tuple(external.c[name] for name in ("session_id", "kind", "external_id", "parameters", "paid_at"))

_OF_SESSION = (
    "session_id",
    "config_hash",
    "phase",
    "language",
    "began_at",
    "ended_at",
    "outcome",
    "completion_code",
)


def hold(conn: Connection, study_id: str, kind: SessionKind, external_id: str) -> None:
    """Let one Begin at a time look for this id and store it."""
    lock(conn, f"external {study_id} {kind} {external_id}")


def new_salt() -> str:
    """Draw what makes the token of one session differ from all others."""
    return secrets.token_hex(16)


def nonce(secret: bytes, salt: str, external_id: str) -> str:
    """Derive the nonce with which the session of an id begins, and from which its token follows."""
    return hmac.new(secret, f"{salt} {external_id}".encode(), "sha256").hexdigest()


def add(
    conn: Connection, begun: Session, external_id: str, parameters: Mapping[str, str], *, salt: str
) -> None:
    """Store the id of a session that has just begun."""
    conn.execute(
        external.insert(),
        {
            "session_id": begun.session_id,
            "study_id": begun.study_id,
            "kind": begun.kind,
            "external_id": external_id,
            "parameters": dict(parameters),
            "salt": salt,
        },
    )


def release(conn: Connection, study_id: str, kind: SessionKind, external_id: str) -> None:
    """Take an id from its session, so that another may have it: a preview can be taken again."""
    conn.execute(delete(external).where(_of_id(study_id, kind, external_id)))


def session_of(conn: Connection, study_id: str, kind: SessionKind, external_id: str) -> Session | None:
    """Find the session that began with this id, in any version of the study."""
    found = conn.scalar(select(external.c.session_id).where(_of_id(study_id, kind, external_id)))
    return None if found is None else sessions.get(conn, found)


def token(conn: Connection, begun: Session, external_id: str, *, secret: bytes) -> str:
    """Give the token of a session again to who comes with its id.

    A database restored without its `secret.key` has tokens that nobody can derive any more: then the
    session gets the token that follows from the new secret, with the code for deleting that it implies.
    """
    salt = conn.scalar(select(external.c.salt).where(external.c.session_id == begun.session_id))
    derived = sessions.token_of(nonce(secret, str(salt), external_id), begun.study_id, begun.kind)
    if sessions.by_token(conn, derived) is None:
        renewed = {
            "token_sha256": digest(derived),
            "erase_code_sha256": digest(sessions.erase_code(derived)),
        }
        conn.execute(update(session).where(session.c.session_id == begun.session_id).values(renewed))
    return derived


def of_session(conn: Connection, session_id: str) -> External | None:
    """Read the id of one session; None where it has none, or none any more."""
    row = conn.execute(select(*_FIELDS).where(external.c.session_id == session_id)).one_or_none()
    return None if row is None else External(**row._asdict())


def by_session(conn: Connection, study_id: str) -> dict[str, External]:
    """Read all ids of a study, by session."""
    rows = conn.execute(select(*_FIELDS).where(external.c.study_id == study_id))
    return {row.session_id: External(**row._asdict()) for row in rows}


def claims(conn: Connection, study_id: str) -> tuple[Claim, ...]:
    """List people's ids with what became of their sessions, in the order in which they began."""
    found = (
        select(
            external.c.external_id,
            *(session.c[name] for name in _OF_SESSION),
            code_table.c.code.label("pool_code"),
            external.c.paid_at,
            external.c.parameters,
        )
        .join(session, session.c.session_id == external.c.session_id)
        .outerjoin(code_table, code_table.c.session_id == external.c.session_id)
        .where(external.c.study_id == study_id, external.c.kind == "human")
        .order_by(session.c.began_at, session.c.session_id)
    )
    return tuple(Claim(**row._asdict()) for row in conn.execute(found))


def mark_paid(conn: Connection, study_id: str, session_id: str | None = None) -> int:
    """Note that a session was paid now, or every complete one; who was noted before stays as they are.

    Returns how many were marked.
    """
    unpaid = and_(external.c.study_id == study_id, external.c.kind == "human", external.c.paid_at.is_(None))
    which = (
        external.c.session_id == session_id
        if session_id
        else external.c.session_id.in_(select(session.c.session_id).where(session.c.outcome == "complete"))
    )
    return conn.execute(update(external).where(unpaid, which).values(paid_at=now())).rowcount


def due(conn: Connection, days: Mapping[str, int]) -> bool:
    """Say whether `forget` would destroy an id, without writing."""
    return any(
        conn.scalar(select(external.c.session_id).where(_is_due(config_hash, kept)).limit(1))
        for config_hash, kept in days.items()
    )


def forget(conn: Connection, days: Mapping[str, int]) -> dict[str, int]:
    """Destroy the ids that were paid long enough ago.

    days: by version of a study (its config_hash), how long ids are kept after payment.
    Returns how many went, by study.
    """
    gone: dict[str, int] = {}
    for config_hash, kept in days.items():
        for study_id in conn.scalars(
            delete(external).where(_is_due(config_hash, kept)).returning(external.c.study_id)
        ):
            gone[study_id] = gone.get(study_id, 0) + 1
    if gone:
        scrub.ask(conn)
    return gone


def _of_id(study_id: str, kind: SessionKind, external_id: str) -> ColumnElement[bool]:
    return and_(
        external.c.study_id == study_id, external.c.kind == kind, external.c.external_id == external_id
    )


def _is_due(config_hash: str, days: int) -> ColumnElement[bool]:
    of_version = select(session.c.session_id).where(session.c.config_hash == config_hash)
    return and_(external.c.session_id.in_(of_version), external.c.paid_at <= now() - timedelta(days=days))
