import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core import norms
from core.agreement import categorical
from core.errors import AgreementError
from core.study import Anchors, Scale

OPTIONS = ("angry", "sad", "happy", "other")


def words(text):
    return {"en": text}


SCALES = {
    "emotion": Scale(
        kind="choice",
        question=words("Which?"),
        source="test",
        status="draft",
        options={code: words(code) for code in OPTIONS},
    ),
    "valence": Scale(
        kind="vas",
        question=words("How pleasant?"),
        source="test",
        status="draft",
        polarity="bipolar",
        zero=50,
        anchors=Anchors(low=words("unpleasant"), high=words("pleasant")),
    ),
}


def rows(*ratings, **more):
    """One row per (rater, stimulus, scale, answer); an answer is a number, a label or None."""
    return pd.DataFrame(
        [
            {
                "rater_id": rater,
                "stimulus_id": stimulus,
                "scale_id": scale,
                "response": answer if isinstance(answer, int | float) else np.nan,
                "response_label": answer if isinstance(answer, str) else None,
                "intended_emotion": {"a": "angry", "b": "happy"}.get(stimulus, "fear"),
                **more,
            }
            for rater, stimulus, scale, answer in ratings
        ]
    )


def as_read(frame):
    """The same table with the types that a long table has: categories and nullable booleans."""
    typed = frame.copy()
    for name in ("rater_id", "stimulus_id", "scale_id", "response_label", "intended_emotion"):
        typed[name] = pd.Categorical(typed[name])
    return typed.assign(is_practice=pd.array([None] * len(typed), dtype="boolean"))


EMOTIONS = [
    ("r1", "a", "emotion", "angry"),
    ("r2", "a", "emotion", "angry"),
    ("r3", "a", "emotion", "sad"),
    ("r4", "a", "emotion", None),
    ("r1", "b", "emotion", "other"),
    ("r2", "b", "emotion", "sad"),
]


@pytest.mark.parametrize("shape", [lambda frame: frame, as_read])
def test_choices_give_proportions_hits_mode_and_entropy(shape):
    found = norms.table(shape(rows(*EMOTIONS)), {"emotion": SCALES["emotion"]}).set_index("stimulus_id")
    a, b = found.loc["a"], found.loc["b"]
    assert (a["emotion_n"], a["emotion_n_not_applicable"]) == (3, 1)
    assert [a[f"emotion_proportion_{code}"] for code in OPTIONS] == pytest.approx([2 / 3, 1 / 3, 0, 0])
    assert (a["emotion_hits"], a["emotion_h"]) == pytest.approx((2, 2 / 3))
    assert (a["emotion_h_low"], a["emotion_h_high"]) == pytest.approx(categorical.wilson(2, 3))
    assert (a["emotion_mode"], a["emotion_mode_ties"]) == ("angry", 1)
    assert a["emotion_entropy_bits"] == pytest.approx(stats.entropy([2, 1], base=2))
    assert (b["emotion_mode"], b["emotion_mode_ties"]) == ("sad", 2)  # the first of the options that tie
    assert (b["emotion_hits"], b["emotion_h"]) == (0, 0)
    assert found["intended_emotion"].to_dict() == {"a": "angry", "b": "happy"}


@pytest.mark.parametrize("shape", [lambda frame: frame, as_read])
def test_points_give_mean_spread_and_students_interval(shape):
    points = [20, 35, 35, 80, 95]
    ratings = [(f"r{i}", "a", "valence", point) for i, point in enumerate(points)]
    found = norms.table(shape(rows(*ratings)), {"valence": SCALES["valence"]}).iloc[0]
    assert found["valence_m"] == pytest.approx(np.mean(points))
    assert found["valence_sd"] == pytest.approx(stats.tstd(points))
    assert found["valence_se"] == pytest.approx(stats.sem(points))
    interval = stats.t.interval(0.95, 4, loc=np.mean(points), scale=stats.sem(points))
    assert (found["valence_low"], found["valence_high"]) == pytest.approx(interval)
    assert found["valence_median"] == 35


def test_not_applicable_is_counted_and_never_a_zero():
    ratings = [("r1", "a", "valence", None), ("r2", "a", "valence", 60), ("r3", "a", "valence", 80)]
    found = norms.table(rows(*ratings, ("r1", "b", "valence", None)), {"valence": SCALES["valence"]})
    a, b = (found.set_index("stimulus_id").loc[name] for name in "ab")
    assert (a["valence_n"], a["valence_n_not_applicable"], a["valence_m"]) == (2, 1, 70)
    assert (b["valence_n"], b["valence_n_not_applicable"]) == (0, 1)
    assert b[["valence_m", "valence_sd", "valence_se", "valence_low", "valence_median"]].isna().all()


