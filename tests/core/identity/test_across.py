"""Rank agreement across models: against SciPy."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from core.errors import AgreementError
from core.identity import across


def told(values, identities=None, **options):
    models = [f"m{at}" for at in range(len(values))]
    identities = list(range(np.shape(values)[1])) if identities is None else identities
    return across.robustness(models, values, identities, rng=np.random.default_rng(0), **options)


@pytest.mark.parametrize("decimals", [8, 1])  # without ties and with many
@pytest.mark.parametrize("models", [2, 3, 5])
def test_spearman_and_w_are_scipys(models, decimals):
    rng = np.random.default_rng(models)
    values = np.round(rng.normal(size=40) + rng.normal(size=(models, 40)), decimals)
    found = told(values)
    for (one, other), i, j in zip(
        found.spearman, *zip(*combinations(range(models), 2), strict=True), strict=True
    ):
        assert (one, other) == (f"m{i}", f"m{j}")
        expected = stats.spearmanr(values[i], values[j]).statistic
        assert found.spearman[one, other].estimate == pytest.approx(expected)
    mean = np.mean([one.estimate for one in found.spearman.values()])
    assert found.mean_spearman.estimate == pytest.approx(mean)
    friedman = stats.friedmanchisquare(*values.T).statistic  # = models (edits - 1) W, corrected for ties
    assert found.kendall_w.estimate == pytest.approx(friedman / (models * 39))


def test_models_that_order_alike_agree_wholly():
    values = np.linspace(0, 1, 12)
    found = told([values, values**3, np.exp(values)])
    assert found.kendall_w.estimate == pytest.approx(1)
    assert found.mean_spearman.estimate == pytest.approx(1)


def test_intervals_resample_identities():
    rng = np.random.default_rng(4)
    identity = np.repeat(np.arange(12), 5)
    shared = rng.normal(size=12)[identity]  # edits of one person are like each other for both models
    values = shared + 0.3 * rng.normal(size=(2, 60))
    clustered, loose = told(values, identity.tolist()), told(values)
    width = [one.mean_spearman.high - one.mean_spearman.low for one in (clustered, loose)]
    assert width[0] > 1.2 * width[1]
    assert clustered.mean_spearman.low < clustered.mean_spearman.estimate < clustered.mean_spearman.high
    assert told(values, (identity % 4).tolist()).kendall_w.low is None


def test_an_edit_that_a_model_does_not_know_is_left_out_for_all():
    values = np.random.default_rng(1).normal(size=(2, 10))
    values[0, 3] = np.nan
    rest = np.delete(values, 3, axis=1)
    assert told(values).mean_spearman.estimate == pytest.approx(stats.spearmanr(*rest).statistic)
    assert told(values).mean_spearman.n_stimuli == 9


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[0.1, 0.2, 0.3]], "at least 2 models"),
        ([[0.1, 0.2, np.nan], [0.1, 0.2, 0.3]], "2 edits have a similarity"),
        ([[0.1, 0.2, 0.3], [0.5, 0.5, 0.5]], "m1: all similarities are 0.5"),
    ],
)
def test_what_cannot_be_ranked_is_said(values, said):
    with pytest.raises(AgreementError, match=said):
        told(np.array(values))
