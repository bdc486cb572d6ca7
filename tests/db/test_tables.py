import tracemalloc
from collections import Counter
from dataclasses import replace
from itertools import product

import pytest
from sqlalchemy import event, text

from core.ratings import COLUMNS
from core.records import Answer, Evidence, Expected, Response
from db import engine as db_engine
from db import exclusions, questionnaires, returning, sessions, tables
from tests import storing


@pytest.fixture
def version(lab):
    return lab.open()


def _ratings(lab, **given):
    with db_engine.reading(lab.engine) as conn:
        return list(tables.ratings(conn, "demo", **given))


def _complete(lab, version, **given):
    session, _ = lab.begin(version, **{k: v for k, v in given.items() if k in {"kind", "phase", "plan"}})
    lab.answer_all(session, **{k: v for k, v in given.items() if k in {"label", "value"}})
    return session


def test_a_rating_says_everything_about_itself(lab, version):
    session = _complete(lab, version, label="sad", value=12.25)
    rows = _ratings(lab)
    assert len(rows) == 9
    assert all(set(COLUMNS) <= row.keys() for row in rows)
    emotion, intensity, valence = rows[:3]
    first = next(one for one in lab.stimuli() if one.rated)
    assert emotion | {"saved_at_utc": None, "trial_id": None, "row_id": None} == {
        "row_id": None,
        "study_id": "demo",
        "study_version": 1,
        "config_hash": version.config_hash,
        "subject_id": session.session_id,
        "session_id": session.session_id,
        "rater_type": "human",
        "rater_id": session.session_id,
        "model_version": None,
        "block": 1,
        "trial_id": None,
        "trial_index": 1,
        "is_practice": False,
        "is_attention": False,
        "is_repeat": False,
        "repeat_of": None,
        "stimulus_id": first.stimulus_id,
        "stim_file": first.stim_file,
        "stim_sha256": first.stim_sha256,
        "identity_id": first.identity_id,
        "intended_emotion": "happy",
        "scale_id": "emotion",
        "scale_min": None,
        "scale_max": None,
        "response": None,
        "response_label": "sad",
        "option_order": ("happy", "sad", "neutral"),
        "rt_first_ms": 812.5,
        "rt_submit_ms": 2000.0,
        "onset_ok": True,
        "n_changes": 0,
        "blur_count": 1,
        "input_device": "keyboard",
        "viewport": "375x667@2",
        "saved_at_utc": None,
        "excluded": False,
        "exclusion_reason": None,
        "task": "all",
        "is_foil": False,
        "attempt": 1,
        "superseded": False,
        "revision": 1,
        "status": "answered",
        "is_instructed": None,
        "expected_label": None,
        "expected_low": None,
        "expected_high": None,
        "check_passed": None,
        "reference_stimulus_id": lab.stimuli()[0].stimulus_id,
        "reference_identity_id": lab.stimuli()[0].identity_id,
        "target_side": "right",
        "decode_ms": 3.5,
        "paint_ms": None,
        "shown_ms": None,
        "frame_sd_ms": None,
        "hidden_count": 0,
        "app": None,
        "kind": "human",
        "phase": "live",
        "language": "ko",
    }
    assert (intensity["scale_min"], intensity["scale_max"], intensity["status"]) == (1, 7, "not_applicable")
    assert (valence["scale_min"], valence["scale_max"], valence["response"]) == (0, 100, 12.25)
    assert valence["option_order"] is None
    assert emotion["saved_at_utc"].endswith("Z")
    assert len({row["row_id"] for row in rows}) == 9


def test_only_human_and_live_ratings_by_default(lab, version):
    _complete(lab, version)
    _complete(lab, version, kind="simulated")
    _complete(lab, version, phase="pilot")
    _complete(lab, version, kind="preview")
    assert Counter((row["kind"], row["phase"]) for row in _ratings(lab)) == {("human", "live"): 9}
    both = _ratings(lab, kinds=("human", "simulated"), phases=("live", "pilot"))
    assert Counter((row["kind"], row["phase"]) for row in both) == {
        ("human", "live"): 9,
        ("human", "pilot"): 9,
        ("simulated", "live"): 9,
    }


