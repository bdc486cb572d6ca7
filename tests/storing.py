"""Answers stored one by one, as the app stores a batch of one."""

from __future__ import annotations

from sqlalchemy import Connection

from core.records import Answer
from db import answers


def store(conn: Connection, answer: Answer, *, back: bool = False) -> None:
    """Store one answer, whoever sends it; raises what `answers.judge` raises."""
    place = answers.places(conn, [answer.trial_id])[answer.trial_id]
    accepted = answers.judge(answer, place, back=back)
    answers.save(conn, [accepted] if accepted else [])
