"""How a rater does on a set of faces with known intentions: accuracy and calibration, for several sets alike.

A study's own faces beside real ones: what a model makes of photographs tells how to read what it makes of
the rest.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from core.agreement import bootstrap, classification, confusion
from core.agreement.confusion import Hit
from core.agreement.estimate import Estimate, Floats, Ints
from core.codes import EMOTIONS, listed
from core.errors import AgreementError
from core.records import AiResult

SCALE = "emotion"
BINS = 10  # of equal width, from 0 to 1
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Judged:
    """One picture of a set, and what a rater said of it; no result: it has not been rated."""

    identity_id: str | None
    intended_emotion: str | None
    result: AiResult | None

    @property
    def answer(self) -> str | None:
        """The emotion that the rater chose."""
        scores = self.result.scores if self.result else ()
        return next((score.label for score in scores if score.scale_id == SCALE), None)


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers whose confidence is above `low` and at most `high`."""

    low: float
    high: float
    n: int
    confidence: float  # NaN where n is 0
    accuracy: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far a rater's probabilities can be taken at their word.

    confidence: the mean probability that it gave to its own answers; overconfidence: that minus the accuracy.
    ece: the expected calibration error over `bins`; it has no interval, since it is biased upwards in small
    samples and in their resamples even more.
    brier: 0 for certain and right, 2 for certain and wrong.
    """

    n: int
    confidence: float
    overconfidence: Estimate
    brier: Estimate
    ece: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Recognition:
    """How well a rater finds the intended emotions of a set.

    labels: the emotions that are judged; options: those that the rater can answer.
    n: pictures with an answer; n_unanswered: of these emotions, those without (no face, abstained).
    chance: the accuracy of guessing evenly among the options.
    calibration: None where the rater gives no probabilities.
    """

    labels: tuple[str, ...]
    options: tuple[str, ...]
    n: int
    n_unanswered: int
    n_identities: int
    chance: float
    accuracy: Hit
    by_emotion: tuple[Hit, ...]
    balanced: Estimate
    calibration: Calibration | None


def shared(judged: Sequence[Judged], options: Collection[str]) -> tuple[str, ...]:
    """The intended emotions of a set that the rater can answer, in the order of the codes."""
    intended = {one.intended_emotion for one in judged}
    return tuple(code for code in EMOTIONS if code in intended and code in options)


def recognition(
    judged: Sequence[Judged],
    options: Sequence[str],
    *,
    labels: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Recognition:
    """Judge one rater's answers on one set, against the intended emotions.

    options: what the rater can answer; an answer is right where it is the intended one of all of them, so
    that sets of other emotions are judged alike.
    labels: the intended emotions that count, those that set and rater share by default.
    Accuracy has Wilson's interval, pictures as independent; overconfidence and the Brier score have the
    percentile interval of resampled identities, none with fewer than 5 of them.
    Raises AgreementError when set and rater share no emotion or no such picture has an answer.
    """
    labels = tuple(shared(judged, options) if labels is None else labels)
    wanted = [one for one in judged if one.intended_emotion in labels]
    answered = [one for one in wanted if one.answer is not None]
    if not answered:
        found = f"{len(wanted)} pictures of {listed(labels)}" if wanted else "no emotion that both know"
        raise AgreementError(
            f"set and rater have {found} and no answer among them; needed is at least one: rate the set, or "
            f"name intended emotions among {listed(options)} in its manifest"
        )
    counted = confusion.table(
        [one.intended_emotion for one in answered],
        [one.answer for one in answered],
        rows=labels,
        columns=tuple(options),
    )
    return Recognition(
        labels=labels,
        options=tuple(options),
        n=len(answered),
        n_unanswered=len(wanted) - len(answered),
        n_identities=int(_identities(answered).max()) + 1,
        chance=1 / len(options),
        accuracy=confusion.overall(counted),
        by_emotion=confusion.hits(counted),
        balanced=classification.balanced_accuracy(counted),
        calibration=calibration(answered, options, seed=seed, resamples=resamples),
    )


def calibration(
    judged: Sequence[Judged], options: Sequence[str], *, seed: int = 0, resamples: int = RESAMPLES
) -> Calibration | None:
    """Hold a rater's probabilities against what it got right; None where it gave none.

    Expected calibration error: sum_b n_b / n |accuracy_b - confidence_b| over BINS of equal width.
    Brier score: the mean over pictures of sum_k (p_k - o_k)^2 over the options, o_k 1 for the intended one.
    Source: Naeini, Cooper & Hauskrecht (2015), AAAI Conference on Artificial Intelligence, 2901-2907; Brier
    (1950), Monthly Weather Review 78, 1-3.
    """
    known = [one for one in judged if one.answer and one.result and one.result.probabilities]
    if not known:
        return None
    given = np.array([[_probability(one, code) for code in options] for one in known])
    intended = np.array([[one.intended_emotion == code for code in options] for one in known])
    confidence = np.array([_probability(one, one.answer) for one in known])
    right = np.array([one.answer == one.intended_emotion for one in known], dtype=np.float64)
    bins = _bins(confidence, right)
    identities, rng = _identities(known), np.random.default_rng(seed)
    drawn = bootstrap.draws(int(identities.max()) + 1, resamples, rng=rng)
    return Calibration(
        n=len(known),
        confidence=float(confidence.mean()),
        overconfidence=_mean(confidence - right, identities, drawn, "mean confidence minus accuracy"),
        brier=_mean(((given - intended) ** 2).sum(axis=1), identities, drawn, "Brier score over all options"),
        ece=_error(bins),
        bins=bins,
    )


def _probability(one: Judged, code: str | None) -> float:
    return float(one.result.probabilities.get(code or "", 0.0)) if one.result else 0.0


def _bins(confidence: Floats, right: Floats) -> tuple[Bin, ...]:
    # The upper end belongs to a bin; a confidence of 0 is in the first.
    place = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    found = []
    for at in range(BINS):
        inside = place == at
        n = int(inside.sum())
        sure, accuracy = (float(of[inside].mean()) if n else math.nan for of in (confidence, right))
        found.append(Bin(at / BINS, (at + 1) / BINS, n, sure, accuracy))
    return tuple(found)


def _error(bins: Sequence[Bin]) -> float:
    n = sum(one.n for one in bins)
    gaps = (one.n * abs(one.accuracy - one.confidence) for one in bins if one.n)
    return sum(gaps) / n


def _identities(judged: Sequence[Judged]) -> Ints:
    """A number for each identity; a picture of nobody known is one of its own."""
    known: dict[object, int] = {}
    keys = [one.identity_id or (place,) for place, one in enumerate(judged)]
    return np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.int64)


def _mean(values: Floats, identities: Ints, drawn: Floats, what: str) -> Estimate:
    """A mean over pictures with the percentile interval of resampled identities."""
    n_identities = drawn.shape[1]
    method = f"{what}; percentile bootstrap of {len(drawn)} resamples of {n_identities} identities"
    low = high = None
    if n_identities >= bootstrap.MIN_STIMULI:
        sums, counts = np.bincount(identities, weights=values), np.bincount(identities)
        low, high = bootstrap.percentile((drawn @ sums) / (drawn @ counts))
    return Estimate(float(values.mean()), low, high, len(values), None, len(values), method)
