import numpy as np
import pandas as pd
import pytest

from core import conduct, norms, quality
from core.errors import AgreementError

LABELS = ("angry", "happy", "sad")
GOOD = [f"p{k:02}" for k in range(20)]


def sitting(rater, rng, *, stimuli=30, answer=None, choice=None, **more):
    """Thirty faces rated for valence and emotion, three of them again, and four attention checks."""
    truth = np.random.default_rng(99).integers(20, 80, size=stimuli)
    kind = np.where(rng.random(stimuli) < 0.8, truth % 3, rng.integers(3, size=stimuli))
    rows = []
    for place, at in enumerate([*rng.permutation(stimuli), 0, 1, 2]):
        again = place >= stimuli
        common = {
            "rater_id": rater,
            "rater_type": "human",
            "stimulus_id": f"s{at:02}",
            "trial_id": f"{rater}-{place}",
            "trial_index": place + 1,
            "is_repeat": again,
            "is_attention": False,
            "is_practice": False,
            "rt_submit_ms": 3000 + 100 * rng.normal(),
            "blur_count": 0,
            "onset_ok": True,
        }
        value = truth[at] + rng.integers(-8, 9) if answer is None else answer(at, place)
        label = LABELS[kind[at]] if choice is None else choice
        rows.append(
            {**common, "scale_id": "valence", "response": float(value), "scale_min": 0, "scale_max": 100}
        )
        rows.append({**common, "scale_id": "emotion", "response_label": label})
    for k in range(4):
        rows.append(
            {
                **rows[0],
                "stimulus_id": f"check{k}",
                "trial_id": f"{rater}-c{k}",
                "trial_index": 100 + k,
                "is_attention": True,
                "check_passed": True,
            }
        )
    return pd.DataFrame(rows).assign(**more)


@pytest.fixture
def good():
    rng = np.random.default_rng(0)
    return pd.concat([sitting(rater, rng) for rater in GOOD], ignore_index=True)


def with_one(good, **more):
    return pd.concat([good, sitting("odd", np.random.default_rng(1), **more)], ignore_index=True)


def flagged(frame, rules=quality.Rules(rt_percentile=None)):  # noqa: B008 - frozen
    return {(flag.rater_id, flag.flag) for flag in quality.flags(conduct.measures(frame), rules)}


def as_read(frame):
    """As pandas reads the exported file: words for flags, empty text for what is missing."""
    typed = frame.copy()
    for name in ("is_repeat", "is_attention", "is_practice", "onset_ok"):
        typed[name] = typed[name].map({True: "true", False: "false"})
    typed["check_passed"] = typed["check_passed"].map({True: "true"}).fillna("")
    return typed.assign(response_label=typed["response_label"].fillna(""))


@pytest.mark.parametrize("shape", [lambda frame: frame, as_read])
def test_who_answers_well_is_measured_and_not_flagged(good, shape):
    found = conduct.measures(shape(good)).set_index("rater_id")
    assert list(found.index) == GOOD
    assert (found["n_ratings"] == 60).all()
    assert (found["n_checks"] == 4).all()
    assert (found["failed_checks"] == 0).all()
    assert found["rt_median_ms"].between(2900, 3100).all()
    assert found["rest_correlation"].between(0.9, 1).all()
    assert found["rest_agreement"].between(0.6, 1).all()
    assert (found[["blur_rate", "timing_error_rate", "duplicates"]] == 0).all(axis=None)
    assert flagged(shape(good)) == set()


def test_each_planted_fault_raises_its_flag_and_no_others(good):
    slow = with_one(good)
    odd = slow["rater_id"] == "odd"
    faults = {
        "min_rt_ms": slow.assign(rt_submit_ms=slow["rt_submit_ms"].where(~odd, 400)),
        "failed_checks": slow.assign(check_passed=slow["check_passed"].where(~odd, False)),
        "blur_rate": slow.assign(blur_count=slow["blur_count"].where(~odd, 2)),
        "timing_error_rate": slow.assign(onset_ok=slow["onset_ok"].where(~odd, False)),
        "duplicates": pd.concat([slow, slow[odd & ~slow["is_repeat"]].head(2)]),
    }
    rules = quality.Rules(min_rt_ms=1000, rt_percentile=None)
    for name, frame in faults.items():
        assert flagged(frame, rules) == {("odd", name)}


def test_somebody_who_always_answers_alike_is_flagged_for_it(good):
    same = with_one(good, answer=lambda at, place: 50)
    assert flagged(same) == {("odd", "same_share"), ("odd", "longest_run"), ("odd", "distinct_values")}
    two = with_one(good, answer=lambda at, place: 20 + 60 * (place % 2))
    assert ("odd", "distinct_values") in flagged(two)
    assert ("odd", "longest_run") not in flagged(two)
    one_label = with_one(good, choice="sad")
    assert ("odd", "same_share") in flagged(one_label)


