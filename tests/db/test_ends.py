from datetime import timedelta

from sqlalchemy import update

from db import ends, sessions
from db import engine as db_engine
from db.ends import Ends
from db.schema import session
from db.statements import now

TWO_HOURS = timedelta(hours=2)


def count(lab, version, **given):
    with db_engine.reading(lab.engine) as conn:
        return ends.of_version(conn, version.config_hash, **{"silent_for": TWO_HOURS, **given})


def test_nobody_is_nothing(lab):
    assert count(lab, lab.open()) == Ends()


def test_each_end_is_counted_and_silence_is_leaving(lab):
    version = lab.open()
    begun = [lab.begin(version)[0] for _ in range(6)]
    with db_engine.writing(lab.engine) as conn:
        for one, outcome in zip(begun, ("stopped", "screened_out", "complete"), strict=False):
            sessions.end(conn, one.session_id, outcome)
        silent = session.c.session_id.in_([begun[0].session_id, begun[3].session_id, begun[4].session_id])
        conn.execute(update(session).where(silent).values(last_seen_at=now() - timedelta(hours=3)))
        for what in ("full", "full", "erased", "opened"):
            sessions.tally(conn, version.config_hash, what)
    assert count(lab, version) == Ends(stopped=1, screened_out=1, running=1, left=2, full=2, erased=1)
    assert count(lab, version, silent_for=timedelta(hours=4)).running == 3
    assert count(lab, version, kind="simulated") == count(lab, version, phase="pilot") == Ends()
    assert count(lab, lab.open(content="second")) == Ends()
