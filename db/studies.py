"""Studies, their versions and links: a version's content never changes."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import get_args

from sqlalchemy import Connection, Engine, Row, Select, func, select, update

from core.errors import StudyError
from core.records import Phase, Picture, SessionKind, Stimulus, StudyVersion
from db import audit
from db import pictures as blobs
from db.engine import reading, writing
from db.schema import link, stimulus, study_version
from db.statements import insert, lock, now

PICTURES_AT_ONCE = 16


def store(
    engine: Engine,
    *,
    study_id: str,
    config_hash: str,
    title: str,
    content: str,
    source_yaml: str,
    stimuli: Sequence[Stimulus],
    pictures: Iterable[Picture],
    who: str,
) -> StudyVersion:
    """Store a study as `load` does and note who did it, while participants of others go on answering.

    It takes the engine, not a connection: `pictures` is advanced outside of any transaction, since reading
    and decoding thousands of files takes minutes, and each transaction that writes is short. When it fails
    half-way, pictures are left that no version shows; loading again goes on from there.
    """
    with reading(engine) as conn:
        known = get(conn, config_hash)
    if known is None:
        _save_pictures(engine, pictures)
    with writing(engine) as conn:
        version = load(
            conn,
            study_id=study_id,
            config_hash=config_hash,
            title=title,
            content=content,
            source_yaml=source_yaml,
            stimuli=stimuli,
            pictures=(),
        )
        audit.write(conn, who, "study loaded", f"{version.study_id} version {version.version}")
    return version


def load(
    conn: Connection,
    *,
    study_id: str,
    config_hash: str,
    title: str,
    content: str,
    source_yaml: str,
    stimuli: Sequence[Stimulus],
    pictures: Iterable[Picture],
) -> StudyVersion:
    """Store a study as its next version; content that is already there gives the version it has."""
    lock(conn, f"study {study_id}")
    if stored := get(conn, config_hash):
        return stored
    blobs.save(conn, pictures)
    newest = select(func.max(study_version.c.version)).where(study_version.c.study_id == study_id)
    conn.execute(
        study_version.insert(),
        {
            "config_hash": config_hash,
            "study_id": study_id,
            "version": (conn.scalar(newest) or 0) + 1,
            "state": "loaded",
            "phase": "live",
            "title": title,
            "content": content,
            "source_yaml": source_yaml,
            "loaded_at": now(),
        },
    )
    _save_stimuli(conn, config_hash, stimuli)
    return _must_get(conn, config_hash)


def get(conn: Connection, config_hash: str) -> StudyVersion | None:
    """Find a version by the hash of its content."""
    return _one(conn, select(study_version).where(study_version.c.config_hash == config_hash))


def latest(conn: Connection, study_id: str) -> StudyVersion | None:
    """Find a study's newest version, whatever its state."""
    versions = select(study_version).where(study_version.c.study_id == study_id)
    return _one(conn, versions.order_by(study_version.c.version.desc()).limit(1))


def open_version(conn: Connection, study_id: str) -> StudyVersion | None:
    """Find the version of a study that takes participants now."""
    versions = select(study_version).where(study_version.c.study_id == study_id)
    return _one(conn, versions.where(study_version.c.state == "open"))


def listing(conn: Connection, study_id: str | None = None) -> tuple[StudyVersion, ...]:
    """List every version, or those of one study, by study, the newest first."""
    found = select(study_version).order_by(study_version.c.study_id, study_version.c.version.desc())
    if study_id is not None:
        found = found.where(study_version.c.study_id == study_id)
    return tuple(_version(row) for row in conn.execute(found))


def open_(conn: Connection, config_hash: str, *, phase: Phase) -> StudyVersion:
    """Let a version take participants, and close the study's other open one."""
    version = _must_get(conn, config_hash)
    of_study = study_version.c.study_id == version.study_id
    lock(conn, f"study {version.study_id}")
    conn.execute(
        update(study_version)
        .where(of_study, study_version.c.state == "open", study_version.c.config_hash != config_hash)
        .values(state="closed", closed_at=now())
    )
    conn.execute(
        update(study_version)
        .where(study_version.c.config_hash == config_hash)
        .values(
            state="open",
            phase=phase,
            opened_at=version.opened_at or now(),
            closed_at=None,
        )
    )
    return _must_get(conn, config_hash)


def close(conn: Connection, config_hash: str) -> StudyVersion:
    """Stop a version from taking new participants; begun sessions may go on."""
    _must_get(conn, config_hash)
    conn.execute(
        update(study_version)
        .where(study_version.c.config_hash == config_hash, study_version.c.state != "closed")
        .values(state="closed", closed_at=now())
    )
    return _must_get(conn, config_hash)


def stimuli(conn: Connection, config_hash: str) -> tuple[Stimulus, ...]:
    """List a version's stimuli in the order in which they were loaded."""
    fields = [stimulus.c[field.name] for field in dataclasses.fields(Stimulus)]
    rows = select(*fields).where(stimulus.c.config_hash == config_hash).order_by(stimulus.c.position)
    return tuple(Stimulus(**row._asdict()) for row in conn.execute(rows))


def make_link(conn: Connection, study_id: str, kind: SessionKind) -> str:
    """Give the token of a study's link of this kind, made once and then the same."""
    if kind not in get_args(SessionKind):
        raise StudyError(f"a link of kind {kind!r} is unknown; it needs one of {get_args(SessionKind)}")
    if latest(conn, study_id) is None:
        raise StudyError(f"study {study_id!r} is not in the database; load it with 'facenorm study load'")
    made = {
        "token": secrets.token_urlsafe(12),
        "study_id": study_id,
        "kind": kind,
        "made_at": now(),
    }
    conn.execute(insert(conn, link).on_conflict_do_nothing(), made)
    found = select(link.c.token).where(link.c.study_id == study_id, link.c.kind == kind)
    return str(conn.scalar(found))


def link_kind(conn: Connection, study_id: str, token: str) -> SessionKind | None:
    """Tell which kind of session a link's token begins, None for an unknown token."""
    found = select(link.c.kind).where(link.c.study_id == study_id, link.c.token == token)
    kind: SessionKind | None = conn.scalar(found)
    return kind


def _save_pictures(engine: Engine, pictures: Iterable[Picture]) -> None:
    source = iter(pictures)
    while batch := list(islice(source, PICTURES_AT_ONCE)):
        with writing(engine) as conn:
            blobs.save(conn, batch)


def _save_stimuli(conn: Connection, config_hash: str, found: Sequence[Stimulus]) -> None:
    rows = [
        {
            **dataclasses.asdict(one),
            "extra": dict(one.extra),
            "config_hash": config_hash,
            "position": position,
        }
        for position, one in enumerate(found)
    ]
    if rows:
        conn.execute(stimulus.insert(), rows)


def _one(conn: Connection, statement: Select[tuple[object, ...]]) -> StudyVersion | None:
    row = conn.execute(statement).one_or_none()
    return None if row is None else _version(row)


def _version(row: Row[tuple[object, ...]]) -> StudyVersion:
    return StudyVersion(**row._asdict())


def _must_get(conn: Connection, config_hash: str) -> StudyVersion:
    version = get(conn, config_hash)
    if version is None:
        raise StudyError(
            f"no version {config_hash[:12]} is in the database; load the study with 'facenorm study load'"
        )
    return version
