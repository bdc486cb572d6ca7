"""Quality of participants' answers: who is beyond which limit, and whose rows are left out by which rule.

Nothing is deleted. `conduct.measures` says how somebody answered, flags where that is beyond a limit which
the study declared, and `excluded` marks rows with the reasons, so that every table can be made with and
without them. A measure that is NaN flags nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from core import conduct


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits beyond which a participant is flagged; None leaves a flag out.

    min_rt_ms: of the median time per trial, for instance from a pilot; rt_percentile: or below this
    percentile of all participants' medians. Shares and differences are from 0 to 1.
    soft: flags that tell and do not exclude unless they are asked for by name.
    """

    failed_checks: float | None = 1
    min_rt_ms: float | None = None
    rt_percentile: float | None = 1
    same_share: float | None = 0.9
    longest_run: float | None = 15
    distinct_values: float | None = 3
    retest_difference: float | None = 0.25
    retest_changed: float | None = 0.7
    rest_correlation: float | None = 0
    rest_agreement: float | None = 0.2
    blur_rate: float | None = 0.2
    timing_error_rate: float | None = 0.1
    duplicates: float | None = 0
    soft: tuple[str, ...] = ("longest_run", "distinct_values")


@dataclass(frozen=True, slots=True)
class Flag:
    """One participant beyond one limit."""

    rater_id: str
    flag: str
    value: float
    limit: float
    soft: bool

    @property
    def reason(self) -> str:
        """What is recorded beside an excluded row."""
        return f"{self.flag} {self.value:g}, limit {self.limit:g}"


def flags(measured: pd.DataFrame, rules: Rules) -> tuple[Flag, ...]:
    """Who is beyond which limit, participant by participant; NaN is beyond none.

    measured: from `conduct.measures`.
    """
    found = []
    for row in measured.to_dict("records"):
        for name, (column, above) in _FLAGS.items():
            limit, value = _limit(name, measured, rules), float(row.get(column, np.nan))
            if limit is not None and (value > limit if above else value < limit):
                found.append(Flag(str(row["rater_id"]), name, value, limit, name in rules.soft))
    return tuple(found)


def excluded(frame: pd.DataFrame, found: Iterable[Flag], *, also: Sequence[str] = ()) -> pd.DataFrame:
    """A copy of the rating table whose rows of flagged participants are marked as excluded, with the reasons.

    found: from `flags`; a soft flag excludes only where `also` names it. Rows that were excluded before stay
    so and keep their reason. `norms.usable` leaves the marked rows out; the given table is as it was.
    """
    reasons: dict[str, list[str]] = {}
    for flag in found:
        if not flag.soft or flag.flag in also:
            reasons.setdefault(flag.rater_id, []).append(flag.reason)
    why = frame["rater_id"].astype(str).map({rater: "; ".join(all_) for rater, all_ in reasons.items()})
    # A model may have a participant's name, and is never flagged.
    why = why.where(conduct.people(frame), None)
    before = frame["exclusion_reason"] if "exclusion_reason" in frame else pd.Series(None, frame.index)
    kept = before.astype(object).where(before.notna() & (before != ""), None)
    marked = conduct.true(frame, "excluded") | why.notna().to_numpy()
    return frame.assign(excluded=marked, exclusion_reason=kept.where(kept.notna(), why.astype(object)))


_FLAGS: Mapping[str, tuple[str, bool]] = MappingProxyType(
    {
        "failed_checks": ("failed_checks", True),
        "min_rt_ms": ("rt_median_ms", False),
        "rt_percentile": ("rt_median_ms", False),
        "same_share": ("same_share", True),
        "longest_run": ("longest_run", True),
        "distinct_values": ("distinct_values", False),
        "retest_difference": ("retest_difference", True),
        "retest_changed": ("retest_changed", True),
        "rest_correlation": ("rest_correlation", False),
        "rest_agreement": ("rest_agreement", False),
        "blur_rate": ("blur_rate", True),
        "timing_error_rate": ("timing_error_rate", True),
        "duplicates": ("duplicates", True),
    }
)


def _limit(name: str, measured: pd.DataFrame, rules: Rules) -> float | None:
    declared: float | None = getattr(rules, name)
    if name != "rt_percentile" or declared is None:
        return declared
    times = measured["rt_median_ms"].to_numpy(dtype=np.float64)
    times = times[np.isfinite(times)]
    return float(np.percentile(times, declared)) if len(times) else None
