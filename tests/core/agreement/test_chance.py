import krippendorff as package
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.agreement import categories, chance
from core.errors import AgreementError

COEFFICIENTS = (chance.fleiss, chance.gwet, chance.brennan_prediger)
OF_COUNTS = (chance.fleiss_of_counts, chance.gwet_of_counts, chance.brennan_prediger_of_counts)
SCALE = (1, 2, 3, 4)

matrices = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=8),
    elements=st.sampled_from([1.0, 2.0, 3.0, 4.0, np.nan]),
)


def usable(values):
    paired = np.isfinite(values).sum(axis=0) >= 2
    return paired.sum() >= 2 and len(np.unique(values[np.isfinite(values)])) >= 2


@pytest.fixture
def diagnoses(examples):
    example = examples["canonical"]["fleiss_1971_diagnoses"]
    return np.array(example["data"], dtype=float).T, example


@pytest.fixture
def raw4raters(examples):
    example = examples["canonical"]["irrCAC_raw4raters"]
    return np.array(example["data"], dtype=float).T, example


def test_fleiss_matches_the_diagnoses_of_fleiss_1971(diagnoses):
    values, example = diagnoses
    found = chance.fleiss(values, categories=range(1, 6))
    assert found.estimate == pytest.approx(example["verified"]["fleiss"], abs=1e-6)
    assert round(found.estimate, 7) == example["expected_published"]["fleiss"]
    four = chance.fleiss(values[:4], categories=range(1, 6))
    assert four.estimate == pytest.approx(example["verified"]["fleiss_raters_1_4"], abs=1e-6)
    counts = categories.counts(values, range(1, 6))
    assert counts.sum(axis=0).tolist() == example["expected_published"]["category_counts"]
    by_category = chance.fleiss_by_category(counts)
    assert by_category == pytest.approx(example["verified"]["category_kappa"], abs=1e-6)


def test_fleiss_against_chance_matches_irr_and_needs_equal_numbers_of_ratings(diagnoses):
    values, example = diagnoses
    found = chance.fleiss_test(categories.counts(values, range(1, 6)))
    assert round(found.z, 5) == example["expected_published"]["fleiss_z"]
    assert found.p < 1e-60
    with pytest.raises(AgreementError, match="stimuli have 2 to 3 ratings"):
        chance.fleiss_test([[2, 1], [2, 0]])


def test_the_other_coefficients_match_irrcac_on_the_diagnoses(diagnoses):
    values, example = diagnoses
    for function, name in (
        (chance.gwet, "AC1"),
        (chance.brennan_prediger, "brennan_prediger"),
        (chance.conger, "conger_exact"),
    ):
        found = function(values, categories=range(1, 6)).estimate
        assert round(found, 5) == example["verified"][name]


def test_coefficients_and_standard_errors_match_irrcac_with_missing_ratings(raw4raters):
    values, example = raw4raters
    exact, verified = example["exact_numpy"], example["verified"]
    for function, name, key in zip(
        COEFFICIENTS, ("Fleiss", "AC", "BP"), ("fleiss", "gwet", "bp"), strict=True
    ):
        found = function(values, categories=range(1, 6))
        assert found.estimate == pytest.approx(exact[name], abs=1e-6)
        # Student's t with 11 degrees of freedom has its 97.5 % point at 2.20099.
        se = (found.estimate - found.low) / 2.2009852
        assert round(se, 5) == verified[key]["se"]
        assert (found.n_stimuli, found.n_raters, found.n_ratings) == (12, 4, 41)
    published = example["expected_published"]["AC1_ci"]
    ac1 = chance.gwet(values, categories=range(1, 6))
    assert [round(ac1.low, 3), ac1.high] == published
    assert round(chance.conger(values, categories=range(1, 6)).estimate, 5) == 0.76282


@pytest.mark.parametrize("weights", ["linear", "quadratic", "ordinal"])
def test_weighted_coefficients_match_irrcac(raw4raters, weights):
    values, example = raw4raters
    expected = example["weighted_verified"][weights]
    for function, key in zip((*COEFFICIENTS, chance.conger), ("fleiss", "gwet", "bp", "conger"), strict=True):
        found = function(values, categories=range(1, 6), weights=weights)
        assert round(found.estimate, 5) == expected[key]


