"""Norms: what people said of each stimulus, from the long rating table.

The table's columns are those of docs/data.md; only stimulus_id, rater_id, scale_id, response and
response_label are needed. Numbers stay in the scale's raw points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
NOT_COUNTED = ("is_practice", "is_attention", "is_repeat", "excluded")


def usable(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that norms and agreement rest on: people's ratings, first showing, not excluded.

    Left out are models, practice, attention checks, repeats and excluded rows; a column that the table
    does not have leaves nothing out.
    Raises AgreementError when a needed column is missing or a rater rated a stimulus twice on a scale.
    """
    if missing := [name for name in NEEDED if name not in frame]:
        raise AgreementError(f"the rating table has no column {', '.join(missing)}; it needs the long format")
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

    A choice scale gives `<scale>_n`, `_n_not_applicable`, `_proportion_<code>` per response code in the
    scale's order, `_hits`, `_h` with `_h_low` and `_h_high` (the share of the intended emotion, Wilson;
    empty where the intended emotion is unknown or no option), `_mode`, `_mode_ties` (labels that share the
    highest count; 1 where there is no tie) and `_entropy_bits`.
    Any other scale gives `<scale>_n`, `_n_not_applicable`, `_m`, `_sd` (n - 1), `_se`, `_low` and `_high`
    (Student's t), and `_median`, in raw points; sd and what follows from it are empty with one rating.
    A response without value and label is "not applicable": counted, and never a 0.
    Raises AgreementError when no usable rating is there, or a label is no option of its scale.
    """
    rows = usable(frame)
    if rows.empty:
        raise AgreementError("there are no usable ratings yet; norms need at least one")
    stimuli = pd.Index(pd.unique(rows["stimulus_id"]), name="stimulus_id")
    about = [name for name in ABOUT_STIMULUS if name in rows]
    norms = rows.drop_duplicates("stimulus_id").set_index("stimulus_id")[about].reindex(stimuli)
    intended = norms["intended_emotion"] if "intended_emotion" in norms else pd.Series(None, index=stimuli)
    parts = [norms]
    for scale_id, scale in scales.items():
        part = rows[rows["scale_id"] == scale_id]
        columns = (
            _choice(part, stimuli, tuple(scale.options), intended, confidence)
            if scale.kind == "choice"
            else _numeric(part, stimuli, confidence)
        )
        parts.append(pd.DataFrame(columns, index=stimuli).add_prefix(f"{scale_id}_"))
    return pd.concat(parts, axis=1).reset_index()


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
    i, raters = pd.factorize(rows["rater_id"][answered])
    j, stimuli = pd.factorize(rows["stimulus_id"][answered])
    result = np.full((len(raters), len(stimuli)), np.nan)
    result[i, j] = values[answered]
    return result, tuple(map(str, raters)), tuple(map(str, stimuli))


Columns = dict[str, npt.NDArray[np.generic] | list[object]]


def _choice(
    rows: pd.DataFrame, stimuli: pd.Index, options: tuple[str, ...], intended: pd.Series, confidence: float
) -> Columns:
    at = stimuli.get_indexer(pd.Index(rows["stimulus_id"]))
    scale_id = str(rows["scale_id"].iloc[0]) if len(rows) else ""
    codes = _codes(_labels(rows["response_label"]), options, scale_id)
    given = codes >= 0
    flat = np.bincount(at[given] * len(options) + codes[given], minlength=len(stimuli) * len(options))
    counts = flat.reshape(len(stimuli), len(options))
    n = counts.sum(axis=1)
    columns: Columns = {"n": n, "n_not_applicable": np.bincount(at[~given], minlength=len(stimuli))}
    shares = np.divide(counts, n[:, None], out=np.full(counts.shape, np.nan), where=n[:, None] > 0)
    columns |= {f"proportion_{code}": shares[:, k] for k, code in enumerate(options)}
    columns |= _hits(counts, options, intended, confidence)
    columns |= _modes(counts, options)
    return columns


def _hits(counts: Ints, options: tuple[str, ...], intended: pd.Series, confidence: float) -> Columns:
    found: list[list[float]] = []
    for row, emotion in zip(counts, intended, strict=True):
        n = int(row.sum())
        if emotion in options and n:
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


def _numeric(rows: pd.DataFrame, stimuli: pd.Index, confidence: float) -> Columns:
    values = pd.Series(_numbers(rows["response"]), index=pd.Index(rows["stimulus_id"]))
    groups = values.groupby(level=0)
    n = groups.count().reindex(stimuli, fill_value=0).to_numpy(dtype=np.int64)
    rated = groups.size().reindex(stimuli, fill_value=0).to_numpy(dtype=np.int64)
    mean, median, sd = (
        part.reindex(stimuli).to_numpy(dtype=np.float64)
        for part in (groups.mean(), groups.median(), groups.std(ddof=1))
    )
    se = np.divide(sd, np.sqrt(n), out=np.full(len(n), np.nan), where=n > 1)
    half = stats.t.ppf((1 + confidence) / 2, np.maximum(n - 1, 1)) * se
    return {
        "n": n,
        "n_not_applicable": rated - n,
        "m": mean,
        "sd": sd,
        "se": se,
        "low": mean - half,
        "high": mean + half,
        "median": median,
    }


def _flags(column: pd.Series) -> npt.NDArray[np.bool_]:
    # Read from a file a flag may be a word or a number, and bool("False") is true.
    words = column.astype(str).str.lower()
    return words.isin(["true", "1", "1.0"]).to_numpy(dtype=np.bool_)


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
