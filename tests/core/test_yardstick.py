"""Accuracy and calibration of a rater on sets of faces, against scikit-learn and by hand."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, brier_score_loss, log_loss

from core import yardstick
from core.agreement import bootstrap
from core.agreement.categorical import wilson
from core.errors import AgreementError
from core.records import AiResult, Score
from core.settings import PROJECT
from core.yardstick import Judged

OPTIONS = ("angry", "happy", "neutral", "sad")


def said(probabilities, *, label=None, status="ok"):
    label = label or max(probabilities, key=probabilities.get, default=None)
    scores = (Score("valence", 0.5), Score("emotion", label=label)) if label else ()
    return AiResult("0" * 64, "r", "1", "", "haar", status, "", scores, probabilities)


def drawn(n, *, seed=3, people=12, emotions=OPTIONS):
    """A set whose rater leans to the intended emotion."""
    rng = np.random.default_rng(seed)
    intended = rng.choice(emotions, n)
    made = []
    for at, emotion in enumerate(intended):
        alpha = [4.0 if code == emotion else 1.0 for code in OPTIONS]
        given = dict(zip(OPTIONS, rng.dirichlet(alpha).tolist(), strict=True))
        made.append(Judged(f"p{at % people}", str(emotion), said(given)))
    return made


def rows(judged):
    return np.array([[one.result.probabilities[code] for code in OPTIONS] for one in judged])


def test_accuracies_are_those_of_scikit_learn():
    judged = drawn(200)
    found = yardstick.recognition(judged, OPTIONS)
    truth, answers = [one.intended_emotion for one in judged], [one.answer for one in judged]
    assert found.accuracy.h == pytest.approx(accuracy_score(truth, answers))
    assert found.balanced.estimate == pytest.approx(balanced_accuracy_score(truth, answers))
    assert (found.n, found.n_unanswered, found.n_identities) == (200, 0, 12)
    assert found.chance == 0.25
    hits = {one.label: one for one in found.by_emotion}
    of_happy = [
        answer == "happy" for emotion, answer in zip(truth, answers, strict=True) if emotion == "happy"
    ]
    assert (hits["happy"].hits, hits["happy"].n) == (sum(of_happy), len(of_happy))
    assert (hits["happy"].low, hits["happy"].high) == wilson(sum(of_happy), len(of_happy))


def test_the_brier_score_is_that_of_scikit_learn():
    judged = drawn(200)
    oracle = brier_score_loss(
        [one.intended_emotion for one in judged], rows(judged), labels=list(OPTIONS), scale_by_half=False
    )
    assert yardstick.calibration(judged, OPTIONS).brier.estimate == pytest.approx(oracle)


def test_the_calibration_error_is_that_of_bins_counted_one_by_one():
    judged = drawn(300)
    found = yardstick.calibration(judged, OPTIONS)
    by_hand = 0.0
    for at in range(10):
        inside = [one for one in judged if at / 10 < max(one.result.probabilities.values()) <= (at + 1) / 10]
        if inside:
            right = sum(one.answer == one.intended_emotion for one in inside)
            sure = sum(max(one.result.probabilities.values()) for one in inside)
            by_hand += abs(right - sure) / len(judged)
        assert found.bins[at].n == len(inside)
    assert found.ece == pytest.approx(by_hand)
    assert found.overconfidence.estimate == pytest.approx(
        found.confidence - accuracy_score([o.intended_emotion for o in judged], [o.answer for o in judged])
    )


def test_a_rater_that_means_what_it_says_is_calibrated_and_one_that_boasts_is_not():
    rng = np.random.default_rng(5)
    honest, boasting = [], []
    for at in range(4000):
        given = rng.dirichlet([1.0] * 4)
        emotion = str(rng.choice(OPTIONS, p=given))
        loud = given**6 / (given**6).sum()
        for judged, probabilities in ((honest, given), (boasting, loud)):
            shown = dict(zip(OPTIONS, probabilities.tolist(), strict=True))
            judged.append(Judged(f"p{at % 50}", emotion, said(shown)))
    good, bad = (yardstick.calibration(one, OPTIONS) for one in (honest, boasting))
    assert good.overconfidence.low < 0 < good.overconfidence.high
    assert good.ece < 0.03  # the error of ten means of 4,000
    assert bad.overconfidence.low > 0.2
    assert bad.ece > 0.2
    assert bad.brier.estimate > good.brier.estimate
    truth = [one.intended_emotion for one in honest]
    assert log_loss(truth, rows(honest), labels=list(OPTIONS)) < log_loss(
        truth, np.clip(rows(boasting), 1e-12, 1), labels=list(OPTIONS)
    )


def test_intervals_rest_on_identities_and_not_on_pictures():
    few = drawn(300, people=6)
    many = [Judged(None, one.intended_emotion, one.result) for one in few]
    assert yardstick.recognition(many, OPTIONS).n_identities == 300
    four = [Judged(f"p{at % 4}", one.intended_emotion, one.result) for at, one in enumerate(few)]
    assert yardstick.calibration(four, OPTIONS).brier.low is None
    # Twelve pictures of one person that are the same say no more than one of them.
    same = [one for one in drawn(30, people=30) for _ in range(12)]
    once = yardstick.calibration(drawn(30, people=30), OPTIONS).brier
    again = yardstick.calibration(same, OPTIONS).brier
    assert (again.low, again.high) == pytest.approx((once.low, once.high))


def test_the_interval_of_a_mean_is_near_the_normal_one_where_pictures_are_independent():
    judged = drawn(400, people=400)
    found = yardstick.calibration(judged, OPTIONS)
    intended = np.array([[one.intended_emotion == code for code in OPTIONS] for one in judged])
    losses = ((rows(judged) - intended) ** 2).sum(axis=1)
    half = 1.96 * losses.std(ddof=1) / np.sqrt(400)
    # Oracle: the normal interval of a mean; 1,000 resamples leave some percent of its length.
    assert found.brier.low == pytest.approx(losses.mean() - half, abs=0.15 * half)
    assert found.brier.high == pytest.approx(losses.mean() + half, abs=0.15 * half)


def test_pictures_without_an_answer_are_counted_and_not_judged():
    judged = drawn(40)
    blind = [Judged("p1", "happy", said({}, status="no_face")), Judged("p1", "sad", None)]
    strange = [Judged("p1", "contempt", said({"happy": 1.0})), Judged("p1", None, said({"happy": 1.0}))]
    found = yardstick.recognition([*judged, *blind, *strange], OPTIONS)
    assert (found.n, found.n_unanswered) == (40, 2)
    assert found.accuracy == yardstick.recognition(judged, OPTIONS).accuracy


def test_a_rater_that_gives_labels_alone_has_accuracy_and_no_calibration():
    judged = [Judged("p", one.intended_emotion, said({}, label=one.answer)) for one in drawn(40)]
    found = yardstick.recognition(judged, OPTIONS)
    assert found.calibration is None
    assert found.accuracy == yardstick.recognition(drawn(40), OPTIONS).accuracy


def test_an_answer_outside_of_the_set_s_emotions_is_a_miss_so_that_sets_compare():
    judged = drawn(200, emotions=("happy", "neutral"))
    found = yardstick.recognition(judged, OPTIONS)
    assert found.labels == ("happy", "neutral")
    assert found.chance == 0.25  # it could have answered any of the four
    assert sum(one.answer not in found.labels for one in judged) > 0
    assert found.accuracy.h == np.mean([one.answer == one.intended_emotion for one in judged])
    whole = yardstick.recognition(drawn(200), OPTIONS, labels=("happy", "neutral"))
    assert {hit.label for hit in whole.by_emotion} == {"happy", "neutral"}


@pytest.mark.parametrize(
    ("judged", "words"),
    [
        ([], "no emotion that both know"),
        ([Judged("p", "contempt", said({"happy": 1.0}))], "no emotion that both know"),
        ([Judged("p", "happy", None)], "1 pictures of happy and no answer"),
    ],
)
def test_nothing_to_judge_is_said(judged, words):
    with pytest.raises(AgreementError, match=words):
        yardstick.recognition(judged, OPTIONS)


def test_the_document_names_every_source_and_convention_of_the_code():
    text = (PROJECT / "docs" / "yardsticks.md").read_text(encoding="utf-8")
    cited = re.findall(
        r"[A-Z]\w+(?:, \w+)?(?: & \w+)? \(\d{4}\)", " ".join(yardstick.calibration.__doc__.split())
    )
    assert cited == ["Naeini, Cooper & Hauskrecht (2015)", "Brier (1950)"]
    assert all(source in text for source in cited)
    assert {10: "ten bins"}[yardstick.BINS] in text
    assert f"{yardstick.RESAMPLES:,} resamples" in text
    assert f"fewer than {bootstrap.MIN_STIMULI} identities" in text


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(5, 40))
def test_the_order_of_pictures_changes_no_number_and_all_are_in_range(seed, n):
    judged = drawn(n, seed=seed, people=n)
    found = yardstick.recognition(judged, OPTIONS, resamples=20)
    again = yardstick.recognition(judged[::-1], OPTIONS, resamples=20)
    assert found.accuracy == again.accuracy
    assert found.calibration.ece == pytest.approx(again.calibration.ece)
    assert 0 <= found.calibration.ece <= 1
    assert 0 <= found.calibration.brier.estimate <= 2
    assert sum(one.n for one in found.calibration.bins) == n
