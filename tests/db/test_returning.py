from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core.errors import ConflictError
from core.records import Trial
from db import engine as db_engine
from db import returning, sessions, tables
from db.returning import Policy
from db.schema import answer, response, session, trial, trial_stimulus
from db.statements import now

GRACE = timedelta(seconds=120)
MAX_AGE = timedelta(hours=336)


def policy(name="restart-block"):
    return Policy(name, GRACE, MAX_AGE)


def away(lab, begun, for_s, *, began_h=0.0):
    """Let everything that the session did lie so far back."""
    moment = now() - timedelta(seconds=for_s)
    with db_engine.writing(lab.engine) as conn:
        conn.execute(update(session).values(last_seen_at=moment, began_at=moment - timedelta(hours=began_h)))
        conn.execute(update(answer).values(saved_at=moment))


def arrive(lab, begun, name="restart-block"):
    with db_engine.writing(lab.engine) as conn:
        return returning.arrive(conn, begun.session_id, policy(name))


def let_on(lab, begun, name="restart-block"):
    with db_engine.writing(lab.engine) as conn:
        return returning.let_on(conn, begun.session_id, policy(name))


def trials(lab, begun) -> tuple[Trial, ...]:
    with db_engine.reading(lab.engine) as conn:
        return sessions.trials(conn, begun.session_id)


