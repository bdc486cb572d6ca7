"""Norms of the exported rows, from counts: a million ratings need no more memory than a thousand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import compress

import pandas as pd

from core import norms
from core.export import fields
from core.export.sheets import Chunk
from core.ratings import Kind, Row, Value
from core.study import Scale
from core.study_base import Text

_RATING = ("stimulus_id", "scale_id", "response", "response_label", "status")
_NOTHING = pd.DataFrame(columns=["stimulus_id", *norms.ABOUT_STIMULUS])


class Tally:
    """Counts the ratings that pass by, per stimulus, scale and value.

    batch: norms are computed of so many different answers at a time, or of one stimulus with more.
    """

    def __init__(self, *, batch: int = 50_000) -> None:
        self._batch = batch
        self._counts: dict[Value, Counter[tuple[Value, ...]]] = {}
        self._about: dict[Value, tuple[Value, ...]] = {}

    def add(self, chunk: Chunk) -> None:
        """Count a chunk of ratings; what `norms.usable` leaves out does not count."""
        counted = [sort != "model" for sort in chunk["rater_type"]]
        for flags in (chunk[name] for name in norms.NOT_COUNTED):
            if any(flags):
                counted = [counts and not flag for counts, flag in zip(counted, flags, strict=True)]
        rating = zip(*(chunk[name] for name in _RATING), strict=True)
        for (stimulus, *rest), n in Counter(compress(rating, counted)).items():
            self._counts.setdefault(stimulus, Counter())[tuple(rest)] += n
        if not self._about.keys() >= set(chunk["stimulus_id"]):
            about = zip(*(chunk[name] for name in norms.ABOUT_STIMULUS), strict=True)
            self._about |= dict(zip(chunk["stimulus_id"], about, strict=True))

    def norms(self, scales: Mapping[str, Scale]) -> pd.DataFrame:
        """The norms as core.norms computes them, a row per stimulus; no rows when nothing was counted."""
        known = {scale_id: self._with_labels(scale_id, scale) for scale_id, scale in scales.items()}
        parts = [norms.table_of_counts(frame, known) for frame in self._frames()]
        return pd.concat(parts, ignore_index=True) if parts else _NOTHING.copy()

    def _with_labels(self, scale_id: str, scale: Scale) -> Scale:
        # An earlier version of the study may have offered other options; they get columns after the rest.
        found = {
            label
            for counts in self._counts.values()
            for of, _, label, _ in counts
            if of == scale_id and label
        }
        new: dict[str, Text] = {str(label): {} for label in sorted(map(str, found - set(scale.options)))}
        return scale.model_copy(update={"options": {**scale.options, **new}}) if new else scale

    def _frames(self) -> Iterator[pd.DataFrame]:
        batch: list[pd.DataFrame] = []
        for stimulus in self._counts:
            batch.append(self._frame(stimulus))
            if sum(map(len, batch)) >= self._batch:
                yield pd.concat(batch, ignore_index=True)
                batch = []
        if batch:
            yield pd.concat(batch, ignore_index=True)

    def _frame(self, stimulus: Value) -> pd.DataFrame:
        counts = self._counts[stimulus]
        frame = pd.DataFrame(list(counts), columns=list(_RATING[1:])).astype(
            {"scale_id": "str", "response": "float64", "response_label": object, "status": "str"}
        )
        about = dict(zip(norms.ABOUT_STIMULUS, self._about[stimulus], strict=True))
        return frame.assign(stimulus_id=stimulus, n=list(counts.values()), **about)


def norm_rows(frame: pd.DataFrame, scales: Collection[str]) -> tuple[dict[str, Kind], list[Row]]:
    """The columns and rows of norms.csv, from the norms of these scales."""
    kinds: dict[str, Kind] = {}
    for column in frame:
        field = fields.of("norms.csv", str(column), scales)
        kinds[str(column)] = field.kind if field else "text"
    plain = frame.astype(object).where(frame.notna(), None)
    return kinds, [dict(zip(kinds, row, strict=True)) for row in plain.itertuples(index=False, name=None)]
