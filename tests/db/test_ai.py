import dataclasses

import numpy as np
import pytest

from core.records import AiResult, Face, RaterKey, Score
from db import ai, ai_runs
from db import engine as db_engine

FACE = Face(10.5, 20.25, 100.0, 120.0, 0.98, ((1.5, 2.0), (3.0, 4.0)), "yunet", "2023mar", "largest of 2", 2)
SETTINGS = "e" * 64


def _result(served_sha256: str, **changed) -> AiResult:
    given = AiResult(
        served_sha256=served_sha256,
        rater_id="mini-xception",
        rater_version="1",
        weights_sha256="c" * 64,
        detector="yunet",
        status="ok",
        reason="",
        scores=(
            Score("emotion", label="happy"),
            Score("intensity", value=0.75, scale_min=0.0, scale_max=1.0),
        ),
        probabilities={"happy": 0.75, "neutral": 0.25},
        face=FACE,
    )
    return dataclasses.replace(given, **changed)


@pytest.fixture
def version(lab):
    return lab.open()


@pytest.fixture
def run_id(lab, version):
    with db_engine.writing(lab.engine) as conn:
        return ai_runs.begin(
            conn,
            config_hash=version.config_hash,
            raters=["mini-xception"],
            detector="yunet",
            settings={"device": "cpu"},
            versions={"torch": "2.13.0"},
            total=6,
            who="ada",
            host="laptop",
        )


def _save(lab, run_id, *results, settings_hash=SETTINGS):
    with db_engine.writing(lab.engine) as conn:
        for result in results:
            ai.save(conn, run_id, result, settings_hash=settings_hash)


def _results(lab, version):
    with db_engine.reading(lab.engine) as conn:
        return list(ai.results(conn, version.config_hash))


def test_results_come_back_as_they_were_given_in_the_order_of_the_stimuli(lab, version, run_id):
    served = [one.served_sha256 for one in lab.stimuli()]
    no_face = _result(served[0], status="no_face", reason="yunet found no face", scores=(), face=None)
    no_face = dataclasses.replace(no_face, probabilities={})
    _save(lab, run_id, _result(served[2]), _result(served[1]), no_face)
    assert _results(lab, version) == [no_face, _result(served[1]), _result(served[2])]


def test_a_result_saved_again_takes_the_place_of_the_first(lab, version, run_id):
    served = lab.stimuli()[1].served_sha256
    _save(lab, run_id, _result(served, status="unreadable", reason="cut", scores=(), face=None))
    _save(lab, run_id, _result(served))
    assert _results(lab, version) == [_result(served)]


def test_the_newest_settings_win_and_raters_and_detectors_stand_side_by_side(lab, version, run_id):
    served = lab.stimuli()[1].served_sha256
    newer = _result(served, scores=(Score("emotion", label="sad"),), rater_version="2")
    other = _result(served, rater_id="another")
    haar = _result(served, detector="haar")
    _save(lab, run_id, _result(served), other, haar)
    _save(lab, run_id, newer, settings_hash="d" * 64)
    found = _results(lab, version)
    assert found == [other, haar, newer]


def test_a_result_belongs_to_every_version_that_serves_the_picture(lab, version, run_id):
    newer = lab.open(content="second")
    _save(lab, run_id, _result(lab.stimuli()[1].served_sha256), _result("f" * 64))
    assert len(_results(lab, newer)) == 1


KEY = RaterKey("mini-xception", "1", "c" * 64, "yunet")


def test_what_is_known_is_known_by_each_part_of_the_key(lab, run_id):
    served = [one.served_sha256 for one in lab.stimuli()]
    _save(lab, run_id, _result(served[1]), _result(served[3]))
    _save(lab, run_id, _result(served[3]), settings_hash="d" * 64)
    many = [*served, *(f"{n:064x}" for n in range(1200))]
    with db_engine.reading(lab.engine) as conn:
        assert ai.known(conn, many, KEY) == {
            *((served[1], SETTINGS), (served[3], SETTINGS), (served[3], "d" * 64)),
        }
        for part in ("rater_id", "rater_version", "weights_sha256", "detector"):
            assert ai.known(conn, served, dataclasses.replace(KEY, **{part: "other"})) == frozenset()


def test_what_is_stored_of_a_rater_comes_with_settings_and_embedding(lab, run_id):
    served = lab.stimuli()[1].served_sha256
    embedding = np.array([0.6, -0.8], np.float32)
    _save(lab, run_id, _result(served, embedding=embedding))
    with db_engine.reading(lab.engine) as conn:
        ((settings_hash, found),) = ai.stored(conn, [served], KEY)
    assert (settings_hash, found) == (SETTINGS, _result(served))
    np.testing.assert_array_equal(found.embedding, embedding)


