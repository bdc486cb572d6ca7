import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.agreement import design, icc, reml
from core.errors import AgreementError

SETS = [
    f"{sex}_{trait}" for sex in ("female", "male") for trait in ("att", "dom", "health", "sexdim", "trust")
]
tables = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=7),
    elements=st.integers(1, 9).map(float),
)


def usable(values):
    means = values.mean(axis=0)
    return np.ptp(means) > 1e-9 and (np.ptp(values - means, axis=0) > 1e-9).any()


def key(form):
    return "ICC" + form.replace(",1", "").replace(",k", "k")


def planted(rng, *, raters=10, stimuli=50, s=1.0, r=0.3, e=1.5, fill=1.0):
    shape = (raters, stimuli)
    values = (
        rng.normal(0, s**0.5, stimuli) + rng.normal(0, r**0.5, (raters, 1)) + rng.normal(0, e**0.5, shape)
    )
    return np.where(rng.random(shape) < fill, values, np.nan)


def test_all_forms_match_shrout_and_fleiss_1979(examples):
    example = examples["canonical"]["shrout_fleiss_1979"]
    found = icc.forms(np.array(example["data"], dtype=float).T)
    printed, exact = example["expected_published"], example["verified"]
    assert list(found) == list(icc.FORMS)
    for form, one in found.items():
        assert round(one.estimate, 2) == printed[key(form)]
        assert [round(one.low, 2), round(one.high, 2)] == pytest.approx(printed["ci"][key(form)], abs=0.0101)
        assert one.estimate == pytest.approx(exact["est"][key(form)], abs=1e-6)
        assert (one.low, one.high) == pytest.approx(exact["ci95"][key(form)], abs=1e-6)
        assert (one.n_stimuli, one.n_raters, one.n_ratings) == (6, 4, 24)
        assert f"ICC({form})" in one.method


@pytest.mark.parametrize("name", SETS)
def test_all_forms_match_pingouin_on_real_ratings_of_faces(faces, examples, name):
    expected = examples["real"]["3dsk"][name]
    for form, one in icc.forms(faces[name]).items():
        assert one.estimate == pytest.approx(expected["icc"][key(form)], abs=1e-6)
        assert (one.low, one.high) == pytest.approx(expected["ci95"][key(form)], abs=1e-6)


def test_incomplete_one_way_squares_match_the_verified_value(replicates, examples):
    example = examples["canonical"]["irrICC_iccdata1_incomplete"]["verified"]
    _, target, value = replicates
    sizes = np.bincount(target.astype(int))[1:]
    assert design.ratings_per_stimulus(sizes) == pytest.approx(example["k0"], abs=1e-9)
    # Raters do not matter in the one-way model: each target's ratings stand below one another.
    columns = np.full((sizes.max(), len(sizes)), np.nan)
    for t, n in enumerate(sizes):
        columns[:n, t] = value[target == t + 1]
    found = icc.icc(columns, form="1,1")
    assert found.estimate == pytest.approx(example["icc1_anova_k0"], abs=1e-6)
    assert "k0 = 7.75" in found.method


def test_reml_matches_statsmodels_on_the_incomplete_one_way_example(replicates, examples):
    expected = examples["canonical"]["irrICC_iccdata1_incomplete"]["verified"]["icc1_REML_statsmodels"]
    found = reml.components(*replicates, crossed=False)
    assert found.rater == 0
    assert found.stimulus / (found.stimulus + found.error) == pytest.approx(expected, abs=1e-4)


def test_one_missing_rating_moves_two_way_forms_a_little_and_names_the_estimator(faces):
    values = faces["female_att"].copy()
    complete = icc.forms(values)
    values[0, 0] = np.nan
    found = icc.forms(values)
    for form in icc.FORMS:
        assert found[form].estimate == pytest.approx(complete[form].estimate, abs=2e-3)
        assert found[form].low == pytest.approx(complete[form].low, abs=0.02)
        assert found[form].high == pytest.approx(complete[form].high, abs=0.03)
        assert ("REML" in found[form].method) == (form[0] != "1")
        assert "k0 = 200" in found[form].method
    assert icc.icc(values, form="2,k") == found["2,k"]


@pytest.mark.parametrize(("fill", "runs", "least"), [(1.0, 300, 0.91), (0.7, 60, 0.86)])
def test_intervals_cover_the_planted_value_as_often_as_they_say(fill, runs, least):
    # Three standard errors of so many runs; a thousand are in tests/benchmarks/simulate_coverage.py.
    rng = np.random.default_rng(1)
    covered = dict.fromkeys(icc.FORMS, 0)
    for _ in range(runs):
        values = planted(rng, fill=fill)
        k0 = design.ratings_per_stimulus(np.isfinite(values).sum(axis=0))
        for form, found in icc.forms(values).items():
            single = 1 / 2.5 if form.startswith("3") else 1 / 2.8
            truth = single if form.endswith("1") else k0 * single / (1 + (k0 - 1) * single)
            covered[form] += found.low <= truth <= found.high
    assert all(least <= n / runs <= 0.99 + (runs < 100) for n in covered.values())


