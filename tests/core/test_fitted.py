"""fitted: planted truths come back, noise explains nothing, and no identity leaks into its own prediction."""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict

from core import fitted
from core.errors import AgreementError

N_IDENTITIES, PER = 40, 6
NAMES = [f"id{number:02d}" for number in range(N_IDENTITIES) for _ in range(PER)]
N = len(NAMES)


def seeded(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def embedded(dimensions: int = 32, seed: int = 1) -> np.ndarray:
    x = seeded(seed).normal(size=(N, dimensions))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def planted(x: np.ndarray, share: float, seed: int = 2) -> np.ndarray:
    """Ratings around 60 whose variance is explained by the embeddings to that share."""
    rng = seeded(seed)
    signal = x @ rng.normal(size=x.shape[1])
    signal, noise = signal / signal.std(), rng.normal(size=len(x))
    return 60 + 9 * (np.sqrt(share) * signal + np.sqrt(1 - share) * noise)


def test_a_linear_signal_without_noise_is_recovered() -> None:
    x = embedded()
    y = planted(x, 1.0)
    found = fitted.fit(x, y, NAMES, rng=seeded())
    assert found.r2 > 0.999
    np.testing.assert_allclose(found.predictions, y, atol=1.0)
    assert (found.n, found.n_identities, len(found.alphas)) == (N, N_IDENTITIES, 5)


@pytest.mark.parametrize("share", [0.8, 0.5])
def test_the_planted_share_of_variance_lies_in_the_interval(share: float) -> None:
    x = embedded(dimensions=8)
    found = fitted.fit(x, planted(x, share), NAMES, rng=seeded())
    assert found.low is not None
    assert found.high is not None
    assert found.low < share < found.high
    assert found.low < found.r2 < found.high


def test_noise_explains_nothing_whatever_the_dimensions() -> None:
    values = [
        fitted.fit(embedded(dimensions, seed), planted(embedded(4), 0.0, seed), NAMES, rng=seeded()).r2
        for seed, dimensions in enumerate((4, 32, 512), start=10)
    ]
    assert max(values) < 0.05
    assert min(values) > -0.2  # the strongest penalty predicts the mean


def test_an_identity_that_alone_predicts_does_not_leak() -> None:
    # Every picture of a person has nearly one embedding and nearly one rating, and persons have nothing in
    # common. Ordinary folds put the same person on both sides and look perfect; by identity nothing is left.
    rng = seeded(7)
    of = np.repeat(np.arange(N_IDENTITIES), PER)
    x = rng.normal(size=(N_IDENTITIES, 64))[of] + 0.01 * rng.normal(size=(N, 64))
    y = rng.normal(size=N_IDENTITIES)[of] + 0.01 * rng.normal(size=N)
    leaking = cross_val_predict(Ridge(1e-3), x, y, cv=KFold(5, shuffle=True, random_state=0))
    assert r2_score(y, leaking) > 0.95
    assert fitted.fit(x, y, NAMES, rng=seeded()).r2 <= 0.0


def test_a_prediction_does_not_depend_on_the_ratings_of_its_own_identity() -> None:
    x = embedded()
    y = planted(x, 0.6)
    changed = y.copy()
    own = np.array(NAMES) == "id03"
    changed[own] = -1000.0
    before, after = (fitted.fit(x, values, NAMES, rng=seeded()).predictions for values in (y, changed))
    np.testing.assert_array_equal(before[own], after[own])
    assert not np.allclose(before[~own], after[~own], atol=1.0)


@pytest.mark.parametrize("dimensions", [5, 60, 90])
def test_ridge_is_that_of_scikit_learn(dimensions: int) -> None:
    rng = seeded(3)
    x, y, w = rng.normal(size=(60, dimensions)), rng.normal(size=60), rng.integers(1, 20, 60).astype(float)
    new = rng.normal(size=(7, dimensions))
    centred = (x - np.average(x, axis=0, weights=w)) * np.sqrt(w)[:, None]
    for alpha in (1e-3, 0.1, 10.0):
        oracle = Ridge(alpha * (centred**2).sum()).fit(x, y, sample_weight=w)
        found = fitted._ridge(x, y, w, new, np.array([alpha]))[:, 0]
        np.testing.assert_allclose(found, oracle.predict(new), rtol=1e-6)


def test_r2_is_that_of_scikit_learn_on_the_out_of_fold_predictions() -> None:
    x = embedded()
    y, w = planted(x, 0.5), seeded(4).integers(1, 30, N).astype(float)
    found = fitted.fit(x, y, NAMES, rng=seeded(), weights=w)
    assert found.r2 == pytest.approx(r2_score(y, found.predictions, sample_weight=w), abs=1e-12)


def test_folds_hold_whole_identities_and_are_as_even_as_scikit_learns() -> None:
    sizes = seeded(5).integers(1, 12, 30)
    group = np.repeat(np.arange(30), sizes)
    fold = fitted._folds(group, np.ones(len(group), bool), 5)
    assert all(len(set(fold[group == identity])) == 1 for identity in range(30))
    oracle = [len(test) for _, test in GroupKFold(5).split(group, groups=group)]
    assert sorted(np.bincount(fold)) == sorted(oracle)


def test_what_nobody_rated_is_predicted_and_what_has_no_embedding_is_not() -> None:
    x = embedded()
    y = planted(x, 0.9)
    truth = y.copy()
    y[:PER], y[20] = np.nan, np.nan  # a whole identity, and one picture of another
    x[30] = np.nan
    found = fitted.fit(x, y, NAMES, rng=seeded())
    assert found.n == N - PER - 2
    assert found.n_identities == N_IDENTITIES - 1
    assert np.isnan(found.predictions[30])
    assert np.isfinite(np.delete(found.predictions, 30)).all()
    assert np.corrcoef(found.predictions[:PER], truth[:PER])[0, 1] > 0.5


def test_neither_the_order_of_stimuli_nor_the_units_change_the_result() -> None:
    x = embedded()
    y = planted(x, 0.5)
    found = fitted.fit(x, y, NAMES, rng=seeded())
    scaled = fitted.fit(x * 50, 3 * y - 7, NAMES, rng=seeded())
    assert scaled.r2 == pytest.approx(found.r2, abs=1e-9)
    assert scaled.alphas == found.alphas
    np.testing.assert_allclose(scaled.predictions, 3 * found.predictions - 7)
    order = seeded(6).permutation(N)
    turned = fitted.fit(x[order], y[order], [NAMES[place] for place in order], rng=seeded())
    np.testing.assert_allclose(turned.predictions, found.predictions[order])
    assert (turned.low, turned.high) == pytest.approx((found.low, found.high))


def test_a_stimulus_of_weight_two_counts_as_two_that_are_alike() -> None:
    x = embedded()
    y = planted(x, 0.5)
    once = fitted._ridge(x, y, np.where(np.arange(N) < 9, 2.0, 1.0), x, np.array([0.1]))
    twice = fitted._ridge(np.vstack([x[:9], x]), np.append(y[:9], y), np.ones(N + 9), x, np.array([0.1]))
    np.testing.assert_allclose(once, twice)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (slice(0, 49), "found 49 rated stimuli of 9 identities; a fitted rater needs 50 of 10"),
        (slice(0, 54), "found 54 rated stimuli of 9 identities"),
    ],
)
def test_too_few_stimuli_or_identities_are_refused(rows: slice, message: str) -> None:
    x = embedded()
    with pytest.raises(AgreementError, match=message):
        fitted.fit(x[rows], planted(x, 1.0)[rows], NAMES[rows], rng=seeded())
    fitted.fit(x[:60], planted(x, 1.0)[:60], NAMES[:60], rng=seeded())


