"""What is left out of the analysis and why: rows are added, never changed or removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import Connection, select

from core.errors import StudyError
from db.schema import exclusion
from db.statements import lock, now

TargetKind = Literal["session", "trial", "stimulus"]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One exclusion, or the reversal of one."""

    exclusion_id: int
    study_id: str
    target_kind: TargetKind
    target_id: str
    reason: str
    who: str
    at: datetime
    reverses: int | None


def add(
    conn: Connection, study_id: str, target_kind: TargetKind, target_id: str, *, reason: str, who: str
) -> int:
    """Leave a session, trial or stimulus of a study out; gives the exclusion's id."""
    if target_kind not in get_args(TargetKind):
        raise StudyError(f"{target_kind!r} cannot be excluded; name one of {', '.join(get_args(TargetKind))}")
    if not reason.strip():
        raise StudyError("an exclusion without a reason was found; say why, it goes into the export")
    return _append(conn, study_id, target_kind, target_id, reason, who, reverses=None)


def reverse(conn: Connection, study_id: str, exclusion_id: int, *, reason: str, who: str) -> int:
    """Take an exclusion of a study back; gives the id of the row that says so."""
    lock(conn, "exclusions")
    history = {row.exclusion_id: row for row in _rows(conn, study_id)}
    found = history.get(exclusion_id)
    if found is None or found.reverses is not None:
        raise StudyError(f"{study_id} has no exclusion {exclusion_id}; take one from the list of exclusions")
    if any(row.reverses == exclusion_id for row in history.values()):
        raise StudyError(f"exclusion {exclusion_id} is reversed already; nothing is left to do")
    return _append(conn, study_id, found.target_kind, found.target_id, reason, who, reverses=exclusion_id)


def history(conn: Connection, study_id: str) -> tuple[Exclusion, ...]:
    """List a study's exclusions and reversals, the oldest first."""
    return _rows(conn, study_id)


def active(conn: Connection, study_id: str) -> tuple[Exclusion, ...]:
    """List a study's exclusions that are not reversed, the oldest first."""
    rows = _rows(conn, study_id)
    reversed_ = {row.reverses for row in rows}
    return tuple(row for row in rows if row.reverses is None and row.exclusion_id not in reversed_)


def reasons(excluded: Sequence[Exclusion], kind: TargetKind) -> Mapping[str, str]:
    """Give the reasons per target of one kind; several are joined."""
    found: dict[str, list[str]] = {}
    for one in excluded:
        if one.target_kind == kind:
            found.setdefault(one.target_id, []).append(one.reason)
    return {target_id: "; ".join(dict.fromkeys(why)) for target_id, why in found.items()}


def _rows(conn: Connection, study_id: str) -> tuple[Exclusion, ...]:
    found = select(exclusion).where(exclusion.c.study_id == study_id).order_by(exclusion.c.exclusion_id)
    return tuple(Exclusion(**row._asdict()) for row in conn.execute(found))


def _append(
    conn: Connection,
    study_id: str,
    target_kind: TargetKind,
    target_id: str,
    reason: str,
    who: str,
    *,
    reverses: int | None,
) -> int:
    new = {
        "study_id": study_id,
        "target_kind": target_kind,
        "target_id": target_id,
        "reason": reason,
        "who": who,
        "at": now(),
        "reverses": reverses,
    }
    return int(conn.execute(exclusion.insert().returning(exclusion.c.exclusion_id), new).scalar_one())
