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
from db.ends import Ends
from db.sessions import Flow
from db.tables import Count
from pages.ui import results, same_person
from tests import variants

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
    return counted(stimuli, results.frame(counts), ai=ai)


def counted(stimuli, counts, *, foils=(), ai=()):
    """A snapshot of these counts."""
    kinds = ("human", "simulated", "preview")
    return results.Snapshot(
        taken_at=datetime.now(UTC),
        flow=dict.fromkeys(kinds, Flow(0, 0, 0, 0)),
        ends=dict.fromkeys(kinds, Ends()),
        kinds=("human",),
        stimuli=stimuli,
        counts=counts,
        foils=results.frame(foils),
        retests={},
        ai=ai,
    )


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
    prints = [counted(snapshot.stimuli, counts).fingerprint for counts in (again, one_more)]
    assert prints[0] == snapshot.fingerprint
    assert prints[1] != snapshot.fingerprint


def test_nothing_counted_is_said_and_not_shown_as_zero(snapshot):
    empty = counted(snapshot.stimuli, results.frame([]))
    with pytest.raises(AgreementError, match="nobody has said yet"):
        results.intended_perceived(empty, rows=EMOTIONS, columns=OPTIONS)
    with pytest.raises(AgreementError, match="nobody has answered 'valence' yet"):
        results.alpha(empty.counts, "valence", STUDY.scales["valence"], seed=1)
    with pytest.raises(AgreementError, match="nobody has rated a pair yet"):
        same_person.ratings(empty, STUDY.scales["same_identity"])
    assert {n for counts in results.answers(empty, STUDY).values() for n in counts} == {0}


def test_answers_are_counted_for_each_task_set_without_pictures_of_practice_and_gold(snapshot):
    found = results.answers(snapshot, STUDY)
    assert found["expression"] == [N_RATERS] * N_STIMULI  # emotion was answered, intensity was not
    assert found["dimensions"] == [N_RATERS] * N_STIMULI
    assert found["naturalness"] == [0] * N_STIMULI
    kept = variants.changed(
        variants.DEMO.read_text(encoding="utf-8"),
        ("  instructed: 1\n", "  instructed: 1\n  gold: [{file: 3.png, answer: happy}]\n"),
    )
    fewer = results.answers(snapshot, study_files.parse(kept, path="demo.yaml"))
    assert len(fewer["expression"]) == N_STIMULI - 1


PAIRS = [Count("same_identity", f"s{j}", "answered", float(1 + j % 7), None, j) for j in range(N_STIMULI)]
FOILS = [
    Count("same_identity", "s1", "answered", 1.0, None, 5),
    Count("same_identity", "s2", "answered", 2.0, None, 3),
]
UNABLE = Count("same_identity", "s1", "cannot_tell", None, None, 9)


def test_pairs_of_one_person_and_of_two_are_counted_apart_as_numpy_counts_them(snapshot):
    both = counted(snapshot.stimuli, results.frame([*PAIRS, UNABLE]), foils=FOILS)
    found = same_person.ratings(both, STUDY.scales["same_identity"])
    expected = np.bincount([j % 7 for j in range(N_STIMULI)], weights=range(N_STIMULI), minlength=7)
    assert found == {"one person": expected.tolist(), "two people": [5, 3, 0, 0, 0, 0, 0]}


def test_a_line_for_pairs_is_cut_into_tenths_with_its_end_in_the_last(snapshot):
    values = [0, 9.9, 10, 55, 99, 100]
    counts = [Count("same_identity", "s1", "answered", float(value), None, 1) for value in values]
    found = same_person.ratings(counted(snapshot.stimuli, results.frame(counts)), STUDY.scales["valence"])
    assert found["one person"] == np.histogram(values, bins=10, range=(0, 100))[0].tolist()


def test_the_figure_of_pairs_shows_shares_of_each_kind_with_the_words_at_the_ends():
    drawn = same_person.figure({"one person": [1, 0, 3], "two people": [0, 0, 0]}, ends=("no", "yes"))
    assert [list(bar.y) for bar in drawn.data] == [[0.25, 0, 0.75], [0, 0, 0]]
    assert [bar.name for bar in drawn.data] == ["one person (n = 4)", "two people (n = 0)"]
    assert list(drawn.layout.xaxis.tickvals) == [1, 2, 3]
    assert [(words.text, words.x) for words in drawn.layout.annotations] == [("no", 0), ("yes", 1)]


def test_a_rater_s_other_labels_are_no_emotions_of_its_matrix():
    from pages.ui import recognition

    labels = recognition._labels(results.Model("emfacs on yunet", "emfacs", {}), ("happy", "sad"))
    assert labels[:2] == ("happy", "sad")
    assert "duchenne" not in labels