def test_embeddings_that_are_all_alike_predict_the_mean() -> None:
    found = fitted.fit(np.ones((N, 4)), planted(embedded(), 1.0), NAMES, rng=seeded())
    assert found.r2 == pytest.approx(0, abs=0.05)
    assert found.r2 <= 0
    assert np.isfinite(found.predictions).all()


def test_constant_ratings_and_arrays_that_do_not_fit_are_refused() -> None:
    x = embedded()
    with pytest.raises(AgreementError, match="the same mean rating"):
        fitted.fit(x, np.full(N, 3.0), NAMES, rng=seeded())
    with pytest.raises(AgreementError, match="one of each for every stimulus"):
        fitted.fit(x, np.ones(N - 1), NAMES, rng=seeded())


def test_the_document_states_the_numbers_and_sources_of_the_code() -> None:
    text = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8")
    _, section = text.split("## A rater fitted in the study")
    section = section.split("\n## ")[0]
    assert f"{fitted.MIN_STIMULI} rated stimuli of {fitted.MIN_IDENTITIES} identities" in section
    assert f"{fitted.FOLDS} folds" in section
    assert f"{fitted.INNER_FOLDS} folds" in section
    assert f"{fitted.RESAMPLES:,} resamples" in section
    documented = " ".join((fitted.fit.__doc__ or "").split() + (fitted._ridge.__doc__ or "").split())
    cited = re.findall(r"[A-Z]\w+(?: & \w+)? \(\d{4}\)", documented)
    assert len(cited) == 3
    assert [source for source in cited if source not in section] == []
