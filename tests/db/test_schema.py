import re
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from db.schema import UtcText, metadata, time_text

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1970, 1, 3), datetime(2999, 12, 29), timezones=ZONES)


def test_no_column_keeps_what_would_identify_a_participant():
    names = {column.name for table in metadata.tables.values() for column in table.columns}
    assert not {name for name in names if re.search(r"(^|_)(ip|addr|address|agent|referer|email)($|_)", name)}
    # A secret is there as a hash; a link's token alone is shown again to researchers.
    assert {name for name in names if "token" in name or "password" in name} == {
        *("token", "token_sha256", "password_hash")
    }
    assert [table.name for table in metadata.tables.values() if "token" in table.columns] == ["link"]


@given(MOMENTS)
def test_a_moment_is_kept_to_the_millisecond_in_utc(moment):
    text = time_text(moment)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    back = UtcText().process_result_value(text, sqlite.dialect())
    assert back.tzinfo == UTC
    assert timedelta(0) <= moment - back < timedelta(milliseconds=1)


@given(MOMENTS, MOMENTS)
def test_moments_sort_as_text_as_they_do_in_time(one, other):
    if one <= other:
        assert time_text(one) <= time_text(other)


def test_every_table_has_a_primary_key():
    assert all(table.primary_key.columns for table in metadata.tables.values())
