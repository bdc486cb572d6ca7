import krippendorff as package
import numpy as np
import pytest
from scipy import stats

from core.agreement import bootstrap, chance, icc, krippendorff, resampling, weighted
from core.errors import AgreementError

SCALE = (1, 2, 3, 4, 5)
ALPHAS = [name for name in weighted.NAMES if name.startswith("alpha")]
CHANCE = {
    "fleiss_kappa": chance.fleiss,
    "gwet_ac1": chance.gwet,
    "brennan_prediger": chance.brennan_prediger,
}
ICCS = [name for name in weighted.NAMES if name.startswith("icc")]


def ratings(seed, raters=6, stimuli=15, missing=0.25, level=0.0):
    rng = np.random.default_rng(seed)
    values = 3 + rng.normal(size=stimuli) + rng.normal(0, level, (raters, 1))
    values = np.clip(np.round(values + rng.normal(size=(raters, stimuli))), 1, 5)
    return np.where(rng.random(values.shape) < missing, np.nan, values)


def at(values, name, v=None, w=None):
    v = np.ones(values.shape[1]) if v is None else v
    w = np.ones(values.shape[0]) if w is None else w
    return weighted.statistic(values, name, categories=SCALE)(v[None].astype(float), w[None].astype(float))[0]


def test_weights_of_1_give_the_statistic_itself():
    values, complete = ratings(0), ratings(1, missing=0)
    for name in ALPHAS:
        expected = krippendorff.alpha(values, level=name.removeprefix("alpha_"), resamples=0).estimate
        assert at(values, name) == pytest.approx(expected, abs=1e-12)
    for name, function in CHANCE.items():
        assert at(values, name) == pytest.approx(function(values, categories=SCALE).estimate, abs=1e-12)
    for name, found in zip(ICCS, icc.forms(complete).values(), strict=True):
        assert at(complete, name) == pytest.approx(found.estimate, abs=1e-12)


def test_a_stimulus_that_was_drawn_often_counts_like_copies_of_it():
    values, complete = ratings(2), ratings(3, missing=0)
    v = np.random.default_rng(4).multinomial(15, np.ones(15) / 15)
    copies = np.repeat(values, v, axis=1)
    for name in ALPHAS:
        level = name.removeprefix("alpha_")
        assert at(values, name, v) == pytest.approx(package.alpha(copies, level_of_measurement=level))
    for name, function in CHANCE.items():
        assert at(values, name, v) == pytest.approx(function(copies, categories=SCALE).estimate)
    for name, found in zip(ICCS, icc.forms(np.repeat(complete, v, axis=1)).values(), strict=True):
        assert at(complete, name, v) == pytest.approx(found.estimate)


def test_tables_of_many_values_are_kept_sparse_and_give_the_same(monkeypatch):
    values = ratings(13)
    v, w = np.random.default_rng(14).integers(0, 3, size=15), np.array([2, 0, 3, 1, 0, 1])
    dense = [at(values, name, v, w) for name in (*ALPHAS, *CHANCE)]
    monkeypatch.setattr(weighted, "_DENSE_CELLS", 0)
    assert [at(values, name, v, w) for name in (*ALPHAS, *CHANCE)] == pytest.approx(dense)


def test_a_rater_who_was_drawn_twice_is_never_paired_with_themselves():
    values = ratings(5)
    v = np.random.default_rng(6).multinomial(15, np.ones(15) / 15)
    w = np.array([2, 0, 3, 1, 0, 0])
    drawn = np.repeat(np.arange(6), w)
    agreeing, shares = [], []
    for u, times in enumerate(v):
        pairs = [
            values[i, u] == values[j, u]
            for i in drawn
            for j in drawn
            if i != j and np.isfinite(values[[i, j], u]).all()
        ]
        given = values[drawn, u]
        given = given[np.isfinite(given)]
        if len(given):
            shares += [[(given == c).mean() for c in SCALE]] * times
        if pairs:
            agreeing += [np.mean(pairs)] * times
    pi = np.mean(shares, axis=0)
    fleiss = (np.mean(agreeing) - pi @ pi) / (1 - pi @ pi)
    assert at(values, "fleiss_kappa", v, w) == pytest.approx(fleiss)
    ac1 = (np.mean(agreeing) - pi @ (1 - pi) / 4) / (1 - pi @ (1 - pi) / 4)
    assert at(values, "gwet_ac1", v, w) == pytest.approx(ac1)


