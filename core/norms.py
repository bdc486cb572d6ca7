"""Norms: what people said of each stimulus, from the long rating table.

The table's columns are those of docs/data.md; only stimulus_id, rater_id, scale_id, response and
response_label are needed. Numbers stay in the scale's raw points. On `same_identity` the matches alone
count: a foil is about two people, so its norm would not be the stimulus's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from core.agreement import categorical
from core.agreement.estimate import Floats, Ints
from core.errors import AgreementError
from core.study import Scale

NEEDED = ("stimulus_id", "rater_id", "scale_id", "response", "response_label")
ABOUT_STIMULUS = ("stim_file", "stim_sha256", "identity_id", "intended_emotion")
NOT_COUNTED = ("is_practice", "is_attention", "is_repeat", "is_foil", "superseded", "excluded")
CANNOT_TELL = "cannot_tell"


def usable(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that norms and agreement rest on: participants' ratings, first showing, not excluded.

    Left out are models, practice, attention checks, repeats, foils, superseded attempts and excluded rows;
    a column that the table does not have leaves nothing out.
    Raises AgreementError when a needed column is missing or a rater rated a stimulus twice on a scale.
    """
    _need(frame, NEEDED)
    keep = np.ones(len(frame), dtype=np.bool_)
    for name in NOT_COUNTED:
        if name in frame:
            keep &= ~_flags(frame[name])
    if "rater_type" in frame:
        keep &= (frame["rater_type"] != "model").to_numpy(dtype=np.bool_)
    rows = frame[keep]
    key = ["rater_id", "stimulus_id", "scale_id"]
    if (twice := rows.duplicated(key)).any():
        rater, stimulus, scale = rows.loc[twice, key].iloc[0]
        raise AgreementError(
            f"rater {rater} rated stimulus {stimulus} twice on {scale}; mark repeats in is_repeat or drop one"
        )
    return rows


def table(frame: pd.DataFrame, scales: Mapping[str, Scale], *, confidence: float = 0.95) -> pd.DataFrame:
    """One row per stimulus in the order of the table, with the norms of each scale.

    A choice scale gives `<scale>_n`, `_n_not_applicable`, `_n_cannot_tell`, `_proportion_<code>` per response
    code in the scale's order, `_hits`, `_h` with `_h_low` and `_h_high` (the share of the intended emotion,
    Wilson; empty where the intended emotion is unknown or no option), `_mode`, `_mode_ties` (labels that
    share the highest count; 1 where there is no tie) and `_entropy_bits`.
    Any other scale gives `<scale>_n`, `_n_not_applicable`, `_n_cannot_tell`, `_m`, `_sd` (n - 1), `_se`,
    `_low` and `_high` (Student's t), and `_median`, in raw points; sd and what follows from it are empty
    with one rating.
    A response without value and label is counted, and never a 0: as "cannot tell" where `status` says so,
    as "not applicable" where it says anything else or the table has no such column.
    A scale that nobody rated has n = 0 for every stimulus.
    Raises AgreementError when no usable rating is there, or a label is no option of its scale.
    """
    rows = usable(frame)
    return _table(rows, np.ones(len(rows), dtype=np.int64), scales, confidence)


def table_of_counts(
    counts: pd.DataFrame, scales: Mapping[str, Scale], *, confidence: float = 0.95
) -> pd.DataFrame:
    """The same norms from answers that were counted where they are stored.

    counts: stimulus_id, scale_id, response, response_label and `n`, how many people answered so; `status`
    and the columns about the stimulus as in `table`. Whose answers count was decided when they were counted.
    Raises AgreementError as `table` does.
    """
    _need(counts, ("stimulus_id", "scale_id", "response", "response_label", "n"))
    return _table(counts, counts["n"].to_numpy(dtype=np.int64), scales, confidence)


