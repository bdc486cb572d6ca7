from dataclasses import replace

import pytest

from core.records import Expected, Session, Trial
from db import engine as db_engine
from db import practice, returning, sessions
from db.practice import Rule, Standing
from tests.db.conftest import Lab

RULE = Rule(share=0.6, attempts=2)


def plan(lab: Lab) -> tuple[Trial, ...]:
    """Three trials of practice that want happy, and two that count."""
    wanted = Expected("emotion", False, label="happy")
    practised = [replace(one, block=practice.BLOCK, is_practice=True, expected=wanted) for one in lab.plan(3)]
    rated = [replace(one, trial_index=one.trial_index + 3) for one in lab.plan(2)]
    return (*practised, *rated)


@pytest.fixture
def session(lab: Lab) -> Session:
    return lab.begin(lab.open(), plan=plan(lab))[0]


def practise(lab: Lab, session: Session, labels: str) -> None:
    """Answer the newest attempt: h for happy, s for sad."""
    with db_engine.reading(lab.engine) as conn:
        trials = [one for one in sessions.trials(conn, session.session_id) if one.is_practice]
    for one, letter in zip(trials, labels, strict=False):
        lab.store(session, lab.answer(one, label={"h": "happy", "s": "sad"}[letter]))


def decide(lab: Lab, session: Session) -> Standing:
    with db_engine.writing(lab.engine) as conn:
        return practice.decide(conn, session.session_id, RULE)


def outcome(lab: Lab, session: Session) -> str | None:
    with db_engine.reading(lab.engine) as conn:
        found = sessions.get(conn, session.session_id)
    assert found is not None
    return found.outcome


def test_nothing_is_decided_before_the_last_answer(lab: Lab, session: Session) -> None:
    practise(lab, session, "hh")
    found = decide(lab, session)
    assert found == Standing(tried=0, right=2, needed=2, is_open=True)
    assert not found.is_passed


def test_the_wanted_share_passes(lab: Lab, session: Session) -> None:
    practise(lab, session, "hsh")
    assert decide(lab, session).is_passed
    assert decide(lab, session).is_passed
    with db_engine.reading(lab.engine) as conn:
        assert sessions.open_trials(conn, session.session_id) == 2


def test_too_few_begin_the_practice_again_once(lab: Lab, session: Session) -> None:
    practise(lab, session, "hss")
    again = Standing(tried=1, right=0, needed=2, is_open=True)
    assert decide(lab, session) == again
    assert decide(lab, session) == again
    with db_engine.reading(lab.engine) as conn:
        trials = sessions.trials(conn, session.session_id)
    assert [one.attempt for one in trials] == [2, 2, 2, 1, 1]
    assert [one.trial_index for one in trials] == [1, 2, 3, 4, 5]
    practise(lab, session, "hhs")
    assert decide(lab, session).is_passed


def test_the_last_attempt_screens_out_and_stays_so(lab: Lab, session: Session) -> None:
    for _ in range(RULE.attempts):
        assert outcome(lab, session) is None
        practise(lab, session, "sss")
        decide(lab, session)
    assert outcome(lab, session) == "screened_out"
    assert decide(lab, session).tried == RULE.attempts
    assert outcome(lab, session) == "screened_out"


def test_a_practice_begun_anew_after_an_absence_is_no_attempt(lab: Lab, session: Session) -> None:
    practise(lab, session, "hs")
    with db_engine.writing(lab.engine) as conn:
        returning.repeat(conn, session.session_id, practice.BLOCK)
    assert decide(lab, session).is_open
    practise(lab, session, "sss")
    assert decide(lab, session).tried == 1
    assert outcome(lab, session) is None
    practise(lab, session, "hhh")
    assert decide(lab, session).is_passed


def test_a_revision_counts_instead_of_the_answer_before(lab: Lab, session: Session) -> None:
    practise(lab, session, "hss")
    with db_engine.reading(lab.engine) as conn:
        second = sessions.trials(conn, session.session_id)[1]
    lab.store(session, lab.answer(second, 2, label="happy"), back=True)
    assert decide(lab, session).is_passed


@pytest.mark.parametrize(("share", "needed"), [(0.7, 7), (0.61, 7), (1.0, 10), (0.0, 0)])
def test_a_share_needs_whole_answers(lab: Lab, share: float, needed: int) -> None:
    """0.7 * 10 is 7.000000000000001 for some products in binary; nobody may need an eighth."""
    trials = tuple(replace(one, is_practice=True, block=0) for one in lab.plan(10))
    wanted = Expected("emotion", False, label="happy")
    given = tuple(replace(one, expected=wanted) for one in trials)
    session, _ = lab.begin(lab.open(), plan=given)
    with db_engine.reading(lab.engine) as conn:
        assert practice.standing(conn, session.session_id, Rule(share, 2)).needed == needed
