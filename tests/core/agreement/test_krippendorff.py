import krippendorff as package
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.agreement import bootstrap, krippendorff
from core.errors import AgreementError

LEVELS = ("nominal", "ordinal", "interval", "ratio")

matrices = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=8),
    elements=st.sampled_from([1.0, 2.0, 3.0, 4.0, 7.0, np.nan]),
)


def point(values, level):
    return krippendorff.alpha(values, level=level, resamples=0).estimate


def usable(values):
    paired = values[:, np.isfinite(values).sum(axis=0) >= 2]
    return paired.shape[1] >= 2 and len(np.unique(paired[np.isfinite(paired)])) >= 2


def small_incomplete(seed, raters=6, stimuli=15):
    rng = np.random.default_rng(seed)
    values = np.clip(np.round(3 + rng.normal(size=stimuli) + rng.normal(size=(raters, stimuli))), 1, 5)
    values[rng.random(values.shape) < 0.25] = np.nan
    return values


@pytest.mark.parametrize("level", LEVELS)
def test_alpha_matches_krippendorffs_own_example(examples, level):
    example = examples["canonical"]["krippendorff_4x12"]
    values = np.array(example["data"], dtype=float)
    found = krippendorff.alpha(values, level=level, resamples=0)
    assert found.estimate == pytest.approx(example["verified"][level], abs=1e-6)
    assert round(found.estimate, 3) == example["expected_published"][level]
    assert (found.n_stimuli, found.n_raters, found.n_ratings) == (11, 4, 40)  # unit 12 has one rating


def test_alpha_matches_irr_on_the_diagnoses_of_fleiss_1971(examples):
    example = examples["canonical"]["fleiss_1971_diagnoses"]
    found = point(np.array(example["data"], dtype=float).T, "nominal")
    assert found == pytest.approx(example["verified"]["alpha_nominal"], abs=1e-6)


def test_ordinal_alpha_is_krippendorffs_and_not_the_ordinal_weights_of_irrcac(examples):
    example = examples["canonical"]["irrCAC_raw4raters"]
    values = np.array(example["data"], dtype=float).T
    assert point(values, "nominal") == pytest.approx(example["expected_published"]["krippendorff"], abs=1e-5)
    assert point(values, "ordinal") == pytest.approx(0.815, abs=5e-4)  # irrCAC's weights give .834
    weighted = example["weighted_verified"]
    assert round(point(values, "interval"), 5) == weighted["quadratic"]["krippendorff"]
    assert abs(point(values, "ordinal") - weighted["ordinal"]["krippendorff"]) > 0.01


@pytest.mark.parametrize("sex", ["female", "male"])
@pytest.mark.parametrize("trait", ["att", "dom", "health", "sexdim", "trust"])
def test_alpha_matches_the_package_on_real_ratings_of_faces(shared, examples, trait, sex):
    ratings = pd.read_csv(shared / "ratings" / "3dsk_ratings_long.csv")
    some = ratings[(ratings["trait"] == trait) & (ratings["face_gender"] == sex)]
    values = some.pivot(index="rater_id", columns="face_id", values="rating").to_numpy()
    expected = examples["real"]["3dsk"][f"{sex}_{trait}"]["alpha"]
    assert point(values, "ordinal") == pytest.approx(expected["ordinal"], abs=1e-6)
    assert point(values, "interval") == pytest.approx(expected["interval"], abs=1e-6)


@pytest.mark.parametrize("level", LEVELS)
def test_the_interval_is_that_of_calling_the_package_on_every_resample(level):
    values = small_incomplete(seed=3)
    found = krippendorff.alpha(values, level=level, resamples=200, rng=np.random.default_rng(5))

    kept = values[:, np.isfinite(values).sum(axis=0) >= 2]
    weights = bootstrap.draws(kept.shape[1], 200, rng=np.random.default_rng(5)).astype(int)
    resampled = [package.alpha(np.repeat(kept, row, axis=1), level_of_measurement=level) for row in weights]
    low, high = np.quantile(resampled, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-10)


@pytest.mark.parametrize("level", LEVELS)
def test_without_the_package_the_point_is_the_same(level, monkeypatch):
    values = small_incomplete(seed=4)
    by_package = point(values, level)
    assert by_package == package.alpha(values, level_of_measurement=level)
    monkeypatch.setattr(krippendorff, "_PACKAGE_CELLS", 0)
    assert point(values, level) == pytest.approx(by_package, abs=1e-12)


def test_slider_values_without_steps_do_not_need_memory_for_every_pair_of_values():
    rng = np.random.default_rng(6)
    stimuli = rng.normal(size=60)
    values = stimuli + rng.normal(size=(50, 60))  # 3,000 different values
    # One stimulus effect and one error of equal variance: the intraclass correlation is 1/2.
    found = krippendorff.alpha(values, level="interval", resamples=200, rng=rng)
    assert found.low < 0.5 < found.high


@pytest.mark.parametrize("level", LEVELS)
def test_counts_give_what_ratings_give(level):
    values = small_incomplete(seed=7)
    domain = np.array([5.0, 1, 2, 3, 4])  # any order of the columns
    counts = (values.T[:, :, None] == domain).sum(axis=1)
    one = krippendorff.alpha(values, level=level, resamples=50, rng=np.random.default_rng(1))
    other = krippendorff.alpha_of_counts(
        counts, domain, level=level, resamples=50, rng=np.random.default_rng(1)
    )
    assert (other.estimate, other.low, other.high) == pytest.approx((one.estimate, one.low, one.high))
    assert other.n_raters is None
    assert other.n_ratings == one.n_ratings


