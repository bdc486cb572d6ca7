from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.records import AiResult, Score, Stimulus
from db import ai, ai_runs, audit, yardsticks
from db import engine as db_engine
from db.yardsticks import Yardstick


def picture(number: int, **changed) -> Stimulus:
    sha256 = f"{number:064x}"
    given = Stimulus(
        sha256[:12], f"{number}.jpg", sha256, sha256, 0, 0, f"p{number % 3}", "happy", extra={"gender": "f"}
    )
    return replace(given, **changed)


def real(*numbers: int, title: str = "진짜 얼굴") -> Yardstick:
    shown = tuple(picture(number) for number in numbers)
    paths = {one.stim_file: Path("/restricted", one.stim_file) for one in shown}
    return Yardstick("real", title, "/restricted/m.csv", shown, paths)


def opinion(number: int, label: str = "happy", **changed) -> AiResult:
    embedding = np.float32([0.6, 0.8])
    scores = (Score("emotion", label=label),)
    given = AiResult(
        f"{number:064x}", "rater", "1", "f" * 64, "haar", "ok", "", scores, {label: 1.0}, embedding=embedding
    )
    return replace(given, **changed)


def begin(lab, version):
    with db_engine.writing(lab.engine) as conn:
        return ai_runs.begin(
            conn, config_hash=version.config_hash, raters=["rater"], detector="haar", settings={},
            versions={}, total=1, who="ada", host="here",
        )  # fmt: skip


def test_sets_come_back_as_they_were_stored_and_the_newest_loading_counts(lab):
    version = lab.open()
    nobody = replace(picture(9), identity_id="", intended_emotion=None, reference_file="1.jpg")
    other = Yardstick("other", "other", "m.csv", (nobody,), {nobody.stim_file: Path("9.jpg")})
    stored = []
    for sets in ([real(1, 2), other], [other, real(1)], []):
        yardsticks.store(lab.engine, version.config_hash, sets, who="ada")
        with db_engine.reading(lab.engine) as conn:
            stored.append(yardsticks.listing(conn, version.config_hash) == tuple(sets))
    assert stored == [True, True, True]


def test_loading_the_same_sets_again_is_no_act(lab):
    version = lab.open()
    for sets in ([real(1, 2)], [real(1, 2)], [real(1, 2, title="new")]):
        yardsticks.store(lab.engine, version.config_hash, sets, who="ada")
    with db_engine.reading(lab.engine) as conn:
        said = [one.detail for one in audit.read(conn) if one.what == "yardsticks loaded"]
    assert len(said) == 2
    assert "real (2 pictures)" in said[0]


def test_another_version_s_sets_are_its_own(lab):
    first, second = lab.open(), lab.open(content="second")
    yardsticks.store(lab.engine, first.config_hash, [real(1)], who="ada")
    with db_engine.reading(lab.engine) as conn:
        assert yardsticks.listing(conn, second.config_hash) == ()


def test_the_newest_result_of_each_rater_and_detector_is_given_with_its_embedding(lab):
    version = lab.open()
    yardsticks.store(lab.engine, version.config_hash, [real(1, 2)], who="ada")
    run_id = begin(lab, version)
    later = (
        ("a", opinion(1, "sad")),
        ("b", opinion(1)),
        ("a", opinion(2, rater_version="0")),
        ("a", opinion(2)),
        ("a", opinion(2, "angry", detector="yunet")),
        ("a", opinion(7)),  # no picture of the set
        ("a", opinion(1, rater_id="another")),
    )
    for settings_hash, result in later:
        with db_engine.writing(lab.engine) as conn:
            ai.save(conn, run_id, result, settings_hash=settings_hash * 64)
    with db_engine.reading(lab.engine) as conn:
        found = list(yardsticks.results(conn, version.config_hash, "real", raters=["rater"]))
    labels = {(one.served_sha256[-1], one.detector, one.rater_version): one.scores[0].label for one in found}
    assert labels == {("1", "haar", "1"): "happy", ("2", "haar", "1"): "happy", ("2", "yunet", "1"): "angry"}
    assert len(found) == 3
    assert found[0].embedding == pytest.approx([0.6, 0.8])
