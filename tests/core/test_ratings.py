"""The long table: its columns are the published ones, its types survive, models and people share it."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import ratings
from core.errors import ExportError
from core.records import AiResult, Score, Stimulus

STIMULUS = Stimulus(
    stimulus_id="ab12",
    stim_file="id01_happy.png",
    stim_sha256="a" * 64,
    served_sha256="b" * 64,
    width_px=512,
    height_px=512,
    identity_id="id01",
    intended_emotion="happy",
)
HAPPY = AiResult(
    served_sha256="b" * 64,
    rater_id="mini-xception",
    rater_version="1",
    weights_sha256="c" * 64,
    detector="yunet",
    status="ok",
    reason="",
    scores=(Score("emotion", label="happy"), Score("intensity", value=0.75, scale_min=0.0, scale_max=1.0)),
    probabilities={"happy": 0.75, "neutral": 0.25},
)
NO_FACE = AiResult(
    served_sha256="b" * 64,
    rater_id="mini-xception",
    rater_version="1",
    weights_sha256="c" * 64,
    detector="yunet",
    status="no_face",
    reason="no face was found",
)


def human(**changed: ratings.Value) -> ratings.Row:
    row = {
        **dict.fromkeys(ratings.COLUMNS),
        "row_id": "r1",
        "study_id": "demo",
        "study_version": 1,
        "config_hash": "d" * 64,
        "subject_id": "s1",
        "session_id": "s1",
        "rater_type": "human",
        "rater_id": "s1",
        "block": 1,
        "trial_id": "t1",
        "trial_index": 1,
        "is_practice": False,
        "is_attention": False,
        "is_repeat": False,
        "stimulus_id": "ab12",
        "stim_file": "id01_happy.png",
        "scale_id": "valence",
        "scale_min": 0.0,
        "scale_max": 100.0,
        "response": 62.5,
        "option_order": ("happy", "sad"),
        "onset_ok": True,
        "n_changes": 0,
        "saved_at_utc": "2026-11-03T04:05:06.789Z",
        "excluded": False,
    }
    return {**row, **changed}


def test_the_columns_are_those_that_the_reference_lists(shared: Path):
    text = (shared / "reference/peers.md").read_text(encoding="utf-8")
    listed = re.search(r"Long format.*`(row_id[^`]+)`", text)
    assert listed
    names = re.sub(r" \([^)]*\)", "", listed.group(1)).split(", ")
    # What came later stands after them, so that no column moved.
    assert list(ratings.COLUMNS[: len(names)]) == names


def test_ai_columns_add_to_those_of_a_rating():
    assert ratings.AI_COLUMNS[: len(ratings.COLUMNS)] == ratings.COLUMNS
    assert ratings.AI_COLUMNS[-4:] == ("probability_other", "detector", "weights_sha256", "reason")


def test_long_gives_each_column_a_nullable_type():
    frame = ratings.long([human(), human(row_id="r2", response=None, onset_ok=None, n_changes=None)])
    assert tuple(frame.columns) == ratings.COLUMNS
    assert frame["scale_id"].dtype == "category"
    assert frame["row_id"].dtype == "str"
    assert frame["study_version"].dtype == "Int64"
    assert frame["is_practice"].dtype == "boolean"
    assert frame["response"].tolist()[0] == 62.5
    assert np.isnan(frame["response"][1])
    assert frame["onset_ok"].isna().tolist() == [False, True]
    assert frame["option_order"].tolist() == ["happy|sad"] * 2
    assert frame["saved_at_utc"][0] == pd.Timestamp("2026-11-03T04:05:06.789", tz="UTC")


def test_a_missing_text_is_no_category():
    frame = ratings.long(
        [human(response_label=None), human(response_label="sad"), human(response_label="sad")]
    )
    assert frame["response_label"].cat.categories.tolist() == ["sad"]
    assert frame["response_label"].isna().tolist() == [True, False, False]


def test_no_rows_give_an_empty_frame_of_the_same_types():
    empty, full = ratings.long([]), ratings.long([human()])
    assert len(empty) == 0
    assert empty.dtypes.astype(str).tolist() == full.dtypes.astype(str).tolist()


def test_sqlite_integers_are_booleans():
    frame = ratings.long([human(is_practice=1, excluded=0)])
    assert (frame["is_practice"][0], frame["excluded"][0]) == (True, False)


def test_every_score_is_a_row_and_no_face_is_one_too():
    rows = list(ratings.ai_rows([HAPPY, NO_FACE], {"b" * 64: STIMULUS}, study_id="demo", study_version=2))
    assert [tuple(row) for row in rows] == [ratings.AI_COLUMNS] * 3
    emotion, intensity, nothing = rows
    assert (emotion["scale_id"], emotion["response_label"], emotion["response"]) == ("emotion", "happy", None)
    assert (intensity["response"], intensity["scale_max"]) == (0.75, 1.0)
    assert (nothing["status"], nothing["reason"], nothing["scale_id"]) == (
        "no_face",
        "no face was found",
        None,
    )
    assert emotion["probability_happy"] == 0.75
    assert emotion["probability_contempt"] is None  # the model has no such class
    assert {row["identity_id"] for row in rows} == {"id01"}
    assert len({row["row_id"] for row in rows}) == 3


def test_people_and_models_share_a_frame_and_differ_by_rater_type():
    frame = ratings.long([human(), *ratings.ai_rows([HAPPY], {"b" * 64: STIMULUS})])
    assert frame["rater_type"].tolist() == ["human", "model", "model"]
    assert frame.loc[frame["rater_type"] == "model", "stimulus_id"].tolist() == ["ab12"] * 2


def test_a_result_for_an_unknown_picture_is_refused():
    with pytest.raises(ExportError, match="no stimulus shows that picture"):
        list(ratings.ai_rows([HAPPY], {}))