@pytest.mark.parametrize("shape", [lambda frame: frame, as_read])
def test_who_cannot_tell_is_counted_apart_from_whom_it_does_not_concern(shape):
    answers = [("r1", None, "cannot_tell"), ("r2", None, "not_applicable"), ("r3", 60, "answered")]
    frame = pd.concat(
        [rows((who, "a", "valence", answer), status=status) for who, answer, status in answers]
    ).reset_index(drop=True)
    found = norms.table(shape(frame), {"valence": SCALES["valence"]}).iloc[0]
    names = ("n", "n_not_applicable", "n_cannot_tell", "m")
    assert [found[f"valence_{name}"] for name in names] == [1, 1, 1, 60]
    emotion = frame.assign(scale_id="emotion", response=np.nan, response_label=[None, None, "sad"])
    choice = norms.table(shape(emotion), {"emotion": SCALES["emotion"]}).iloc[0]
    assert [choice[f"emotion_{name}"] for name in names[:3]] == [1, 1, 1]
    without = norms.table(shape(frame.drop(columns="status")), {"valence": SCALES["valence"]}).iloc[0]
    assert [without[f"valence_{name}"] for name in names[:3]] == [1, 2, 0]


def test_one_rating_has_a_mean_but_no_spread():
    found = norms.table(rows(("r1", "a", "valence", 60)), {"valence": SCALES["valence"]}).iloc[0]
    assert (found["valence_n"], found["valence_m"], found["valence_median"]) == (1, 60, 60)
    assert found[["valence_sd", "valence_se", "valence_low", "valence_high"]].isna().all()


def test_a_stimulus_without_ratings_on_a_scale_keeps_its_row():
    found = norms.table(rows(*EMOTIONS, ("r1", "c", "valence", 50)), SCALES).set_index("stimulus_id")
    assert found.loc["c", "emotion_n"] == 0
    assert pd.isna(found.loc["c", "emotion_mode"])
    assert pd.isna(found.loc["c", "emotion_entropy_bits"])
    assert found.loc["a", "valence_n"] == 0
    assert list(found.index) == ["a", "b", "c"]


def test_an_intended_emotion_that_nobody_could_answer_has_no_hit_rate():
    found = norms.table(rows(("r1", "c", "emotion", "sad")), {"emotion": SCALES["emotion"]}).iloc[0]
    assert found["intended_emotion"] == "fear"
    assert np.isnan(found[["emotion_hits", "emotion_h", "emotion_h_low"]].astype(float)).all()
    without = rows(*EMOTIONS).drop(columns="intended_emotion")
    assert norms.table(without, SCALES)["emotion_h"].isna().all()


@pytest.mark.parametrize("flag", [True, "True", "true", 1, "1"])
@pytest.mark.parametrize(
    "name", ["is_practice", "is_attention", "is_repeat", "is_foil", "superseded", "excluded"]
)
def test_what_is_no_rating_in_the_narrow_sense_is_left_out(name, flag):
    left_out = rows(("r9", "a", "emotion", "sad"), **{name: flag})
    frame = pd.concat([rows(*EMOTIONS, **{name: type(flag)(0)}), left_out], ignore_index=True)
    assert norms.table(frame, SCALES).loc[0, "emotion_n"] == 3
    assert norms.table(frame.assign(**{name: False}), SCALES).loc[0, "emotion_n"] == 4


def test_models_are_no_part_of_the_norms():
    model = rows(("mini", "a", "emotion", "sad"), rater_type="model")
    frame = pd.concat([rows(*EMOTIONS, rater_type="human"), model])
    pd.testing.assert_frame_equal(norms.table(frame, SCALES), norms.table(rows(*EMOTIONS), SCALES))
    assert "mini" not in norms.matrix(frame, "emotion")[1]


def test_what_cannot_be_normed_is_refused_with_the_mend():
    with pytest.raises(AgreementError, match="no usable ratings yet"):
        norms.table(rows(*EMOTIONS, excluded=True), SCALES)
    with pytest.raises(AgreementError, match="'joy', which is none of angry, sad, happy, other"):
        norms.table(rows(("r1", "a", "emotion", "joy")), SCALES)
    with pytest.raises(AgreementError, match="rater r1 rated stimulus a twice on emotion"):
        norms.table(rows(EMOTIONS[0], EMOTIONS[0]), SCALES)
    with pytest.raises(AgreementError, match="no column scale_id"):
        norms.table(rows(*EMOTIONS).drop(columns="scale_id"), SCALES)


@pytest.mark.parametrize("shape", [lambda frame: frame, as_read])
def test_the_matrix_holds_each_rating_at_its_rater_and_stimulus(shape):
    ratings = [("r2", "b", "valence", 7), ("r1", "a", "valence", 0), ("r1", "b", "valence", None)]
    values, raters, stimuli = norms.matrix(shape(rows(*ratings, *EMOTIONS)), "valence")
    assert (raters, stimuli) == (("r2", "r1"), ("b", "a"))
    assert np.array_equal(values, [[7, np.nan], [np.nan, 0]], equal_nan=True)