def test_one_version_or_all_in_the_order_of_presentation(lab, version):
    first = _complete(lab, version)
    newer = lab.open(content="second")
    second, third = _complete(lab, newer), _complete(lab, newer)
    rows = _ratings(lab)
    order = [(row["study_version"], row["session_id"], row["trial_index"], row["scale_id"]) for row in rows]
    assert list(dict.fromkeys(row["session_id"] for row in rows)) == [
        one.session_id for one in (first, second, third)
    ]
    assert [one[2:] for one in order] == sorted(one[2:] for one in order[:9]) * 3
    assert {row["study_version"] for row in _ratings(lab, config_hash=newer.config_hash)} == {2}
    with db_engine.reading(lab.engine) as conn:
        assert list(tables.ratings(conn, "another")) == []


def test_only_the_newest_revision_is_a_rating(lab, version):
    session, _ = lab.begin(version, plan=lab.plan(1))
    with db_engine.reading(lab.engine) as conn:
        (trial,) = sessions.trials(conn, session.session_id)
    for revision, label in enumerate(("happy", "sad", "neutral"), start=1):
        lab.store(session, lab.answer(trial, revision, label=label), back=True)
    assert next((row["response_label"], row["revision"]) for row in _ratings(lab)) == ("neutral", 3)
    assert len(_ratings(lab)) == 3


def _counts(lab, version, **given):
    with db_engine.reading(lab.engine) as conn:
        return tables.counts(conn, version.config_hash, **given)


def test_counts_are_those_of_the_rows(lab, version):
    """Counted apart by collections.Counter over the stream of rows."""
    for label, value in (("happy", 10.0), ("happy", 20.0), ("sad", 10.0)):
        _complete(lab, version, label=label, value=value)
    expected = Counter(
        (row["scale_id"], row["stimulus_id"], row["status"], row["response"], row["response_label"])
        for row in _ratings(lab)
    )
    found = _counts(lab, version)
    assert {(c.scale_id, c.stimulus_id, c.status, c.value, c.label): c.n for c in found} == expected
    assert _counts(lab, version, kinds=("simulated",)) == ()
    assert _counts(lab, lab.open(content="second")) == ()


def test_practice_checks_and_repeats_are_rows_but_do_not_count(lab, version):
    for flag in ("is_practice", "is_attention", "is_repeat"):
        _complete(lab, version, plan=lab.plan(2, **{flag: True}))
    assert len(_ratings(lab)) == 18
    assert _counts(lab, version) == ()


@pytest.mark.parametrize("kind", ["session", "trial", "stimulus"])
def test_what_is_excluded_is_marked_in_the_rows_and_left_out_of_the_counts(lab, version, kind):
    _complete(lab, version)
    _complete(lab, version)
    target = _ratings(lab)[0][f"{kind}_id"]
    with db_engine.writing(lab.engine) as conn:
        excluded = exclusions.add(conn, "demo", kind, target, reason="too fast", who="ann")
    rows = _ratings(lab)
    marked = [row for row in rows if row["excluded"]]
    assert {row[f"{kind}_id"] for row in marked} == {target}
    assert {row["exclusion_reason"] for row in marked} == {"too fast"}
    assert len(marked) == {"session": 9, "trial": 3, "stimulus": 6}[kind]
    assert sum(count.n for count in _counts(lab, version)) == len(rows) - len(marked)
    with db_engine.writing(lab.engine) as conn:
        exclusions.reverse(conn, "demo", excluded, reason="was a phone", who="ann")
    assert sum(count.n for count in _counts(lab, version)) == len(rows)


