import numpy as np
import pytest

from core.agreement import bootstrap


def test_every_resample_holds_as_many_stimuli_as_there_are():
    draws = bootstrap.draws(12, 500, rng=np.random.default_rng(0))
    assert draws.shape == (500, 12)
    assert (draws.sum(axis=1) == 12).all()
    # Drawn with replacement a stimulus is left out with probability (11/12)^12 = .352; 4 SE of 6000.
    assert abs((draws == 0).mean() - (11 / 12) ** 12) < 4 * np.sqrt(0.352 * 0.648 / 6000)


def test_the_percentile_interval_is_numpys_quantiles_of_what_is_defined():
    samples = np.append(np.random.default_rng(1).normal(size=950), [np.nan] * 50)
    assert bootstrap.percentile(samples) == pytest.approx(np.nanquantile(samples, [0.025, 0.975]))
    assert bootstrap.percentile(samples, confidence=0.8) == pytest.approx(np.nanquantile(samples, [0.1, 0.9]))


def test_no_interval_comes_from_nothing_or_from_mostly_undefined_resamples():
    assert bootstrap.percentile(np.array([])) == (None, None)
    assert bootstrap.percentile(np.array([0.1] * 8 + [np.nan] * 2)) == (None, None)
