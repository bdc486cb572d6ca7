"""Until when participants can delete their answers, and what they agreed to that copies depend on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from core.records import Session
from core.study import Study


def first_day(session: Session) -> date:
    """The day, by the participant's calendar, on which they took part."""
    return _local(session, session.began_at).date()


def last_day(study: Study, session: Session) -> date | None:
    """The last day, by the participant's calendar, on which their code works; None while the session runs."""
    if session.ended_at is None:
        return None
    return _local(session, session.ended_at).date() + timedelta(days=study.erasure.days)


def may_erase(study: Study, session: Session, now: datetime) -> bool:
    """Whether the participant may still delete the session themselves: until that day's last minute."""
    last = last_day(study, session)
    return last is None or (study.erasure.days > 0 and _local(session, now).date() <= last)


def shared(study: Study, consents: Mapping[str, bool]) -> bool:
    """Whether these consents let answers into public exports."""
    asked = [item.id for item in study.consent.items if item.shares]
    return bool(asked) and all(map(consents.get, asked))


def _local(session: Session, moment: datetime) -> datetime:
    # A browser that did not tell its offset gets UTC's calendar.
    return moment.astimezone(UTC) + timedelta(minutes=session.utc_offset_min or 0)
