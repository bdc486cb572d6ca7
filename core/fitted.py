"""A rater fitted in the study: ridge regression from embeddings to people's mean ratings of one scale.

Every prediction comes from a model that saw no picture of the same identity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.agreement import bootstrap
from core.agreement.estimate import Floats, Ints
from core.errors import AgreementError

Mask = NDArray[np.bool_]

MIN_STIMULI = 50
MIN_IDENTITIES = 10
FOLDS, INNER_FOLDS = 5, 4
RESAMPLES = 2000
# Relative to the embeddings' total variance; at the last one every prediction is the mean.
PENALTIES: Floats = np.concatenate([np.geomspace(1e-5, 1e2, 22), [1e9]])


@dataclass(frozen=True)
class Fitted:
    """Out-of-fold predictions of one scale, and how good they are.

    predictions: shape (stimuli,), in the units of the ratings; NaN where there is no embedding.
    r2, low, high: over the rated stimuli, and the ends of its interval.
    alphas: the penalty of each fold, relative to the embeddings' total variance.
    """

    predictions: Floats
    r2: float
    low: float | None
    high: float | None
    n: int
    n_identities: int
    alphas: tuple[float, ...]
    method: str


def fit(
    embeddings: Floats,
    ratings: Floats,
    identities: Sequence[str],
    *,
    rng: np.random.Generator,
    weights: Floats | None = None,
    confidence: float = 0.95,
) -> Fitted:
    """Ridge regression of mean ratings on embeddings, cross-validated by identity.

    embeddings: shape (stimuli, dimensions); a row with NaN is a stimulus without an embedding.
    ratings: shape (stimuli,), any units; NaN where nobody rated. Such a stimulus trains nothing but
        is predicted.
    weights: shape (stimuli,), how many ratings each mean rests on; without them all count alike.
    The penalty of each fold is chosen by another cross-validation by identity inside its training set.
    R2 = 1 - sum w (y - p)^2 / sum w (y - mean)^2 over the rated stimuli, at most 1, about or below 0
    where the embeddings say nothing. Its interval is a percentile bootstrap over identities with the
    predictions kept: it leaves out that another sample would have fitted another model.
    Raises AgreementError below 50 rated stimuli or 10 identities, and for constant ratings.
    Source: Hoerl & Kennard (1970), Technometrics 12, 55-67; Stone (1974), Journal of the Royal
    Statistical Society B 36, 111-147.
    """
    x, y, w, group = _checked(embeddings, ratings, identities, weights)
    usable: Mask = np.asarray(np.isfinite(x).all(axis=1))
    rated: Mask = usable & np.isfinite(y) & (w > 0)
    _refuse(y[rated], group[rated])
    fold = _folds(group, rated, FOLDS)
    predictions = np.full(len(y), np.nan)
    alphas = []
    for train, test in _splits(fold, rated, usable):
        alpha = _penalty(x[train], y[train], w[train], group[train])
        predictions[test] = _ridge(x[train], y[train], w[train], x[test], np.array([alpha]))[:, 0]
        alphas.append(alpha)
    r2, low, high = _r2(y[rated], predictions[rated], w[rated], group[rated], rng, confidence)
    n_identities = len(np.unique(group[rated]))
    method = (
        f"ridge regression, {FOLDS} folds by identity, the penalty chosen in {INNER_FOLDS} folds by identity "
        f"inside each; R2 out of fold; percentile bootstrap over identities, {RESAMPLES} resamples"
    )
    return Fitted(predictions, r2, low, high, int(rated.sum()), n_identities, tuple(alphas), method)


def _checked(
    embeddings: Floats, ratings: Floats, identities: Sequence[str], weights: Floats | None
) -> tuple[Floats, Floats, Floats, Ints]:
    x, y = np.asarray(embeddings, np.float64), np.asarray(ratings, np.float64)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, np.float64)
    if x.ndim != 2 or not len(x) == len(y) == len(identities) == len(w):
        raise AgreementError(
            f"found embeddings of shape {x.shape}, {len(y)} ratings, {len(identities)} identities and "
            f"{len(w)} weights; needed is one of each for every stimulus"
        )
    _, group = np.unique(np.asarray(identities), return_inverse=True)
    return x, y, np.nan_to_num(w), group.astype(np.int64)


def _refuse(ratings: Floats, group: Ints) -> None:
    n_identities = len(np.unique(group))
    if len(ratings) < MIN_STIMULI or n_identities < MIN_IDENTITIES:
        raise AgreementError(
            f"found {len(ratings)} rated stimuli of {n_identities} identities; a fitted rater needs "
            f"{MIN_STIMULI} of {MIN_IDENTITIES}: collect ratings of more stimuli first"
        )
    if np.ptp(ratings) == 0:
        raise AgreementError(f"all {len(ratings)} stimuli have the same mean rating; there is nothing to fit")


def _folds(group: Ints, rated: Mask, count: int) -> Ints:
    """The fold of each stimulus: whole identities, the largest first, each into the smallest fold so far."""
    sizes = np.bincount(group, weights=rated, minlength=group.max() + 1)
    totals, of = np.zeros(count), np.zeros(len(sizes), np.int64)
    for identity in np.argsort(-sizes, kind="stable"):
        of[identity] = totals.argmin()
        totals[of[identity]] += sizes[identity]
    return of[group]


def _splits(fold: Ints, train: Mask, test: Mask) -> Iterator[tuple[Mask, Mask]]:
    """For each fold, what trains and what is predicted."""
    for number in range(fold.max() + 1):
        yield (fold != number) & train, (fold == number) & test


def _penalty(x: Floats, y: Floats, w: Floats, group: Ints) -> float:
    """The penalty with the smallest squared error out of fold, among these identities alone."""
    everything = np.ones(len(y), bool)
    _, group = np.unique(group, return_inverse=True)
    errors = np.zeros(len(PENALTIES))
    for train, test in _splits(_folds(group, everything, INNER_FOLDS), everything, everything):
        predicted = _ridge(x[train], y[train], w[train], x[test], PENALTIES)
        errors += w[test] @ (predicted - y[test, None]) ** 2
    return float(PENALTIES[errors.argmin()])


def _ridge(x: Floats, y: Floats, w: Floats, new: Floats, alphas: Floats) -> Floats:
    """Weighted ridge regression, the mean not penalised: predictions of `new`, a column for each penalty.

    Source: Hastie, Tibshirani & Friedman (2009), The Elements of Statistical Learning, section 3.4.1.
    """
    centre, level = np.average(x, axis=0, weights=w), np.average(y, weights=w)
    root = np.sqrt(w)
    c, t, z = (x - centre) * root[:, None], (y - level) * root, new - centre
    # Few stimuli: the dual form, whose matrix is the smaller one; both give the same predictions.
    gram, left, right = (c.T @ c, z, c.T @ t) if len(x) >= x.shape[1] else (c @ c.T, z @ c.T, t)
    values, vectors = np.linalg.eigh(gram)
    # From one decomposition the solutions for all penalties.
    divisors = np.maximum(values, 0)[:, None] + alphas * np.trace(gram)
    slopes = (vectors.T @ right)[:, None] / np.maximum(divisors, np.finfo(float).tiny)
    predicted: Floats = level + (left @ vectors) @ slopes
    return predicted


def _r2(
    y: Floats, predicted: Floats, w: Floats, group: Ints, rng: np.random.Generator, confidence: float
) -> tuple[float, float | None, float | None]:
    """R2 and the interval from drawing identities with replacement."""
    _, group = np.unique(group, return_inverse=True)
    centred = y - np.average(y, weights=w)  # sums of squares stay exact
    parts = (w, w * centred, w * centred**2, w * (y - predicted) ** 2)
    sums = np.stack([np.bincount(group, weights=part) for part in parts], axis=1)
    drawn = bootstrap.draws(len(sums), RESAMPLES, rng=rng) @ sums
    low, high = bootstrap.percentile(_explained(drawn), confidence=confidence)
    return float(_explained(sums.sum(axis=0))), low, high


def _explained(sums: Floats) -> Floats:
    """1 - SS_residual / SS_total from the sums of w, w y, w y^2 and w (y - p)^2 on the last axis."""
    n, first, second, residual = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        explained: Floats = 1 - residual / (second - first**2 / n)
    return explained