def _table(rows: pd.DataFrame, n: Ints, scales: Mapping[str, Scale], confidence: float) -> pd.DataFrame:
    if not n.any():
        raise AgreementError("there are no usable ratings yet; norms need at least one")
    at, names = _factorised(rows["stimulus_id"])
    about = _about(rows, at)
    intended = about.get("intended_emotion", [None] * len(names))
    columns: Columns = {"stimulus_id": names, **about}
    for scale_id, scale in scales.items():
        of_scale = (rows["scale_id"] == scale_id).to_numpy(dtype=np.bool_)
        part = rows[of_scale]
        seen = _Seen(at[of_scale], n[of_scale], len(names), _unable(part))
        if scale.kind == "choice":
            options = tuple(scale.options)
            codes = _codes(_labels(part["response_label"]), options, scale_id)
            norms = _choice(codes, seen, options, intended, confidence)
        else:
            norms = _numeric(_numbers(part["response"]), seen, confidence)
        columns |= {f"{scale_id}_{name}": values for name, values in norms.items()}
    return pd.DataFrame(columns)


def matrix(
    frame: pd.DataFrame, scale_id: str, *, labels: Sequence[str] | None = None
) -> tuple[Floats, tuple[str, ...], tuple[str, ...]]:
    """The usable ratings on one scale as (values, rater ids, stimulus ids).

    values: shape (raters, stimuli), NaN for missing and not applicable; raters and stimuli in the order
    of the table. A forced choice gives positions in `labels`, by default its labels in sorted order.
    Raises AgreementError when nobody answered, or a label is not among `labels`.
    """
    rows = usable(frame)
    rows = rows[rows["scale_id"] == scale_id]
    values = _numbers(rows["response"])
    chosen = _labels(rows["response_label"])
    if chosen.notna().any():
        known = tuple(sorted(chosen.dropna().unique())) if labels is None else tuple(labels)
        positions = _codes(chosen, known, scale_id)
        values = np.where(positions >= 0, positions, np.nan)
    answered = np.isfinite(values)
    if not answered.any():
        raise AgreementError(f"nobody has answered {scale_id!r} yet; agreement needs two raters")
    i, raters = _factorised(rows["rater_id"][answered])
    j, stimuli = _factorised(rows["stimulus_id"][answered])
    result = np.full((len(raters), len(stimuli)), np.nan)
    result[i, j] = values[answered]
    return result, tuple(raters), tuple(stimuli)


Columns = dict[str, npt.NDArray[np.generic] | Sequence[object]]


@dataclass(frozen=True, slots=True)
class _Seen:
    """Rows of one scale: which stimulus each is about, how many people it stands for, how many stimuli.

    unable: which of the rows say that nobody could tell.
    """

    at: Ints
    n: Ints
    n_stimuli: int
    unable: npt.NDArray[np.bool_]

    def sums(self, values: Floats | float = 1.0) -> Floats:
        """The sum of values per stimulus, each as often as it was given."""
        return np.bincount(self.at, weights=values * self.n, minlength=self.n_stimuli).astype(np.float64)

    def where(self, chosen: npt.NDArray[np.bool_]) -> _Seen:
        """Only the chosen rows."""
        return _Seen(self.at[chosen], self.n[chosen], self.n_stimuli, self.unable[chosen])

    def absent(self, given: npt.NDArray[np.bool_]) -> Columns:
        """How many people gave no value about each stimulus, by the reason."""
        return {
            "n_not_applicable": self.where(~given & ~self.unable).totals(),
            "n_cannot_tell": self.where(~given & self.unable).totals(),
        }

    def totals(self) -> Ints:
        """How many people answered about each stimulus."""
        return self.sums().astype(np.int64)


