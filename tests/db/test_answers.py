import dataclasses
import random
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from core.errors import AnswerError, ConflictError, EndedError
from core.records import Answer, Evidence, Response
from db import answers, sessions
from db import engine as db_engine
from db.schema import answer as answer_table
from db.schema import response
from db.schema import session as session_table
from db.schema import trial as trial_table
from db.statements import now

PROJECT = str(Path(__file__).resolve().parents[2])


@pytest.fixture
def session(lab):
    return lab.begin(lab.open())[0]


@pytest.fixture
def trial(lab, session):
    return _trials(lab, session)[0]


def _trials(lab, session):
    with db_engine.reading(lab.engine) as conn:
        return sessions.trials(conn, session.session_id)


def _stored(lab):
    """Every response: revision, scale, whether it is current, status, value, label."""
    columns = (
        response.c.revision,
        response.c.scale_id,
        response.c.current,
        response.c.status,
        response.c.value,
        response.c.label,
    )
    with db_engine.reading(lab.engine) as conn:
        return sorted(conn.execute(select(*columns)).tuples(), key=lambda row: row[:2])


def _count(lab, table) -> int:
    with db_engine.reading(lab.engine) as conn:
        return conn.scalar(select(func.count()).select_from(table))


def test_an_answer_is_stored_as_it_was_given(lab, session, trial):
    lab.store(session, lab.answer(trial))
    assert _stored(lab) == [
        (1, "emotion", True, "answered", None, "happy"),
        (1, "intensity", True, "not_applicable", None, None),
        (1, "valence", True, "answered", 70.0, None),
    ]
    with db_engine.reading(lab.engine) as conn:
        row = conn.execute(select(answer_table)).one()
    assert (row.onset_ok, row.decode_ms, row.blur_count, row.input_device, row.viewport) == (
        *(True, 3.5, 1, "keyboard", "375x667@2"),
    )


def test_the_same_body_again_changes_nothing_whatever_the_order_of_its_scales(lab, session, trial):
    given = lab.answer(trial)
    lab.store(session, given)
    before = _stored(lab)
    lab.store(session, given)
    lab.store(session, dataclasses.replace(given, responses=given.responses[::-1]))
    assert _stored(lab) == before
    assert _count(lab, answer_table) == 1


def test_another_body_for_a_stored_revision_is_a_conflict_and_changes_nothing(lab, session, trial):
    given = lab.answer(trial)
    lab.store(session, given)
    before = _stored(lab)
    later = dataclasses.replace(given, evidence=dataclasses.replace(given.evidence, blur_count=2))
    for other in (lab.answer(trial, label="sad"), lab.answer(trial, value=70.5), later):
        with pytest.raises(ConflictError, match=r"revision 1 of trial .* another body"):
            lab.store(session, other, back=True)
    assert _stored(lab) == before


def test_a_revision_replaces_the_one_before_and_keeps_it(lab, session, trial):
    lab.store(session, lab.answer(trial, label="happy"), back=True)
    lab.store(session, lab.answer(trial, 2, label="sad"), back=True)
    lab.store(session, lab.answer(trial, 1, label="happy"), back=True)  # sent again, late
    emotion = [row for row in _stored(lab) if row[1] == "emotion"]
    assert emotion == [
        (1, "emotion", False, "answered", None, "happy"),
        (2, "emotion", True, "answered", None, "sad"),
    ]


def test_a_revision_needs_a_study_that_lets_people_go_back(lab, session, trial):
    lab.store(session, lab.answer(trial))
    with pytest.raises(AnswerError, match="does not allow going back"):
        lab.store(session, lab.answer(trial, 2))


@pytest.mark.parametrize("revision", [2, 3, 7])
def test_a_revision_that_skips_one_is_refused(lab, session, trial, revision):
    with pytest.raises(AnswerError, match=r"0 revision.* needs revision 1"):
        lab.store(session, lab.answer(trial, revision), back=True)
    assert _stored(lab) == []


def test_a_late_revision_after_the_end_is_kept(lab, session, trial):
    lab.answer_all(session)
    with db_engine.writing(lab.engine) as conn:
        sessions.complete(conn, session.session_id)
    lab.store(session, lab.answer(trial, 2, label="sad"), back=True)
    assert (2, "emotion", True, "answered", None, "sad") in _stored(lab)


