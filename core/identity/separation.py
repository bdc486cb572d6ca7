"""How well similarities tell one person's pictures from two people's: d', AUC, EER, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.agreement import bootstrap
from core.agreement.estimate import Estimate, Floats, Ints
from core.errors import AgreementError
from core.identity.gallery import Floats32, Impostors, Kind
from core.identity.pairs import Between, Within, binned

RESAMPLES = 1000
AT_ONCE = 400_000  # weights: what a processor's cache holds
MIN_PAIRS = 2
STATISTICS = ("d_prime", "auc", "eer")


@dataclass(frozen=True, slots=True)
class Separation:
    """One model's pairs of one identity against its pairs of two.

    kind: what an edit is compared with; impostors: which pairs of two identities count.
    within_bins, between_bins: numbers of pairs between each two of pairs.EDGES.
    The estimates' n_stimuli are pictures and their n_ratings pairs.
    """

    kind: Kind
    impostors: Impostors
    n_identities: int
    n_within: int
    n_between: int
    mean_within: float
    mean_between: float
    d_prime: Estimate
    auc: Estimate
    eer: Estimate
    within_bins: tuple[int, ...]
    between_bins: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class About:
    """What a separation is of, for its record."""

    kind: Kind
    impostors: Impostors
    n_identities: int
    n_stimuli: int
    method: str


def separation(
    mine: Within, theirs: Between, about: About, *, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Separation:
    """d', AUC and EER of similarities, with identity-clustered percentile intervals.

    d' = (m_w - m_b) / sqrt((v_w + v_b) / 2), v with n - 1. AUC: the share of (within, between) pairs in
    which the within one is higher, ties half. EER: where the ROC, its points joined by lines, has equal
    shares of false matches and false non-matches.
    Intervals: identities are drawn with replacement; a within pair weighs as often as its identity was
    drawn, a between pair the product of both, and copies of one identity are no impostors to each other.
    None with fewer than 5 identities; AUC and EER have none where the two kinds do not overlap: no resample
    could say otherwise then, which is no certainty.
    Raises AgreementError with fewer than 2 pairs of a kind, or where neither kind varies.
    Source: Green & Swets (1966), Signal Detection Theory and Psychophysics; Hanley & McNeil (1982),
    Radiology 143, 29-36; Poh & Bengio (2007), Pattern Recognition 40, 2317-2331, on resampling persons.
    """
    _check(mine, theirs)
    mine = _ascending(mine)
    levels, starts = np.unique(mine.values, return_index=True)
    counts = np.diff(starts, append=len(mine.values))[None].astype(np.float64)
    auc, eer = roc(counts, theirs.below[None], theirs.upto[None], np.array([float(theirs.n)]))
    moments_within = _moments(mine.values.astype(np.float64))
    moments_between = np.array([[theirs.n, theirs.total, theirs.squares]])
    point = np.stack([d_prime(moments_within, moments_between), auc, eer])[:, 0]
    if not np.isfinite(point[0]):
        raise AgreementError("neither the similarities of one person nor those of two vary; d' needs spread")
    ends = _intervals(mine, theirs, about, levels, starts, rng=rng, resamples=resamples, auc=float(auc[0]))
    n = len(mine.values) + theirs.n
    d, a, e = (
        Estimate(float(value), low, high, about.n_stimuli, None, n, about.method)
        for value, (low, high) in zip(point, ends, strict=True)
    )
    return Separation(
        about.kind, about.impostors, about.n_identities, len(mine.values), theirs.n,
        float(moments_within[0, 1] / moments_within[0, 0]), theirs.total / theirs.n, d, a, e,
        tuple(binned(mine.values).tolist()), tuple(theirs.bins.tolist()),
    )  # fmt: skip


def _ascending(mine: Within) -> Within:
    order = np.argsort(mine.values, kind="stable")
    return Within(mine.values[order], mine.identity[order])


def _check(mine: Within, theirs: Between) -> None:
    for n, of in ((len(mine.values), "one identity"), (theirs.n, "two identities")):
        if n < MIN_PAIRS:
            raise AgreementError(
                f"there are {n} pairs of {of} with a face in both; needed are at least {MIN_PAIRS}; add "
                "identities, or edits and their references, or another detector"
            )


def d_prime(within: Floats, between: Floats) -> Floats:
    """Return d' of weighted pairs.

    within, between: shape (resamples, 3), the sums of weights, of values and of their squares.
    """
    (m_w, v_w), (m_b, v_b) = _spread(within), _spread(between)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(v_w + v_b > 0, (m_w - m_b) / np.sqrt((v_w + v_b) / 2), np.nan)


def _spread(sums: Floats) -> tuple[Floats, Floats]:
    n, total, squares = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / n
        variance = (squares - total * mean) / (n - 1)
    # Similarities are rounded to 6 decimals: less than this is what subtraction leaves of equal ones.
    return mean, np.where(np.abs(variance) < 1e-14, 0.0, variance)


def _moments(values: Floats) -> Floats:
    return np.array([[len(values), values.sum(), values @ values]])


def roc(weights: Floats, below: Floats | Ints, upto: Floats | Ints, n: Floats) -> tuple[Floats, Floats]:
    """AUC and EER of weighted pairs.

    weights: shape (resamples, levels), of within pairs at each ascending level of similarity.
    below, upto: same shape, the between pairs below each level, and at most at it; n: shape (resamples,).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        total = weights.sum(axis=1)
        auc = (weights * (below + upto)).sum(axis=1) / (2 * total * n)
        # From the highest level down: before it is let in, and after.
        after = np.cumsum(weights[:, ::-1], axis=1) / total[:, None]
        before = after - weights[:, ::-1] / total[:, None]
        false_before, false_after = 1 - upto[:, ::-1] / n[:, None], 1 - below[:, ::-1] / n[:, None]
    edge = np.zeros((len(n), 1))
    true = np.concatenate([edge, _woven(before, after), edge + 1], axis=1)
    false = np.concatenate([edge, _woven(false_before, false_after), edge + 1], axis=1)
    return auc, _crossing(false, true)