def test_the_matrix_of_a_choice_holds_positions_of_labels():
    values, raters, stimuli = norms.matrix(rows(*EMOTIONS), "emotion", labels=OPTIONS)
    assert (raters, stimuli) == (("r1", "r2", "r3"), ("a", "b"))
    assert np.array_equal(values, [[0, 3], [0, 1], [1, np.nan]], equal_nan=True)
    by_name = norms.matrix(rows(*EMOTIONS), "emotion")[0]  # angry other sad
    assert np.array_equal(by_name, [[0, 1], [0, 2], [2, np.nan]], equal_nan=True)
    with pytest.raises(AgreementError, match="'other', which is none of angry, sad"):
        norms.matrix(rows(*EMOTIONS), "emotion", labels=("angry", "sad"))


def test_a_scale_that_nobody_answered_has_no_matrix():
    with pytest.raises(AgreementError, match="nobody has answered 'arousal'"):
        norms.matrix(rows(*EMOTIONS), "arousal")
    with pytest.raises(AgreementError, match="nobody has answered 'valence'"):
        norms.matrix(rows(("r1", "a", "valence", None)), "valence")


def test_norms_of_real_faces_are_the_published_means(shared, examples_3dsk):
    ratings = pd.read_csv(shared / "ratings" / "3dsk_ratings_long.csv")
    some = ratings[(ratings["trait"] == "att") & (ratings["face_gender"] == "female")]
    frame = some.rename(columns={"face_id": "stimulus_id", "trait": "scale_id", "rating": "response"})
    found = norms.table(frame.assign(response_label=None), {"att": SCALES["valence"]})
    assert (len(found), set(found["att_n"])) == (50, {200})
    assert found["att_m"].mean() == pytest.approx(examples_3dsk["female_att"]["grand_mean"], abs=5e-5)
    expected = some.groupby("face_id")["rating"].agg(["mean", "std", "median"]).loc[found["stimulus_id"]]
    assert np.allclose(found[["att_m", "att_sd", "att_median"]], expected)


@pytest.fixture
def examples_3dsk(shared):
    return json.loads((shared / "reference" / "agreement.json").read_text())["real"]["3dsk"]


mixed = st.lists(
    st.tuples(
        st.integers(1, 40).map("r{}".format),
        st.sampled_from("abc"),
        st.just("valence"),
        st.sampled_from([0, 10, 10.5, 33, 100, None]),
    ),
    min_size=1,
    max_size=60,
    unique_by=lambda row: row[:2],
)


@given(mixed)
@settings(deadline=None)
def test_counted_answers_give_the_norms_of_single_ones_and_pandas_median(ratings):
    scales = {"valence": SCALES["valence"]}
    frame = rows(*ratings)
    one = norms.table(frame, scales)
    key = ["stimulus_id", "scale_id", "response", "response_label", "intended_emotion"]
    counts = frame.groupby(key, dropna=False, sort=False).size().rename("n").reset_index()
    pd.testing.assert_frame_equal(norms.table_of_counts(counts, scales), one)
    expected = frame.groupby("stimulus_id")["response"].median().loc[one["stimulus_id"]]
    assert np.allclose(one["valence_median"], expected, equal_nan=True)


def test_counted_choices_give_the_norms_of_single_ones():
    scales = {"emotion": SCALES["emotion"]}
    frame = rows(*EMOTIONS)
    key = ["stimulus_id", "scale_id", "response", "response_label", "intended_emotion"]
    counts = frame.groupby(key, dropna=False, sort=False).size().rename("n").reset_index()
    assert len(counts) < len(frame)
    pd.testing.assert_frame_equal(norms.table_of_counts(counts, scales), norms.table(frame, scales))
    with pytest.raises(AgreementError, match="no usable ratings yet"):
        norms.table_of_counts(counts.assign(n=0), scales)
    with pytest.raises(AgreementError, match="no column n"):
        norms.table_of_counts(frame, scales)


tables = st.lists(
    st.tuples(
        st.sampled_from(["r1", "r2", "r3", "r4"]),
        st.sampled_from("abc"),
        st.just("emotion"),
        st.sampled_from([*OPTIONS, None]),
    ),
    min_size=1,
    unique_by=lambda row: row[:2],
)


@given(ratings=tables, seed=st.integers(0, 99))
@settings(deadline=None)
def test_norms_do_not_depend_on_the_order_of_rows_and_their_proportions_sum_to_1(ratings, seed):
    scales = {"emotion": SCALES["emotion"]}
    frame = rows(*ratings)
    one, other = (
        norms.table(some, scales).sort_values("stimulus_id", ignore_index=True)
        for some in (frame, frame.sample(frac=1, random_state=seed))
    )
    pd.testing.assert_frame_equal(one, other)
    answered = one[one["emotion_n"] > 0]
    shares = answered[[f"emotion_proportion_{code}" for code in OPTIONS]]
    assert np.allclose(shares.sum(axis=1), 1)
    assert one["emotion_n"].sum() + one["emotion_n_not_applicable"].sum() == len(ratings)
