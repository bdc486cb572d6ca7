"""The face of each picture, found once for all raters."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from core.records import Detection
from db import ai
from db.schema import detection
from db.statements import insert, now

CHUNK = 500
KEY = ("served_sha256", "detector", "detector_version")


def save(conn: Connection, found: Iterable[Detection]) -> None:
    """Store detections; one that is there already stays."""
    rows = [
        {
            **{name: getattr(one, name) for name in (*KEY, "status", "reason")},
            "face": dataclasses.asdict(one.face) if one.face else None,
            "saved_at": now(),
        }
        for one in found
    ]
    if rows:
        conn.execute(insert(conn, detection).on_conflict_do_nothing(), rows)


def known(
    conn: Connection, served: Sequence[str], *, detector: str, detector_version: str
) -> dict[str, Detection]:
    """Find what this detector saw in these pictures, by served_sha256."""
    of_detector = (detection.c.detector == detector, detection.c.detector_version == detector_version)
    found: dict[str, Detection] = {}
    for start in range(0, len(served), CHUNK):
        asked = detection.c.served_sha256.in_(served[start : start + CHUNK])
        for row in conn.execute(select(detection).where(asked, *of_detector)):
            fields = row._asdict()
            fields.pop("saved_at")
            fields["face"] = ai.face(fields["face"]) if fields["face"] else None
            found[row.served_sha256] = Detection(**fields)
    return found