def test_embeddings_and_pictures_follow_the_newest_result(lab, version, run_id):
    served = [one.served_sha256 for one in lab.stimuli()]
    older, newer = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    _save(lab, run_id, _result(served[1], embedding=older, pictures={"map": b"old"}))
    _save(lab, run_id, _result(served[2], embedding=older))
    _save(lab, run_id, _result(served[1], embedding=newer, pictures={"map": b"new"}))
    with db_engine.reading(lab.engine) as conn:
        found = {sha256: vector.tolist() for sha256, _, _, vector in ai.embeddings(conn, version.config_hash)}
        shown = list(ai.pictures(conn, served[1]))
    assert found == {served[1]: [0, 1], served[2]: [1, 0]}
    assert shown == [("mini-xception", "map", b"new")]


def test_a_run_outside_any_study_says_what_it_ran_with(lab):
    with db_engine.writing(lab.engine) as conn:
        given = {
            "raters": ["a"],
            "detector": "deepface:retinaface",
            "total": 1,
            "who": "ada",
            "host": "laptop",
        }
        ai_runs.begin(conn, config_hash=None, settings={"device": "cpu"}, versions={"a": "1"}, **given)
        run = ai_runs.latest(conn, None)
    assert (run.config_hash, run.settings, run.versions) == (None, {"device": "cpu"}, {"a": "1"})


def test_a_run_can_be_watched(lab, version, run_id):
    with db_engine.writing(lab.engine) as conn:
        ai_runs.progress(conn, run_id, done=4)
    with db_engine.reading(lab.engine) as conn:
        run = ai_runs.latest(conn, version.config_hash)
        assert ai_runs.latest(conn, "0" * 64) is None
    assert (run.run_id, run.done, run.total, run.raters, run.finished_at) == (
        *(run_id, 4, 6, ("mini-xception",), None),
    )
    with db_engine.writing(lab.engine) as conn:
        ai_runs.finish(conn, run_id, problem="the disk is full")
        run = ai_runs.latest(conn, version.config_hash)
    assert run.problem == "the disk is full"
    assert run.began_at <= run.seen_at == run.finished_at


def test_only_raters_that_answer_a_scale_come_with_their_scores_on_it(lab, version, run_id):
    served = lab.stimuli()[1].served_sha256
    many = _result(served, rater_id="many", scores=(Score("valence", 0.5), Score("au12", 0.25)))
    blind = _result(lab.stimuli()[2].served_sha256, rater_id="many", status="no_face", scores=(), face=None)
    _save(lab, run_id, _result(served), many, blind, _result(served, rater_id="vector", scores=()))
    with db_engine.reading(lab.engine) as conn:
        found = list(ai.results(conn, version.config_hash, scales=["valence"]))
        of_one = list(ai.results(conn, version.config_hash, rater_id="vector"))
    assert [(one.rater_id, one.status, one.scores) for one in found] == [
        ("many", "ok", (Score("valence", 0.5),)),
        ("many", "no_face", ()),
    ]
    assert [one.rater_id for one in of_one] == ["vector"]


def test_results_are_counted_by_rater_and_status(lab, version, run_id):
    served = [one.served_sha256 for one in lab.stimuli()]
    _save(lab, run_id, *(_result(one) for one in served[:2]))
    _save(lab, run_id, _result(served[0], status="no_face", scores=(), face=None))  # looked at again
    with db_engine.reading(lab.engine) as conn:
        counted = [(one.rater_id, one.status, one.n) for one in ai.summary(conn, version.config_hash)]
    assert counted == [("mini-xception", "no_face", 1), ("mini-xception", "ok", 1)]


def test_embeddings_by_other_weights_than_the_last_are_not_among_them(lab, version, run_id):
    served = [one.served_sha256 for one in lab.stimuli()]
    vector = np.array([1, 0], np.float32)
    for number in (1, 2):
        _save(lab, run_id, _result(served[number], embedding=vector))
        _save(lab, run_id, _result(served[number], embedding=vector, detector="haar"))
    replaced = _result(served[1], embedding=-vector, weights_sha256="9" * 64)
    _save(lab, run_id, replaced)
    with db_engine.reading(lab.engine) as conn:
        found = [(sha256, by, *vector) for sha256, _, by, vector in ai.embeddings(conn, version.config_hash)]
    haar = [(sha256, "haar", 1, 0) for sha256 in sorted(served[1:3])]
    assert found == [*haar, (served[1], "yunet", -1, 0)]


def test_many_results_are_stored_as_one_by_one_and_replace_each_other(lab, version, run_id):
    served = [one.served_sha256 for one in lab.stimuli()]
    given = [_result(sha256, embedding=np.ones(2, np.float32), pictures={"map": b"a"}) for sha256 in served]
    again = [dataclasses.replace(one, scores=one.scores[:1], pictures={}) for one in given]
    with db_engine.writing(lab.engine) as conn:
        ai.save_all(conn, run_id, ((one, SETTINGS) for one in given))
        ai.save_all(conn, run_id, ((one, SETTINGS) for one in [*given, *again]))
        ai.save_all(conn, run_id, ())
    assert _results(lab, version) == again
    with db_engine.reading(lab.engine) as conn:
        assert len(list(ai.embeddings(conn, version.config_hash))) == len(served)
        assert not list(ai.pictures(conn, served[0]))