def test_the_same_post_many_times_at_once_is_stored_once(lab, session, trial):
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: lab.store(session, lab.answer(trial)), range(24)))
    assert _count(lab, answer_table) == 1
    assert _count(lab, response) == 3


def test_of_two_different_posts_at_once_one_wins(lab, session, trial):
    outcomes = []

    def store(label):
        try:
            lab.store(session, lab.answer(trial, label=label))
        except ConflictError:
            outcomes.append("conflict")
        else:
            outcomes.append("stored")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store, [f"code{i}" for i in range(8)]))
    assert sorted(outcomes) == ["conflict"] * 7 + ["stored"]
    assert _count(lab, response) == 3


def test_400_writers_at_once_on_sqlite_none_fails_and_none_is_doubled(sqlite_lab):
    lab = sqlite_lab
    version = lab.open()
    work = []
    for _ in range(40):
        session = lab.begin(version, plan=lab.plan(5))[0]
        # Every answer comes twice, as after a network that swallowed the acknowledgement.
        work += [(session, lab.answer(trial)) for trial in _trials(lab, session)] * 2
    random.Random(1).shuffle(work)
    start, problems = threading.Barrier(len(work)), []

    def store(session, answer):
        start.wait()
        try:
            lab.store(session, answer)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=store, args=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(work) == 400
    assert problems == []
    assert _count(lab, answer_table) == 200
    assert _count(lab, response) == 600


