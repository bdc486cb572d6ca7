"""What vision models say: one result for each picture, rater and settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Row, Subquery, Table, and_, delete, func, select

from core.records import AiResult, Face, RaterKey, Score
from db.schema import ai_embedding, ai_picture, ai_result, ai_score, stimulus
from db.statements import insert, now

CHUNK = 500
SCORE = tuple(ai_score.c[field.name] for field in dataclasses.fields(Score))
KEY = ("served_sha256", "rater_id", "rater_version", "weights_sha256", "detector", "settings_hash")


@dataclass(frozen=True, slots=True)
class Summary:
    """How many stimuli have a result of one rater with one status."""

    rater_id: str
    rater_version: str
    weights_sha256: str
    detector: str
    status: str
    n: int


def save(conn: Connection, run_id: int, result: AiResult, *, settings_hash: str) -> None:
    """Store a result; one of the same picture, rater and settings takes its place."""
    save_all(conn, run_id, [(result, settings_hash)])


def save_all(conn: Connection, run_id: int, results: Iterable[tuple[AiResult, str]]) -> None:
    """Store results with their settings' hashes; one of the same picture, rater and settings is replaced.

    Many at once take a fraction of the time, in which nobody else can write to SQLite.
    """
    given = {_key(result, settings_hash): result for result, settings_hash in results}
    saved_at = now()
    rows = [
        {
            **dict(zip(KEY, key, strict=True)),
            "status": result.status,
            "reason": result.reason,
            "run_id": run_id,
            "probabilities": dict(result.probabilities),
            "face": dataclasses.asdict(result.face) if result.face else None,
            "saved_at": saved_at,
        }
        for key, result in given.items()
    ]
    if not rows:
        return
    statement = insert(conn, ai_result)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in KEY}
    upsert = statement.on_conflict_do_update(index_elements=list(KEY), set_=changed)
    stored = conn.execute(upsert.returning(ai_result.c.result_id, *(ai_result.c[name] for name in KEY)), rows)
    _save_parts(conn, {int(result_id): given[tuple(key)] for result_id, *key in stored})


def _key(result: AiResult, settings_hash: str) -> tuple[str, ...]:
    return (*(getattr(result, name) for name in KEY[:-1]), settings_hash)


def _save_parts(conn: Connection, results: Mapping[int, AiResult]) -> None:
    ids = list(results)
    for table in (ai_score, ai_embedding, ai_picture):
        for start in range(0, len(ids), CHUNK):
            conn.execute(delete(table).where(table.c.result_id.in_(ids[start : start + CHUNK])))
        if rows := [{"result_id": each, **row} for each in ids for row in _parts(table, results[each])]:
            conn.execute(table.insert(), rows)


def _parts(table: Table, result: AiResult) -> Iterator[dict[str, Any]]:
    """The rows that the result has in one of the tables beside its own."""
    if table is ai_score:
        yield from map(dataclasses.asdict, result.scores)
    elif table is ai_picture:
        yield from ({"shows": shows, "content": content} for shows, content in result.pictures.items())
    elif result.embedding is not None:
        yield {"vector": np.asarray(result.embedding, "<f4").tobytes()}


def known(conn: Connection, served: Sequence[str], key: RaterKey) -> frozenset[tuple[str, str]]:
    """Tell which results of this rater there are: (served_sha256, settings_hash) of these pictures."""
    columns = (ai_result.c.served_sha256, ai_result.c.settings_hash)
    found: set[tuple[str, str]] = set()
    for wanted in _of_rater(served, key):
        rows = conn.execute(select(*columns).where(*wanted))
        found.update((row.served_sha256, row.settings_hash) for row in rows)
    return frozenset(found)


def stored(conn: Connection, served: Sequence[str], key: RaterKey) -> Iterator[tuple[str, AiResult]]:
    """Yield (settings_hash, result) of this rater for these pictures, with embeddings, in no order."""
    for wanted in _of_rater(served, key):
        found = (
            select(*ai_result.c, *SCORE, ai_embedding.c.vector)
            .outerjoin(ai_score, ai_score.c.result_id == ai_result.c.result_id)
            .outerjoin(ai_embedding, ai_embedding.c.result_id == ai_result.c.result_id)
            .where(*wanted)
            .order_by(ai_result.c.result_id, ai_score.c.scale_id)
        )
        for _result_id, group in groupby(conn.execute(found), key=lambda row: row.result_id):
            rows = list(group)
            vector = rows[0].vector
            embedding = None if vector is None else np.frombuffer(vector, "<f4")
            yield rows[0].settings_hash, dataclasses.replace(_result(rows), embedding=embedding)


def _of_rater(served: Sequence[str], key: RaterKey) -> Iterator[list[ColumnElement[bool]]]:
    """The conditions for a rater's results, for so many pictures at once as a statement can name."""
    of_rater = [ai_result.c[name] == value for name, value in dataclasses.asdict(key).items()]
    for start in range(0, len(served), CHUNK):
        yield [*of_rater, ai_result.c.served_sha256.in_(served[start : start + CHUNK])]


def summary(conn: Connection, config_hash: str) -> list[Summary]:
    """Count the newest results of a version's stimuli, by rater and status."""
    newest = _newest(_of_version(config_hash))
    names = (*(ai_result.c[name] for name in KEY[1:-1]), ai_result.c.status)
    found = (
        select(*names, func.count().label("n"))
        .join(newest, newest.c.result_id == ai_result.c.result_id)
        .where(newest.c.age == 1)
        .group_by(*names)
        .order_by(*names)
    )
    return [Summary(**row._asdict()) for row in conn.execute(found)]