def test_participants_come_with_what_they_said_and_agreed_to(lab, version):
    session, _ = lab.begin(version)
    done = _complete(lab, version)
    with db_engine.writing(lab.engine) as conn:
        questionnaires.save(conn, session.session_id, None, {"age": 31})
        questionnaires.save(conn, session.session_id, None, {"gender": "여자"})
        sessions.complete(conn, done.session_id)
        exclusions.add(conn, "demo", "session", session.session_id, reason="asked to", who="ann")
    with db_engine.reading(lab.engine) as conn:
        first, second = tables.participants(conn, "demo")
        assert list(tables.participants(conn, "demo", kinds=("simulated",))) == []
        assert list(tables.participants(conn, "demo", config_hash="0" * 64)) == []
    assert (first.session_id, first.completed_at) == (session.session_id, None)
    assert first.about == {"age": 31, "gender": "여자"}
    assert first.consents == second.consents == {"part": True}
    assert (first.excluded, first.exclusion_reason) == (True, "asked to")
    assert second.completed_at is not None
    assert (second.about, second.excluded, second.exclusion_reason) == ({}, False, None)
    assert (second.utc_offset_min, second.language, second.study_version) == (540, "ko", 1)


def test_stimuli_come_with_their_version(lab, version):
    newer = lab.open(content="second")
    left_out = lab.stimuli()[2].stimulus_id
    with db_engine.writing(lab.engine) as conn:
        exclusions.add(conn, "demo", "stimulus", left_out, reason="blurred", who="ann")
        found = list(tables.stimuli(conn, "demo"))
        latest = list(tables.stimuli(conn, "demo", config_hash=newer.config_hash))
    assert [one.stimulus for one in found] == [*lab.stimuli(), *lab.stimuli()]
    assert [one.study_version for one in found] == [1] * 6 + [2] * 6
    assert {one.config_hash for one in latest} == {newer.config_hash}
    assert {one.stimulus.stimulus_id for one in found if one.excluded} == {left_out}


def test_an_exclusion_of_one_study_leaves_another_alone(lab, version):
    lab.open(study_id="another")
    _complete(lab, version)
    target = _ratings(lab)[0]["stimulus_id"]
    with db_engine.writing(lab.engine) as conn:
        exclusions.add(conn, "another", "stimulus", target, reason="x", who="ann")
    assert not any(row["excluded"] for row in _ratings(lab))


@pytest.mark.parametrize(
    ("expected", "passes"),
    [
        (Expected("emotion", instructed=True, label="sad"), True),
        (Expected("emotion", instructed=False, label="happy"), False),
        (Expected("valence", instructed=True, low=10, high=20), True),
        (Expected("valence", instructed=True, low=13), False),
        (Expected("intensity", instructed=True, low=1), False),  # not applicable is not what was asked
    ],
)
def test_a_check_says_on_its_scale_what_was_expected_and_whether_it_was_given(lab, version, expected, passes):
    _complete(lab, version, plan=lab.plan(1, is_attention=True, expected=expected), label="sad", value=12.0)
    rows = {row["scale_id"]: row for row in _ratings(lab)}
    found = rows.pop(expected.scale_id)
    assert (found["check_passed"], found["is_instructed"]) == (passes, expected.instructed)
    assert (found["expected_label"], found["expected_low"], found["expected_high"]) == (
        expected.label,
        expected.low,
        expected.high,
    )
    assert {row["check_passed"] for row in rows.values()} == {None}
    with db_engine.reading(lab.engine) as conn:
        (one,) = tables.participants(conn, "demo")
    assert (one.n_checks, one.n_checks_passed) == (1, int(passes))


def test_a_check_that_begins_again_counts_once_and_each_try_of_the_practice_counts(lab, version):
    check = Expected("emotion", instructed=True, label="sad")
    session, _ = lab.begin(
        version,
        plan=(
            *(replace(one, block=0) for one in lab.plan(2, is_practice=True)),
            replace(lab.plan(3, is_attention=True, expected=check)[2], block=2),
        ),
    )
    lab.answer_all(session, label="sad")
    with db_engine.writing(lab.engine) as conn:
        for block in (0, 2):
            returning.repeat(conn, session.session_id, block)
    lab.answer_all(session, label="happy")
    with db_engine.reading(lab.engine) as conn:
        (one,) = tables.participants(conn, "demo")
    assert (one.n_checks, one.n_checks_passed, one.practice_attempts) == (1, 0, 2)