def _woven(first: Floats, second: Floats) -> Floats:
    return np.stack([first, second], axis=2).reshape(len(first), -1)


def _crossing(false: Floats, true: Floats) -> Floats:
    """The false matches where they are as many as the false non-matches."""
    gap = false + true - 1
    after = np.argmax(gap >= 0, axis=1)  # never the first point, where it is -1
    rows, before = np.arange(len(gap)), after - 1
    part = gap[rows, before] / (gap[rows, before] - gap[rows, after])
    crossing: Floats = false[rows, before] + part * (false[rows, after] - false[rows, before])
    return crossing


def _intervals(
    mine: Within, theirs: Between, about: About, levels: Floats32, starts: Ints, *,
    rng: np.random.Generator, resamples: int, auc: float,
) -> list[tuple[float | None, float | None]]:  # fmt: skip
    if about.n_identities < bootstrap.MIN_STIMULI or not resamples:
        return [(None, None)] * len(STATISTICS)
    samples = resampled(mine, theirs, levels, starts, rng=rng, resamples=resamples)
    ends = [bootstrap.percentile(one) for one in samples]
    return ends if auc < 1 else [ends[0], (None, None), (None, None)]


def resampled(
    mine: Within, theirs: Between, levels: Floats32, starts: Ints, *, rng: np.random.Generator, resamples: int
) -> Floats:
    """d', AUC and EER of resampled identities: shape (3, resamples)."""
    known, codes = np.unique(np.concatenate([mine.identity, theirs.one, theirs.other]), return_inverse=True)
    own, one, other = np.split(codes, np.cumsum([len(mine.identity), len(theirs.one)]))
    # Sums of so many small whole numbers are exact in float32.
    times = bootstrap.draws(len(known), resamples, rng=rng).astype(np.float32)
    cuts, below, upto = _cuts(theirs.values, levels)
    powers = [_powers(values) for values in (mine.values, theirs.values)]
    chunk = max(1, AT_ONCE // (len(own) + len(one)))
    parts = []
    for start in range(0, resamples, chunk):
        drawn = times[start : start + chunk]
        weights = np.take(drawn, own, axis=1)
        apart = np.take(drawn, one, axis=1) * np.take(drawn, other, axis=1)
        passed = np.cumsum(np.add.reduceat(apart, cuts, axis=1), axis=1, dtype=np.float64)
        passed = np.pad(passed, ((0, 0), (1, 0)))
        at_levels = np.add.reduceat(weights, starts, axis=1).astype(np.float64)
        auc, eer = roc(at_levels, passed[:, below], passed[:, upto], passed[:, -1])
        parts.append(np.stack([d_prime(_sums(weights, powers[0]), _sums(apart, powers[1])), auc, eer]))
    return np.concatenate(parts, axis=1)


def _cuts(values: Floats32, levels: Floats32) -> tuple[Ints, Ints, Ints]:
    """Where to cut ascending values, and how many pieces lie below each level, and at most at it."""
    below, upto = (np.searchsorted(values, levels, side=side) for side in ("left", "right"))
    cuts = np.unique(np.concatenate([[0], below, upto]))
    cuts = cuts[cuts < len(values)]
    return cuts, np.searchsorted(cuts, below), np.searchsorted(cuts, upto)


def _powers(values: Floats32) -> Floats:
    wide = values.astype(np.float64)
    return np.stack([np.ones_like(wide), wide, wide**2], axis=1)


def _sums(weights: Floats32, powers: Floats) -> Floats:
    sums: Floats = weights.astype(np.float64) @ powers
    return sums
