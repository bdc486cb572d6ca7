"""Researchers and their logins: argon2id for passwords, only hashes of tokens, limited attempts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Connection, Engine, delete, select

from core.errors import LoginError
from db import attempts
from db.engine import writing
from db.schema import login, researcher
from db.statements import digest, insert, now

LOGIN_LASTS = timedelta(hours=12)
ATTEMPTS = 5
ATTEMPTS_WITHIN = attempts.WITHIN
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024

# argon2id with the least parameters of OWASP's Password Storage Cheat Sheet: strangers may try to log in
# many at a time, and each try takes this memory from the participants' answers.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True, slots=True)
class Login:
    """One login of a researcher."""

    name: str
    token: str
    expires_at: datetime
    must_change: bool


def names(conn: Connection) -> tuple[str, ...]:
    """List the researchers."""
    return tuple(conn.scalars(select(researcher.c.name).order_by(researcher.c.name)))


def has_own_password(conn: Connection, name: str) -> bool:
    """Tell whether a researcher has replaced their one-time password."""
    found = select(researcher.c.must_change).where(researcher.c.name == name)
    return conn.scalar(found) is False


def set_one_time(conn: Connection, name: str) -> str:
    """Give a researcher a new password that they must change; their logins end.

    Returns the password, which is not stored and cannot be shown again.
    """
    if not name.strip() or len(name) > 80:
        raise LoginError(f"the name {name!r} does not do; it needs 1 to 80 characters")
    password = secrets.token_urlsafe(12)
    _save_password(conn, name, _HASHER.hash(password), must_change=True)
    conn.execute(delete(login).where(login.c.name == name))
    attempts.forget(conn, name)
    return password


def log_in(engine: Engine, name: str, password: str) -> Login:
    """Check a password and open a login.

    It takes the engine, not a connection: a refused attempt must stay counted, and the slow hash
    must not hold the write lock while participants answer.
    Raises LoginError for a wrong name or password, and after too many attempts.
    """
    with writing(engine) as conn:
        _count_attempt(conn, name)
        stored = conn.execute(select(researcher).where(researcher.c.name == name)).one_or_none()
    # An unknown name takes as long as a wrong password.
    if not _verified(stored.password_hash if stored else _decoy(), password) or stored is None:
        raise LoginError(f"the name or the password is wrong; after {ATTEMPTS} attempts you must wait")
    with writing(engine) as conn:
        attempts.forget(conn, name)
        return _open(conn, name, must_change=stored.must_change)


def change_password(conn: Connection, token: str, new: str) -> Login:
    """Replace the password of the one who is logged in; all their logins end, and a new one opens.

    Raises LoginError when the login is over or the new password does not do.
    """
    current = by_token(conn, token)
    if current is None:
        raise LoginError("this login is over; log in again")
    _require_usable(conn, new, name=current.name)
    _save_password(conn, current.name, _HASHER.hash(new), must_change=False)
    conn.execute(delete(login).where(login.c.name == current.name))
    return _open(conn, current.name, must_change=False)


def by_token(conn: Connection, token: str) -> Login | None:
    """Find the login that a cookie names, None when it is over."""
    found = (
        select(login.c.name, login.c.expires_at, researcher.c.must_change)
        .join(researcher, researcher.c.name == login.c.name)
        .where(login.c.token_sha256 == digest(token), login.c.expires_at > now())
    )
    row = conn.execute(found).one_or_none()
    return None if row is None else Login(token=token, **row._asdict())


def log_out(conn: Connection, token: str) -> None:
    """End a login."""
    conn.execute(delete(login).where(login.c.token_sha256 == digest(token)))


def _count_attempt(conn: Connection, name: str) -> None:
    wait_min = attempts.count(conn, name, most=ATTEMPTS)
    if wait_min is not None:
        raise LoginError(
            f"too many attempts for {name!r}; wait {wait_min} minute(s), then try again", wait_min=wait_min
        )


def _verified(password_hash: str, password: str) -> bool:
    # A longer text is nobody's password, only work for the hash.
    if len(password) > LONGEST_PASSWORD:
        return False
    try:
        return _HASHER.verify(password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


@cache
def _decoy() -> str:
    return _HASHER.hash(secrets.token_urlsafe(12))


def _require_usable(conn: Connection, new: str, *, name: str) -> None:
    if not SHORTEST_PASSWORD <= len(new) <= LONGEST_PASSWORD:
        raise LoginError(
            f"the new password has {len(new)} characters; it needs {SHORTEST_PASSWORD} to {LONGEST_PASSWORD}"
        )
    old = select(researcher.c.password_hash).where(researcher.c.name == name)
    if new == name or _verified(conn.execute(old).scalar_one(), new):
        raise LoginError("the new password is the old one or your name; choose another")


def _save_password(conn: Connection, name: str, password_hash: str, *, must_change: bool) -> None:
    new = {"password_hash": password_hash, "must_change": must_change, "changed_at": now()}
    conn.execute(
        insert(conn, researcher).on_conflict_do_update(index_elements=["name"], set_=new),
        {"name": name, **new},
    )


def _open(conn: Connection, name: str, *, must_change: bool) -> Login:
    conn.execute(delete(login).where(login.c.expires_at <= now()))
    opened = Login(
        name=name,
        token=secrets.token_urlsafe(32),
        expires_at=now() + LOGIN_LASTS,
        must_change=must_change,
    )
    conn.execute(
        login.insert(),
        {
            "token_sha256": digest(opened.token),
            "name": name,
            "began_at": now(),
            "expires_at": opened.expires_at,
        },
    )
    return opened
