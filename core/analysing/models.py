"""People against models on one scale, beside what people reach against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.agreement import adjusted, alternative, categorical, ceiling, continuous, difference, kappa
from core.agreement.ceiling import Ceiling
from core.agreement.continuous import Limits
from core.agreement.estimate import Estimate, Floats, Ints
from core.agreement.measures import Measure
from core.errors import AgreementError

COLUMNS = (
    "subset",
    "rater",
    "scale",
    "comparison",
    "statistic",
    "estimate",
    "ci_low",
    "ci_high",
    "n_stimuli",
    "chance",
    "ceiling",
    "ceiling_low",
    "ceiling_high",
    "ceiling_raters",
    "method",
)
NEUTRAL = "neutral"

Row = dict[str, object]
Found = Estimate | Limits
Compute = Callable[[], Found]


@dataclass(frozen=True, slots=True)
class Meeting:
    """People's ratings of shape (raters, stimuli), and a model's values of the same stimuli.

    identity, intended: of each stimulus; empty where unknown. same_units: do both use one unit and zero?
    """

    people: Floats
    model: Floats
    same_units: bool = False
    identity: Sequence[str | None] = ()
    intended: Sequence[str | None] = ()

    @property
    def means(self) -> Floats:
        """People's mean rating of each stimulus, NaN where nobody rated it."""
        given = np.isfinite(self.people)
        n = given.sum(axis=0)
        sums = np.where(given, self.people, 0.0).sum(axis=0)
        return np.asarray(np.divide(sums, n, out=np.full(n.shape, np.nan), where=n > 0))


class Ceilings:
    """What people reach by each measure, computed once for all models."""

    def __init__(self, people: Floats, n_labels: int = 0) -> None:
        """Of ratings of shape (raters, stimuli), positions of `n_labels` labels for accuracy and kappa."""
        self._people, self._n_labels = people, n_labels
        self._made: dict[Measure, Ceiling | None] = {}

    def cells(self, measure: Measure | None) -> Row:
        """The ceiling's columns; empty where there is none."""
        if measure is not None and measure not in self._made:
            try:
                self._made[measure] = ceiling.human(self._people, measure=measure, n_labels=self._n_labels)
            except AgreementError:
                self._made[measure] = None
        found = self._made[measure] if measure is not None else None
        if found is None:
            return {}
        return {
            "ceiling": found.estimate,
            "ceiling_low": found.low,
            "ceiling_high": found.high,
            "ceiling_raters": found.n_raters,
        }


def numbers(meeting: Meeting, ceilings: Ceilings) -> Iterator[Row]:
    """Every comparison that these values allow: raw, calibrated, as change, within emotions."""
    yield from _raw(meeting, ceilings)
    if meeting.identity:
        yield from _calibrated(meeting, ceilings)
    if meeting.intended:
        groups = np.array([one or "" for one in meeting.intended])
        yield _row("within", "pearson", lambda: adjusted.within(meeting.means, meeting.model, groups))
    if meeting.identity and NEUTRAL in _lower(meeting.intended):
        yield from _changes(meeting)


def _raw(meeting: Meeting, ceilings: Ceilings) -> Iterator[Row]:
    x, y = meeting.means, meeting.model
    yield _row("raw", "spearman", lambda: continuous.spearman(x, y)) | ceilings.cells("spearman")
    yield _row("raw", "pearson", lambda: continuous.pearson(x, y)) | ceilings.cells("pearson")
    if meeting.same_units:
        yield from _distances("raw", x, y, ceilings)
        yield from _alternative("raw", meeting.people, y, "numbers")


def _calibrated(meeting: Meeting, ceilings: Ceilings) -> Iterator[Row]:
    names = np.array([one or "" for one in meeting.identity])
    model = np.where(names == "", np.nan, meeting.model)
    try:
        found = adjusted.calibrated(meeting.means, model, names)
    except AgreementError as error:
        yield _empty("calibrated", "concordance", error)
        return
    yield from _distances("calibrated", meeting.means, found.values, ceilings)
    yield from _alternative("calibrated", meeting.people, found.values, "numbers")