def two_blocks(lab):
    """Two blocks of three trials, the third of each a repeat of its first."""
    plan = lab.plan(6)
    changed = []
    for number, one in enumerate(plan):
        first = plan[number - number % 3]
        more = {"is_repeat": True, "repeat_of": first.trial_id} if number % 3 == 2 else {}
        values = {name: getattr(one, name) for name in ("trial_id", "trial_index", "shown")}
        changed.append(Trial(block=1 + number // 3, **values, **more))
    return lab.begin(lab.open(), plan=tuple(changed))[0]


@pytest.mark.parametrize("name", ["resume", "restart-block", "refuse"])
def test_a_quick_reload_is_no_absence(lab, name):
    begun = two_blocks(lab)
    lab.store(begun, lab.answer(trials(lab, begun)[0]))
    away(lab, begun, 100)
    assert not returning.may_be_away(begun, policy(name), at=now())
    found = arrive(lab, begun, name)
    assert (found.returns, found.resume_due, found.outcome) == (0, False, None)


def test_an_answer_is_a_sign_of_life_even_where_the_session_does_not_note_it(lab):
    begun = two_blocks(lab)
    lab.store(begun, lab.answer(trials(lab, begun)[0]))
    with db_engine.writing(lab.engine) as conn:
        conn.execute(update(session).values(last_seen_at=now() - timedelta(hours=1)))
    assert arrive(lab, begun).returns == 0


def test_who_may_resume_is_counted_and_goes_on(lab):
    begun = two_blocks(lab)
    before = trials(lab, begun)
    lab.store(begun, lab.answer(before[0]))
    away(lab, begun, 121)
    found = arrive(lab, begun, "resume")
    assert (found.returns, found.resume_due) == (1, False)
    assert arrive(lab, begun, "resume").returns == 1, "the return itself is a sign of life"
    assert trials(lab, begun) == before


def test_the_current_block_begins_again_and_the_finished_one_stays(lab):
    begun = two_blocks(lab)
    before = trials(lab, begun)
    for one in before[:4]:
        lab.store(begun, lab.answer(one))
    away(lab, begun, 121)
    waiting = arrive(lab, begun)
    assert (waiting.returns, waiting.resume_due) == (1, True)
    assert trials(lab, begun) == before, "nothing happens before the participant goes on"
    assert not let_on(lab, begun).resume_due
    after = trials(lab, begun)
    assert after[:3] == before[:3]
    assert [one.attempt for one in after] == [1, 1, 1, 2, 2, 2]
    assert [one.shown for one in after] == [one.shown for one in before]
    assert after[5].repeat_of == after[3].trial_id
    with db_engine.reading(lab.engine) as conn:
        assert sessions.open_trials(conn, begun.session_id) == 3


def test_what_was_answered_before_is_kept_and_counts_nowhere(lab):
    begun = two_blocks(lab)
    before = trials(lab, begun)
    lab.store(begun, lab.answer(before[0], value=10.0))
    away(lab, begun, 121)
    arrive(lab, begun)
    let_on(lab, begun)
    with db_engine.reading(lab.engine) as conn:
        old = conn.execute(
            select(trial.c.superseded).where(trial.c.trial_id == before[0].trial_id)
        ).scalar_one()
        flags = conn.scalars(
            select(trial_stimulus.c.is_main).where(trial_stimulus.c.trial_id == before[0].trial_id)
        )
        given = conn.scalars(select(response.c.is_main).where(response.c.trial_id == before[0].trial_id))
        assert (old, set(flags), set(given)) == (True, {False}, {False})
        assert tables.counts(conn, begun.config_hash) == ()
    lab.store(begun, lab.answer(trials(lab, begun)[0], value=90.0))
    with db_engine.reading(lab.engine) as conn:
        valences = [each for each in tables.counts(conn, begun.config_hash) if each.scale_id == "valence"]
    assert [(each.value, each.n) for each in valences] == [(90.0, 1)]


def test_a_late_answer_before_going_on_is_stored_and_one_after_it_is_refused_with_a_reason(lab):
    begun = two_blocks(lab)
    first, second, third = trials(lab, begun)[:3]
    lab.store(begun, lab.answer(first))
    away(lab, begun, 121)
    arrive(lab, begun)
    lab.store(begun, lab.answer(second))
    let_on(lab, begun)
    with pytest.raises(ConflictError, match="begun anew"):
        lab.store(begun, lab.answer(third))
    with db_engine.reading(lab.engine) as conn:
        assert set(conn.scalars(select(answer.c.trial_id))) == {first.trial_id, second.trial_id}


def test_late_answers_that_finish_the_block_leave_nothing_to_repeat(lab):
    begun = two_blocks(lab)
    before = trials(lab, begun)
    lab.store(begun, lab.answer(before[0]))
    away(lab, begun, 121)
    arrive(lab, begun)
    for one in before[1:3]:
        lab.store(begun, lab.answer(one))
    let_on(lab, begun)
    assert trials(lab, begun) == before


def test_a_late_answer_does_not_let_a_reload_pass(lab):
    begun = two_blocks(lab)
    first, second = trials(lab, begun)[:2]
    lab.store(begun, lab.answer(first))
    away(lab, begun, 121)
    arrive(lab, begun)
    lab.store(begun, lab.answer(second))
    assert arrive(lab, begun).resume_due
    assert arrive(lab, begun).returns == 1


@pytest.mark.parametrize("answered", [0, 3])
def test_between_blocks_there_is_nothing_to_begin_again(lab, answered):
    begun = two_blocks(lab)
    for one in trials(lab, begun)[:answered]:
        lab.store(begun, lab.answer(one))
    away(lab, begun, 121)
    found = arrive(lab, begun)
    assert (found.returns, found.resume_due) == (1, False)


def test_a_block_may_be_begun_again_more_than_once(lab):
    begun = two_blocks(lab)
    for _ in range(2):
        lab.store(begun, lab.answer(trials(lab, begun)[0]))
        away(lab, begun, 121)
        arrive(lab, begun)
        let_on(lab, begun)
    assert [one.attempt for one in trials(lab, begun)] == [3, 3, 3, 1, 1, 1]


def test_going_on_twice_begins_the_block_again_once(lab):
    begun = two_blocks(lab)
    lab.store(begun, lab.answer(trials(lab, begun)[0]))
    away(lab, begun, 121)
    arrive(lab, begun)
    let_on(lab, begun)
    let_on(lab, begun)
    assert {one.attempt for one in trials(lab, begun)} == {1, 2}


def test_who_may_not_come_back_is_stopped_when_they_go_on(lab):
    begun = two_blocks(lab)
    away(lab, begun, 121)
    waiting = arrive(lab, begun, "refuse")
    assert (waiting.resume_due, waiting.outcome) == (True, None)
    assert returning.waits_for(waiting, policy("refuse"), at=now()) == "refuse"
    ended = let_on(lab, begun, "refuse")
    assert (ended.outcome, ended.returns, ended.completed_at) == ("stopped", 1, None)
    assert arrive(lab, begun, "refuse") == ended


@pytest.mark.parametrize("name", ["resume", "restart-block", "refuse"])
def test_after_the_maximum_age_nobody_comes_back(lab, name):
    begun = two_blocks(lab)
    away(lab, begun, 10, began_h=336.1)
    with db_engine.reading(lab.engine) as conn:
        known = sessions.get(conn, begun.session_id)
    assert returning.may_be_away(known, policy(name), at=now())
    waiting = arrive(lab, begun, name)
    assert returning.waits_for(waiting, policy(name), at=now()) == "expired"
    assert let_on(lab, begun, name).outcome == "stopped"


def test_an_ended_session_may_be_looked_at_for_ever(lab):
    begun = two_blocks(lab)
    lab.answer_all(begun)
    with db_engine.writing(lab.engine) as conn:
        done = sessions.complete(conn, begun.session_id)
    away(lab, begun, 1000, began_h=9999)
    found = arrive(lab, begun, "refuse")
    assert (found.outcome, found.returns) == ("complete", done.returns)
