import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from core.agreement import difference
from core.errors import AgreementError

numbers = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=3, max_size=30)


def test_sagr_matches_the_worked_example(examples):
    example = examples["formula_checks"]["sagr"]
    found = difference.sagr(example["x"], example["y"])
    assert found.estimate == example["SAGR"]  # the 0 of one meets -0.1 of the other: no agreement
    assert difference.sagr([0, 0, 1], [0, -1, 2]).estimate == pytest.approx(2 / 3)


@given(numbers)
@settings(deadline=None, max_examples=30)
def test_mae_and_rmse_match_scikit_learn(data):
    x, y = np.array(data, dtype=float).T
    for function, oracle in (
        (difference.mae, metrics.mean_absolute_error),
        (difference.rmse, metrics.root_mean_squared_error),
    ):
        found = function(x, y)
        assert found.estimate == pytest.approx(oracle(x, y))
        assert found.low <= found.estimate <= found.high
        assert function(y, x).estimate == found.estimate
        assert function(x, x).estimate == 0


def test_intervals_cover_the_planted_value_as_often_as_they_say():
    rng = np.random.default_rng(0)
    covered = np.zeros(3)
    # Two standard normals with correlation .8 have one sign with probability 1/2 + arcsin(.8)/pi.
    planted = (0.5 + np.arcsin(0.8) / np.pi, 0.5 * np.sqrt(2 / np.pi), 0.5)
    for _ in range(1000):
        x, other, error = rng.normal(size=(3, 50))
        found = (
            difference.sagr(x, 0.8 * x + 0.6 * other),
            difference.mae(x, x + 0.5 * error),
            difference.rmse(x, x + 0.5 * error),
        )
        covered += [one.low <= truth <= one.high for one, truth in zip(found, planted, strict=True)]
    assert ((covered >= 910) & (covered <= 975)).all()


def test_a_missing_value_drops_its_pair_only():
    x, y = [1, 2, np.nan, 4, 5.0], [1, 3, 5, np.nan, 4.0]
    for function in (difference.sagr, difference.mae, difference.rmse):
        assert function(x, y) == function([1, 2, 5], [1, 3, 4])
        with pytest.raises(AgreementError, match="2 stimuli have both values"):
            function([1, 2], [1, 2])
