"""How participants answered: one row per participant of what tells care from carelessness.

The columns are those of docs/data.md; a measure whose columns are missing is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from core import norms
from core.agreement import ceiling
from core.agreement.estimate import Floats
from core.agreement.measures import Measure
from core.errors import AgreementError

ASIDE = ("is_practice", "superseded")  # in no measure
NOT_MAIN = ("is_attention", "is_repeat", "is_foil")
MIN_RATINGS = 10  # fewer on a scale say nothing of how somebody uses it
Bools = npt.NDArray[np.bool_]


def measures(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per participant, in the order of the table, with what `quality.Rules` has limits for.

    failed_checks: attention checks answered wrongly, of `n_checks`. rt_median_ms: median over trials of the
    time to Next. same_share, longest_run, distinct_values: of the scale where it is worst, in the order of
    the trials. retest_difference: mean difference between first and repeated rating as a share of the scale;
    retest_changed: share of labels that are others the second time. rest_correlation: with the mean of the
    others, mean over scales of points; rest_agreement: with the plurality of the others, mean over choices.
    blur_rate, timing_error_rate: share of trials. duplicates: ratings of a stimulus that was rated before on
    that scale and is no repeat.
    Raises AgreementError when a needed column is missing or nobody has answered.
    """
    if missing := [name for name in norms.NEEDED if name not in frame]:
        raise AgreementError(f"the rating table has no column {', '.join(missing)}; it needs the long format")
    rows = frame[people(frame) & ~_any(frame, ASIDE)]
    rows = rows.assign(rater_id=rows["rater_id"].astype(str))
    answers = _answers(rows)
    if answers.empty:
        raise AgreementError("no participant has answered yet; quality needs answers")
    table = pd.DataFrame({"rater_id": pd.unique(answers["rater_id"])}).set_index("rater_id")
    main = answers[~_any(answers, NOT_MAIN)]
    table["n_ratings"] = main.groupby("rater_id").size()
    table["n_ratings"] = table["n_ratings"].fillna(0).astype(np.int64)
    for columns in (_checks(rows), _trials(main), _use(main), _retest(answers), _rest(main)):
        table = table.join(columns)
    key = ["rater_id", "stimulus_id", "scale_id"]
    table["duplicates"] = main.duplicated(key).groupby(main["rater_id"]).sum()
    return table.reset_index()


def people(frame: pd.DataFrame) -> Bools:
    """Which rows of a rating table are participants', not models'."""
    if "rater_type" not in frame:
        return np.ones(len(frame), dtype=np.bool_)
    return (frame["rater_type"] != "model").to_numpy(dtype=np.bool_)


def true(frame: pd.DataFrame, name: str) -> Bools:
    """A column of flags, also as words or numbers of a file; false where the table has no such column."""
    if name not in frame:
        return np.zeros(len(frame), dtype=np.bool_)
    # Read from a file a flag may be a word or a number, and bool("False") is true.
    words = frame[name].astype(str).str.lower()
    return words.isin(["true", "1", "1.0"]).to_numpy(dtype=np.bool_)


def _any(frame: pd.DataFrame, names: Sequence[str]) -> Bools:
    return np.asarray(np.logical_or.reduce([true(frame, name) for name in names]), dtype=np.bool_)