def test_an_attempt_that_a_later_one_replaces_is_marked_and_does_not_count(lab, version):
    session = _complete(lab, version, label="sad")
    with db_engine.writing(lab.engine) as conn:
        returning.repeat(conn, session.session_id, 1)
    lab.answer_all(session, label="happy")
    rows = _ratings(lab)
    assert Counter((row["attempt"], row["superseded"]) for row in rows) == {(1, True): 9, (2, False): 9}
    assert {row["response_label"] for row in rows if row["superseded"]} == {"sad", None}
    labels = Counter({count.label: count.n for count in _counts(lab, version) if count.label})
    assert labels == {"happy": 1}
    assert sum(count.n for count in _counts(lab, version)) == 9


def test_a_pair_says_where_its_edit_stood_and_foils_are_counted_apart(lab, version):
    reference, target = lab.plan(1)[0].shown
    sides = {"right": (reference, target), "left": (target, reference)}
    pairs = tuple(
        replace(lab.plan(4)[index], shown=shown, task="identity_pairs", is_foil=is_foil)
        for index, (is_foil, shown) in enumerate(product((False, True), sides.values()))
    )
    _complete(lab, version, plan=pairs)
    rows = [row for row in _ratings(lab) if row["scale_id"] == "valence"]
    assert [row["target_side"] for row in rows] == ["right", "left"] * 2
    assert {row["stimulus_id"] for row in rows} == {target.stimulus_id}
    assert {row["reference_stimulus_id"] for row in rows} == {reference.stimulus_id}
    assert {row["reference_identity_id"] for row in rows} == {lab.stimuli()[0].identity_id}
    assert Counter(row["is_foil"] for row in rows) == {False: 2, True: 2}
    for count in (tables.counts, tables.foils):
        with db_engine.reading(lab.engine) as conn:
            assert sum(one.n for one in count(conn, version.config_hash)) == 2 * 3
            assert count(conn, version.config_hash, kinds=("simulated",)) == ()
            assert count(conn, "0" * 64) == ()


def test_a_picture_alone_has_no_side(lab, version):
    alone = tuple(replace(one, shown=one.shown[1:]) for one in lab.plan(1))
    _complete(lab, version, plan=alone)
    assert {(row["target_side"], row["reference_stimulus_id"]) for row in _ratings(lab)} == {(None, None)}


def test_retests_count_values_that_were_given_twice(lab, version):
    first, second, third = lab.plan(3)
    again = tuple(
        replace(one, trial_index=index, is_repeat=True, repeat_of=of.trial_id)
        for index, (one, of) in enumerate(zip(lab.plan(2), (first, second), strict=True), start=4)
    )
    session = _complete(lab, version, plan=(first, second, third, *again))
    with db_engine.reading(lab.engine) as conn:
        # Intensity did not apply at either time.
        assert tables.retests(conn, version.config_hash) == {"emotion": 2, "valence": 2}
        assert tables.retests(conn, "0" * 64) == {}
    with db_engine.writing(lab.engine) as conn:
        exclusions.add(conn, "demo", "session", session.session_id, reason="x", who="ann")
        assert tables.retests(conn, version.config_hash) == {}


