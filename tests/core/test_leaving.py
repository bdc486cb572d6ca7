"""Days are those of the participant's calendar."""

from datetime import UTC, date, datetime

import pytest

from core import leaving, study
from core.records import Session
from tests import variants

STUDY = study.parse(variants.one_block(), path="demo.yaml")


def session(ended, *, offset=0):
    moment = datetime.fromisoformat(ended) if ended else None
    return Session(
        session_id="s",
        study_id="demo",
        config_hash="h",
        kind="human",
        phase="live",
        language="en",
        option_order={},
        instructions_read=True,
        completion_code="c",
        began_at=moment or datetime(2026, 3, 1, tzinfo=UTC),
        completed_at=None,
        last_seen_at=moment or datetime(2026, 3, 1, tzinfo=UTC),
        ended_at=moment,
        utc_offset_min=offset,
    )


def at(text):
    return datetime.fromisoformat(text)


def days(n):
    return STUDY.model_copy(update={"erasure": STUDY.erasure.model_copy(update={"days": n})})


def test_the_last_day_is_counted_from_the_participants_own_day():
    late_in_utc = "2026-03-01T20:00:00+00:00"
    assert leaving.last_day(days(30), session(late_in_utc)) == date(2026, 3, 31)
    in_seoul = session(late_in_utc, offset=9 * 60)  # there it is the second of March already
    assert leaving.first_day(in_seoul) == date(2026, 3, 2)
    assert leaving.last_day(days(30), in_seoul) == date(2026, 4, 1)


def test_the_code_works_until_the_last_minute_of_that_day():
    in_seoul = session("2026-03-01T20:00:00+00:00", offset=9 * 60)
    assert leaving.may_erase(days(30), in_seoul, at("2026-04-01T14:59:00+00:00"))
    assert not leaving.may_erase(days(30), in_seoul, at("2026-04-01T15:00:00+00:00"))


def test_a_running_session_can_be_deleted_at_any_time_and_with_no_days_no_ended_one():
    assert leaving.last_day(days(0), session(None)) is None
    assert leaving.may_erase(days(0), session(None), at("2036-01-01T00:00:00+00:00"))
    ended = session("2026-03-01T20:00:00+00:00")
    assert not leaving.may_erase(days(0), ended, at("2026-03-01T20:01:00+00:00"))


@pytest.mark.parametrize(("agreed", "shared"), [(True, True), (False, False), (None, False)])
def test_sharing_needs_every_box_that_asks(agreed, shared):
    asked = [item.id for item in STUDY.consent.items if item.shares]
    assert asked
    consents = {} if agreed is None else dict.fromkeys(asked, agreed)
    assert leaving.shared(STUDY, consents) is shared