def _need(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    if missing := [name for name in columns if name not in frame]:
        raise AgreementError(f"the rating table has no column {', '.join(missing)}; it needs the long format")


def _factorised(ids: pd.Series) -> tuple[Ints, list[str]]:
    codes, names = pd.factorize(ids)
    return codes.astype(np.int64), [str(name) for name in names]


def _about(rows: pd.DataFrame, at: Ints) -> dict[str, list[object]]:
    first = np.unique(at, return_index=True)[1]
    known = rows[[name for name in ABOUT_STIMULUS if name in rows]].iloc[first].astype(object)
    return {str(name): column.where(column.notna(), None).tolist() for name, column in known.items()}


def _choice(
    codes: Ints, seen: _Seen, options: tuple[str, ...], intended: Sequence[object], confidence: float
) -> Columns:
    given = codes >= 0
    cells = _Seen(seen.at * len(options) + codes, seen.n, seen.n_stimuli * len(options), seen.unable)
    counts = cells.where(given).totals().reshape(seen.n_stimuli, len(options))
    n = counts.sum(axis=1)
    shares = np.full(counts.shape, np.nan)
    np.divide(counts, n[:, None], out=shares, where=n[:, None] > 0)
    return {
        "n": n,
        **seen.absent(given),
        **{f"proportion_{code}": shares[:, k] for k, code in enumerate(options)},
        **_hits(counts, options, intended, confidence),
        **_modes(counts, options),
    }


def _hits(counts: Ints, options: tuple[str, ...], intended: Sequence[object], confidence: float) -> Columns:
    found: list[list[float]] = []
    for row, emotion in zip(counts, intended, strict=True):
        n = int(row.sum())
        if isinstance(emotion, str) and emotion in options and n:
            hits = int(row[options.index(emotion)])
            found.append([hits, hits / n, *categorical.wilson(hits, n, confidence=confidence)])
        else:
            found.append([np.nan] * 4)
    return dict(zip(("hits", "h", "h_low", "h_high"), np.array(found).T, strict=True))


def _modes(counts: Ints, options: tuple[str, ...]) -> Columns:
    labels: list[object] = []
    ties, bits = np.zeros(len(counts), dtype=np.int64), np.full(len(counts), np.nan)
    for k, row in enumerate(counts):
        if not row.any():
            labels.append(None)
            continue
        mode = categorical.mode(dict(zip(options, row.tolist(), strict=True)))
        labels.append(mode.label)
        ties[k], bits[k] = len(mode.tied), categorical.entropy(row)
    return {"mode": labels, "mode_ties": ties, "entropy_bits": bits}


def _numeric(values: Floats, seen: _Seen, confidence: float) -> Columns:
    given = np.isfinite(values)
    absent = seen.absent(given)
    values, seen = values[given], seen.where(given)
    n = seen.totals()
    mean = _over(seen.sums(values), n)
    sd = np.sqrt(_over(seen.sums((values - mean[seen.at]) ** 2), n - 1))
    se = _over(sd, np.sqrt(n))
    half = stats.t.ppf((1 + confidence) / 2, np.maximum(n - 1, 1)) * se
    return {
        "n": n,
        **absent,
        "m": mean,
        "sd": sd,
        "se": se,
        "low": mean - half,
        "high": mean + half,
        "median": _medians(values, seen, n),
    }


def _medians(values: Floats, seen: _Seen, n: Ints) -> Floats:
    order = np.lexsort((values, seen.at))
    values, upto = values[order], np.cumsum(seen.n[order])
    rated = n > 0
    before = (np.cumsum(n) - n)[rated]
    # The two middle ones in sorted order, the same one where their number is odd.
    middle = [before + (n[rated] - 1) // 2, before + n[rated] // 2]
    result = np.full(len(n), np.nan)
    result[rated] = values[np.searchsorted(upto, middle, side="right")].mean(axis=0)
    return result


def _over(sums: Floats, n: Floats | Ints) -> Floats:
    result = np.full(len(sums), np.nan)
    np.divide(sums, n, out=result, where=n > 0)
    return result


def _flags(column: pd.Series) -> npt.NDArray[np.bool_]:
    if pd.api.types.is_bool_dtype(column):
        return column.to_numpy(dtype=np.bool_, na_value=False)
    # Read from a file a flag may be a word or a number, and bool("False") is true.
    words = column.astype(str).str.lower()
    return words.isin(["true", "1", "1.0"]).to_numpy(dtype=np.bool_)


def _unable(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    if "status" not in rows:
        return np.zeros(len(rows), dtype=np.bool_)
    return (rows["status"] == CANNOT_TELL).to_numpy(dtype=np.bool_, na_value=False)


def _numbers(column: pd.Series) -> Floats:
    return pd.to_numeric(column.replace("", np.nan)).to_numpy(dtype=np.float64, na_value=np.nan)


def _labels(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna() & (column != ""), None)


def _codes(labels: pd.Series, known: tuple[str, ...], scale_id: str) -> Ints:
    """The position of each label in `known`, -1 for none."""
    codes = pd.Index(known).get_indexer(pd.Index(labels))
    if (strange := labels.notna().to_numpy(dtype=np.bool_) & (codes < 0)).any():
        raise AgreementError(
            f"{scale_id!r} holds the label {labels[strange].iloc[0]!r}, which is none of {', '.join(known)}; "
            "mend the label list or the data"
        )
    return codes.astype(np.int64)
