"""The bytes of pictures, and who may see them."""

from __future__ import annotations

from collections.abc import Iterable
from sys import intern

from sqlalchemy import Connection, select

from core.records import Picture
from db.schema import blob, session, stimulus, trial_stimulus
from db.statements import digest, insert


def get(conn: Connection, sha256: str) -> Picture | None:
    """Read a picture by the hash of its bytes."""
    row = conn.execute(select(blob).where(blob.c.sha256 == sha256)).one_or_none()
    return None if row is None else Picture(**row._asdict())


def save(conn: Connection, pictures: Iterable[Picture]) -> None:
    """Store pictures one at a time; bytes that are there already stay as they are."""
    statement = insert(conn, blob).on_conflict_do_nothing()
    for picture in pictures:
        conn.execute(
            statement,
            {"sha256": picture.sha256, "media_type": picture.media_type, "content": picture.content},
        )


def allowed(conn: Connection, token: str) -> frozenset[str]:
    """The hashes of the pictures that the trials of a token's session show."""
    shown = (
        select(stimulus.c.served_sha256)
        .join(
            trial_stimulus,
            (trial_stimulus.c.config_hash == stimulus.c.config_hash)
            & (trial_stimulus.c.stimulus_id == stimulus.c.stimulus_id),
        )
        .join(session, session.c.session_id == trial_stimulus.c.session_id)
        .where(session.c.token_sha256 == digest(token))
    )
    # One text for all sessions: a server keeps these sets.
    return frozenset(intern(served_sha256) for served_sha256 in conn.scalars(shown))