def embeddings(conn: Connection, config_hash: str) -> Iterator[tuple[str, str, str, NDArray[np.float32]]]:
    """Yield (served_sha256, rater_id, detector, embedding) of a version's stimuli, the newest of each.

    Of a rater and detector only those by the weights and version that spoke last: embeddings by others
    lie in another space, and their similarities would mean nothing.
    """
    newest = _newest(_of_version(config_hash))
    found = (
        select(ai_result.c.served_sha256, ai_result.c.rater_id, ai_result.c.detector, ai_embedding.c.vector)
        .select_from(newest)
        .join(ai_result, ai_result.c.result_id == newest.c.result_id)
        .join(ai_embedding, ai_embedding.c.result_id == newest.c.result_id)
        .where(newest.c.age == 1, newest.c.speaking == newest.c.last_speaking)
        .order_by(ai_result.c.rater_id, ai_result.c.detector, ai_result.c.served_sha256)
    )
    for row in conn.execute(found):
        yield row.served_sha256, row.rater_id, row.detector, np.frombuffer(row.vector, "<f4")


def pictures(conn: Connection, served_sha256: str) -> Iterator[tuple[str, str, bytes]]:
    """Yield (rater_id, what it shows, encoded picture) of one stimulus, the newest of each rater."""
    newest = _newest(ai_result.c.served_sha256 == served_sha256)
    found = (
        select(ai_result.c.rater_id, ai_picture.c.shows, ai_picture.c.content)
        .select_from(newest)
        .join(ai_result, ai_result.c.result_id == newest.c.result_id)
        .join(ai_picture, ai_picture.c.result_id == newest.c.result_id)
        .where(newest.c.age == 1)
        .order_by(ai_result.c.rater_id, ai_picture.c.shows)
    )
    for row in conn.execute(found):
        yield row.rater_id, row.shows, row.content


def results(
    conn: Connection, config_hash: str, *, scales: Collection[str] | None = None, rater_id: str | None = None
) -> Iterator[AiResult]:
    """Yield the newest result of each stimulus, rater and detector, in the order of the stimuli.

    scales: only raters that answer one of these scales, with their scores on them; all where it is None.
    rater_id: only this rater's.
    """
    wanted = [_of_version(config_hash)]
    if rater_id is not None:
        wanted.append(ai_result.c.rater_id == rater_id)
    of_scale = ai_score.c.result_id == ai_result.c.result_id
    if scales is not None:
        answering = select(ai_result.c.rater_id).join(ai_score).where(ai_score.c.scale_id.in_(scales))
        wanted.append(ai_result.c.rater_id.in_(answering))
        of_scale = and_(of_scale, ai_score.c.scale_id.in_(scales))
    newest = _newest(*wanted)
    found = (
        select(stimulus.c.position, *ai_result.c, *SCORE)
        .select_from(stimulus)
        .join(newest, newest.c.served_sha256 == stimulus.c.served_sha256)
        .join(ai_result, ai_result.c.result_id == newest.c.result_id)
        .outerjoin(ai_score, of_scale)
        .where(stimulus.c.config_hash == config_hash, newest.c.age == 1)
        .order_by(stimulus.c.position, ai_result.c.rater_id, ai_result.c.detector, ai_score.c.scale_id)
    )
    with conn.execute(found.execution_options(yield_per=CHUNK)) as rows:
        for _result_id, group in groupby(rows, key=lambda row: row.result_id):
            yield _result(list(group))


def _of_version(config_hash: str) -> ColumnElement[bool]:
    served = select(stimulus.c.served_sha256).where(stimulus.c.config_hash == config_hash)
    return ai_result.c.served_sha256.in_(served)


def _newest(*wanted: ColumnElement[bool]) -> Subquery:
    # A run repeated with other settings or weights replaces what was said before, but keeps it.
    newest_first = (ai_result.c.saved_at.desc(), ai_result.c.result_id.desc())
    of_rater = (ai_result.c.rater_id, ai_result.c.detector)
    speaking = ai_result.c.rater_version + " " + ai_result.c.weights_sha256
    age = func.row_number().over(partition_by=(ai_result.c.served_sha256, *of_rater), order_by=newest_first)
    last = func.first_value(speaking).over(partition_by=of_rater, order_by=newest_first)
    columns = (ai_result.c.result_id, ai_result.c.served_sha256, age.label("age"))
    return select(*columns, speaking.label("speaking"), last.label("last_speaking")).where(*wanted).subquery()


def _result(rows: Sequence[Row[tuple[object, ...]]]) -> AiResult:
    first = rows[0]
    return AiResult(
        **{name: getattr(first, name) for name in (*KEY[:-1], "status", "reason")},
        scores=tuple(
            Score(**{column.name: getattr(row, column.name) for column in SCORE})
            for row in rows
            if row.scale_id is not None
        ),
        probabilities=first.probabilities,
        face=face(first.face) if first.face else None,
    )


def face(stored: Mapping[str, Any]) -> Face:
    """Read a face back that was stored as JSON."""
    # JSON knows no tuples.
    return Face(**{**stored, "points": tuple((x, y) for x, y in stored["points"])})