def _distances(comparison: str, x: Floats, y: Floats, ceilings: Ceilings) -> Iterator[Row]:
    yield _row(comparison, "concordance", lambda: continuous.concordance(x, y)) | ceilings.cells(
        "concordance"
    )
    yield _row(comparison, "mae", lambda: difference.mae(x, y)) | ceilings.cells("mae")
    yield _row(comparison, "rmse", lambda: difference.rmse(x, y)) | ceilings.cells("rmse")
    try:
        limits = continuous.bias(y, x)
    except AgreementError as error:
        yield _empty(comparison, "bias", error)
        return
    yield _row(comparison, "bias", lambda: limits)
    for name in ("lower", "upper"):
        ends = [getattr(limits, f"{name}{end}") for end in ("", "_low", "_high")]
        yield _cells(comparison, f"limit_{name}", ends, limits.n_stimuli, limits.method)


def _changes(meeting: Meeting) -> Iterator[Row]:
    neutral = np.array([one == NEUTRAL for one in _lower(meeting.intended)])
    names = np.array([one or f"unknown {at}" for at, one in enumerate(meeting.identity)])

    def compute(measure: Callable[[Floats, Floats], Estimate]) -> Compute:
        return lambda: measure(
            *(
                adjusted.change_from_neutral(values, names, neutral)
                for values in (meeting.means, meeting.model)
            )
        )

    yield _row("change", "spearman", compute(continuous.spearman))
    yield _row("change", "pearson", compute(continuous.pearson))


def labels(people: Floats, model: Floats, *, n_labels: int, ceilings: Ceilings) -> Iterator[Row]:
    """A model's labels against people's modal labels; stimuli whose mode is tied are left out.

    people: shape (raters, stimuli), positions of labels; model: shape (stimuli,).
    """
    modal = _modal(people, n_labels)
    given = np.isfinite(modal) & np.isfinite(model)
    hits, n = int((modal == model)[given].sum()), int(given.sum())
    if not n:
        yield _empty("raw", "accuracy", AgreementError("no stimulus has a modal label and the model's"))
        return
    low, high = categorical.wilson(hits, n)
    method = f"share of modal labels that the model gave too, of {n_labels} labels; Wilson interval"
    accuracy = _cells("raw", "accuracy", (hits / n, low, high), n, method)
    yield accuracy | {"chance": 1 / n_labels} | ceilings.cells("accuracy")
    categories = tuple(float(one) for one in range(n_labels))
    yield _row("raw", "kappa", lambda: kappa.cohen(modal, model, categories=categories)) | ceilings.cells(
        "kappa"
    )
    yield from _alternative("raw", people, model, "labels")


def _modal(people: Floats, n_labels: int) -> Floats:
    counts: Ints = np.stack([(people == label).sum(axis=0) for label in range(n_labels)])
    most = counts.max(axis=0)
    alone = ((counts == most).sum(axis=0) == 1) & (most > 0)
    return np.where(alone, counts.argmax(axis=0), np.nan)


def _alternative(comparison: str, people: Floats, model: Floats, kind: str) -> Iterator[Row]:
    of: Literal["labels", "numbers"] = "labels" if kind == "labels" else "numbers"
    try:
        found = alternative.alternative_test(people, model, kind=of)
    except AgreementError as error:
        yield _empty(comparison, "advantage_probability", error)
        return
    ends = (found.estimate, found.low, found.high)
    yield _cells(comparison, "advantage_probability", ends, found.n_stimuli, found.method)
    rate = (found.winning_rate, None, None)
    yield _cells(comparison, "winning_rate", rate, found.n_stimuli, f"{found.method}; passed at 0.5")


def _lower(names: Sequence[str | None]) -> list[str]:
    return [(name or "").lower() for name in names]


def _row(comparison: str, statistic: str, compute: Compute) -> Row:
    try:
        found = compute()
    except AgreementError as error:
        return _empty(comparison, statistic, error)
    ends = (found.estimate, found.low, found.high)
    return _cells(comparison, statistic, ends, found.n_stimuli, found.method)


def _empty(comparison: str, statistic: str, error: AgreementError) -> Row:
    return _cells(comparison, statistic, (None, None, None), None, f"not computed: {error}")


def _cells(comparison: str, statistic: str, ends: Sequence[float | None], n: int | None, method: str) -> Row:
    return {
        "comparison": comparison,
        "statistic": statistic,
        **dict(zip(("estimate", "ci_low", "ci_high"), ends, strict=True)),
        "n_stimuli": n,
        "method": method,
    }
