"""Coming back: what an absence does to a session, and the second attempt at a block.

An absence is a page load that comes more than a grace after the last sign of life; a page that is open
gives one before it loads another. What the study's policy says of it is not done at once: the session waits
(`resume_due`) until the participant has read what will happen and goes on. Meanwhile the browser sends the
answers that it still keeps, so that they are stored for the attempt in which they were given.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, func, select, update

from core.errors import SessionError
from core.records import Session
from db import sessions
from db.schema import answer, response, session, trial, trial_stimulus
from db.statements import digest, now

What = Literal["resume", "restart-block", "refuse", "expired"]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a study says of those who come back."""

    policy: Literal["resume", "restart-block", "refuse"]
    grace: timedelta
    max_age: timedelta


def may_be_away(known: Session, policy: Policy, *, at: datetime) -> bool:
    """Say whether a page load at this moment may end an absence; `arrive` knows for certain."""
    running = known.outcome is None and not known.resume_due
    return running and (at - known.last_seen_at > policy.grace or _is_expired(known, policy, at=at))


def stay(conn: Connection, token: str) -> None:
    """Note a sign of life of a page that is open; a session that waits, or has ended, stays as it is."""
    known = (session.c.token_sha256 == digest(token)) & session.c.outcome.is_(None) & ~session.c.resume_due
    conn.execute(update(session).where(known).values(last_seen_at=now()))


def arrive(conn: Connection, session_id: str, policy: Policy) -> Session:
    """Count a return where this page load ends an absence, and let the session wait where the policy says so.

    A session that has ended, or waits already, stays as it is.
    """
    known, moment = _held(conn, session_id), now()
    expired = _is_expired(known, policy, at=moment)
    seen = max(known.last_seen_at, _last_answer(conn, session_id) or known.last_seen_at)
    if known.outcome is not None or known.resume_due or not (expired or moment - seen > policy.grace):
        return known
    waits = (
        expired
        or policy.policy == "refuse"
        or (policy.policy == "restart-block" and _begun_block(conn, session_id) is not None)
    )
    changed = {"returns": session.c.returns + 1, "last_seen_at": moment, "resume_due": waits}
    conn.execute(update(session).where(session.c.session_id == session_id).values(changed))
    return _must_get(conn, session_id)


def waits_for(known: Session, policy: Policy, *, at: datetime) -> What:
    """Tell what happens to a waiting session when its participant goes on."""
    return "expired" if _is_expired(known, policy, at=at) else policy.policy


def let_on(conn: Connection, session_id: str, policy: Policy) -> Session:
    """Do to a waiting session what the policy says; one that does not wait stays as it is."""
    known = _held(conn, session_id)
    if not known.resume_due:
        return known
    conn.execute(update(session).where(session.c.session_id == session_id).values(resume_due=False))
    what = waits_for(known, policy, at=now())
    if what in {"expired", "refuse"}:
        return sessions.end(conn, session_id, "stopped")
    # The last answers of the block may have come in the meantime: then nothing of it is left to repeat.
    block = _begun_block(conn, session_id) if what == "restart-block" else None
    if block is not None:
        repeat(conn, session_id, block)
    sessions.touch(conn, session_id)
    return _must_get(conn, session_id)


def repeat(conn: Connection, session_id: str, block: int) -> None:
    """Begin a block again: new trials with the next attempt take the place of the old ones.

    The old trials keep their answers, but count nowhere any more.
    """
    _held(conn, session_id)
    old = (trial.c.session_id == session_id) & (trial.c.block == block) & ~trial.c.superseded
    rows = [dict(row._mapping) for row in conn.execute(select(trial).where(old))]
    again = {row["trial_id"]: secrets.token_hex(16) for row in rows}
    shown = conn.execute(select(trial_stimulus).where(trial_stimulus.c.trial_id.in_(again))).mappings().all()
    of_old = {table: table.c.trial_id.in_(again) for table in (trial, trial_stimulus, response)}
    conn.execute(update(trial).where(of_old[trial]).values(superseded=True))
    for table in (trial_stimulus, response):
        conn.execute(update(table).where(of_old[table]).values(is_main=False))
    conn.execute(trial.insert(), [_again(row, again) for row in rows])
    conn.execute(trial_stimulus.insert(), [{**row, "trial_id": again[row["trial_id"]]} for row in shown])


def _again(row: Mapping[str, Any], again: Mapping[str, str]) -> dict[str, Any]:
    repeated = row["repeat_of"]
    return {
        **row,
        "trial_id": again[row["trial_id"]],
        "attempt": row["attempt"] + 1,
        "repeat_of": again.get(repeated, repeated),
    }


def _begun_block(conn: Connection, session_id: str) -> int | None:
    """Find the block in which some trials are answered and some are not."""
    counts = func.count(answer.c.trial_id.distinct())
    found = (
        select(trial.c.block)
        .outerjoin(answer, answer.c.trial_id == trial.c.trial_id)
        .where(trial.c.session_id == session_id, ~trial.c.superseded)
        .group_by(trial.c.block)
        .having(counts > 0, counts < func.count(trial.c.trial_id.distinct()))
        .order_by(trial.c.block)
        .limit(1)
    )
    block: int | None = conn.scalar(found)
    return block


def _last_answer(conn: Connection, session_id: str) -> datetime | None:
    # Answers do not each renew last_seen_at: under load that would be a write too many.
    newest = select(answer.c.saved_at).join(trial, trial.c.trial_id == answer.c.trial_id)
    of_session = newest.where(trial.c.session_id == session_id)
    found: datetime | None = conn.scalar(of_session.order_by(answer.c.saved_at.desc()).limit(1))
    return found


def _is_expired(known: Session, policy: Policy, *, at: datetime) -> bool:
    return at - known.began_at > policy.max_age


def _held(conn: Connection, session_id: str) -> Session:
    """Read a session and keep late answers waiting until this transaction ends."""
    if conn.dialect.name == "postgresql":
        row = select(session.c.session_id).where(session.c.session_id == session_id)
        conn.execute(row.with_for_update(key_share=True))
    return _must_get(conn, session_id)


def _must_get(conn: Connection, session_id: str) -> Session:
    found = sessions.get(conn, session_id)
    if found is None:
        raise SessionError("this session is not in the database; open the study's link again")
    return found
