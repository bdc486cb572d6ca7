import numpy as np
import pytest
from scipy import optimize

from core.agreement import reml
from core.errors import AgreementError


def ratings(rng, *, raters=8, stimuli=12, s=1.0, r=0.5, e=1.0, fill=0.6, repeats=1):
    rater, stimulus = np.nonzero(rng.random((raters, stimuli)) < fill)
    rater, stimulus = np.repeat(rater, repeats), np.repeat(stimulus, repeats)
    values = rng.normal(0, s**0.5, stimuli)[stimulus] + rng.normal(0, r**0.5, raters)[rater]
    return rater, stimulus, values + rng.normal(0, e**0.5, len(rater))


def dense_likelihood(theta, rater, stimulus, y):
    """The restricted likelihood of Patterson and Thompson, written with matrices of all ratings."""
    same_stimulus, same_rater = stimulus[:, None] == stimulus, rater[:, None] == rater
    v = theta[0] * same_stimulus + theta[1] * same_rater + theta[2] * np.eye(len(y))
    inverse, one = np.linalg.inv(v), np.ones(len(y))
    information = one @ inverse @ one
    residual = y - (one @ inverse @ y) / information
    return -0.5 * (np.linalg.slogdet(v)[1] + np.log(information) + residual @ inverse @ residual)


@pytest.mark.parametrize(
    ("seed", "more"),
    [
        (0, {}),
        (1, {"raters": 15, "stimuli": 9}),
        (2, {"repeats": 2, "fill": 0.3}),
        (3, {"fill": 1.0}),
        (4, {"r": 0.01}),
    ],
)
def test_components_are_where_a_dense_likelihood_has_its_maximum(seed, more):
    data = ratings(np.random.default_rng(seed), **more)
    found = reml.components(*data)
    best = optimize.minimize(
        lambda theta: -dense_likelihood(theta, *data),
        x0=[1, 0.5, 1],
        bounds=[(0, None), (0, None), (1e-6, None)],
        options={"ftol": 1e-15, "gtol": 1e-10},
    )
    assert found.values == pytest.approx(best.x, abs=1e-4)
    assert dense_likelihood(found.values, *data) >= -best.fun - 1e-9
    assert found.log_likelihood == pytest.approx(dense_likelihood(found.values, *data), abs=1e-8)


def test_complete_designs_give_the_mean_square_estimates():
    rng = np.random.default_rng(5)
    values = rng.normal(size=20) + rng.normal(0, 0.7, (6, 1)) + rng.normal(size=(6, 20))
    rater, stimulus = np.indices(values.shape).reshape(2, -1)
    found = reml.components(rater, stimulus, values.ravel())
    of_stimuli, of_raters, grand = values.mean(axis=0), values.mean(axis=1), values.mean()
    msr, msc = 6 * of_stimuli.var(ddof=1), 20 * of_raters.var(ddof=1)
    mse = ((values - of_stimuli - of_raters[:, None] + grand) ** 2).sum() / (19 * 5)
    assert found.values == pytest.approx([(msr - mse) / 6, (msc - mse) / 20, mse], abs=1e-7)
    # The error's mean square has 95 degrees of freedom: its variance is 2 MSE^2 / 95.
    assert found.covariance[2, 2] == pytest.approx(2 * mse**2 / 95, rel=1e-6)


def test_names_of_raters_and_the_unit_of_ratings_are_irrelevant():
    rater, stimulus, value = ratings(np.random.default_rng(6))
    one = reml.components(rater, stimulus, value)
    names = np.array([f"r{9 - j}" for j in rater])
    other = reml.components(names, -stimulus, 100 - 10 * value)
    assert other.values == pytest.approx(100 * one.values, rel=1e-5)
    assert other.covariance == pytest.approx(10_000 * one.covariance, rel=1e-4, abs=1e-6)


def test_missing_values_are_left_out():
    rater, stimulus, value = ratings(np.random.default_rng(7))
    one = reml.components(rater, stimulus, value)
    other = reml.components([*rater, 0], [*stimulus, 0], [*value, np.nan])
    assert other.values.tolist() == one.values.tolist()


def test_planted_components_are_recovered_within_their_errors():
    data = ratings(np.random.default_rng(8), raters=60, stimuli=200, fill=0.2)
    found = reml.components(*data)
    errors = np.sqrt(np.diag(found.covariance))
    assert (np.abs(found.values - [1, 0.5, 1]) < 4 * errors).all()
    assert (errors < 0.25).all()


def test_sparse_and_dense_counts_of_cells_give_the_same(monkeypatch):
    data = ratings(np.random.default_rng(9))
    one = reml.components(*data).values
    monkeypatch.setattr(reml, "_DENSE_CELLS", 0)
    assert reml.components(*data).values == pytest.approx(one, abs=1e-10)


def test_what_has_no_components_is_refused():
    with pytest.raises(AgreementError, match="no ratings yet"):
        reml.components([1], [1], [np.nan])
    with pytest.raises(AgreementError, match="1 raters of 2 stimuli"):
        reml.components([1, 1], [1, 2], [1, 2])
    with pytest.raises(AgreementError, match="all 4 ratings are 3"):
        reml.components([1, 2, 1, 2], [1, 1, 2, 2], [3] * 4)
    with pytest.raises(AgreementError, match="each of 2 stimuli has one rating"):
        reml.components([1, 2], [1, 2], [3, 4], crossed=False)
    with pytest.raises(AgreementError, match="2 parts"):
        reml.components([1, 1, 2, 2], [1, 2, 3, 4], [3, 4, 1, 2])
    rater, stimulus = np.indices((4, 5)).reshape(2, -1)
    with pytest.raises(AgreementError, match="explain every rating"):
        reml.components(rater, stimulus, 2.0 * rater + stimulus**2)