def test_copies_of_raters_would_raise_alpha_and_weights_do_not():
    # Five raters, alpha near .34: what a bootstrap of copied rows gives was seen to rise to about .47.
    values = ratings(7, raters=5, stimuli=60, missing=0, level=0.6)
    point = krippendorff.alpha(values, level="interval", resamples=0).estimate
    weights = bootstrap.draws(5, 400, rng=np.random.default_rng(8))
    copied = [
        package.alpha(np.repeat(values, w, axis=0), level_of_measurement="interval")
        for w in weights[:200].astype(int)
        if (w > 0).sum() > 1
    ]
    found = weighted.statistic(values, "alpha_interval")(np.ones((1, 60)), weights)
    assert np.mean(copied) > point + 0.08
    assert np.nanmean(found) == pytest.approx(point, abs=0.03)


@pytest.mark.parametrize("name", weighted.NAMES)
@pytest.mark.parametrize("over", ["stimuli", "raters", "both"])
def test_every_statistic_has_an_interval_over_every_scheme_and_the_same_seed_repeats_it(name, over):
    values = ratings(9, missing=0, level=0.4)
    for kind in ("percentile", "bca"):
        one, other = (
            resampling.estimate(
                values,
                name,
                over=over,
                kind=kind,
                categories=SCALE,
                resamples=100,
                rng=np.random.default_rng(1),
            )
            for _ in range(2)
        )
        assert one == other
        assert one.low < one.estimate < one.high
        assert "bootstrap over" in one.method


@pytest.mark.parametrize("function", [np.mean, np.var])
def test_the_bca_interval_is_scipys(function):
    data = np.random.default_rng(10).exponential(size=30)
    oracle = stats.bootstrap((data,), function, method="BCa", n_resamples=999, rng=np.random.default_rng(11))
    left_out = np.array([function(np.delete(data, i)) for i in range(30)])
    found = bootstrap.accelerated(oracle.bootstrap_distribution, function(data), left_out)
    assert found == pytest.approx(tuple(oracle.confidence_interval), rel=1e-3)


def test_intervals_cover_what_their_scheme_speaks_of():
    # 100 runs: three standard errors of .95 are 6.5 %. A thousand: tests/benchmarks/simulate_bootstrap.py.
    rng = np.random.default_rng(12)
    covered = dict.fromkeys(["stimuli", "raters", "both"], 0)
    for _ in range(100):
        a, b = rng.normal(size=50), rng.normal(0, 0.55, 10)
        values = a + b[:, None] + rng.normal(0, 1.22, (10, 50))
        r, e = 0.55**2, 1.22**2
        planted = {
            "stimuli": 1 - (e + b.var(ddof=1)) / (1 + e + b.var()),
            "raters": a.var() / (a.var() + r + e),
            "both": 1 / (1 + r + e),
        }
        statistic = weighted.statistic(values, "alpha_interval")
        for over, truth in planted.items():
            low, high = bootstrap.interval(
                statistic, stimuli=50, raters=10, over=over, resamples=300, rng=rng
            )
            covered[over] += low <= truth <= high
    assert all(n >= 86 for n in covered.values())


def test_what_cannot_be_resampled_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(AgreementError, match=r"has 3 to draw from \(raters\)"):
        resampling.estimate(ratings(0, raters=3), "alpha_nominal", over="raters", rng=rng)
    with pytest.raises(AgreementError, match="it needs 5"):
        resampling.estimate(ratings(0, raters=3), "alpha_nominal", over="both", rng=rng)
    with pytest.raises(AgreementError, match="design is incomplete"):
        resampling.estimate(ratings(0), "icc_2_1", over="stimuli", rng=rng)
    with pytest.raises(AgreementError, match="depends on the full scale"):
        resampling.estimate(ratings(0), "gwet_ac1", over="stimuli", rng=rng)
    with pytest.raises(AgreementError, match="bootstrap of 0 resamples"):
        resampling.estimate(ratings(0), "alpha_nominal", over="stimuli", rng=rng, resamples=0)


def test_draws_that_leave_one_rater_have_no_value():
    assert np.isnan(at(ratings(0, missing=0), "icc_2_1", w=np.array([6, 0, 0, 0, 0, 0])))
    assert np.isnan(at(ratings(0), "alpha_nominal", w=np.array([6, 0, 0, 0, 0, 0])))
    assert np.isnan(at(ratings(0), "fleiss_kappa", w=np.array([6, 0, 0, 0, 0, 0])))
