"""Do models agree which edits kept the person? Rank agreement, since their cosines are not comparable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy import stats

from core.agreement import bootstrap
from core.agreement.estimate import Estimate, Floats
from core.errors import AgreementError
from core.identity.report import Report
from core.identity.separation import RESAMPLES

MIN_MODELS = 2
MIN_EDITS = 3


@dataclass(frozen=True, slots=True)
class Robustness:
    """How alike models rank the same edits by their similarity to the reference."""

    models: tuple[str, ...]
    n_identities: int
    spearman: Mapping[tuple[str, str], Estimate]  # each pair of models once
    mean_spearman: Estimate
    kendall_w: Estimate


def robustness(
    models: Sequence[str],
    similarities: npt.ArrayLike,
    identities: Sequence[object],
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Robustness:
    """Spearman's correlation of each two models, their mean, and Kendall's W of all.

    similarities: shape (models, edits), each to its reference; an edit with NaN is dropped for all.
    identities: shape (edits,). Intervals resample identities and hold the ranks as they are in the whole.
    W = var(sum of ranks) / (models x sum of their variances), which is W corrected for ties.
    Raises AgreementError with fewer than 2 models or 3 edits, or where a model's values are all the same.
    Source: Spearman (1904), American Journal of Psychology 15, 72-101; Kendall & Babington Smith (1939),
    Annals of Mathematical Statistics 10, 275-287.
    """
    ranks, codes = _ranks(models, np.asarray(similarities, dtype=np.float64), identities)
    whole = _statistics(_sums(ranks, np.zeros(len(codes), np.int64)))
    n_identities = int(codes.max()) + 1
    draws = bootstrap.draws(n_identities, resamples, rng=rng)
    samples = _statistics(draws @ _sums(ranks, codes))
    method = (
        f"ranks of the whole set; percentile bootstrap of {resamples} resamples of {n_identities} identities"
    )

    def estimate(name: str, at: int) -> Estimate:
        low, high = (
            (None, None) if n_identities < bootstrap.MIN_STIMULI else bootstrap.percentile(samples[at])
        )
        return Estimate(
            float(whole[at, 0]), low, high, len(codes), len(models), ranks.size, f"{name}; {method}"
        )

    pairs = list(combinations(models, 2))
    return Robustness(
        tuple(models),
        n_identities,
        {pair: estimate("Spearman's rank correlation", at) for at, pair in enumerate(pairs)},
        estimate("mean of Spearman's rank correlations", len(pairs)),
        estimate("Kendall's W", len(pairs) + 1),
    )


def _ranks(
    models: Sequence[str], values: Floats, identities: Sequence[object]
) -> tuple[Floats, npt.NDArray[np.int64]]:
    if len(models) < MIN_MODELS or values.shape != (len(models), len(identities)):
        raise AgreementError(
            f"{len(models)} models and values of shape {values.shape}; rank agreement needs at least "
            f"{MIN_MODELS} models with one value for each edit"
        )
    complete = np.isfinite(values).all(axis=0)
    if complete.sum() < MIN_EDITS:
        raise AgreementError(
            f"{complete.sum()} edits have a similarity under every model; needed are at least {MIN_EDITS}"
        )
    values = values[:, complete]
    for model, row in zip(models, values, strict=True):
        if np.ptp(row) == 0:
            raise AgreementError(f"{model}: all similarities are {row[0]:g}; ranks need values that differ")
    known: dict[object, int] = {}
    codes = [known.setdefault(identities[at], len(known)) for at in np.flatnonzero(complete).tolist()]
    return stats.rankdata(values, axis=1), np.array(codes, dtype=np.int64)


def _sums(ranks: Floats, codes: npt.NDArray[np.int64]) -> Floats:
    """What covariances are made of, by identity: shape (identities, 1 + models + models^2)."""
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    products = (centred[:, None] * centred).reshape(-1, ranks.shape[1])
    each = np.concatenate([np.ones((1, ranks.shape[1])), centred, products]).T
    sums = np.zeros((int(codes.max()) + 1, each.shape[1]))
    np.add.at(sums, codes, each)
    return sums


def _statistics(sums: Floats) -> Floats:
    """Spearman's correlation of each two models, their mean, W: shape (statistics, resamples)."""
    m = round((-1 + (4 * sums.shape[1] - 3) ** 0.5) / 2)  # of 1 + m + m^2 columns
    n, totals, products = sums[:, :1], sums[:, 1 : m + 1], sums[:, m + 1 :].reshape(-1, m, m)
    means = totals / n
    covariance = products / n[:, None] - means[:, :, None] * means[:, None]
    variance = np.einsum("rii->ri", covariance)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = covariance / np.sqrt(variance[:, :, None] * variance[:, None])
        w = covariance.sum(axis=(1, 2)) / (m * variance.sum(axis=1))
    upper = correlation[:, *np.triu_indices(m, 1)]
    return np.column_stack([upper, upper.mean(axis=1), w]).T


def of_reports(
    reports: Sequence[Report], *, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Robustness:
    """The rank agreement of reports on one gallery.

    Raises AgreementError as `robustness` does.
    """
    values = [
        [image.reference.similarity if image.reference else np.nan for image in report.images]
        for report in reports
    ]
    identities = [image.identity_id for image in reports[0].images]
    return robustness([one.model for one in reports], values, identities, rng=rng, resamples=resamples)
