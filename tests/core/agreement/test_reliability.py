import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agreement import icc, reliability
from core.errors import AgreementError


def planted(rng, *, raters=10, stimuli=50, error=1.0):
    return rng.normal(size=stimuli) + rng.normal(0, error, (raters, stimuli))


def test_cronbach_matches_shrout_and_fleiss_and_its_own_formula(examples):
    example = examples["canonical"]["shrout_fleiss_1979"]
    values = np.array(example["data"], dtype=float).T
    found = reliability.cronbach(values)
    assert found.estimate == pytest.approx(example["verified"]["cronbach_alpha"], abs=1e-6)
    by_hand = 4 / 3 * (1 - values.var(axis=1, ddof=1).sum() / values.sum(axis=0).var(ddof=1))
    assert found.estimate == pytest.approx(by_hand)
    assert (found.low, found.high) == pytest.approx(example["verified"]["ci95"]["ICC3k"], abs=1e-6)
    assert found.method.startswith("Cronbach's alpha; mean squares")


@pytest.mark.parametrize("sex", ["female", "male"])
@pytest.mark.parametrize("trait", ["att", "dom", "health", "sexdim", "trust"])
def test_cronbach_matches_pingouin_on_real_ratings_of_faces(faces, examples, trait, sex):
    expected = examples["real"]["3dsk"][f"{sex}_{trait}"]["cronbach"]
    assert reliability.cronbach(faces[f"{sex}_{trait}"]).estimate == pytest.approx(expected, abs=1e-6)


def test_the_split_of_even_and_odd_raters_matches_the_verified_value(faces, examples):
    expected = examples["real"]["3dsk"]["male_att_split_half_even_odd_sorted_rater_id"]
    values = faces["male_att"]
    found = reliability.split_half(values, halves=np.arange(len(values)) % 2 == 0, resamples=0)
    assert found.estimate == pytest.approx(expected["SB"], abs=1e-6)
    r = np.corrcoef(values[::2].mean(axis=0), values[1::2].mean(axis=0))[0, 1]
    assert r == pytest.approx(expected["r"], abs=1e-9)
    assert found.method == "split half, Spearman-Brown, 1 split"


def test_random_splits_are_those_of_numpys_correlations_with_missing_ratings():
    rng = np.random.default_rng(0)
    values = planted(rng, raters=7, stimuli=20)
    values[rng.random(values.shape) < 0.3] = np.nan
    found = reliability.split_half(values, splits=20, resamples=0, rng=np.random.default_rng(1))
    order = np.random.default_rng(1).permuted(np.tile(np.arange(7) < 3, (20, 1)), axis=1)
    expected = []
    for first in order:
        both = np.isfinite(values[first]).any(axis=0) & np.isfinite(values[~first]).any(axis=0)
        r = np.corrcoef(*(np.nanmean(values[half][:, both], axis=0) for half in (first, ~first)))[0, 1]
        expected.append(2 * r / (1 + r))
    assert found.estimate == pytest.approx(np.mean(expected))


def test_split_halves_estimate_what_cronbachs_alpha_does():
    values = planted(np.random.default_rng(2), stimuli=400)
    split = reliability.split_half(values, rng=np.random.default_rng(3), resamples=200)
    assert split.estimate == pytest.approx(reliability.cronbach(values).estimate, abs=0.005)
    assert split.low < 10 / 11 < split.high  # 10 raters of reliability 1/2 each
    again = reliability.split_half(values, rng=np.random.default_rng(3), resamples=200)
    assert again == split


def test_the_interval_of_split_halves_covers_the_planted_reliability():
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(300):
        found = reliability.split_half(planted(rng), splits=20, resamples=300, rng=rng)
        covered += found.low <= 10 / 11 <= found.high
    # A percentile interval of 50 stimuli is a little short; the standard error of 300 runs is 1.4 %.
    assert 0.89 <= covered / 300 <= 0.985


def test_spearman_brown_matches_the_worked_examples(examples):
    example = examples["formula_checks"]["spearman_brown"]
    assert reliability.spearman_brown(example["r_half"]) == pytest.approx(example["sb"], abs=1e-9)
    assert reliability.spearman_brown(0.2, 10) == pytest.approx(0.714286, abs=5e-7)
    assert reliability.raters_needed(0.2, 0.9) == 36  # in floats 36.00000000000001


@given(single=st.floats(0.01, 0.9), wanted=st.floats(0.05, 0.98))
def test_raters_needed_are_the_fewest_that_reach_the_reliability(single, wanted):
    k = reliability.raters_needed(single, wanted)
    assert reliability.spearman_brown(single, k) >= wanted - 1e-8
    assert k == 1 or reliability.spearman_brown(single, k - 1) < wanted


def test_ratings_needed_match_the_worked_example(examples):
    example = examples["formula_checks"]["precision_n"]
    assert reliability.ratings_needed(example["SD"], example["h"]) == np.ceil(example["n_raw"])


def test_the_average_of_many_raters_is_reliable_when_one_is_not(faces):
    single = icc.icc(faces["female_dom"], form="2,1").estimate
    assert single < 0.1
    assert reliability.cronbach(faces["female_dom"]).estimate > 0.95


def test_what_has_no_reliability_is_refused():
    with pytest.raises(AgreementError, match="one rater"):
        reliability.split_half([[1, 2, 3]], resamples=0, rng=np.random.default_rng(0))
    with pytest.raises(AgreementError, match="splits need 'rng'"):
        reliability.split_half([[1, 2, 3], [1, 2, 3]], resamples=0)
    with pytest.raises(AgreementError, match="one of the halves has no rater"):
        reliability.split_half([[1, 2, 3], [1, 2, 3]], halves=[True, True], resamples=0)
    with pytest.raises(AgreementError, match="no split leaves 3 stimuli"):
        reliability.split_half([[1, 2, np.nan], [np.nan, 2, 3]], halves=[True, False], resamples=0)
    with pytest.raises(AgreementError, match="a bootstrap needs 'rng'"):
        reliability.split_half(np.eye(2, 6), halves=[True, False])
    with pytest.raises(AgreementError, match="cannot be stepped up"):
        reliability.spearman_brown(-1)
    with pytest.raises(AgreementError, match="between 0 and 1"):
        reliability.raters_needed(0, 0.9)
    with pytest.raises(AgreementError, match="above 0"):
        reliability.ratings_needed(0, 0.1)