def test_questionnaires_come_with_their_sessions_and_lines_apart(lab, version):
    first, second = (lab.begin(version)[0] for _ in range(2))
    with db_engine.writing(lab.engine) as conn:
        questionnaires.save(conn, second.session_id, "mood", {"now.calm": "high", "why": None})
        questionnaires.save(conn, first.session_id, "mood", {"hours": 7.5})
        questionnaires.save(conn, first.session_id, None, {"age": 30})
    with db_engine.reading(lab.engine) as conn:
        found = list(tables.questionnaire_answers(conn, "demo"))
        assert list(tables.questionnaire_answers(conn, "demo", kinds=("simulated",))) == []
    assert [(one.session_id, one.question_id, one.item_id, one.value) for one in found] == [
        (first.session_id, "hours", None, 7.5),
        (second.session_id, "now", "calm", "high"),
        (second.session_id, "why", None, None),
    ]
    assert {(one.questionnaire_id, one.study_version) for one in found} == {("mood", 1)}


def _many(lab, version, trials: int) -> None:
    """One session with ten ratings a trial, in one transaction."""
    session, _ = lab.begin(version, plan=lab.plan(trials))
    with db_engine.writing(lab.engine) as conn:
        for trial in sessions.trials(conn, session.session_id):
            given = tuple(Response(f"scale{n}", "answered", value=float(n)) for n in range(10))
            storing.store(conn, Answer(trial.trial_id, 1, given, Evidence(True)))


def _peak(rows) -> tuple[int, int]:
    """How many rows there are, and the most memory that reading them one by one took."""
    tracemalloc.start()
    n = sum(1 for _ in rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return n, peak


def test_reading_more_ratings_takes_no_more_memory(lab, version, monkeypatch):
    monkeypatch.setattr(tables, "CHUNK", 100)
    peaks = []
    for trials in (40, 160):
        _many(lab, version, trials=trials)
        with db_engine.reading(lab.engine) as conn:
            list(tables.ratings(conn, "demo"))  # makes what is made once, such as compiled statements
            peaks.append(_peak(tables.ratings(conn, "demo")))
    (few, less), (all_, more) = peaks
    assert (few, all_) == (400, 2000)
    # Measured 1.0; five times the rows in memory would be five times as much.
    assert more < 1.3 * less


@pytest.mark.postgres
@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_on_postgresql_the_rows_wait_on_the_server(lab, version):
    """Otherwise the driver would hold all of them, out of Python's sight."""
    _complete(lab, version)
    with db_engine.reading(lab.engine) as conn:
        for read in (tables.ratings, tables.participants):
            rows = read(conn, "demo")
            next(rows)
            assert conn.scalar(text("SELECT count(*) FROM pg_cursors")) == 1
            rows.close()
            assert conn.scalar(text("SELECT count(*) FROM pg_cursors")) == 0


def _query_plan(engine, act) -> str:
    """How SQLite answers the last statement of an act, in its own words."""
    said = []

    def remember(conn, cursor, statement, parameters, context, executemany):
        said.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", remember)
    with db_engine.reading(engine) as conn:
        act(conn)
        event.remove(engine, "before_cursor_execute", remember)
        statement, parameters = said[-1]
        rows = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return "\n".join(row[3] for row in rows)


def test_on_sqlite_counts_read_one_index_and_sort_nothing(sqlite_lab):
    version = sqlite_lab.open()
    plan = _query_plan(sqlite_lab.engine, lambda conn: tables.counts(conn, version.config_hash))
    assert "COVERING INDEX ix_response_counts" in plan
    assert "TEMP B-TREE" not in plan


def test_on_sqlite_ratings_come_in_the_order_of_the_indexes(sqlite_lab):
    sqlite_lab.open()
    plan = _query_plan(sqlite_lab.engine, lambda conn: list(tables.ratings(conn, "demo")))
    assert "SCAN" not in plan
    # The scales of one trial are sorted, never all rows.
    assert "FOR ORDER BY" not in plan


def test_a_completion_code_is_nobodys_before_the_end(lab, version):
    begun, _ = lab.begin(version)
    with db_engine.reading(lab.engine) as conn:
        assert [one.completion_code for one in tables.participants(conn, "demo")] == [None]
    lab.answer_all(begun)
    with db_engine.writing(lab.engine) as conn:
        sessions.complete(conn, begun.session_id)
        (found,) = tables.participants(conn, "demo")
    assert found.completion_code == begun.completion_code