def test_the_interval_covers_the_planted_alpha_as_often_as_it_says():
    # x = stimulus + error with variances 1 and 1: alpha of interval data estimates 1/2.
    rng = np.random.default_rng(8)
    covered = 0
    for _ in range(1000):
        values = rng.normal(size=50) + rng.normal(size=(10, 50))
        found = krippendorff.alpha(values, level="interval", resamples=300, rng=rng)
        covered += found.low <= 0.5 <= found.high
    # Percentile intervals from 50 stimuli are a little short; 3 standard errors of 1000 runs are 2 %.
    assert 0.91 <= covered / 1000 <= 0.97


def test_too_little_data_is_refused_with_what_is_missing():
    def refused(values, level="nominal", **more):
        with pytest.raises(AgreementError) as caught:
            krippendorff.alpha(values, level=level, resamples=0, **more)
        return str(caught.value)

    nothing = np.full((3, 4), np.nan)
    assert "no ratings yet" in refused(nothing)
    assert "no ratings yet" in refused(np.empty((0, 0)))
    assert "one rater" in refused([[1, 2, 3], [np.nan] * 3])
    assert "1 stimuli have ratings by two" in refused([[1, 2, np.nan], [1, np.nan, 3]])
    assert "0 stimuli have ratings by two" in refused([[1, np.nan], [np.nan, 3]])
    assert "all 6 ratings are the same" in refused([[4, 4, 4], [4, 4, 4]])
    assert "ratio level needs 0 or more" in refused([[-1, 2], [3, 4]], level="ratio")
    assert "shape (raters, stimuli)" in refused([1, 2, 3])
    with pytest.raises(AgreementError, match="one column per distinct value"):
        krippendorff.alpha_of_counts([[1, 2]], [1, 1], level="nominal")
    with pytest.raises(AgreementError, match="no ratings yet"):
        krippendorff.alpha_of_counts([[0, 0]], [1, 2], level="nominal")
    with pytest.raises(AgreementError, match=r"pass numpy\.random\.default_rng"):
        krippendorff.alpha(small_incomplete(1), level="nominal")


def test_a_handful_of_stimuli_gives_an_estimate_without_an_interval():
    values = np.array([[1, 2, 3, 4], [1, 2, 3, 3]])
    found = krippendorff.alpha(values, level="interval", rng=np.random.default_rng(0))
    assert found.estimate == pytest.approx(package.alpha(values, level_of_measurement="interval"))
    assert (found.low, found.high) == (None, None)
    assert "bootstrap" not in found.method


def test_resamples_that_draw_one_value_only_do_not_become_an_estimate():
    # Only the last of eight stimuli differs: a third of the resamples leave it out, (7/8)^8 = .34.
    values = np.array([[1] * 7 + [2], [1] * 7 + [2]])
    found = krippendorff.alpha(values, level="nominal", rng=np.random.default_rng(0))
    assert (found.estimate, found.low, found.high) == (1.0, None, None)


def test_the_same_seed_gives_the_same_interval():
    values = small_incomplete(seed=9)
    one, other = (krippendorff.alpha(values, level="ordinal", rng=np.random.default_rng(2)) for _ in range(2))
    assert one == other


@given(values=matrices.filter(usable), level=st.sampled_from(LEVELS), seed=st.integers(0, 99))
@settings(deadline=None)
def test_the_order_of_raters_and_of_stimuli_is_irrelevant(values, level, seed):
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(values, axis=0)  # each stimulus keeps its ratings, whoever gave them
    shuffled = shuffled[:, rng.permutation(values.shape[1])]
    if np.isfinite(shuffled).any(axis=1).sum() >= 2:
        assert point(shuffled, level) == pytest.approx(point(values, level), abs=1e-9)


@given(
    stimuli=st.lists(st.sampled_from([0.0, 1, 2, 5]), min_size=2, max_size=9).filter(
        lambda some: len(set(some)) > 1
    ),
    raters=st.integers(2, 6),
    level=st.sampled_from(LEVELS),
)
@settings(deadline=None)
def test_perfect_agreement_gives_1(stimuli, raters, level):
    values = np.tile(stimuli, (raters, 1))
    found = krippendorff.alpha(values, level=level, resamples=20, rng=np.random.default_rng(0))
    assert found.estimate == pytest.approx(1)
    assert found.low is None or (found.low, found.high) == pytest.approx((1, 1))


@given(values=matrices.filter(usable))
@settings(deadline=None)
def test_each_level_ignores_the_changes_that_it_should(values):
    relabelled = np.select([values == v for v in (1, 2, 3, 4, 7)], [30, 10, 50, 20, 40], default=np.nan)
    assert point(relabelled, "nominal") == pytest.approx(point(values, "nominal"), abs=1e-9)
    assert point(np.exp(values), "ordinal") == pytest.approx(point(values, "ordinal"), abs=1e-9)
    assert point(10 - 3 * values, "interval") == pytest.approx(point(values, "interval"), abs=1e-9)
    assert point(12 * values, "ratio") == pytest.approx(point(values, "ratio"), abs=1e-9)


@given(values=matrices.filter(usable), level=st.sampled_from(LEVELS))
@settings(deadline=None)
def test_a_stimulus_with_one_rating_changes_nothing(values, level):
    single = np.full((len(values), 1), np.nan)
    single[0] = 7
    assert point(np.hstack([values, single]), level) == pytest.approx(point(values, level), abs=1e-9)