@given(tables.filter(usable))
@settings(deadline=None)
def test_averages_are_single_ones_stepped_up_and_order_is_irrelevant(values):
    found = icc.forms(values)
    k = len(values)
    for form in ("1", "2", "3"):
        single = found[f"{form},1"].estimate
        if 1 + (k - 1) * single > 1e-3:
            stepped = k * single / (1 + (k - 1) * single)
            assert found[f"{form},k"].estimate == pytest.approx(stepped, abs=1e-6)
    other = icc.forms(3 - 2 * values[::-1, ::-1])
    for form in icc.FORMS:
        assert other[form].estimate == pytest.approx(found[form].estimate, rel=1e-6, abs=1e-9)


def test_levels_of_raters_count_against_absolute_agreement_alone():
    rng = np.random.default_rng(2)
    values = planted(rng, r=0)
    moved = values + np.arange(10)[:, None]
    one, other = icc.forms(values), icc.forms(moved)
    assert other["3,1"].estimate == pytest.approx(one["3,1"].estimate)
    assert other["2,1"].estimate < one["2,1"].estimate - 0.1


def test_raters_who_all_agree_give_1_without_an_interval():
    values = np.tile([1.0, 2, 5, 3], (3, 1))
    for some in (values, np.where(np.eye(3, 4) == 1, np.nan, values)):
        for found in icc.forms(some).values():
            assert found.estimate == pytest.approx(1)
            assert (found.low, found.high) == (None, None)
    assert icc.icc(values + np.arange(3)[:, None], form="3,1").estimate == pytest.approx(1)


def test_stimuli_that_reml_puts_at_0_have_no_interval():
    rng = np.random.default_rng(11)
    found = [icc.icc(planted(rng, s=0, stimuli=8, raters=5, fill=0.8), form="2,1") for _ in range(12)]
    at_zero = [one for one in found if one.estimate == 0]
    assert at_zero
    assert all((one.low, one.high) == (None, None) for one in at_zero)


def test_a_design_of_disconnected_parts_has_no_common_two_way_icc():
    rng = np.random.default_rng(3)
    values = np.full((20, 30), np.nan)
    values[:10, :15], values[10:, 15:] = planted(rng, stimuli=15), planted(rng, stimuli=15)
    with pytest.raises(
        AgreementError, match=r"2 parts that share no rater and no stimulus.*report it by part"
    ):
        icc.icc(values, form="2,1")
    assert list(icc.forms(values)) == ["1,1", "1,k"]  # where every stimulus may have raters of its own
    assert design.describe(values).parts == 2
    assert icc.icc(values[:10], form="2,1").n_stimuli == 15


def test_in_the_real_faces_every_rater_saw_one_sex(faces):
    female, male = faces["female_att"], faces["male_att"]
    values = np.full((400, 100), np.nan)
    values[:200, :50], values[200:, 50:] = female, male
    assert design.describe(values).parts == 2
    assert design.describe(female).parts == 1


def test_what_has_no_icc_is_refused():
    with pytest.raises(AgreementError, match="1 raters of 3 stimuli"):
        icc.icc([[1, 2, 3]], form="1,1")
    with pytest.raises(AgreementError, match="2 raters of 1 stimuli"):
        icc.icc([[1], [3]], form="1,1")
    with pytest.raises(AgreementError, match="all 4 ratings are 2"):
        icc.icc([[2, 2], [2, 2]], form="1,1")
    with pytest.raises(AgreementError, match="no stimulus has ratings by two"):
        icc.icc([[1, np.nan], [np.nan, 2]], form="1,1")
    with pytest.raises(AgreementError, match="no ratings yet"):
        icc.forms([[np.nan]])
    with pytest.raises(AgreementError, match=r"shape \(raters, stimuli\)"):
        icc.forms([1, 2])
    with pytest.raises(AgreementError, match="means of all stimuli are the same"):
        icc.forms([[1, 2], [2, 1]])
    with pytest.raises(AgreementError, match="leave nothing to tell error"):
        icc.icc([[1, 2, np.nan], [np.nan, 2.5, 3]], form="2,1")
    assert list(icc.forms([[1, 2, np.nan], [np.nan, 2.5, 3]])) == ["1,1", "1,k"]
