"""All tables of a rating file, for all rows and for each part that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from core import norms
from core.agreement.confusion import Confusion
from core.agreement.estimate import Floats, Ints
from core.analysing import models, recognition, reliability, telling
from core.analysing.asked import Asked
from core.analysing.ratings import Ratings, Rows, Scale
from core.analysing.recognition import Labels
from core.study import Scale as Asking

ALL = "all"
MAX_POINTS = 1001

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Subset:
    """A part of the file: its name in the tables and its rows."""

    name: str
    rows: Rows


@dataclass(frozen=True, slots=True)
class Analysis:
    """Tables by the name of their file, and what a reader should know of them."""

    tables: Mapping[str, pd.DataFrame]
    warnings: tuple[str, ...]


def analyse(ratings: Ratings, asked: Asked, warnings: tuple[str, ...] = ()) -> Analysis:
    """Reliability, norms, confusion, hit rates and people against models, each where the file allows it."""
    subsets = list(_subsets(ratings))
    labels = _labels(ratings)
    found = {
        "reliability.csv": _frame(_reliability(ratings, asked, subsets), reliability.COLUMNS),
        "norms.csv": _norms(ratings, subsets),
    }
    if labels is not None:
        found |= _recognition(ratings, subsets, labels)
    if ratings.model.any() and ratings.human.any():
        found["human_ai.csv"] = _frame(_models(ratings, asked, subsets), models.COLUMNS)
    told = (
        *warnings,
        *telling.designs(ratings, {one.name: one.rows for one in subsets}),
        *(recognition.warnings(labels) if labels else ()),
    )
    return Analysis(found, told)


def _subsets(ratings: Ratings) -> Iterator[Subset]:
    yield Subset(ALL, ratings.human | ratings.model)
    for column in ratings.by:
        for code, name in enumerate(column.names):
            # A model has no language or country: with an empty cell it meets the people of each.
            anywhere = ratings.model & (column.codes < 0)
            known = (ratings.human | ratings.model) & (column.codes == code)
            yield Subset(f"{column.name}={name}", known | anywhere)


def _frame(rows: Iterator[Row], columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(columns))


def _split(frame: pd.DataFrame, subset: Subset, ratings: Ratings) -> pd.DataFrame:
    """Name the subset in front, where the file is split."""
    if ratings.by:
        frame.insert(0, "subset", subset.name)
    return frame


def _reliability(ratings: Ratings, asked: Asked, subsets: list[Subset]) -> Iterator[Row]:
    for subset in subsets:
        for scale in ratings.every:
            values = ratings.matrix(scale, subset.rows & ratings.human)[0]
            if not values.size:
                continue
            table = reliability.Table(
                values=values,
                level=scale.level,
                is_labels=bool(scale.labels),
                categories=_categories(scale, asked),
                resamples=asked.resamples,
                seed=asked.seed,
            )
            for row in reliability.rows(table):
                yield row | {"subset": subset.name, "scale": scale.name}


def _categories(scale: Scale, asked: Asked) -> tuple[float, ...] | None:
    """The points of the full scale where they are known."""
    if scale.labels:
        return tuple(float(one) for one in range(len(scale.labels)))
    low, high = asked.ranges.get(scale.name, (0.5, 0.5))
    if low != round(low) or high - low >= MAX_POINTS:
        return None
    return tuple(low + step for step in range(int(high - low) + 1))


def _norms(ratings: Ratings, subsets: list[Subset]) -> pd.DataFrame:
    """One row per stimulus and subset."""
    asking = {scale.name: _asking(scale) for scale in ratings.every}
    parts = []
    for subset in subsets:
        rows = _long(ratings, subset.rows & ratings.human)
        if len(rows):
            found = norms.table(rows, asking)
            # A file from elsewhere leaves a cell empty without saying why.
            unsaid = [name for name in found if str(name).endswith(("_n_not_applicable", "_n_cannot_tell"))]
            parts.append(_split(found.drop(columns=unsaid), subset, ratings))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _asking(scale: Scale) -> Asking:
    """The kind of scale and its labels, which is all that norms need to know."""
    return Asking.model_construct(
        kind="choice" if scale.labels else "vas",
        question={},
        source="",
        status="draft",
        options={label: {} for label in scale.labels},
    )


def _long(ratings: Ratings, rows: Rows) -> pd.DataFrame:
    """The table that norms are made of."""
    return pd.concat([_of_scale(ratings, scale, rows) for scale in ratings.every], ignore_index=True)


def _of_scale(ratings: Ratings, scale: Scale, rows: Rows) -> pd.DataFrame:
    chosen = rows[scale.row]
    row, value = scale.row[chosen], scale.value[chosen]
    stimulus = ratings.stimulus.codes[row]
    names = pd.Index(ratings.stimulus.names, dtype="object")
    frame = pd.DataFrame(
        {
            "stimulus_id": pd.Categorical.from_codes(stimulus, names),
            "rater_id": ratings.rater.codes[row],
            "scale_id": scale.name,
            "response": np.nan if scale.labels else value,
            "response_label": _texts(scale.labels, value) if scale.labels else None,
        }
    )
    for name, of_stimuli in (("identity_id", ratings.identity), ("intended_emotion", ratings.intended)):
        if of_stimuli:
            frame[name] = np.array(of_stimuli, dtype=object)[stimulus]
    return frame


def _texts(labels: tuple[str, ...], value: Floats) -> npt.NDArray[np.object_]:
    return np.array(labels, dtype=object)[value.astype(np.int64)]


def _labels(ratings: Ratings) -> Labels | None:
    emotion = ratings.emotion
    if emotion is None or not any(ratings.intended):
        return None
    used = np.unique(emotion.value[ratings.human[emotion.row]]).astype(np.int64)
    return recognition.labels(ratings.intended, [emotion.labels[code] for code in used])


def _recognition(ratings: Ratings, subsets: list[Subset], labels: Labels) -> dict[str, pd.DataFrame]:
    counted, hits = [], []
    for subset in subsets:
        found = _confusion(ratings, subset.rows & ratings.human, labels)
        if found is None:
            continue
        frame = _frame(recognition.confusion_rows(found), recognition.CONFUSION)
        counted.append(_split(frame, subset, ratings))
        if labels.shared:
            hits.append(_split(_frame(recognition.hit_rows(found), recognition.HITS), subset, ratings))
    named = {"confusion_intended_perceived.csv": counted, "hit_rates.csv": hits}
    return {name: pd.concat(parts, ignore_index=True) for name, parts in named.items() if parts}


def _confusion(ratings: Ratings, rows: Rows, labels: Labels) -> Confusion | None:
    emotion = ratings.emotion
    if emotion is None:
        return None
    chosen = rows[emotion.row]
    row, value = emotion.row[chosen], emotion.value[chosen].astype(np.int64)
    place = {label: at for at, label in enumerate(labels.intended)}
    of_stimulus = np.array([-1 if one is None else place[one] for one in ratings.intended])
    of_label = np.array(
        [labels.perceived.index(one) if one in labels.perceived else -1 for one in emotion.labels]
    )
    return recognition.table(of_stimulus[ratings.stimulus.codes[row]], of_label[value], labels)


def _models(ratings: Ratings, asked: Asked, subsets: list[Subset]) -> Iterator[Row]:
    for subset in subsets:
        for scale in ratings.every:
            people, _, stimuli = ratings.matrix(scale, subset.rows & ratings.human)
            if not people.size:
                continue
            ceilings = models.Ceilings(people, len(scale.labels))
            given, raters, at = ratings.matrix(scale, subset.rows & ratings.model)
            for rater, of_model in zip(raters, given, strict=True):
                aligned = np.full(len(stimuli), np.nan)
                place = np.searchsorted(stimuli, at)
                known = np.isin(at, stimuli)
                aligned[place[known]] = of_model[known]
                named = {"subset": subset.name, "rater": ratings.rater.names[rater], "scale": scale.name}
                for row in _met(ratings, asked, scale, people, aligned, stimuli, ceilings):
                    yield row | named


def _met(
    ratings: Ratings,
    asked: Asked,
    scale: Scale,
    people: Floats,
    model: Floats,
    stimuli: Ints,
    ceilings: models.Ceilings,
) -> Iterator[Row]:
    if scale.labels:
        yield from models.labels(people, model, n_labels=len(scale.labels), ceilings=ceilings)
        return
    low, high = asked.ranges.get(scale.name, (np.inf, -np.inf))
    meeting = models.Meeting(
        people,
        model,
        same_units=bool(
            np.nanmin(model, initial=np.inf) >= low and np.nanmax(model, initial=-np.inf) <= high
        ),
        identity=[ratings.identity[one] for one in stimuli] if ratings.identity else (),
        intended=[ratings.intended[one] for one in stimuli] if ratings.intended else (),
    )
    yield from models.numbers(meeting, ceilings)
