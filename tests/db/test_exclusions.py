import pytest

from core.errors import StudyError
from db import audit, exclusions
from db import engine as db_engine


def test_an_exclusion_is_reversed_by_another_row(engine):
    with db_engine.writing(engine) as conn:
        first = exclusions.add(conn, "demo", "session", "s1", reason="too fast", who="ann")
        second = exclusions.add(conn, "demo", "session", "s1", reason="no variance", who="bob")
        assert [one.exclusion_id for one in exclusions.active(conn, "demo")] == [first, second]
        back = exclusions.reverse(conn, "demo", first, reason="threshold was wrong", who="ann")
        assert [one.exclusion_id for one in exclusions.active(conn, "demo")] == [second]
        history = exclusions.history(conn, "demo")
    assert [(one.exclusion_id, one.reverses, one.reason) for one in history] == [
        (first, None, "too fast"),
        (second, None, "no variance"),
        (back, first, "threshold was wrong"),
    ]


def test_an_exclusion_can_come_back_after_a_reversal(engine):
    with db_engine.writing(engine) as conn:
        first = exclusions.add(conn, "demo", "trial", "t1", reason="a", who="ann")
        exclusions.reverse(conn, "demo", first, reason="b", who="ann")
        exclusions.add(conn, "demo", "trial", "t1", reason="c", who="ann")
        assert exclusions.reasons(exclusions.active(conn, "demo"), "trial") == {"t1": "c"}


def test_reasons_of_one_target_are_joined(engine):
    with db_engine.writing(engine) as conn:
        for reason in ("too fast", "no variance", "too fast"):
            exclusions.add(conn, "demo", "session", "s1", reason=reason, who="ann")
        active = exclusions.active(conn, "demo")
    assert exclusions.reasons(active, "session") == {"s1": "too fast; no variance"}
    assert exclusions.reasons(active, "trial") == {}


def test_what_cannot_be_done_is_said(engine):
    with db_engine.writing(engine) as conn:
        first = exclusions.add(conn, "demo", "session", "s1", reason="a", who="ann")
        back = exclusions.reverse(conn, "demo", first, reason="b", who="ann")
        with pytest.raises(StudyError, match="reversed already"):
            exclusions.reverse(conn, "demo", first, reason="b", who="ann")
        with pytest.raises(StudyError, match=f"demo has no exclusion {back}"):
            exclusions.reverse(conn, "demo", back, reason="b", who="ann")
        with pytest.raises(StudyError, match="demo has no exclusion 999"):
            exclusions.reverse(conn, "demo", 999, reason="b", who="ann")
        other = exclusions.add(conn, "other", "session", "s2", reason="a", who="ann")
        with pytest.raises(StudyError, match=f"demo has no exclusion {other}"):
            exclusions.reverse(conn, "demo", other, reason="b", who="ann")
        assert len(exclusions.active(conn, "other")) == 1
        with pytest.raises(StudyError, match="'rater' cannot be excluded"):
            exclusions.add(conn, "demo", "rater", "x", reason="a", who="ann")
        with pytest.raises(StudyError, match="without a reason"):
            exclusions.add(conn, "demo", "session", "s1", reason=" ", who="ann")


def test_the_audit_lists_the_newest_acts_first(engine):
    with db_engine.writing(engine) as conn:
        for n in range(5):
            audit.write(conn, "ann", "study opened", f"demo {n}")
        found = audit.read(conn, limit=2)
    assert [(one.who, one.what, one.detail) for one in found] == [
        ("ann", "study opened", "demo 4"),
        ("ann", "study opened", "demo 3"),
    ]
