"""Raters with known levels, noise, drop-out and confusions: every statistic finds what was planted."""

import numpy as np
import pytest

from core.agreement import ceiling, chance, continuous, dawid_skene, icc, krippendorff, reml, wagner

STIMULI, RATERS = 300, 40
STIMULUS, LEVEL, NOISE = 1.0, 0.4, 1.1  # variances


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(0)
    truth = rng.normal(0, STIMULUS**0.5, STIMULI)
    levels = rng.normal(0, LEVEL**0.5, RATERS)
    values = truth + levels[:, None] + rng.normal(0, NOISE**0.5, (RATERS, STIMULI))
    # Everybody leaves at some point, and those who come last see the fewest.
    left = rng.integers(STIMULI // 5, STIMULI, size=RATERS)
    order = rng.permuted(np.tile(np.arange(STIMULI), (RATERS, 1)), axis=1)
    return truth, levels, np.where(order < left[:, None], values, np.nan)


@pytest.fixture(scope="module")
def labels():
    rng = np.random.default_rng(1)
    confusion = np.array([[0.8, 0.15, 0.05], [0.1, 0.7, 0.2], [0.05, 0.35, 0.6]])
    intended = rng.integers(3, size=STIMULI)
    drawn = rng.random((RATERS, STIMULI, 1)) > np.cumsum(confusion, axis=1)[intended]
    values = drawn.sum(axis=2).astype(float)
    return confusion, intended, np.where(rng.random(values.shape) < 0.3, np.nan, values)


def test_components_and_icc_are_found_through_drop_out(numbers):
    _, levels, values = numbers
    rater, stimulus = np.nonzero(np.isfinite(values))
    found = reml.components(rater, stimulus, values[rater, stimulus])
    errors = np.sqrt(np.diag(found.covariance))
    planted = [STIMULUS, levels.var(ddof=1), NOISE]
    assert (np.abs(found.values - planted) < 3.5 * errors).all()
    forms = icc.forms(values)
    assert forms["2,1"].low < STIMULUS / (STIMULUS + levels.var(ddof=1) + NOISE) < forms["2,1"].high
    assert forms["3,1"].low < STIMULUS / (STIMULUS + NOISE) < forms["3,1"].high


def test_alpha_of_intervals_is_the_planted_share_of_stimuli(numbers):
    _, levels, values = numbers
    found = krippendorff.alpha(values, level="interval", resamples=200, rng=np.random.default_rng(2))
    assert found.low < STIMULUS / (STIMULUS + levels.var(ddof=1) + NOISE) < found.high


def test_bias_of_a_model_and_the_ceiling_of_people_are_found(numbers):
    truth, _, values = numbers
    model = truth + 0.8
    means = np.nanmean(values, axis=0)
    found = continuous.bias(model, means)
    assert found.low < 0.8 - np.nanmean(values - truth) < found.high
    person = ceiling.human(values, measure="pearson").estimate
    assert person == pytest.approx(np.sqrt(STIMULUS / (STIMULUS + NOISE)), abs=0.06)
    assert continuous.pearson(model, means).estimate > person


def test_confusions_are_found_by_every_statistic_of_labels(labels):
    confusion, intended, values = labels
    share = np.bincount(intended, minlength=3) / STIMULI
    pi, agree = share @ confusion, float(share @ (confusion**2).sum(axis=1))
    fleiss = chance.fleiss(values, categories=range(3))
    assert fleiss.low < (agree - pi @ pi) / (1 - pi @ pi) < fleiss.high
    gwet, by_chance = chance.gwet(values, categories=range(3)), float((pi * (1 - pi)).sum() / 2)
    assert gwet.low < (agree - by_chance) / (1 - by_chance) < gwet.high
    hu = np.diagonal(confusion) ** 2 * share / pi
    for found, planted in zip(wagner.per_rater(values, intended, labels=("a", "b", "c")), hu, strict=True):
        assert found.mean == pytest.approx(planted, abs=0.03)
    rater, stimulus = np.nonzero(np.isfinite(values))
    consensus = dawid_skene.consensus(rater, stimulus, values[rater, stimulus].astype(int))
    # About 28 ratings tell the last two labels apart for all but a few stimuli.
    assert (np.array(consensus.modal) == intended).mean() > 0.97
    assert np.abs(consensus.error_rates.mean(axis=0) - confusion).max() < 0.03
