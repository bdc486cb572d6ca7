"""The sets of real faces that studies name: what their pictures are, where they lie, what models said."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, Row, Select, delete, func, select

from core.records import AiResult, RaterKey, Stimulus
from db import ai, audit
from db.engine import reading, writing
from db.schema import ai_result, yardstick, yardstick_picture
from db.statements import now

RATER = tuple(ai_result.c[field.name] for field in dataclasses.fields(RaterKey))


@dataclass(frozen=True, slots=True)
class Yardstick:
    """One set; of its pictures the sizes are unknown (0), and an unknown identity is empty."""

    yardstick_id: str
    title: str
    manifest: str
    stimuli: tuple[Stimulus, ...]
    paths: Mapping[str, Path]  # stim_file -> where it lies on the lab's disk


def store(engine: Engine, config_hash: str, found: Sequence[Yardstick], *, who: str) -> None:
    """Let a study version have these sets and no others, and note who changed them.

    The same sets again change nothing; results stay, since they belong to the pictures' hashes.
    """
    with reading(engine) as conn:
        if listing(conn, config_hash) == tuple(found):
            return
    with writing(engine) as conn:
        conn.execute(delete(yardstick_picture).where(yardstick_picture.c.config_hash == config_hash))
        conn.execute(delete(yardstick).where(yardstick.c.config_hash == config_hash))
        for position, one in enumerate(found):
            _save(conn, config_hash, position, one)
        said = ", ".join(f"{one.yardstick_id} ({len(one.stimuli)} pictures)" for one in found) or "none"
        audit.write(conn, who, "yardsticks loaded", f"{config_hash[:12]}: {said}")


def _save(conn: Connection, config_hash: str, position: int, one: Yardstick) -> None:
    key = {"config_hash": config_hash, "yardstick_id": one.yardstick_id}
    of_set = {"position": position, "title": one.title, "manifest": one.manifest, "loaded_at": now()}
    conn.execute(yardstick.insert(), {**key, **of_set})
    rows = [
        {
            **key,
            "position": place,
            "stim_file": each.stim_file,
            "path": str(one.paths[each.stim_file]),
            "sha256": each.served_sha256,
            "identity_id": each.identity_id or None,
            "intended_emotion": each.intended_emotion,
            "reference_file": each.reference_file,
            "traits": dict(each.extra),
        }
        for place, each in enumerate(one.stimuli)
    ]
    if rows:
        conn.execute(yardstick_picture.insert(), rows)


def listing(conn: Connection, config_hash: str) -> tuple[Yardstick, ...]:
    """List a version's sets with their pictures, in the order of the study file."""
    sets = select(yardstick).where(yardstick.c.config_hash == config_hash).order_by(yardstick.c.position)
    return tuple(_yardstick(conn, row) for row in conn.execute(sets).all())


def _yardstick(conn: Connection, row: Row[tuple[object, ...]]) -> Yardstick:
    of_set = (
        yardstick_picture.c.config_hash == row.config_hash,
        yardstick_picture.c.yardstick_id == row.yardstick_id,
    )
    found = select(yardstick_picture).where(*of_set).order_by(yardstick_picture.c.position)
    pictures = conn.execute(found).all()
    return Yardstick(
        row.yardstick_id,
        row.title,
        row.manifest,
        tuple(map(_stimulus, pictures)),
        {each.stim_file: Path(each.path) for each in pictures},
    )


def _stimulus(row: Row[tuple[object, ...]]) -> Stimulus:
    return Stimulus(
        stimulus_id=row.sha256[:12],
        stim_file=row.stim_file,
        stim_sha256=row.sha256,
        served_sha256=row.sha256,
        width_px=0,
        height_px=0,
        identity_id=row.identity_id or "",
        intended_emotion=row.intended_emotion,
        reference_file=row.reference_file,
        extra=row.traits,
    )


def results(
    conn: Connection, config_hash: str, yardstick_id: str, *, raters: Collection[str]
) -> Iterator[AiResult]:
    """Yield the newest result of each picture, rater and detector, with embeddings, rater by rater."""
    newest = conn.execute(_newest(config_hash, yardstick_id, raters)).all()
    by_rater: dict[RaterKey, dict[str, str]] = {}
    for row in newest:
        key = RaterKey(**{column.name: getattr(row, column.name) for column in RATER})
        by_rater.setdefault(key, {})[row.served_sha256] = row.settings_hash
    for key, settings in by_rater.items():
        for settings_hash, result in ai.stored(conn, list(settings), key):
            if settings[result.served_sha256] == settings_hash:
                yield result


def _newest(config_hash: str, yardstick_id: str, raters: Collection[str]) -> Select[tuple[object, ...]]:
    asked = select(yardstick_picture.c.sha256).where(
        yardstick_picture.c.config_hash == config_hash, yardstick_picture.c.yardstick_id == yardstick_id
    )
    age = func.row_number().over(
        partition_by=(ai_result.c.served_sha256, ai_result.c.rater_id, ai_result.c.detector),
        order_by=(ai_result.c.saved_at.desc(), ai_result.c.result_id.desc()),
    )
    found = (
        select(ai_result.c.served_sha256, ai_result.c.settings_hash, *RATER, age.label("age"))
        .where(ai_result.c.served_sha256.in_(asked), ai_result.c.rater_id.in_(list(raters)))
        .subquery()
    )
    return select(found).where(found.c.age == 1).order_by(found.c.rater_id, found.c.detector)