def test_an_answer_survives_a_process_that_is_killed_right_after_it(sqlite_lab):
    """Written by a process of its own, which ends without closing anything."""
    lab = sqlite_lab
    session = lab.begin(lab.open())[0]
    trial = _trials(lab, session)[0]
    code = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[1])\n"
        "from core.records import Answer, Evidence, Response\n"
        "from db import engine\n"
        "from tests import storing\n"
        "with engine.writing(engine.connect(sys.argv[2])) as conn:\n"
        "    answer = Answer(sys.argv[3], 1, (Response('valence', 'answered', 70.0),), Evidence(True))\n"
        "    storing.store(conn, answer)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    arguments = [PROJECT, str(lab.engine.url), trial.trial_id]
    done = subprocess.run([sys.executable, "-c", code, *arguments], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert _stored(lab) == [(1, "valence", True, "answered", 70.0, None)]


# Written by 0.1.0 for this answer, before the evidence knew more than five things.
STORED_BEFORE = "f004a78537e171e49da44904daa9793750bff90e2d4293ec876eb6670e816617"


def test_an_answer_that_an_earlier_facenorm_stored_is_known_when_it_comes_again(lab, session, trial):
    given = Answer(
        "t1",
        1,
        (
            Response("emotion", "answered", label="happy", rt_first_ms=812.5, rt_submit_ms=2000.0),
            Response("valence", "answered", value=70.0, n_changes=2),
        ),
        Evidence(True, decode_ms=3.5, blur_count=1, input_device="keyboard", viewport="375x667@2"),
    )
    place = _place(lab, trial)
    place.revisions[1] = STORED_BEFORE
    assert answers.judge(given, place, back=False) is None
    later = dataclasses.replace(given, evidence=dataclasses.replace(given.evidence, paint_ms=7.5))
    with pytest.raises(ConflictError):
        answers.judge(later, place, back=False)


def _place(lab, trial):
    with db_engine.reading(lab.engine) as conn:
        return answers.places(conn, [trial.trial_id])[trial.trial_id]


def _end(lab, session, outcome):
    with db_engine.writing(lab.engine) as conn:
        sessions.end(conn, session.session_id, outcome)


@pytest.mark.parametrize("outcome", ["stopped", "screened_out"])
def test_a_session_that_ended_early_takes_no_more_but_knows_what_it_has(lab, session, outcome):
    first, second = _trials(lab, session)[:2]
    lab.store(session, lab.answer(first))
    _end(lab, session, outcome)
    lab.store(session, lab.answer(first))
    with pytest.raises(EndedError):
        lab.store(session, lab.answer(second))
    with pytest.raises(EndedError):
        lab.store(session, lab.answer(first, 2), back=True)
    assert _count(lab, answer_table) == 1


def test_a_trial_that_was_begun_anew_takes_no_more_but_knows_what_it_has(lab, session):
    first, second = _trials(lab, session)[:2]
    lab.store(session, lab.answer(first))
    with db_engine.writing(lab.engine) as conn:
        conn.execute(update(trial_table).values(superseded=True))
    lab.store(session, lab.answer(first))
    with pytest.raises(ConflictError, match="begun anew"):
        lab.store(session, lab.answer(second))
    assert _count(lab, answer_table) == 1


def test_a_batch_judges_each_answer_by_those_before_it(lab):
    """Two revisions of a trial, one of them twice, and one that conflicts, in one transaction."""
    session = lab.begin(lab.open())[0]
    trial = _trials(lab, session)[0]
    with db_engine.writing(lab.engine) as conn:
        place = answers.places(conn, [trial.trial_id])[trial.trial_id]
        first = answers.judge(lab.answer(trial, label="happy"), place, back=True)
        second = answers.judge(lab.answer(trial, 2, label="sad"), place, back=True)
        assert answers.judge(lab.answer(trial, 2, label="sad"), place, back=True) is None
        with pytest.raises(ConflictError):
            answers.judge(lab.answer(trial, 2, label="happy"), place, back=True)
        answers.save(conn, [first, second])
    assert [row[:3] + row[5:] for row in _stored(lab) if row[1] == "emotion"] == [
        (1, "emotion", False, "happy"),
        (2, "emotion", True, "sad"),
    ]


def test_the_last_trial_is_known_from_the_newest_attempts(lab, session):
    first, second, third = _trials(lab, session)

    def may_be_last(trial):
        return _place(lab, trial).may_be_last

    assert [may_be_last(each) for each in (first, second, third)] == [False, False, True]
    lab.store(session, lab.answer(third))  # out of order: now each of the others may be the one that lacks
    assert [may_be_last(each) for each in (first, second, third)] == [True, True, True]
    with db_engine.writing(lab.engine) as conn:
        conn.execute(update(trial_table).where(trial_table.c.trial_index == 3).values(superseded=True))
        again = dataclasses.replace(third, trial_id="again", attempt=2)
        sessions.save_trials(conn, session.session_id, session.config_hash, [again])
    assert [may_be_last(each) for each in (first, second, again)] == [False, False, True]


def test_a_sign_of_life_is_written_at_most_twice_a_minute(lab, session):
    def seen_at():
        with db_engine.reading(lab.engine) as conn:
            return sessions.get(conn, session.session_id).last_seen_at

    first, second, third = _trials(lab, session)
    before = seen_at()
    lab.store(session, lab.answer(first))
    assert seen_at() == before
    long_ago = now() - timedelta(minutes=1)
    with db_engine.writing(lab.engine) as conn:
        conn.execute(update(session_table).values(last_seen_at=long_ago))
    lab.store(session, lab.answer(second))
    assert seen_at() >= before
    written = seen_at()
    lab.store(session, lab.answer(third))
    assert seen_at() == written


def test_sessions_held_in_either_order_by_two_replicas_come_to_no_deadlock(lab):
    version = lab.open()
    tokens = [lab.begin(version)[1] for _ in range(8)]
    start = threading.Barrier(4)

    def hold(order):
        start.wait()
        for _ in range(10):
            with db_engine.writing(lab.engine) as conn:
                answers.hold(conn, order)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(hold, (tokens, tokens[::-1], tokens[4:] + tokens[:4], sorted(tokens))))


def test_two_replicas_that_get_the_same_answers_at_once_store_each_once(lab):
    """As after a proxy that sent a request to both: batches overlap and come in different orders."""
    version = lab.open()
    begun = [lab.begin(version) for _ in range(6)]
    given = [
        (session, token, lab.answer(trial)) for session, token in begun for trial in _trials(lab, session)
    ]
    start, new = threading.Barrier(4), []

    def replica(seed):
        mine = random.Random(seed).sample(given, len(given))
        start.wait()
        for batch in (mine[at : at + 5] for at in range(0, len(mine), 5)):
            with db_engine.writing(lab.engine) as conn:
                answers.hold(conn, {token for _, token, _ in batch})
                places = answers.places(conn, {answer.trial_id for *_, answer in batch})
                judged = [answers.judge(answer, places[answer.trial_id], back=False) for *_, answer in batch]
                answers.save(conn, [each for each in judged if each])
            new.extend(each for each in judged if each)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(replica, range(4)))
    assert len(new) == _count(lab, answer_table) == len(given)
    assert _count(lab, response) == 3 * len(given)
