"""What vision models say: runs that can be watched and resumed, and one result per picture and rater."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, Subquery, delete, func, select, update

from core.records import AiResult, Face, Score
from db.schema import ai_result, ai_run, ai_score, stimulus
from db.statements import insert, now

CHUNK = 500
SCORE = tuple(ai_score.c[field.name] for field in dataclasses.fields(Score))
KEY = ("served_sha256", "rater_id", "rater_version", "weights_sha256", "detector", "settings_hash")


@dataclass(frozen=True, slots=True)
class AiRun:
    """One run of raters over a version's stimuli."""

    run_id: int
    config_hash: str
    raters: tuple[str, ...]
    detector: str
    settings_hash: str
    who: str
    host: str
    total: int
    done: int
    began_at: datetime
    seen_at: datetime
    finished_at: datetime | None
    problem: str  # empty where nothing went wrong


def begin_run(
    conn: Connection,
    *,
    config_hash: str,
    raters: Sequence[str],
    detector: str,
    settings_hash: str,
    total: int,
    who: str,
    host: str,
) -> int:
    """Note that a run begins; gives its id."""
    new = {
        "config_hash": config_hash,
        "raters": list(raters),
        "detector": detector,
        "settings_hash": settings_hash,
        "who": who,
        "host": host,
        "total": total,
        "done": 0,
        "began_at": now(),
        "seen_at": now(),
        "problem": "",
    }
    return int(conn.execute(ai_run.insert().returning(ai_run.c.run_id), new).scalar_one())


def progress(conn: Connection, run_id: int, *, done: int) -> None:
    """Note how many results of the run's total are there; it is the sign of life, too."""
    conn.execute(update(ai_run).where(ai_run.c.run_id == run_id).values(done=done, seen_at=now()))


def finish_run(conn: Connection, run_id: int, *, problem: str = "") -> None:
    """Note the end of a run and what went wrong, if anything did."""
    end = now()
    conn.execute(
        update(ai_run).where(ai_run.c.run_id == run_id).values(seen_at=end, finished_at=end, problem=problem)
    )


def latest_run(conn: Connection, config_hash: str) -> AiRun | None:
    """Find the version's newest run, finished or not."""
    runs = select(ai_run).where(ai_run.c.config_hash == config_hash).order_by(ai_run.c.run_id.desc())
    row = conn.execute(runs.limit(1)).one_or_none()
    if row is None:
        return None
    fields = row._asdict()
    return AiRun(**{**fields, "raters": tuple(fields["raters"])})


def save(conn: Connection, run_id: int, result: AiResult, *, settings_hash: str) -> None:
    """Store a result; one of the same picture, rater and settings takes its place."""
    row = {
        **{field: getattr(result, field) for field in (*KEY[:-1], "status", "reason")},
        "settings_hash": settings_hash,
        "run_id": run_id,
        "probabilities": dict(result.probabilities),
        "face": dataclasses.asdict(result.face) if result.face else None,
        "saved_at": now(),
    }
    statement = insert(conn, ai_result)
    changed = {name: statement.excluded[name] for name in row if name not in KEY}
    upsert = statement.on_conflict_do_update(index_elements=list(KEY), set_=changed)
    result_id = conn.execute(upsert.returning(ai_result.c.result_id), row).scalar_one()
    conn.execute(delete(ai_score).where(ai_score.c.result_id == result_id))
    if result.scores:
        scores = [{"result_id": result_id, **dataclasses.asdict(score)} for score in result.scores]
        conn.execute(ai_score.insert(), scores)


def missing(
    conn: Connection,
    served: Sequence[str],
    *,
    rater_id: str,
    rater_version: str,
    weights_sha256: str,
    detector: str,
    settings_hash: str,
) -> tuple[str, ...]:
    """Tell which of the pictures (served_sha256) have no result of this rater under these settings."""
    key = (rater_id, rater_version, weights_sha256, detector, settings_hash)
    of_rater = [ai_result.c[name] == value for name, value in zip(KEY[1:], key, strict=True)]
    done: set[str] = set()
    for start in range(0, len(served), CHUNK):
        asked = ai_result.c.served_sha256.in_(served[start : start + CHUNK])
        done.update(conn.scalars(select(ai_result.c.served_sha256).where(asked, *of_rater)))
    return tuple(sha256 for sha256 in served if sha256 not in done)


def results(conn: Connection, config_hash: str) -> Iterator[AiResult]:
    """Yield the newest result of each stimulus, rater and detector, in the order of the stimuli."""
    newest = _newest(config_hash)
    found = (
        select(stimulus.c.position, *ai_result.c, *SCORE)
        .select_from(stimulus)
        .join(newest, newest.c.served_sha256 == stimulus.c.served_sha256)
        .join(ai_result, ai_result.c.result_id == newest.c.result_id)
        .outerjoin(ai_score, ai_score.c.result_id == ai_result.c.result_id)
        .where(stimulus.c.config_hash == config_hash, newest.c.age == 1)
        .order_by(stimulus.c.position, ai_result.c.rater_id, ai_result.c.detector, ai_score.c.scale_id)
    )
    with conn.execute(found.execution_options(yield_per=CHUNK)) as rows:
        for _result_id, group in groupby(rows, key=lambda row: row.result_id):
            yield _result(list(group))


def _newest(config_hash: str) -> Subquery:
    of_version = select(stimulus.c.served_sha256).where(stimulus.c.config_hash == config_hash)
    # A run repeated with other settings or weights replaces what was said before, but keeps it.
    age = func.row_number().over(
        partition_by=(ai_result.c.served_sha256, ai_result.c.rater_id, ai_result.c.detector),
        order_by=(ai_result.c.saved_at.desc(), ai_result.c.result_id.desc()),
    )
    return (
        select(ai_result.c.result_id, ai_result.c.served_sha256, age.label("age"))
        .where(ai_result.c.served_sha256.in_(of_version))
        .subquery()
    )


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
        face=_face(first.face) if first.face else None,
    )


def _face(stored: Mapping[str, Any]) -> Face:
    # JSON knows no tuples.
    return Face(**{**stored, "points": tuple((x, y) for x, y in stored["points"])})
