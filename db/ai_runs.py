"""Runs of vision models, which can be watched, and resumed after an end of any kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from db.schema import ai_run
from db.statements import now


@dataclass(frozen=True, slots=True)
class AiRun:
    """One run of raters over a version's stimuli, or over files outside any study.

    settings: what it ran with (device, batch, workers); versions: of the detector, of each rater
    with its weights, and of the libraries.
    """

    run_id: int
    config_hash: str | None
    raters: tuple[str, ...]
    detector: str
    settings: Mapping[str, str]
    versions: Mapping[str, str]
    who: str
    host: str
    total: int
    done: int
    began_at: datetime
    seen_at: datetime
    finished_at: datetime | None
    problem: str  # empty where nothing went wrong


def begin(
    conn: Connection,
    *,
    config_hash: str | None,
    raters: Sequence[str],
    detector: str,
    settings: Mapping[str, str],
    versions: Mapping[str, str],
    total: int,
    who: str,
    host: str,
) -> int:
    """Note that a run begins; gives its id."""
    new = {
        "config_hash": config_hash,
        "raters": list(raters),
        "detector": detector,
        "settings": dict(settings),
        "versions": dict(versions),
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


def finish(conn: Connection, run_id: int, *, problem: str = "") -> None:
    """Note the end of a run and what went wrong, if anything did."""
    end = now()
    conn.execute(
        update(ai_run).where(ai_run.c.run_id == run_id).values(seen_at=end, finished_at=end, problem=problem)
    )


def latest(conn: Connection, config_hash: str | None) -> AiRun | None:
    """Find the version's newest run, finished or not; with None the newest outside any study."""
    runs = select(ai_run).where(ai_run.c.config_hash == config_hash).order_by(ai_run.c.run_id.desc())
    row = conn.execute(runs.limit(1)).one_or_none()
    if row is None:
        return None
    fields = row._asdict()
    return AiRun(**{**fields, "raters": tuple(fields["raters"])})
