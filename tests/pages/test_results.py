"""What the dashboard computes from counts, against other people's code on the single answers."""

from datetime import UTC, datetime

import krippendorff
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core import study as study_files
from core.errors import AgreementError
from core.records import AiResult, Score, Stimulus
from core.settings import PROJECT
from core.vision.rater import Gives
from db.sessions import Flow
from db.tables import Count
from pages.ui import results

STUDY = study_files.read(PROJECT / "assets" / "studies" / "demo.yaml")
EMOTIONS = STUDY.stimuli.emotions
OPTIONS = tuple(STUDY.scales["emotion"].options)
N_RATERS, N_STIMULI = 9, 18


@pytest.fixture(scope="module")
def answers():
    """Single answers of nine raters: emotion as a position among the options, valence in raw points."""
    rng = np.random.default_rng(5)
    truth = np.arange(N_STIMULI) % len(EMOTIONS)
    right = np.array([OPTIONS.index(EMOTIONS[k]) for k in truth])
    guess = rng.integers(0, len(OPTIONS), (N_RATERS, N_STIMULI))
    emotion = np.where(rng.random((N_RATERS, N_STIMULI)) < 0.6, right, guess)
    valence = np.clip(np.round(15 * truth + rng.normal(10, 8, (N_RATERS, N_STIMULI))), 0, 100)
    return emotion, valence


@pytest.fixture(scope="module")
def snapshot(answers):
    emotion, valence = answers
    counts = [
        Count("emotion", f"s{j}", "answered", None, OPTIONS[k], int(n))
        for j in range(N_STIMULI)
        for k, n in zip(*np.unique(emotion[:, j], return_counts=True), strict=True)
    ]
    counts += [
        Count("valence", f"s{j}", "answered", float(v), None, int(n))
        for j in range(N_STIMULI)
        for v, n in zip(*np.unique(valence[:, j], return_counts=True), strict=True)
    ]
    stimuli = tuple(
        Stimulus(f"s{j}", f"{j}.png", "a", f"hash{j}", 1, 1, f"id{j // 6}", EMOTIONS[j % 6])
        for j in range(N_STIMULI)
    )
    ai = tuple(
        AiResult(f"hash{j}", "r", "1", "w", "d", "ok", "",
                 (Score("emotion", label=EMOTIONS[j % 5]), Score("valence", value=j / 10 - 0.9)),
                 {EMOTIONS[j % 6]: j / 20})
        for j in range(N_STIMULI - 2)
    )  # fmt: skip
    flow = dict.fromkeys(("human", "simulated", "preview"), Flow(0, 0, 0, 0))
    return results.Snapshot(datetime.now(UTC), flow, ("human",), stimuli, results.frame(counts), ai)


@pytest.fixture(scope="module")
def said(snapshot):
    return results.models(snapshot.ai)[0].results


def test_alpha_of_counts_is_that_of_the_krippendorff_package_on_single_answers(snapshot, answers):
    for scale_id, values in zip(("emotion", "valence"), answers, strict=True):
        found = results.alpha(snapshot.counts, scale_id, STUDY.scales[scale_id], seed=1)
        level = {"emotion": "nominal", "valence": "interval"}[scale_id]
        expected = krippendorff.alpha(reliability_data=values.astype(float), level_of_measurement=level)
        assert found.estimate == pytest.approx(expected, abs=1e-9)
        assert found.low < found.estimate < found.high


def test_intended_against_perceived_is_the_cross_table_of_pandas(snapshot, answers):
    found = results.intended_perceived(snapshot, rows=EMOTIONS, columns=OPTIONS)
    intended = [EMOTIONS[j % 6] for _ in range(N_RATERS) for j in range(N_STIMULI)]
    expected = pd.crosstab(pd.Series(intended), pd.Series(np.array(OPTIONS)[answers[0].ravel()]))
    assert (
        found.counts.tolist() == expected.reindex(EMOTIONS, columns=OPTIONS, fill_value=0).to_numpy().tolist()
    )


def test_perceived_against_a_model_counts_each_answer_and_says_what_it_leaves_out(snapshot, said):
    found = results.perceived_ai(snapshot, said, rows=OPTIONS, columns=EMOTIONS)
    assert found.counts.sum() == N_RATERS * (N_STIMULI - 2)
    assert found.n_missing == N_RATERS * 2


GIVES = Gives("valence", "number", units="bipolar -1..1", low=-1, high=1, zero=0)


def test_rank_correlation_is_that_of_scipy_on_canonical_means(snapshot, answers, said):
    found = results.pairs(snapshot, said, "valence", STUDY.scales["valence"], GIVES)
    means = (answers[1].mean(axis=0) - 50) / 50  # 0..100 with its zero at 50
    assert found.human == pytest.approx(means[:-2].tolist())
    expected = stats.spearmanr(means[:-2], [j / 10 - 0.9 for j in range(N_STIMULI - 2)]).statistic
    assert results.compared(found).spearman.estimate == pytest.approx(expected)


def test_concordance_only_where_units_and_zero_are_declared_the_same(snapshot, said):
    scale = STUDY.scales["valence"]
    same = results.pairs(snapshot, said, "valence", scale, GIVES)
    other = results.pairs(
        snapshot, said, "valence", scale, Gives("valence", "number", "1 - P(neutral)", zero=0)
    )
    unanchored = results.pairs(snapshot, said, "valence", scale, Gives("valence", "number", "bipolar -1..1"))
    assert results.compared(same).concordance is not None
    assert results.compared(other).concordance is None
    assert results.compared(unanchored).bias is None


def test_recognition_is_the_share_that_chose_the_intended_emotion(snapshot, answers, said):
    found = results.recognition(snapshot, said)
    right = np.array([OPTIONS.index(EMOTIONS[j % 6]) for j in range(N_STIMULI)])
    assert found.human == pytest.approx((answers[0] == right).mean(axis=0)[:-2].tolist())
    assert not found.same_units


def test_norms_keep_the_studys_order_and_means_are_those_of_numpy(snapshot, answers):
    asked = {name: STUDY.scales[name] for name in ("emotion", "valence")}
    found = results.norms_table(snapshot.counts, snapshot.stimuli, asked)
    assert list(found.index) == [f"s{j}" for j in range(N_STIMULI)]
    assert found["valence_m"].to_numpy() == pytest.approx(answers[1].mean(axis=0))
    assert found["valence_sd"].to_numpy() == pytest.approx(answers[1].std(axis=0, ddof=1))


def test_a_fingerprint_changes_with_the_counts_and_only_with_them(snapshot):
    again = results.frame([Count(*row) for row in snapshot.counts.itertuples(index=False, name=None)])
    one_more = again.assign(n=again["n"].where(again.index != 0, again["n"] + 1))
    prints = [
        results.Snapshot(
            datetime.now(UTC), snapshot.flow, ("human",), snapshot.stimuli, counts, ()
        ).fingerprint
        for counts in (again, one_more)
    ]
    assert prints[0] == snapshot.fingerprint
    assert prints[1] != snapshot.fingerprint


def test_nothing_counted_is_said_and_not_shown_as_zero(snapshot):
    empty = results.Snapshot(
        datetime.now(UTC), snapshot.flow, ("human",), snapshot.stimuli, results.frame([]), ()
    )
    with pytest.raises(AgreementError, match="nobody has said yet"):
        results.intended_perceived(empty, rows=EMOTIONS, columns=OPTIONS)
    with pytest.raises(AgreementError, match="nobody has answered 'valence' yet"):
        results.alpha(empty.counts, "valence", STUDY.scales["valence"], seed=1)
    assert set(empty.answers.values()) == {0}
