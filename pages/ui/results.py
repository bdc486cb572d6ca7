"""What the dashboard shows, computed from counted answers: no Streamlit, no SQL."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TypeVar

import numpy as np
import pandas as pd

from core import norms, scales, tasks
from core.agreement import confusion, continuous, krippendorff
from core.agreement.confusion import Confusion
from core.agreement.continuous import Comparison
from core.agreement.estimate import Estimate
from core.errors import AgreementError
from core.plan.blocks import rateable
from core.records import AiResult, SessionKind, Stimulus
from core.study import Scale, Study
from core.vision import registry
from core.vision.rater import Gives
from db.ends import Ends
from db.sessions import Flow
from db.tables import Count

T = TypeVar("T")

# What models give that stands beside people's realism, under names that say what it is: none measures it.
PROXIES: Mapping[str, tuple[str, ...]] = {
    "realism": ("face_quality", "sharpness", "exposure_bright", "exposure_dark")
}
LEVELS: Mapping[str, krippendorff.Level] = {"choice": "nominal", "likert": "ordinal", "vas": "interval"}
RESAMPLES = 1000
EMOTION = "emotion"


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there is no number, and what would give one."""

    reason: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """Human and AI values of the same stimuli on one scale, in the order of `stimulus_ids`."""

    stimulus_ids: tuple[str, ...]
    human: tuple[float, ...]
    model: tuple[float, ...]
    n: tuple[int, ...]  # people per stimulus
    same_units: bool
    ranges: tuple[tuple[float, float], tuple[float, float]]
    titles: tuple[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Everything counted at one moment, for one filter.

    counts: scale_id, stimulus_id, status, value, label, n; excluded answers are not in it.
    foils: the same of pairs that show two people, which `counts` does not hold.
    retests: by scale, how often somebody gave a value both times that they saw a stimulus.
    """

    taken_at: datetime
    flow: Mapping[SessionKind, Flow]
    ends: Mapping[SessionKind, Ends]
    kinds: tuple[SessionKind, ...]  # of those that are counted below
    stimuli: tuple[Stimulus, ...]
    counts: pd.DataFrame
    foils: pd.DataFrame
    retests: Mapping[str, int]
    ai: tuple[AiResult, ...]

    @property
    def fingerprint(self) -> str:
        """The same for the same counts, however often they are read."""
        hashed = pd.util.hash_pandas_object(self.counts, index=False)
        return hashlib.sha256(hashed.to_numpy().tobytes()).hexdigest()


def answers(snapshot: Snapshot, study: Study) -> dict[str, list[int]]:
    """By task set, how often each stimulus was answered, 0 where it was not.

    Pictures that are kept for the practice or as gold checks are no part of it.
    """
    found = snapshot.counts.groupby(["scale_id", "stimulus_id"])["n"].sum()
    return {
        task.id: [
            # A trial asks every scale of its set; an excluded trial may leave gaps.
            max(int(found.get((scale_id, one.stimulus_id), 0)) for scale_id in task.scales)
            for one in rateable(study, snapshot.stimuli)
        ]
        for task in tasks.sets(study)
    }


def told_of(scale_id: str) -> tuple[str, ...]:
    """The scales of models that are compared with people's answers on this one."""
    return (scale_id, *PROXIES.get(scale_id, ()))


def attempt(compute: Callable[[], T]) -> T | Missing:
    """Compute a statistic, or say why these data do not give it."""
    try:
        return compute()
    except AgreementError as error:
        return Missing(str(error))


# ---- models


@dataclass(frozen=True, slots=True)
class Model:
    """One rater, with one version and one set of weights, on one detector: its result per picture."""

    name: str  # what a list of models shows
    rater_id: str
    results: Mapping[str, AiResult]  # by served_sha256

    def tells(self, scale_id: str) -> bool:
        """Whether it has answered this scale of any stimulus."""
        return any(score.scale_id == scale_id for one in self.results.values() for score in one.scores)


def models(ai: Sequence[AiResult]) -> list[Model]:
    """Sort results by who gave them; version and weights are named only where a rater has several."""
    found: dict[tuple[str, str, str, str], dict[str, AiResult]] = {}
    for one in ai:
        key = (one.rater_id, one.detector, one.rater_version, one.weights_sha256)
        found.setdefault(key, {})[one.served_sha256] = one
    makes = Counter((rater_id, detector) for rater_id, detector, *_ in found)
    return [
        Model(_name(*key, several=makes[key[:2]] > 1), key[0], results)
        for key, results in sorted(found.items(), key=lambda one: (place(one[0][0]), one[0]))
    ]


def place(rater_id: str) -> int:
    """The registry's order; raters that are not in it come last."""
    names = list(registry.RATERS)
    return names.index(rater_id) if rater_id in names else len(names)


def _name(rater_id: str, detector: str, version: str, weights_sha256: str, *, several: bool) -> str:
    make = f" {version} ({weights_sha256[:6]})" if several else ""
    return f"{rater_id}{make} on {detector}"


# ---- agreement


def alpha(counts: pd.DataFrame, scale_id: str, scale: Scale, *, seed: int) -> Estimate:
    """Krippendorff's alpha of one scale, at the level that its kind has."""
    rows = counts[(counts["scale_id"] == scale_id) & (counts["status"] == "answered")]
    if rows.empty:
        raise AgreementError(f"nobody has answered {scale_id!r} yet; alpha needs two raters")
    value = _codes(rows["label"], scale) if scale.kind == "choice" else rows["value"]
    table = rows.assign(value=value).pivot_table(
        index="stimulus_id", columns="value", values="n", aggfunc="sum", fill_value=0
    )
    return krippendorff.alpha_of_counts(
        table.to_numpy(),
        table.columns.to_numpy(dtype=float),
        level=LEVELS[scale.kind],
        resamples=RESAMPLES,
        rng=np.random.default_rng(seed),
    )


def _codes(labels: pd.Series, scale: Scale) -> pd.Series:
    return labels.map({code: position for position, code in enumerate(scale.options)})


def frame(counts: Sequence[Count]) -> pd.DataFrame:
    """Return counts as a table, with its columns even where nothing was counted."""
    return pd.DataFrame(list(counts), columns=[field.name for field in fields(Count)])


def norms_table(
    counts: pd.DataFrame, stimuli: Sequence[Stimulus], asked: Mapping[str, Scale]
) -> pd.DataFrame:
    """Norms per stimulus, in the order of the study's stimuli; one that nobody rated is there, too."""
    intended = {s.stimulus_id: s.intended_emotion for s in stimuli}
    answers = counts.rename(columns={"value": "response", "label": "response_label"})
    answers = answers.assign(intended_emotion=answers["stimulus_id"].map(intended))
    table = norms.table_of_counts(answers, asked).set_index("stimulus_id")
    return table.reindex([s.stimulus_id for s in stimuli if s.rated])


# ---- confusion


def intended_perceived(snapshot: Snapshot, *, rows: Sequence[str], columns: Sequence[str]) -> Confusion:
    """Intended emotion against what people chose."""
    seen = _perceived(snapshot)
    intended = {s.stimulus_id: s.intended_emotion for s in snapshot.stimuli}
    return confusion.table(
        [intended[stimulus_id] for stimulus_id in seen["stimulus_id"]],
        seen["label"].tolist(),
        rows=rows,
        columns=columns,
        n=seen["n"].to_numpy(),
    )


def intended_ai(
    snapshot: Snapshot, results: Mapping[str, AiResult], *, rows: Sequence[str], columns: Sequence[str]
) -> Confusion:
    """Intended emotion against the label that a model gave."""
    return confusion.table(
        [s.intended_emotion for s in snapshot.stimuli if s.rated],
        [label_of(results.get(s.served_sha256)) for s in snapshot.stimuli if s.rated],
        rows=rows,
        columns=columns,
    )


def perceived_ai(
    snapshot: Snapshot, results: Mapping[str, AiResult], *, rows: Sequence[str], columns: Sequence[str]
) -> Confusion:
    """What people chose against the label that a model gave the same stimulus, once per answer."""
    seen = _perceived(snapshot)
    labels = {s.stimulus_id: label_of(results.get(s.served_sha256)) for s in snapshot.stimuli}
    return confusion.table(
        seen["label"].tolist(),
        [labels[stimulus_id] for stimulus_id in seen["stimulus_id"]],
        rows=rows,
        columns=columns,
        n=seen["n"].to_numpy(),
    )


def _perceived(snapshot: Snapshot) -> pd.DataFrame:
    counts = snapshot.counts
    seen = counts[(counts["scale_id"] == EMOTION) & (counts["status"] == "answered")]
    if seen.empty:
        raise AgreementError("nobody has said yet which emotion they see; send participants the study's link")
    return seen


def label_of(result: AiResult | None) -> str | None:
    """Return the emotion that a model chose, None where it gave none."""
    scores = result.scores if result else ()
    return next((score.label for score in scores if score.scale_id == EMOTION), None)


# ---- people against a model


def same_units(scale: Scale, gives: Gives) -> bool:
    """Do people's canonical values and the model's share units and zero?

    A distance from neutral and a unipolar intensity do not, although both run from 0 to 1.
    """
    return gives.units == units(scale) and gives.zero == 0 and scale.zero is not None


def units(scale: Scale) -> str:
    """Return the canonical units of people's answers, as a rater that shares them declares them."""
    return "bipolar -1..1" if scale.polarity == "bipolar" else "unipolar 0..1"


def pairs(
    snapshot: Snapshot, results: Mapping[str, AiResult], scale_id: str, scale: Scale, gives: Gives
) -> Pairs:
    """Human mean in canonical units against what the model gives, for stimuli that have both."""
    rows = snapshot.counts
    rows = rows[(rows["scale_id"] == scale_id) & (rows["status"] == "answered")]
    people = rows.assign(sum=[scales.canonical(v, scale) for v in rows["value"]] * rows["n"])
    sums = people.groupby("stimulus_id")[["sum", "n"]].sum()
    both = [
        (s.stimulus_id, sums.loc[s.stimulus_id, "sum"], value, sums.loc[s.stimulus_id, "n"])
        for s in snapshot.stimuli
        if s.stimulus_id in sums.index
        and (value := _value(results.get(s.served_sha256), gives.scale_id)) is not None
    ]
    if not both:
        raise AgreementError(f"no stimulus has both people's answers and the model's value on {scale_id!r}")
    ids, total, model, n = zip(*both, strict=True)
    return Pairs(
        stimulus_ids=ids,
        human=tuple(float(t / k) for t, k in zip(total, n, strict=True)),
        model=model,
        n=tuple(int(k) for k in n),
        same_units=same_units(scale, gives),
        ranges=(scales.canonical_bounds(scale), _model_range(gives, model)),
        titles=(f"people: mean {scale_id} ({units(scale)})", f"model: {gives.scale_id} ({gives.units})"),
    )


def _value(result: AiResult | None, scale_id: str) -> float | None:
    scores = result.scores if result else ()
    return next((score.value for score in scores if score.scale_id == scale_id), None)


def _model_range(gives: Gives, values: Sequence[float]) -> tuple[float, float]:
    low = gives.low if gives.low is not None else min(values)
    high = gives.high if gives.high is not None else max(values)
    return low, high


def recognition(snapshot: Snapshot, results: Mapping[str, AiResult]) -> Pairs:
    """Share of people who chose the intended emotion against the model's probability of it."""
    seen = _perceived(snapshot)
    totals = seen.groupby("stimulus_id")["n"].sum()
    hits = seen.set_index(["stimulus_id", "label"])["n"]
    both = [
        (s.stimulus_id, hits.get((s.stimulus_id, s.intended_emotion), 0) / totals[s.stimulus_id],
         result.probabilities[s.intended_emotion], totals[s.stimulus_id])
        for s in snapshot.stimuli
        if s.stimulus_id in totals.index
        and (result := results.get(s.served_sha256)) is not None
        and s.intended_emotion in result.probabilities
    ]  # fmt: skip
    if not both:
        raise AgreementError("no stimulus has both people's answers and the model's probabilities")
    ids, human, model, n = zip(*both, strict=True)
    return Pairs(
        stimulus_ids=ids,
        human=tuple(map(float, human)),
        model=model,
        n=tuple(map(int, n)),
        same_units=False,
        ranges=((0, 1), (0, 1)),
        titles=("people: share who chose the intended emotion", "model: probability of the intended emotion"),
    )


def compared(found: Pairs) -> Comparison:
    """Return rank correlation and, where the units allow it, concordance and bias."""
    return continuous.compare(found.human, found.model, same_units=found.same_units)