def test_runs_follow_the_order_of_the_trials_and_not_of_the_rows(good):
    frame = with_one(good, answer=lambda at, place: place // 10)
    shuffled = conduct.measures(frame.sample(frac=1, random_state=0)).set_index("rater_id")
    assert shuffled.loc["odd", "longest_run"] == 10
    in_order = conduct.measures(frame).set_index("rater_id")
    pd.testing.assert_frame_equal(shuffled.loc[in_order.index], in_order)


def test_somebody_who_answers_against_all_others_is_flagged_by_the_rest(good):
    truth = np.random.default_rng(99).integers(20, 80, size=30)
    reverse = with_one(good, answer=lambda at, place: 100 - truth[at])
    found = conduct.measures(reverse).set_index("rater_id")
    assert found.loc["odd", "rest_correlation"] < -0.9
    assert ("odd", "rest_correlation") in flagged(reverse)


def test_answers_that_change_when_seen_again_are_measured_in_shares_of_the_scale(good):
    again = good["is_repeat"] & (good["rater_id"] == "p03") & (good["scale_id"] == "valence")
    first = good[(good["rater_id"] == "p03") & ~good["is_repeat"] & ~good["is_attention"]]
    first = first[first["scale_id"] == "valence"].set_index("stimulus_id")["response"]
    moved = good["stimulus_id"].map(first) + 40
    labels = good["is_repeat"] & (good["rater_id"] == "p03") & (good["scale_id"] == "emotion")
    frame = good.assign(response=good["response"].where(~again, moved))
    frame = frame.assign(response_label=frame["response_label"].where(~labels, "changed"))
    found = conduct.measures(frame).set_index("rater_id")
    assert found.loc["p03", ["retest_difference", "retest_changed"]].tolist() == pytest.approx([0.4, 1])
    assert found.drop("p03")["retest_difference"].max() <= 0.16
    assert (found.drop("p03")["retest_changed"] == 0).all()
    assert flagged(frame) == {("p03", "retest_difference"), ("p03", "retest_changed")}


def test_the_percentile_of_times_is_that_of_all_participants(good):
    measured = conduct.measures(good)
    found = [one for one in quality.flags(measured, quality.Rules()) if one.flag == "rt_percentile"]
    assert [one.rater_id for one in found] == [measured.loc[measured["rt_median_ms"].idxmin(), "rater_id"]]
    assert found[0].limit == pytest.approx(np.percentile(measured["rt_median_ms"], 1))


def test_excluding_marks_rows_with_reasons_and_changes_nothing_else(good):
    frame = with_one(good, answer=lambda at, place: 50)
    before = frame.copy(deep=True)
    found = quality.flags(conduct.measures(frame), quality.Rules(rt_percentile=None))
    marked = quality.excluded(frame, found)
    pd.testing.assert_frame_equal(frame, before)
    odd = marked["rater_id"] == "odd"
    assert marked["excluded"].tolist() == odd.tolist()
    assert marked.loc[odd, "exclusion_reason"].unique().tolist() == ["same_share 1, limit 0.9"]
    assert marked.loc[~odd, "exclusion_reason"].isna().all()
    assert "odd" not in set(norms.usable(marked)["rater_id"])
    assert "odd" in set(norms.usable(frame)["rater_id"])
    pd.testing.assert_frame_equal(marked[frame.columns], frame)


def test_soft_flags_exclude_only_where_they_are_named(good):
    frame = with_one(good, answer=lambda at, place: 20 + 60 * (place % 2))
    rules = quality.Rules(rt_percentile=None, rest_correlation=None, retest_difference=None)
    found = quality.flags(conduct.measures(frame), rules)
    assert {(one.rater_id, one.flag, one.soft) for one in found} == {("odd", "distinct_values", True)}
    assert not quality.excluded(frame, found)["excluded"].any()
    assert quality.excluded(frame, found, also=["distinct_values"])["excluded"].sum() > 0


def test_what_was_excluded_before_stays_so_with_its_reason(good):
    frame = good.assign(excluded=good["rater_id"] == "p00", exclusion_reason="")
    frame.loc[frame["rater_id"] == "p00", "exclusion_reason"] = "withdrew"
    marked = quality.excluded(frame, [quality.Flag("p00", "blur_rate", 1, 0.2, soft=False)])
    assert marked.loc[marked["rater_id"] == "p00", "exclusion_reason"].unique().tolist() == ["withdrew"]
    assert marked["excluded"].sum() == (frame["rater_id"] == "p00").sum()


def test_models_practice_and_superseded_answers_are_in_no_measure(good):
    model = good[good["rater_id"] == "p00"].assign(rater_id="p01", rater_type="model")
    practice = good[good["rater_id"] == "p02"].assign(is_practice=True, response=0.0, trial_index=-1)
    old = good[good["rater_id"] == "p03"].assign(superseded=True, response=0.0)
    frame = pd.concat([good, model, practice, old], ignore_index=True)
    pd.testing.assert_frame_equal(conduct.measures(frame), conduct.measures(good))
    flag = quality.Flag("p01", "blur_rate", 1, 0.2, soft=False)
    marked = quality.excluded(frame, [flag])
    assert set(marked.loc[marked["excluded"], "rater_type"]) == {"human"}


def test_a_table_without_times_or_checks_flags_nobody_for_them(good):
    bare = good[[*norms.NEEDED, "is_attention"]].copy()
    found = conduct.measures(bare[~bare["is_attention"]].drop_duplicates(list(norms.NEEDED[:3])))
    assert found[["rt_median_ms", "blur_rate", "timing_error_rate", "failed_checks"]].isna().all(axis=None)
    assert quality.flags(found, quality.Rules()) == ()


def test_what_cannot_be_measured_is_refused(good):
    with pytest.raises(AgreementError, match="no column scale_id"):
        conduct.measures(good.drop(columns="scale_id"))
    with pytest.raises(AgreementError, match="no participant has answered"):
        conduct.measures(good.assign(rater_type="model"))