def _answers(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with a value or a label, in the order of the trials; `point` is NaN for a label."""
    point = pd.to_numeric(rows["response"].replace("", np.nan)).astype(np.float64)
    label = rows["response_label"].astype(object).where(rows["response_label"].astype(str) != "", None)
    rows = rows.assign(point=point, answer=point.astype(object).where(point.notna(), label))
    rows = rows[rows["answer"].notna()]
    return rows.sort_values("trial_index", kind="stable") if "trial_index" in rows else rows


def _checks(rows: pd.DataFrame) -> pd.DataFrame:
    if "check_passed" not in rows:
        return pd.DataFrame({"n_checks": 0, "failed_checks": np.nan}, index=pd.unique(rows["rater_id"]))
    given = rows["check_passed"].notna() & (rows["check_passed"].astype(str) != "")
    checks = rows[given & true(rows, "is_attention")]
    failed = pd.Series(~true(checks, "check_passed"), checks.index).groupby(checks["rater_id"])
    return pd.DataFrame({"n_checks": failed.size(), "failed_checks": failed.sum().astype(np.float64)})


def _trials(main: pd.DataFrame) -> pd.DataFrame:
    columns: dict[str, pd.Series] = {}
    trial = "trial_id" if "trial_id" in main else "stimulus_id"
    by = [main["rater_id"], main[trial]]
    if "rt_submit_ms" in main:
        times = pd.to_numeric(main["rt_submit_ms"]).groupby(by).max()
        columns["rt_median_ms"] = times.groupby("rater_id").median()
    if "blur_count" in main:
        blurred = (pd.to_numeric(main["blur_count"]) > 0).groupby(by).max()
        columns["blur_rate"] = blurred.groupby("rater_id").mean()
    if "onset_ok" in main:
        wrong = pd.Series(~true(main, "onset_ok"), main.index).groupby(by).max()
        columns["timing_error_rate"] = wrong.groupby("rater_id").mean()
    return pd.DataFrame(columns).reindex(columns=["rt_median_ms", "blur_rate", "timing_error_rate"])


def _use(main: pd.DataFrame) -> pd.DataFrame:
    names = ["same_share", "longest_run", "distinct_values"]
    if main.empty:
        return pd.DataFrame(columns=names, dtype=np.float64)
    rater, raters = pd.factorize(main["rater_id"])
    scale, scales = pd.factorize(main["scale_id"])
    group = rater * len(scales) + scale
    order = np.argsort(group, kind="stable")  # the order of the trials stays within a group
    group, answer = group[order], pd.factorize(main["answer"])[0][order]
    points = main["point"].notna().to_numpy()[order]
    first = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    n = np.diff(first, append=len(group))
    pairs, times = np.unique(group * (answer.max() + 1) + answer, return_counts=True)
    starts = np.flatnonzero(np.append(True, np.diff(pairs // (answer.max() + 1)) != 0))
    ends = np.flatnonzero(np.append((group[1:] != group[:-1]) | (answer[1:] != answer[:-1]), True))
    runs = np.diff(ends, prepend=-1)
    of_points = np.logical_and.reduceat(points, first)
    distinct = np.where(of_points, np.diff(starts, append=len(pairs)), np.nan)
    longest = np.maximum.reduceat(runs, np.searchsorted(ends, first))
    use = pd.DataFrame({"same_share": np.maximum.reduceat(times, starts) / n, "longest_run": longest})
    use = use.assign(distinct_values=distinct, rater_id=raters[group[first] // len(scales)])
    by = use[n >= MIN_RATINGS].groupby("rater_id")
    return by.agg({"same_share": "max", "longest_run": "max", "distinct_values": "min"})


def _retest(answers: pd.DataFrame) -> pd.DataFrame:
    again, key = true(answers, "is_repeat"), ["rater_id", "stimulus_id", "scale_id"]
    first = answers[~again & ~_any(answers, ("is_attention", "is_foil"))].drop_duplicates(key)
    pairs = first.merge(answers[again], on=key, suffixes=("", "_again"))
    labels = pairs[pairs["point"].isna()]
    changed = (labels["answer"] != labels["answer_again"]).astype(np.float64)
    found = pd.DataFrame({"retest_changed": changed.groupby(labels["rater_id"]).mean()})
    if "scale_min" not in pairs:
        return found.assign(retest_difference=np.nan)
    points = pairs[pairs["point"].notna()]
    width = pd.to_numeric(points["scale_max"]) - pd.to_numeric(points["scale_min"])
    apart = (points["point"] - points["point_again"]).abs() / width
    return found.join(apart.groupby(points["rater_id"]).mean().rename("retest_difference"), how="outer")


def _rest(main: pd.DataFrame) -> pd.DataFrame:
    once = main.drop_duplicates(["rater_id", "stimulus_id", "scale_id"])
    once = once[~true(once, "excluded")]
    found: dict[str, list[pd.Series]] = {"rest_correlation": [], "rest_agreement": []}
    for scale, part in once.groupby("scale_id", sort=False):
        labels = part["point"].isna().all()
        values, raters, _ = norms.matrix(part, str(scale))
        enough = np.isfinite(values).sum(axis=1) >= MIN_RATINGS
        each = np.where(enough, _against_rest(values, bool(labels)), np.nan)
        series = pd.Series(each, index=list(raters))
        found["rest_agreement" if labels else "rest_correlation"].append(series)
    return pd.DataFrame({name: _averaged(all_) for name, all_ in found.items()})


def _against_rest(values: Floats, labels: bool) -> Floats:
    measure: Measure = "accuracy" if labels else "pearson"
    n_labels = int(np.nanmax(values)) + 1 if labels else 0
    try:
        found = ceiling.human(values, measure=measure, n_labels=n_labels)
    except AgreementError:  # nobody shares enough with others; that is no flag
        return np.full(len(values), np.nan)
    return np.array(found.of_raters, dtype=np.float64)


def _averaged(found: list[pd.Series]) -> pd.Series:
    return pd.concat(found, axis=1).mean(axis=1) if found else pd.Series(dtype=np.float64)
