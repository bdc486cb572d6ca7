import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from core.agreement import adjusted, continuous
from core.errors import AgreementError


def faces(rng, identities=12, each=7):
    identity = np.repeat([f"id{k}" for k in range(identities)], each)
    model = rng.normal(size=len(identity))
    return 50 + 10 * model + rng.normal(0, 5, len(identity)), model, identity


def test_calibration_is_scikit_learns_line_with_one_identity_left_out():
    people, model, identity = faces(np.random.default_rng(0))
    found = adjusted.calibrated(people, model, identity)
    line = LinearRegression()
    expected = cross_val_predict(line, model[:, None], people, groups=identity, cv=LeaveOneGroupOut())
    assert found.values == pytest.approx(expected)
    line.fit(model[:, None], people)
    assert (found.slope, found.intercept) == pytest.approx((line.coef_[0], line.intercept_))
    assert (found.n_stimuli, found.n_identities) == (84, 12)


def test_calibrated_values_agree_in_units_that_the_raw_ones_do_not_have():
    people, model, identity = faces(np.random.default_rng(1))
    raw = continuous.concordance(people, model).estimate
    assert raw < 0.01
    calibrated = adjusted.calibrated(people, model, identity).values
    assert continuous.concordance(people, calibrated).estimate > 0.8
    unrelated = np.random.default_rng(2).normal(size=len(people))
    nothing = adjusted.calibrated(people, unrelated, identity).values
    assert continuous.pearson(people, nothing).estimate < 0.1  # no line is fitted to what it predicts


def test_a_stimulus_without_a_value_stays_without_one():
    people, model, identity = faces(np.random.default_rng(3))
    people[0], model[1] = np.nan, np.nan
    found = adjusted.calibrated(people, model, identity)
    assert np.isnan(found.values).nonzero()[0].tolist() == [0, 1]
    rest = adjusted.calibrated(people[2:], model[2:], identity[2:])
    assert found.values[2:] == pytest.approx(rest.values)


def test_change_is_from_the_identitys_own_neutral():
    values = [1, 3, 5, 10, 30, 7, np.nan, 8]
    identity = ["a", "a", "a", "b", "b", "c", "d", "d"]
    neutral = [True, False, False, True, False, False, True, False]
    found = adjusted.change_from_neutral(values, identity, neutral)
    assert found[[1, 2, 4]].tolist() == [2, 4, 20]
    assert np.isnan(found[[0, 3, 5, 6, 7]]).all()  # neutrals, and identities without a rated one
    two = adjusted.change_from_neutral([1, 3, 5], ["a"] * 3, [True, True, False])
    assert two[2] == 3


def test_correlation_within_emotions_is_that_of_what_emotions_leave_over():
    rng = np.random.default_rng(4)
    group = rng.integers(5, size=80)
    emotion = rng.normal(0, 5, 5)[group]
    x, y = emotion + rng.normal(size=80), emotion + rng.normal(size=80)
    found = adjusted.within(x, y, group)
    design = np.eye(5)[group]
    rest = [side - design @ np.linalg.lstsq(design, side, rcond=None)[0] for side in (x, y)]
    assert found.estimate == pytest.approx(np.corrcoef(rest)[0, 1])
    assert found.low < 0 < found.high
    assert continuous.pearson(x, y).estimate > 0.8
    assert adjusted.within(x, y, np.zeros(80)).estimate == pytest.approx(continuous.pearson(x, y).estimate)
    one = adjusted.within(x, y, np.zeros(80))
    other = continuous.pearson(x, y)
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_the_interval_within_groups_covers_the_planted_correlation():
    rng = np.random.default_rng(5)
    group = np.arange(60) % 6
    covered = 0
    for _ in range(1000):
        x, error = rng.normal(size=(2, 60))
        found = adjusted.within(x + group, 0.6 * x + 0.8 * error - group, group)
        covered += found.low <= 0.6 <= found.high
    assert 920 <= covered <= 970


def test_what_cannot_be_adjusted_is_refused():
    with pytest.raises(AgreementError, match="2 identities have both values"):
        adjusted.calibrated([1, 2, 3], [1, 2, 3], ["a", "b", "b"])
    with pytest.raises(AgreementError, match="do not vary over the other identities"):
        adjusted.calibrated([1, 2, 3], [1, 1, 2], ["a", "b", "c"])
    with pytest.raises(AgreementError, match="no pairs"):
        adjusted.calibrated([1, 2, 3], [1, 1], ["a", "b", "c"])
    with pytest.raises(AgreementError, match="no identity has a neutral"):
        adjusted.change_from_neutral([1, np.nan], ["a", "a"], [False, True])
    with pytest.raises(AgreementError, match="4 pairs in 4 groups"):
        adjusted.within([1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4])
    with pytest.raises(AgreementError, match="do not vary within groups"):
        adjusted.within([1, 1, 1, 2, 2], [1, 2, 3, 4, 5], [1, 1, 1, 2, 2])
