"""The practice with a pass rule: how many of its answers are right, and what follows from that."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from db import returning, sessions
from db.schema import answer, response, trial
from db.statements import lock

BLOCK = 0  # of the practice


@dataclass(frozen=True, slots=True)
class Rule:
    """What a study asks of its practice: the share of right answers, and how often it may be tried."""

    share: float
    attempts: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a session stands in its practice.

    tried: attempts in which every trial was answered.
    right, needed: of the newest attempt, how many of its answers are right and how many must be.
    is_open: whether the newest attempt lacks an answer.
    """

    tried: int
    right: int
    needed: int
    is_open: bool

    @property
    def is_passed(self) -> bool:
        """Whether the study may go on."""
        return not self.is_open and self.right >= self.needed

    @property
    def is_failed(self) -> bool:
        """Whether too few of the newest attempt's answers are right."""
        return not self.is_open and self.right < self.needed


def standing(conn: Connection, session_id: str, rule: Rule) -> Standing:
    """Count the right answers of a session's practice."""
    trials = [each for each in sessions.trials(conn, session_id) if each.is_practice]
    expected = {each.trial_id: each.expected for each in trials if each.expected}
    given = select(response.c.trial_id, response.c.scale_id, response.c.label).where(
        response.c.session_id == session_id, response.c.current, response.c.trial_id.in_(expected)
    )
    right = sum(
        scale_id == expected[trial_id].scale_id and label == expected[trial_id].label
        for trial_id, scale_id, label in conn.execute(given)
    )
    finished = _finished(conn, session_id)
    return Standing(
        tried=sum(finished.values()),
        right=right,
        # Rounded first: 0.7 of 10 is a little more than 7 in binary.
        needed=math.ceil(round(rule.share * len(expected), 9)),
        is_open=not finished.get(max(finished, default=0), True),
    )


def decide(conn: Connection, session_id: str, rule: Rule) -> Standing:
    """Draw the consequence of an attempt that is answered and not passed.

    While attempts are left the practice begins again, else the session is screened out. Asked again,
    this changes nothing more.
    Returns the standing after that.
    """
    lock(conn, f"practice {session_id}")
    found = standing(conn, session_id, rule)
    if not found.is_failed:
        return found
    if found.tried < rule.attempts:
        returning.repeat(conn, session_id, BLOCK)
        return standing(conn, session_id, rule)
    sessions.end(conn, session_id, "screened_out")
    return found


def _finished(conn: Connection, session_id: str) -> dict[int, bool]:
    """Tell for each attempt whether every trial is answered; one begun anew after an absence stays open."""
    answered = func.count(answer.c.trial_id.distinct())
    found = (
        select(trial.c.attempt, answered == func.count(trial.c.trial_id.distinct()))
        .select_from(trial)
        .outerjoin(answer, answer.c.trial_id == trial.c.trial_id)
        .where(trial.c.session_id == session_id, trial.c.is_practice)
        .group_by(trial.c.attempt)
    )
    return {attempt: bool(finished) for attempt, finished in conn.execute(found)}
