"""Responses and AI scores as one long table of ratings: the one seam where people and models meet."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from operator import itemgetter
from typing import Literal

import numpy as np
import pandas as pd

from core.codes import EMOTIONS
from core.errors import ExportError
from core.records import AiResult, Score, Stimulus

Value = str | int | float | bool | datetime | Sequence[str] | None
Row = Mapping[str, Value]
Kind = Literal["text", "integer", "number", "boolean", "time", "list"]

KINDS: Mapping[str, Kind] = {
    "row_id": "text",
    "study_id": "text",
    "study_version": "integer",
    "config_hash": "text",
    "subject_id": "text",
    "session_id": "text",
    "rater_type": "text",
    "rater_id": "text",
    "model_version": "text",
    "block": "integer",
    "trial_id": "text",
    "trial_index": "integer",
    "is_practice": "boolean",
    "is_attention": "boolean",
    "is_repeat": "boolean",
    "repeat_of": "text",
    "stimulus_id": "text",
    "stim_file": "text",
    "stim_sha256": "text",
    "identity_id": "text",
    "intended_emotion": "text",
    "scale_id": "text",
    "scale_min": "number",
    "scale_max": "number",
    "response": "number",
    "response_label": "text",
    "option_order": "list",
    "rt_first_ms": "number",
    "rt_submit_ms": "number",
    "onset_ok": "boolean",
    "n_changes": "integer",
    "blur_count": "integer",
    "input_device": "text",
    "viewport": "text",
    "saved_at_utc": "time",
    "excluded": "boolean",
    "exclusion_reason": "text",
    # New columns come last, so that those before them stay where they were.
    "task": "text",
    "is_foil": "boolean",
    "attempt": "integer",
    "superseded": "boolean",
    "revision": "integer",
    "status": "text",
    "is_instructed": "boolean",
    "expected_label": "text",
    "expected_low": "number",
    "expected_high": "number",
    "check_passed": "boolean",
    "reference_stimulus_id": "text",
    "reference_identity_id": "text",
    "target_side": "text",
    "decode_ms": "number",
    "paint_ms": "number",
    "shown_ms": "number",
    "frame_sd_ms": "number",
    "hidden_count": "integer",
    "app": "text",
}
"""The columns of a rating, in order, and what each holds."""

COLUMNS = tuple(KINDS)

AI_KINDS: Mapping[str, Kind] = {
    **KINDS,
    **{f"probability_{code}": "number" for code in EMOTIONS},
    "detector": "text",
    "weights_sha256": "text",
    "reason": "text",
}
"""The columns of an AI rating: those of a rating, then what only a model has."""

AI_COLUMNS = tuple(AI_KINDS)

CHUNK = 4_000
EMPTY: Row = dict.fromkeys(AI_COLUMNS)


def chunks(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[dict[str, Sequence[Value]]]:
    """Turn rows into columns, some thousand rows at a time, so that memory stays constant."""
    pick = itemgetter(*columns)
    source = iter(rows)
    while values := [pick(row) for row in islice(source, CHUNK)]:
        yield dict(zip(columns, zip(*values, strict=True), strict=True))


def long(rows: Iterable[Row], *, columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
    """Read rows into a frame of one rating per row, with nullable types.

    columns: those wanted, out of COLUMNS or AI_COLUMNS; every row must have them.
    Text is categorical (row_id is not: each is its own), integers are Int64, numbers are float64
    with NaN for missing, booleans are boolean, times are datetime64 in UTC.
    """
    kept = {column: _keeper(column) for column in columns}
    for chunk in chunks(rows, columns):
        for column, values in chunk.items():
            kept[column].add(values)
    return pd.DataFrame({column: keeper.series() for column, keeper in kept.items()})


def ai_rows(
    results: Iterable[AiResult],
    stimuli: Mapping[str, Stimulus],
    *,
    study_id: str | None = None,
    study_version: int | None = None,
    config_hash: str | None = None,
) -> Iterator[Row]:
    """Yield a row of AI_COLUMNS per score; a result without scores ("no face") is one row, too.

    stimuli: by `served_sha256`; outside a study they carry the file's path and empty ids.
    Raises ExportError when a result belongs to none of them.
    """
    study: Row = {"study_id": study_id, "study_version": study_version, "config_hash": config_hash}
    for result in results:
        stimulus = stimuli.get(result.served_sha256)
        if stimulus is None:
            raise ExportError(
                f"{result.rater_id}: a result for the picture {result.served_sha256[:12]} was found, but no "
                "stimulus shows that picture; rate the stimuli again"
            )
        shared = {**EMPTY, **study, **_about_stimulus(stimulus), **_about_result(result)}
        for score in result.scores or (None,):
            yield {**shared, "row_id": _row_id(shared, result, score), **_about_score(score)}


def _about_stimulus(stimulus: Stimulus) -> Row:
    return {
        "stimulus_id": stimulus.stimulus_id or None,
        "stim_file": stimulus.stim_file,
        "stim_sha256": stimulus.stim_sha256,
        "identity_id": stimulus.identity_id or None,
        "intended_emotion": stimulus.intended_emotion,
    }


def _about_result(result: AiResult) -> Row:
    return {
        "rater_type": "model",
        "rater_id": result.rater_id,
        "model_version": result.rater_version,
        "is_practice": False,
        "is_attention": False,
        "is_repeat": False,
        "is_foil": False,
        "superseded": False,
        "excluded": False,
        **{f"probability_{code}": result.probabilities.get(code) for code in EMOTIONS},
        "detector": result.detector,
        "weights_sha256": result.weights_sha256,
        "status": result.status,
        "reason": result.reason or None,
    }


def _about_score(score: Score | None) -> Row:
    if score is None:
        return {}
    return {
        "scale_id": score.scale_id,
        "scale_min": score.scale_min,
        "scale_max": score.scale_max,
        "response": score.value,
        "response_label": score.label,
    }


def _row_id(shared: Row, result: AiResult, score: Score | None) -> str:
    # A result has no number of its own where no database is; its key always names it.
    key = (
        shared["config_hash"],
        shared["stim_file"],
        result.served_sha256,
        result.rater_id,
        result.rater_version,
        result.weights_sha256,
        result.detector,
        score.scale_id if score else None,
    )
    return "ai-" + hashlib.sha256(repr(key).encode()).hexdigest()[:20]


class _Keeper(ABC):
    """Gathers one column in little memory."""

    @abstractmethod
    def add(self, values: Sequence[Value]) -> None:
        """Take a chunk of the column's values."""

    @abstractmethod
    def series(self) -> pd.Series:
        """Give the whole column with its type."""


