import numpy as np
import pytest
from scipy import stats

from core.agreement import ceiling, measures
from core.errors import AgreementError


def people(rng, raters=8, stimuli=40, noise=1.0, missing=0.2):
    values = rng.normal(size=stimuli) + rng.normal(0, noise, (raters, stimuli))
    return np.where(rng.random(values.shape) < missing, np.nan, values)


def choices(rng, raters=9, stimuli=60, missing=0.2):
    truth = rng.integers(4, size=stimuli)
    values = np.where(rng.random((raters, stimuli)) < 0.6, truth, rng.integers(4, size=(raters, stimuli)))
    return np.where(rng.random(values.shape) < missing, np.nan, values)


@pytest.mark.parametrize("measure", ["pearson", "spearman", "concordance", "rmse", "mae", "sagr"])
def test_each_rater_meets_the_mean_of_the_others(measure):
    values = people(np.random.default_rng(0))
    expected = [
        measures.value(np.nanmean(np.delete(values, j, axis=0), axis=0), values[j], measure)
        for j in range(len(values))
    ]
    found = ceiling.human(values, measure=measure)
    assert found.of_raters == pytest.approx(expected)
    assert found.estimate == pytest.approx(np.mean(expected))
    interval = stats.ttest_1samp(expected, 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx(tuple(interval))


def test_each_rater_meets_the_plurality_of_the_others_where_it_is_not_tied():
    values = choices(np.random.default_rng(1))
    for j, found in enumerate(ceiling.human(values, measure="accuracy", n_labels=4).of_raters):
        hits = []
        for u in np.nonzero(np.isfinite(values[j]))[0]:
            others = np.delete(values[:, u], j)
            counts = np.bincount(others[np.isfinite(others)].astype(int), minlength=4)
            if counts.max() > 0 and (counts == counts.max()).sum() == 1:
                hits.append(counts.argmax() == values[j, u])
        assert found == pytest.approx(np.mean(hits))
    kappa = ceiling.human(values, measure="kappa", n_labels=4)
    assert 0 < kappa.estimate < ceiling.human(values, measure="accuracy", n_labels=4).estimate


def test_a_model_that_is_one_more_rater_reaches_the_ceiling():
    rng = np.random.default_rng(2)
    truth = rng.normal(size=2000)
    values = truth + rng.normal(size=(6, 2000))
    like_a_rater = measures.value(values.mean(axis=0), truth + rng.normal(size=2000), "pearson")
    found = ceiling.human(values, measure="pearson")
    assert like_a_rater == pytest.approx(found.estimate, abs=0.03)
    # One rater correlates with the mean of five others by sqrt(1/2 * 5/6).
    assert found.estimate == pytest.approx(np.sqrt(5 / 12), abs=0.02)


def test_a_rater_who_shares_too_little_or_never_varies_has_no_value():
    values = people(np.random.default_rng(3), missing=0)
    values[0, 2:] = np.nan
    values[1] = 4
    found = ceiling.human(values, measure="pearson")
    assert found.of_raters[:2] == (None, None)
    assert (found.n_raters, found.n_stimuli) == (6, 40)
    with pytest.raises(AgreementError, match="no rater shares 3 stimuli"):
        ceiling.human([[1, 2, np.nan], [1, 2, 3]], measure="mae")


def test_the_difference_of_two_models_is_paired_and_covers_the_planted_one():
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(200):
        truth, shared = rng.normal(size=(2, 80))
        first = 0.8 * truth + 0.6 * (0.8 * shared + 0.6 * rng.normal(size=80))
        second = 0.6 * truth + 0.8 * (0.8 * shared + 0.6 * rng.normal(size=80))
        found = ceiling.difference(truth, first, second, measure="pearson", rng=rng, resamples=300)
        covered += found.low <= 0.2 <= found.high
    assert 0.90 <= covered / 200 <= 0.995  # three standard errors of 200 runs


def test_a_model_does_not_differ_from_itself_and_identities_are_drawn_whole():
    rng = np.random.default_rng(5)
    identity = np.repeat(np.arange(10), 6)
    x, other = rng.normal(size=(2, 60))
    one = x + 0.5 * rng.normal(size=10)[identity]  # the first model errs alike on all faces of an identity
    same = ceiling.difference(x, one, one, measure="concordance", rng=rng)
    assert (same.estimate, same.low, same.high) == (0, 0, 0)
    single = ceiling.difference(x, one, other, measure="mae", rng=rng)
    whole = ceiling.difference(x, one, other, measure="mae", rng=rng, identity=identity)
    assert whole.estimate == pytest.approx(single.estimate)
    assert whole.estimate < -0.3
    assert whole.high - whole.low > 1.1 * (single.high - single.low)
    assert "identities" in whole.method
    x[0] = np.nan
    assert ceiling.difference(x, one, other, measure="mae", rng=rng).n_stimuli == 59


def test_what_has_no_difference_is_refused():
    rng = np.random.default_rng(6)
    x = rng.normal(size=20)
    with pytest.raises(AgreementError, match="do not vary"):
        ceiling.difference(x, x, np.ones(20), measure="pearson", rng=rng)
    with pytest.raises(AgreementError, match="it needs 5"):
        ceiling.difference(x, x, -x, measure="pearson", rng=rng, identity=np.arange(20) % 3)
    with pytest.raises(AgreementError, match="no triples"):
        ceiling.difference(x, x, x[:3], measure="pearson", rng=rng)
    with pytest.raises(AgreementError, match="no stimulus has a value"):
        ceiling.difference(x, x, np.full(20, np.nan), measure="pearson", rng=rng)