def test_a_stimulus_with_one_rating_counts_in_chance_unlike_in_alpha(raw4raters):
    values, example = raw4raters
    without = values[:, np.isfinite(values).sum(axis=0) >= 2]
    all_units = chance.fleiss(values, categories=range(1, 6)).estimate
    paired = chance.fleiss(without, categories=range(1, 6)).estimate
    pa = example["expected_published"]["pa"]
    assert all_units == pytest.approx((pa - 0.2387153) / (1 - 0.2387153), abs=1e-6)
    assert paired != pytest.approx(all_units, abs=1e-4)
    alpha = package.alpha(values, level_of_measurement="nominal")
    assert package.alpha(without, level_of_measurement="nominal") == pytest.approx(alpha)


def test_each_stimulus_keeps_its_own_number_of_ratings():
    # By hand: P_a = (1/3 + 1)/2 and pi = (5/6, 1/6); rescaling the row of two to three would change P_a.
    counts = [[2, 1], [2, 0]]
    pa, pe = (1 / 3 + 1) / 2, (5 / 6) ** 2 + (1 / 6) ** 2
    assert chance.fleiss_of_counts(counts).estimate == pytest.approx((pa - pe) / (1 - pe))


@given(values=matrices.filter(usable), weights=st.sampled_from(["none", "linear", "quadratic"]))
@settings(deadline=None)
def test_counts_give_what_ratings_give_and_order_is_irrelevant(values, weights):
    counts = categories.counts(values, SCALE)
    for function, of_counts in zip(COEFFICIENTS, OF_COUNTS, strict=True):
        found = function(values, categories=SCALE, weights=weights)
        assert of_counts(counts, weights=weights).estimate == found.estimate
        other = function(values[::-1, ::-1], categories=SCALE, weights=weights)
        assert other.estimate == pytest.approx(found.estimate)
        assert found.low <= found.estimate <= found.high


@given(values=matrices.filter(usable))
@settings(deadline=None)
def test_relabelling_categories_leaves_unweighted_coefficients_unchanged(values):
    relabelled = np.select([values == v for v in SCALE], [3, 1, 4, 2], default=np.nan)
    for function in (*COEFFICIENTS, chance.conger):
        found = function(values, categories=SCALE).estimate
        assert function(relabelled, categories=SCALE).estimate == pytest.approx(found)


def test_perfect_agreement_gives_1():
    values = np.tile([1.0, 2, 3, 1], (3, 1))
    for function in (*COEFFICIENTS, chance.conger):
        assert function(values, categories=SCALE).estimate == pytest.approx(1)


def test_intervals_cover_the_planted_coefficient_as_often_as_they_say():
    rng = np.random.default_rng(0)
    table = np.array([[0.7, 0.2, 0.1], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8]])  # choices of a stimulus' kind
    share = table.mean(axis=0)
    pa = float((table**2).sum(axis=1).mean())
    expected = {
        chance.fleiss_of_counts: float(share @ share),
        chance.gwet_of_counts: float((share * (1 - share)).sum() / 2),
        chance.brennan_prediger_of_counts: 1 / 3,
    }
    covered = dict.fromkeys(expected, 0)
    for _ in range(1000):
        counts = rng.multinomial(10, table[rng.integers(3, size=50)])
        for function, pe in expected.items():
            found = function(counts)
            covered[function] += found.low <= (pa - pe) / (1 - pe) <= found.high
    assert all(920 <= n <= 970 for n in covered.values())


def test_what_has_no_coefficient_is_refused():
    with pytest.raises(AgreementError, match="one category"):
        chance.fleiss([[2, 2], [2, 2]], categories=SCALE)
    with pytest.raises(AgreementError, match="1 stimuli have ratings by two"):
        chance.gwet([[2, 2], [2, np.nan]], categories=SCALE)
    with pytest.raises(AgreementError, match="no ratings yet"):
        chance.gwet_of_counts([[0, 0]])
    with pytest.raises(AgreementError, match="7, which is none of the categories 1, 2, 3, 4"):
        chance.brennan_prediger([[7, 2], [2, 2]], categories=SCALE)
    with pytest.raises(AgreementError, match="each named once"):
        chance.fleiss([[1, 1], [1, 1]], categories=[1, 1])
    with pytest.raises(AgreementError, match=r"shape \(raters, stimuli\)"):
        chance.fleiss([1, 2], categories=SCALE)
    with pytest.raises(AgreementError, match=r"shape \(stimuli, categories\)"):
        chance.fleiss_of_counts([1, 2])
    # Nobody chose anything else, yet agreement beyond guessing among four is 1.
    assert chance.brennan_prediger([[2, 2], [2, 2]], categories=SCALE).estimate == 1
    assert np.isnan(chance.fleiss_by_category([[2, 0], [2, 0]])).all()
