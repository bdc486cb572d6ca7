import numpy as np
import pytest
from scipy import stats

from core.agreement import confusion, wagner
from core.errors import AgreementError

LABELS = ("Happy", "Sad", "Angry", "Fearful")


def ratings(rng, raters=12, stimuli=40, accuracy=0.6):
    intended = rng.integers(4, size=stimuli)
    guesses = rng.integers(4, size=(raters, stimuli))
    return np.where(rng.random((raters, stimuli)) < accuracy, intended, guesses).astype(float), intended


def test_one_rater_has_the_hit_rates_of_wagners_worked_example(examples):
    example = examples["canonical"]["wagner_hu_toy"]
    cells = [(i, j) for i, row in enumerate(example["data"]) for j, n in enumerate(row) for _ in range(n)]
    intended, given = np.array(cells).T
    found = wagner.per_rater([given], intended, labels=LABELS)
    assert [one.estimate for one in found] == pytest.approx(example["verified"]["Hu"], abs=1e-9)
    assert [np.arcsin(np.sqrt(one.mean)) for one in found] == pytest.approx(example["verified"]["arcsin"])
    assert [one.chance for one in found] == pytest.approx(example["verified"]["chance"], abs=1e-9)
    assert all(
        (one.low, one.high, one.t, one.p, one.n_raters) == (None, None, None, None, 1) for one in found
    )


def test_each_rater_is_scored_as_a_confusion_of_their_own_and_tested_as_scipy_does():
    values, intended = ratings(np.random.default_rng(0))
    values[0, :5] = np.nan
    hu, chance = [], []
    for row in values:
        seen = np.isfinite(row)
        table = confusion.table(
            [LABELS[i] for i in intended[seen]],
            [LABELS[int(i)] for i in row[seen]],
            rows=LABELS,
            columns=LABELS,
        )
        hits = confusion.hits(table)
        hu.append([hit.hu for hit in hits])
        chance.append([hit.chance for hit in hits])
    angles, expected = np.arcsin(np.sqrt(hu)), np.arcsin(np.sqrt(chance))
    for i, found in enumerate(wagner.per_rater(values, intended, labels=LABELS)):
        assert found.mean == pytest.approx(np.mean(hu, axis=0)[i])
        interval = stats.ttest_1samp(angles[:, i], 0).confidence_interval()
        assert (found.low, found.high) == pytest.approx(np.sin(interval) ** 2)
        test = stats.ttest_rel(angles[:, i], expected[:, i])
        assert (found.t, found.p) == pytest.approx((test.statistic, test.pvalue))


def test_an_unused_label_is_0_and_one_that_was_not_shown_has_none():
    found = wagner.per_rater([[0, 0, 0], [0, 0, 2]], [0, 0, 1], labels=LABELS)
    assert (found[1].estimate, found[1].n_raters) == (0, 2)  # shown to both, chosen by neither
    assert (found[2].estimate, found[2].mean, found[2].n_raters) == (None, None, 0)
    missing = wagner.per_rater([[0, 1, np.nan], [0, 1, 1]], [0, np.nan, 1], labels=LABELS)
    assert [one.n_raters for one in missing] == [2, 1, 0, 0]


def test_responses_that_do_not_cover_the_labels_are_refused():
    with pytest.raises(AgreementError, match="-1, which is none of the categories"):
        wagner.per_rater([[0, 1, -1]], [0, 1, 2], labels=LABELS)
    with pytest.raises(AgreementError, match="do not fit"):
        wagner.per_rater([[0, 1]], [0, 1, 2], labels=LABELS)
    with pytest.raises(AgreementError, match="nobody rated"):
        wagner.per_rater([[0, np.nan]], [np.nan, 2], labels=LABELS)
