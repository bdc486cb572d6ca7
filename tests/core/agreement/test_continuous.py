import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from core.agreement import continuous
from core.errors import AgreementError

numbers = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=4, max_size=30).map(
    lambda pairs: np.array(pairs, dtype=float).T
)


def varied(x, y):
    assume(np.ptp(x) > 0 and np.ptp(y) > 0)


@pytest.fixture
def pefr(examples):
    return examples["canonical"]["bland_altman_1986_pefr"]


def test_concordance_matches_the_worked_example(pefr):
    found = continuous.concordance(pefr["wright1"], pefr["mini1"])
    expected = pefr["verified"]["ccc"]
    assert found.estimate == pytest.approx(expected["ccc"], abs=1e-6)
    assert (found.low, found.high) == pytest.approx(expected["ci_z"], abs=1e-6)


def test_bias_and_limits_match_bland_and_altman_1986(pefr):
    found = continuous.bias(pefr["wright1"], pefr["mini1"])
    printed, exact = pefr["expected_published"], pefr["verified"]["bland_altman"]
    assert (round(found.estimate, 1), round(found.sd, 1)) == (printed["bias"], printed["sd"])
    assert found.estimate == pytest.approx(exact["bias"], abs=1e-6)
    assert (found.lower, found.upper) == pytest.approx(exact["loa196"], abs=1e-6)
    assert (found.low, found.high) == pytest.approx(exact["bias_ci"], abs=1e-6)
    twice = (found.estimate - 2 * found.sd, found.estimate + 2 * found.sd)
    assert twice == pytest.approx(exact["loa2"], abs=1e-6)
    rounded = (printed["bias"] - 2 * printed["sd"], printed["bias"] + 2 * printed["sd"])
    assert rounded == pytest.approx(printed["loa_2sd"])
    half = stats.t.ppf(0.975, found.n_stimuli - 1) * exact["se_loa_1999"]
    assert (found.lower_high - found.lower, found.upper - found.upper_low) == pytest.approx((half, half))


@given(numbers)
@settings(deadline=None)
def test_pearson_and_spearman_match_scipy(pairs):
    x, y = pairs
    varied(x, y)
    expected = stats.pearsonr(x, y)
    found = continuous.pearson(x, y)
    assert found.estimate == pytest.approx(expected.statistic, abs=1e-9)
    if found.low is not None:
        interval = expected.confidence_interval()
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-7)
    assert continuous.spearman(x, y).estimate == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)


@pytest.mark.parametrize(
    ("statistic", "planted"),
    [
        (continuous.pearson, 0.6),
        # Spearman's rho of a normal pair is 6/pi arcsin(r/2): Pearson (1907).
        (continuous.spearman, 6 / np.pi * np.arcsin(0.3)),
        # Unit variances, means apart by .5: 2 * .6 / (1 + 1 + .25).
        (continuous.concordance, 1.2 / 2.25),
    ],
)
def test_intervals_cover_the_planted_value_as_often_as_they_say(statistic, planted):
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(1000):
        x, error = rng.normal(size=(2, 50))
        found = statistic(x, 0.5 + 0.6 * x + 0.8 * error)
        covered += found.low <= planted <= found.high
    assert 0.92 <= covered / 1000 <= 0.97  # .95 with 3 standard errors of 1000 runs


def test_limits_of_agreement_cover_their_population_values_as_often_as_they_say():
    rng = np.random.default_rng(1)
    covered = np.zeros(3)
    for _ in range(1000):
        found = continuous.bias(rng.normal(2, 1, size=50), np.zeros(50))
        covered += [
            found.low <= 2 <= found.high,
            found.lower_low <= 2 - 1.96 <= found.lower_high,
            found.upper_low <= 2 + 1.96 <= found.upper_high,
        ]
    assert (covered / 1000 >= 0.92).all()
    assert (covered / 1000 <= 0.975).all()


@given(numbers)
@settings(deadline=None)
def test_concordance_is_symmetric_and_never_above_the_correlation(pairs):
    x, y = pairs
    varied(x, y)
    found = continuous.concordance(x, y).estimate
    assert continuous.concordance(y, x).estimate == pytest.approx(found, abs=1e-12)
    assert abs(found) <= abs(continuous.pearson(x, y).estimate) + 1e-9
    aligned = y - y.mean() + x.mean()
    assert abs(continuous.concordance(x, aligned + 5).estimate) <= abs(
        continuous.concordance(x, aligned).estimate
    )


@given(numbers)
@settings(deadline=None)
def test_perfect_agreement_gives_1_and_no_bias(pairs):
    x, _ = pairs
    varied(x, x)
    for statistic in (continuous.concordance, continuous.pearson, continuous.spearman):
        found = statistic(x, x)
        assert found.estimate == pytest.approx(1)
        assert (found.low, found.high) == (None, None)
    limits = continuous.bias(x, x)
    assert (limits.estimate, limits.sd, limits.lower, limits.upper) == (0, 0, 0, 0)


@given(numbers)
@settings(deadline=None)
def test_the_order_of_stimuli_is_irrelevant_and_ranks_ignore_units(pairs):
    x, y = pairs
    varied(x, y)
    one = continuous.compare(x, y, same_units=True)
    other = continuous.compare(x[::-1], y[::-1], same_units=True)
    assert other.concordance.estimate == pytest.approx(one.concordance.estimate, abs=1e-12)
    assert other.bias.estimate == pytest.approx(one.bias.estimate, abs=1e-12)
    assert other.spearman.estimate == pytest.approx(one.spearman.estimate, abs=1e-12)
    stretched = continuous.spearman(np.exp(x / 10), 3 * y - 4).estimate
    assert stretched == pytest.approx(one.spearman.estimate, abs=1e-12)


def test_a_missing_value_drops_its_pair_only():
    x, y = np.array([1, 2, np.nan, 4, 5, 9.0]), np.array([1, 3, 5, np.nan, 4, 8.0])
    kept = [0, 1, 4, 5]
    for statistic in (continuous.concordance, continuous.pearson, continuous.spearman, continuous.bias):
        assert statistic(x, y) == statistic(x[kept], y[kept])
        assert statistic(x, y).n_stimuli == 4


def test_units_that_differ_are_compared_by_ranks_only():
    human, model = [10, 40, 80, 90], [0.1, 0.3, 0.7, 0.9]
    found = continuous.compare(human, model, same_units=False)
    assert (found.concordance, found.bias) == (None, None)
    assert found.spearman.estimate == 1
    same = continuous.compare([0.2, 0.4, 0.9], [0.4, 0.6, 1.1], same_units=True)
    assert same.bias.estimate == pytest.approx(0.2)  # the model's excess over people


def test_what_cannot_be_compared_is_refused_with_the_reason():
    for statistic in (continuous.concordance, continuous.pearson, continuous.spearman):
        with pytest.raises(AgreementError, match="2 stimuli have both values"):
            statistic([1, 2, np.nan], [1, 2, 3])
        with pytest.raises(AgreementError, match="second values are all 5"):
            statistic([1, 2, 3], [5, 5, 5])
        with pytest.raises(AgreementError, match="no pairs"):
            statistic([1, 2, 3], [1, 2])
    assert continuous.bias([1, 2, 3], [5, 5, 5]).estimate == -3  # a constant has a bias all the same
