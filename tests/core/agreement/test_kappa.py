import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from core.agreement import kappa
from core.errors import AgreementError

SCALE = (1, 2, 3, 4, 5, 6)
pairs = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=2, max_size=40)


def test_cohen_matches_the_sas_printout(examples):
    example = examples["canonical"]["cohen_sas_3x3"]
    printed, exact = example["expected_published"], example["verified"]
    plain = kappa.cohen_of_table(example["data"])
    assert plain.estimate == pytest.approx(exact["kappa"], abs=1e-6)
    assert (plain.low, plain.high) == pytest.approx(exact["ci"], abs=1e-6)
    assert round(plain.estimate, 4) == printed["kappa"]
    assert [round(plain.low, 4), round(plain.high, 4)] == printed["ci"]
    linear = kappa.cohen_of_table(example["data"], weights="linear")
    assert linear.estimate == pytest.approx(exact["kappa_linear"], abs=1e-6)
    assert (linear.high - linear.low) / 2 / 1.9599640 == pytest.approx(exact["ase_linear"], abs=1e-6)
    assert [round(linear.low, 4), round(linear.high, 4)] == printed["ci_linear"]
    quadratic = kappa.cohen_of_table(example["data"], weights="quadratic")
    assert quadratic.estimate == pytest.approx(exact["kappa_quadratic"], abs=1e-6)


def test_cohen_against_chance_matches_the_sas_printout(examples):
    example = examples["canonical"]["cohen_sas_3x3"]
    found = kappa.cohen_test(example["data"])
    assert round(found.se, 4) == example["expected_published"]["ase0"]
    assert round(found.z, 4) == example["expected_published"]["z"]
    assert found.p == pytest.approx(0.0011, abs=5e-5)


def test_pairs_and_light_match_irr_on_the_diagnoses_of_fleiss_1971(examples):
    example = examples["canonical"]["fleiss_1971_diagnoses"]
    values = np.array(example["data"], dtype=float).T
    two = kappa.cohen(values[1], values[2], categories=range(1, 6))
    assert two.estimate == pytest.approx(example["verified"]["kappa_raters_2_3"], abs=1e-6)
    light = kappa.light(values, categories=range(1, 6))
    assert light.estimate == pytest.approx(example["verified"]["light_mean_pairwise_cohen"], abs=1e-6)
    assert (light.n_stimuli, light.n_raters, light.n_ratings) == (30, 6, 180)


@given(data=pairs, weights=st.sampled_from(["none", "linear", "quadratic"]))
@settings(deadline=None)
def test_cohen_matches_scikit_learn_over_the_full_scale(data, weights):
    first, second = np.array(data, dtype=float).T
    assume(len(set(first) | set(second)) > 1)
    expected = cohen_kappa_score(first, second, labels=SCALE, weights=None if weights == "none" else weights)
    found = kappa.cohen(first, second, categories=SCALE, weights=weights)
    assert found.estimate == pytest.approx(expected, abs=1e-12)
    assert found.low <= found.estimate <= found.high


def test_dropping_unused_categories_changes_a_weighted_kappa():
    first, second = [1, 1, 5, 6, 6, 1], [1, 5, 5, 6, 5, 6]  # nobody used 2, 3 and 4
    for weights in ("linear", "quadratic"):
        full = kappa.cohen(first, second, categories=SCALE, weights=weights).estimate
        used = kappa.cohen(first, second, categories=(1, 5, 6), weights=weights).estimate
        assert full == pytest.approx(cohen_kappa_score(first, second, labels=SCALE, weights=weights))
        assert used == pytest.approx(cohen_kappa_score(first, second, weights=weights))
        assert abs(full - used) > 0.02
    plain = kappa.cohen(first, second, categories=SCALE).estimate
    assert plain == pytest.approx(kappa.cohen(first, second, categories=(1, 5, 6)).estimate)


@given(pairs)
@settings(deadline=None)
def test_kappa_is_symmetric_and_ignores_what_labels_are_called(data):
    first, second = np.array(data, dtype=float).T
    assume(len(set(first) | set(second)) > 1)
    found = kappa.cohen(first, second, categories=SCALE).estimate
    assert kappa.cohen(second, first, categories=SCALE).estimate == pytest.approx(found)
    other = np.array([0, 4, 2, 6, 1, 3, 5])
    renamed = kappa.cohen(other[first.astype(int)], other[second.astype(int)], categories=SCALE)
    assert renamed.estimate == pytest.approx(found)
    everything = np.concatenate([first, second])
    assert kappa.cohen(everything, everything, categories=SCALE).estimate == pytest.approx(1)


def test_the_interval_covers_the_planted_kappa_as_often_as_it_says():
    rng = np.random.default_rng(0)
    p = np.array([[0.25, 0.05, 0.03], [0.05, 0.25, 0.04], [0.03, 0.05, 0.25]])
    pe = p.sum(axis=1) @ p.sum(axis=0)
    planted = (np.trace(p) - pe) / (1 - pe)
    tables = rng.multinomial(100, p.ravel(), size=1000).reshape(-1, 3, 3)
    found = [kappa.cohen_of_table(table) for table in tables]
    assert 920 <= sum(one.low <= planted <= one.high for one in found) <= 970


def test_a_missing_rating_drops_its_pair_only():
    first, second = [1, 2, np.nan, 3, 1], [1, 2, 2, np.nan, 2]
    found = kappa.cohen(first, second, categories=SCALE)
    assert found == kappa.cohen([1, 2, 1], [1, 2, 2], categories=SCALE)
    assert found.n_stimuli == 3


def test_what_has_no_kappa_is_refused():
    with pytest.raises(AgreementError, match="one and the same category"):
        kappa.cohen([2, 2, 2], [2, 2, 2], categories=SCALE)
    with pytest.raises(AgreementError, match="1 stimuli have both ratings"):
        kappa.cohen([2, np.nan], [2, 3], categories=SCALE)
    with pytest.raises(AgreementError, match="none of the categories"):
        kappa.cohen([0, 1], [1, -1], categories=SCALE)
    with pytest.raises(AgreementError, match="no pairs"):
        kappa.cohen([1, 2], [1], categories=SCALE)
    with pytest.raises(AgreementError, match="not square"):
        kappa.cohen_of_table([[1, 2]])
    with pytest.raises(AgreementError, match="no two raters share two stimuli"):
        kappa.light([[1, np.nan], [np.nan, 2]], categories=SCALE)
    with pytest.raises(AgreementError, match="none of the categories"):
        kappa.light([[1, 9], [1, 2]], categories=SCALE)
