"""The dashboard's tables: reliability per scale, norms per stimulus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from core import study as study_files
from core.agreement.estimate import Estimate
from core.builtin_scales import SAME_IDENTITY
from core.plan.blocks import rateable
from core.records import Stimulus, StudyVersion
from core.study import Scale, Study
from pages.ui import charts, definitions, parts, results
from pages.ui.results import Missing, Snapshot

ROW_PX = 56


def reliability(snapshot: Snapshot, asked: Mapping[str, Scale], version: StudyVersion) -> None:
    """Show alpha per scale with its interval, or what is missing."""
    parts.section("Agreement among people", definitions.RELIABILITY)
    # Pairs of one person alone differ too little for a coefficient that divides by their differences.
    asked = {scale_id: scale for scale_id, scale in asked.items() if scale_id != SAME_IDENTITY}
    found = _alphas(version.config_hash, snapshot.fingerprint, snapshot, asked)
    estimates = {scale_id: one for scale_id, one in found.items() if isinstance(one, Estimate)}
    if estimates:
        chart, table = st.columns([4, 5], gap="large")
        with chart:
            figure = charts.reliability(
                [_line(scale_id, one) for scale_id, one in estimates.items()], dark=parts.is_dark()
            )
            parts.chart(figure, "alpha", "Krippendorff's alpha per scale with its interval")
        table.dataframe(_alpha_table(estimates, asked), hide_index=True, height="content")
    missing = {scale_id: one.reason for scale_id, one in found.items() if isinstance(one, Missing)}
    if missing:
        st.info(
            "\n".join(f"- **{scale_id}**: {parts.sentence(reason)}" for scale_id, reason in missing.items())
        )
    if snapshot.retests:
        st.caption(
            "Rated twice by the same person, for retest reliability: "
            + ", ".join(f"{snapshot.retests.get(scale_id, 0)} pairs on {scale_id}" for scale_id in asked)
            + "."
        )


@st.cache_resource(max_entries=32, show_spinner="Resampling …")
def _alphas(
    config_hash: str, fingerprint: str, _snapshot: Snapshot, _asked: Mapping[str, Scale]
) -> dict[str, Estimate | Missing]:
    seed = int(config_hash[:8], 16)
    return {
        scale_id: results.attempt(
            lambda scale_id=scale_id, scale=scale: results.alpha(  # type: ignore[misc]
                _snapshot.counts, scale_id, scale, seed=seed
            )
        )
        for scale_id, scale in _asked.items()
    }


def _line(scale_id: str, one: Estimate) -> charts.Interval:
    n = f"{one.n_stimuli} stimuli, {one.n_ratings} ratings"
    return charts.Interval(scale_id, one.estimate, one.low, one.high, n)


def _alpha_table(found: Mapping[str, Estimate], asked: Mapping[str, Scale]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "scale": list(found),
            "level": [results.LEVELS[asked[scale_id].kind] for scale_id in found],
            "alpha": [parts.number(one.estimate) for one in found.values()],
            "95 % interval": [
                "" if one.low is None else f"{parts.number(one.low)} to {parts.number(one.high)}"
                for one in found.values()
            ],
            "stimuli": [one.n_stimuli for one in found.values()],
            "ratings": [one.n_ratings for one in found.values()],
        }
    )


def norms(snapshot: Snapshot, study: Study, version: StudyVersion) -> None:
    """Show the norms of every stimulus beside its face."""
    parts.section("Norms per stimulus", definitions.NORMS)
    asked = dict(study_files.asked(study))
    found = _norms(version.config_hash, snapshot.fingerprint, snapshot, study)
    if isinstance(found, Missing):
        st.info(parts.sentence(found.reason))
        return
    st.dataframe(
        _shown(found, rateable(study, snapshot.stimuli), asked),
        hide_index=True,
        placeholder="",
        row_height=ROW_PX,
        height=min(640, 40 + ROW_PX * len(found)),
        column_config={
            "face": st.column_config.ImageColumn("", width=ROW_PX + 8, pinned=True),
            "H": st.column_config.NumberColumn(format="%.0f%%"),
            **{f"{_named(scale_id)} M": st.column_config.NumberColumn(format="%.2f") for scale_id in asked},
        },
    )


@st.cache_resource(max_entries=32, show_spinner="Computing norms …")
def _norms(config_hash: str, fingerprint: str, _snapshot: Snapshot, _study: Study) -> pd.DataFrame | Missing:
    asked, rated = dict(study_files.asked(_study)), rateable(_study, _snapshot.stimuli)
    return results.attempt(lambda: results.norms_table(_snapshot.counts, rated, asked))


def _shown(found: pd.DataFrame, rated: Sequence[Stimulus], asked: Mapping[str, Scale]) -> pd.DataFrame:
    columns: dict[str, object] = {
        "face": [parts.picture(stimulus) for stimulus in rated],
        "identity": [stimulus.identity_id for stimulus in rated],
        "intended": [stimulus.intended_emotion for stimulus in rated],
    }
    for scale_id, scale in asked.items():
        columns |= _choice(found, scale_id) if scale.kind == "choice" else _numeric(found, scale_id)
        if scale.cannot_tell:
            columns[f"{_named(scale_id)} can't tell"] = _whole(found[f"{scale_id}_n_cannot_tell"])
    return pd.DataFrame(columns)


def _choice(found: pd.DataFrame, scale_id: str) -> dict[str, object]:
    of = found.filter(like=f"{scale_id}_").rename(columns=lambda name: name.removeprefix(f"{scale_id}_"))
    # A study may ask two choices; only the first column of each name would survive without its scale.
    name = "" if scale_id == results.EMOTION else f"{scale_id} "
    ties = of["mode_ties"].fillna(1) > 1
    return {
        f"{name}H": (of["h"] * 100).to_list(),
        f"{name}H 95 %": [parts.interval(*ends) for ends in zip(of["h_low"], of["h_high"], strict=True)],
        f"{name}mode": [f"{m} (tie)" if tie else m for m, tie in zip(of["mode"], ties, strict=True)],
        f"{name}n": _whole(of["n"]),
    }


def _numeric(found: pd.DataFrame, scale_id: str) -> dict[str, object]:
    return {
        f"{_named(scale_id)} M": found[f"{scale_id}_m"].to_list(),
        f"{_named(scale_id)} n": _whole(found[f"{scale_id}_n"]),
    }


def _named(scale_id: str) -> str:
    return "rated identity" if scale_id == SAME_IDENTITY else scale_id


def _whole(counts: pd.Series) -> list[int]:
    return counts.fillna(0).astype(int).to_list()
