import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from core.agreement import categorical, classification, confusion
from core.errors import AgreementError

LABELS = ("angry", "happy", "sad")
ANSWERS = (*LABELS, "other")
pairs = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(ANSWERS)), min_size=2, max_size=60)


def counted(data, rows=LABELS, columns=ANSWERS):
    first, second = zip(*data, strict=True)
    return confusion.table(first, second, rows=rows, columns=columns)


@given(pairs)
@settings(deadline=None, max_examples=30)
def test_macro_f1_and_balanced_accuracy_match_scikit_learn(data):
    truth, answer = zip(*data, strict=True)
    table = counted(data)
    used = sorted((set(truth) | set(answer)) - {"other"})
    expected = metrics.f1_score(truth, answer, labels=used, average="macro", zero_division=0)
    assert classification.macro_f1(table).estimate == pytest.approx(expected)
    recall = metrics.recall_score(truth, answer, labels=sorted(set(truth)), average="macro", zero_division=0)
    assert classification.balanced_accuracy(table).estimate == pytest.approx(recall)


@given(pairs)
@settings(deadline=None, max_examples=30)
def test_perfect_recognition_gives_1_and_labels_may_be_renamed(data):
    perfect = counted([(label, label) for label, _ in data])
    for function in (classification.macro_f1, classification.balanced_accuracy):
        assert function(perfect).estimate == pytest.approx(1)
        other = dict(zip(ANSWERS, "cabd", strict=True))
        renamed = counted([(other[i], other[j]) for i, j in data], rows=tuple("abc"), columns=tuple("abcd"))
        assert function(renamed).estimate == pytest.approx(function(counted(data)).estimate)


def test_intervals_cover_the_planted_value_as_often_as_they_say():
    rng = np.random.default_rng(0)
    p = np.array([[0.2, 0.05, 0.02, 0.03], [0.04, 0.25, 0.05, 0.01], [0.05, 0.1, 0.15, 0.05]])
    rows, columns, hits = p.sum(axis=1), p.sum(axis=0)[:3], np.diagonal(p)
    planted = (float((2 * hits / (rows + columns)).mean()), float((hits / rows).mean()))
    covered = np.zeros(2)
    for counts in rng.multinomial(200, p.ravel(), size=1000).reshape(-1, 3, 4):
        table = confusion.Confusion(LABELS, ANSWERS, counts)
        found = (classification.macro_f1(table), classification.balanced_accuracy(table))
        covered += [one.low <= truth <= one.high for one, truth in zip(found, planted, strict=True)]
    assert ((covered >= 920) & (covered <= 970)).all()


def test_guessing_is_0_beyond_guessing_and_the_interval_is_wilsons():
    assert classification.over_guessing(10, 40, options=4).estimate == 0
    assert classification.over_guessing(40, 40, options=4).estimate == 1
    found = classification.over_guessing(21, 30, options=7)
    low, high = categorical.wilson(21, 30)
    # By hand: (.7 - 1/7)/(6/7) = .65.
    assert found.estimate == pytest.approx(0.65)
    assert (found.low, found.high) == pytest.approx(((7 * low - 1) / 6, (7 * high - 1) / 6))


def test_what_cannot_be_scored_is_refused():
    nothing = confusion.Confusion(LABELS, ANSWERS, np.zeros((3, 4), dtype=int))
    apart = counted([("happy", "yes")], columns=("yes", "no"))
    for function in (classification.macro_f1, classification.balanced_accuracy):
        with pytest.raises(AgreementError, match="no pair of labels was counted"):
            function(nothing)
        with pytest.raises(AgreementError, match="share no label"):
            function(apart)
    with pytest.raises(AgreementError, match="1 options"):
        classification.over_guessing(1, 2, options=1)
