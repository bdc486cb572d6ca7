import numpy as np
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score

from core.agreement import continuous, difference, measures
from core.errors import AgreementError

ORACLES = {
    "pearson": lambda x, y: continuous.pearson(x, y).estimate,
    "spearman": lambda x, y: continuous.spearman(x, y).estimate,
    "concordance": lambda x, y: continuous.concordance(x, y).estimate,
    "rmse": lambda x, y: difference.rmse(x, y).estimate,
    "mae": lambda x, y: difference.mae(x, y).estimate,
    "sagr": lambda x, y: difference.sagr(x, y).estimate,
    "accuracy": accuracy_score,
    "kappa": cohen_kappa_score,
}


@pytest.mark.parametrize("measure", measures.MEASURES)
def test_a_stimulus_that_counts_often_counts_like_copies_of_it(measure):
    rng = np.random.default_rng(0)
    if measure in measures.LABELS:
        x, y = rng.integers(4, size=(2, 30)).astype(float)
    else:
        x = rng.normal(size=30)
        y = 0.5 + x + rng.normal(size=30)
    v = rng.multinomial(30, np.ones(30) / 30, size=5)
    found = measures.weighted(x, y, measure)(v.astype(float))
    assert found == pytest.approx([ORACLES[measure](np.repeat(x, row), np.repeat(y, row)) for row in v])
    missing = np.append(x, np.nan)
    assert measures.value(missing, np.append(y, 1), measure) == pytest.approx(ORACLES[measure](x, y))


def test_what_is_undefined_is_nan_and_no_number():
    one = np.array([1.0, 1, 1])
    for measure in ("pearson", "spearman", "concordance", "kappa"):
        assert np.isnan(measures.value(one, one, measure))
    assert np.isnan(measures.value(one, np.full(3, np.nan), "mae"))
    with pytest.raises(AgreementError, match="no pairs"):
        measures.value(one, one[:2], "mae")