class _Codes(dict[Value, int]):
    """Numbers each new value; None is -1, as pandas numbers a missing category."""

    def __missing__(self, value: Value) -> int:
        code = self[value] = -1 if value is None else len(self) - (None in self)
        return code


class _Categories(_Keeper):
    def __init__(self) -> None:
        self.codes = _Codes()
        self.values = array("i")

    def add(self, values: Sequence[Value]) -> None:
        self.values.extend(map(self.codes.__getitem__, values))

    def series(self) -> pd.Series:
        names = [str(value) for value in self.codes if value is not None]
        codes = np.frombuffer(self.values, dtype=np.int32) if self.values else np.empty(0, np.int32)
        return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(names, dtype="str")))


class _Parts(_Keeper):
    def __init__(self, column: str) -> None:
        self.column = column
        self.parts: list[pd.Series] = []

    def add(self, values: Sequence[Value]) -> None:
        self.parts.append(self.typed(values))

    def typed(self, values: Sequence[Value]) -> pd.Series:
        kind = AI_KINDS[self.column]
        if kind == "text":
            return pd.Series(list(values), dtype="str")
        if kind == "time":
            texts = pd.Series(list(values), dtype=object)
            return pd.to_datetime(texts, utc=True, format="ISO8601").dt.as_unit("ms")
        # Through float64, since numpy reads None as NaN there ten times faster than pandas reads objects.
        numbers = np.array(values, dtype=np.float64)
        if kind == "number":
            return pd.Series(numbers)
        missing = np.isnan(numbers)
        whole = np.where(missing, 0, numbers)
        if kind == "boolean":
            return pd.Series(pd.arrays.BooleanArray(whole.astype(np.bool_), missing))
        return pd.Series(pd.arrays.IntegerArray(whole.astype(np.int64), missing))

    def series(self) -> pd.Series:
        return pd.concat(self.parts, ignore_index=True) if self.parts else self.typed(())


class _Lists(_Categories):
    def add(self, values: Sequence[Value]) -> None:
        super().add([joined(value) for value in values])


def joined(value: Value) -> Value:
    """Write a sequence of codes as one text, `happy|sad|other`."""
    return "|".join(value) if isinstance(value, list | tuple) else value


def _keeper(column: str) -> _Keeper:
    if AI_KINDS[column] == "list":
        return _Lists()
    if AI_KINDS[column] == "text" and column != "row_id":
        return _Categories()
    return _Parts(column)
