import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from core.agreement import continuous, retest
from core.errors import AgreementError


def twice(rng, raters=20, stimuli=12, stable=0.7):
    truth = rng.normal(size=(raters, stimuli))
    noise = np.sqrt(1 / stable - 1)
    first, second = (truth + rng.normal(0, noise, truth.shape) for _ in range(2))
    second[rng.random(truth.shape) < 0.4] = np.nan
    return first, second


def test_pooled_pairs_have_the_concordance_and_correlation_of_pairs():
    first, second = twice(np.random.default_rng(0))
    both = np.isfinite(second)
    found = retest.numeric(first, second, resamples=0)
    assert found.estimate == pytest.approx(continuous.concordance(first[both], second[both]).estimate)
    assert (found.low, found.high, found.n_raters, found.n_ratings) == (None, None, 20, 2 * both.sum())
    r = retest.numeric(first, second, statistic="pearson", resamples=0)
    assert r.estimate == pytest.approx(stats.pearsonr(first[both], second[both]).statistic)


def test_labels_have_cohens_kappa_and_the_share_alike():
    rng = np.random.default_rng(1)
    first = rng.integers(1, 5, size=(10, 8)).astype(float)
    second = np.where(rng.random(first.shape) < 0.6, first, rng.integers(1, 5, size=first.shape))
    second[rng.random(first.shape) < 0.3] = np.nan
    both = np.isfinite(second)
    found = retest.labels(first, second, categories=(1, 2, 3, 4), resamples=0)
    assert found.estimate == pytest.approx(cohen_kappa_score(first[both], second[both]))
    same = retest.labels(first, second, categories=(1, 2, 3, 4), statistic="same", resamples=0)
    assert same.estimate == pytest.approx((first[both] == second[both]).mean())


def test_the_interval_is_over_raters_and_covers_the_planted_value():
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(300):
        found = retest.numeric(*twice(rng), rng=rng, resamples=300)
        covered += found.low <= 0.7 <= found.high
    # A percentile interval of 20 raters is a little short; the standard error of 300 runs is 1.5 %.
    assert 0.88 <= covered / 300 <= 0.985
    first, second = twice(np.random.default_rng(3))
    one, other = (retest.numeric(first, second, rng=np.random.default_rng(4)) for _ in range(2))
    assert one == other


def test_each_rater_has_a_difference_of_their_own():
    first, second = (
        np.array([[1, 2, 3], [1, 5, 9], [1, 1, 1.0]]),
        np.array([[1, 4, np.nan], [1, 5, 9], [np.nan] * 3]),
    )
    assert retest.by_rater(first, second).tolist()[:2] == [1, 0]
    assert np.isnan(retest.by_rater(first, second)[2])


def test_what_has_no_retest_is_refused():
    with pytest.raises(AgreementError, match="2 stimuli were rated twice"):
        retest.numeric([[1, 2]], [[1, 2]])
    with pytest.raises(AgreementError, match="do not vary"):
        retest.numeric([[1, 1, 1]], [[1, 2, 3]], resamples=0)
    with pytest.raises(AgreementError, match="do not vary"):
        retest.labels([[1, 1, 1]], [[1, 1, 1]], categories=(1, 2), resamples=0)
    with pytest.raises(AgreementError, match="none of the categories"):
        retest.labels([[1, 1, 7]], [[1, 1, 1]], categories=(1, 2), resamples=0)
    with pytest.raises(AgreementError, match=r"needs \(raters, stimuli\) twice"):
        retest.numeric([1, 2, 3], [1, 2, 3])
    with pytest.raises(AgreementError, match="0 stimuli were rated twice"):
        retest.by_rater([[1]], [[np.nan]])
    with pytest.raises(AgreementError, match="a bootstrap needs 'rng'"):
        retest.numeric(*twice(np.random.default_rng(0)))
