"""Dawid and Skene's model of raters who err in their own ways: a sensitivity analysis of modal labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.agreement.estimate import Floats, Ints
from core.errors import AgreementError

MAX_STEPS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """What the stimuli most likely are, and how each rater names what they are.

    prevalence: shape (labels,). error_rates: shape (raters, true label, given label), rows sum to 1.
    posterior: shape (stimuli, labels). log_likelihood is without the multinomial constant.
    """

    labels: tuple[object, ...]
    raters: tuple[object, ...]
    stimuli: tuple[object, ...]
    prevalence: Floats
    error_rates: Floats
    posterior: Floats
    log_likelihood: float
    steps: int
    n_ratings: int
    method: str = "Dawid-Skene, EM from vote proportions; no interval"

    @property
    def modal(self) -> tuple[object, ...]:
        """The most likely label of each stimulus, the first of several that are alike."""
        return tuple(self.labels[k] for k in self.posterior.argmax(axis=1))


def consensus(
    rater: npt.ArrayLike,
    stimulus: npt.ArrayLike,
    value: Sequence[object] | npt.NDArray[np.generic],
    *,
    labels: Sequence[object] | None = None,
    n: npt.ArrayLike | None = None,
    tolerance: float = 1e-10,
) -> Consensus:
    """Prevalences, error rates of raters and posterior labels of stimuli by maximum likelihood.

    rater, stimulus, value: shape (ratings,); a rater may rate a stimulus not at all, once or often.
    labels: all that could be given; by default those that were, in sorted order. n: how often each rating was
    given, 1 by default. EM from vote proportions until the log-likelihood rises by less than the tolerance.
    It finds a maximum near the votes, not always the highest, and with few ratings per rater it is unstable.
    Raises AgreementError with no ratings, one label, a value that is no label, or without convergence.
    Source: Dawid & Skene (1979), Applied Statistics 28, 20-28.
    """
    raters, k = np.unique(np.asarray(rater), return_inverse=True)
    stimuli, i = np.unique(np.asarray(stimulus), return_inverse=True)
    names = tuple(sorted(set(value), key=str) if labels is None else labels)
    times = np.ones(len(i)) if n is None else np.asarray(n, dtype=np.float64)
    votes = _Votes(i, k, _positions(value, names), times, len(stimuli), len(raters), len(names))
    posterior, prevalence, errors, likelihood, steps = _maximised(votes, tolerance)
    return Consensus(
        labels=names,
        raters=tuple(raters.tolist()),
        stimuli=tuple(stimuli.tolist()),
        prevalence=prevalence,
        error_rates=errors,
        posterior=posterior,
        log_likelihood=likelihood,
        steps=steps,
        n_ratings=int(times.sum()),
    )


@dataclass(frozen=True, slots=True)
class _Votes:
    """Which stimulus (i) got which label (label) from which rater (k), and how often."""

    i: Ints
    k: Ints
    label: Ints
    n: Floats
    stimuli: int
    raters: int
    labels: int

    def proportions(self) -> Floats:
        flat = np.bincount(self.i * self.labels + self.label, self.n, self.stimuli * self.labels)
        counts = flat.reshape(self.stimuli, self.labels)
        return np.asarray(counts / counts.sum(axis=1, keepdims=True))

    def error_rates(self, posterior: Floats) -> Floats:
        cell = self.k * self.labels + self.label
        size = self.raters * self.labels
        sums = [np.bincount(cell, self.n * column[self.i], size) for column in posterior.T]
        counts = np.stack(sums, axis=1).reshape(self.raters, self.labels, self.labels).transpose(0, 2, 1)
        total = counts.sum(axis=2, keepdims=True)
        # A rater who saw no stimulus of a label says nothing about it.
        return np.where(total > 0, counts / np.where(total > 0, total, 1.0), 1 / self.labels)

    def log_joint(self, prevalence: Floats, errors: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            logs, prior = np.log(errors), np.log(prevalence)
        of_vote = logs[self.k, :, self.label] * self.n[:, None]
        sums = [np.bincount(self.i, column, self.stimuli) for column in of_vote.T]
        return np.asarray(np.stack(sums, axis=1) + prior)


def _maximised(votes: _Votes, tolerance: float) -> tuple[Floats, Floats, Floats, float, int]:
    posterior, before = votes.proportions(), -np.inf
    for step in range(1, MAX_STEPS + 1):
        prevalence, errors = posterior.mean(axis=0), votes.error_rates(posterior)
        joint = votes.log_joint(prevalence, errors)
        most = joint.max(axis=1, keepdims=True)
        likelihoods = np.exp(joint - most)
        total = likelihoods.sum(axis=1, keepdims=True)
        posterior, now = likelihoods / total, float((most + np.log(total)).sum())
        if now - before < tolerance:
            return posterior, prevalence, errors, now, step
        before = now
    raise AgreementError(f"Dawid-Skene did not converge in {MAX_STEPS} steps; raise 'tolerance'")


def _positions(value: Sequence[object] | npt.NDArray[np.generic], labels: tuple[object, ...]) -> Ints:
    if not len(value):
        raise AgreementError("there are no ratings yet; Dawid-Skene needs some")
    place = {label: at for at, label in enumerate(labels)}
    if len(place) < 2:
        raise AgreementError(f"{len(place)} label is in use; Dawid-Skene needs at least 2")
    if (strange := next((one for one in value if one not in place), None)) is not None:
        raise AgreementError(
            f"{strange!r} is not among the labels {', '.join(map(str, labels))}; mend the list or the data"
        )
    return np.array([place[one] for one in value], dtype=np.int64)
