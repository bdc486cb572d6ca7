"""The dashboard: how far people agree, with the intended expression, with each other, with models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median
from typing import get_args

import streamlit as st

from core import study as study_files
from core.records import Phase, SessionKind, StudyVersion
from core.study import Study
from db import ai, sessions, studies, tables
from db import engine as db_engine
from db.sessions import Flow
from pages.ui import (
    charts,
    choose,
    comparison,
    definitions,
    guard,
    parts,
    recognition,
    resources,
    results,
)
from pages.ui import tables as shown
from pages.ui.results import Model, Snapshot

RENEWED_S = 60


def render() -> None:
    """Show everything that is known of one study version, in the order in which one asks."""
    guard.require()
    st.title("Dashboard")
    version = choose.version()
    if version is None:
        st.info("There is no study yet. Load one on the page “Studies”.")
        return
    phase, kinds = _filters()
    snapshot = _renewed(version, phase, kinds)
    _banner(phase, snapshot)
    with db_engine.reading(resources.engine()) as conn:
        study = resources.study_of(conn, version.config_hash)
    asked = dict(study_files.asked(study))
    _flow(snapshot, study)
    model = _model(snapshot)
    recognition.show(snapshot, study, model)
    shown.reliability(snapshot, asked, version)
    comparison.show(snapshot, asked, model)
    shown.norms(snapshot, asked, version)


# ---- filters and snapshot


def _filters() -> tuple[Phase, tuple[SessionKind, ...]]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        phase = st.segmented_control(
            "Phase", ["live", "pilot"], default="live", key="phase", bind="query-params", required=True
        )
        simulated = st.toggle(
            "Include simulated participants",
            key="simulated",
            bind="query-params",
            help="Computed answers, added on the page “Studies”. They are nobody's opinion.",
        )
    return phase, ("human", "simulated") if simulated else ("human",)


def _renewed(version: StudyVersion, phase: Phase, kinds: tuple[SessionKind, ...]) -> Snapshot:
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Refresh", icon=":material/refresh:", help="Without it, at most once a minute."):
            _snapshot.clear()
        snapshot = _snapshot(version.study_id, version.config_hash, phase, kinds)
        st.caption(f"As of {snapshot.taken_at:%Y-%m-%d %H:%M:%S} UTC", width="content")
    return snapshot


@st.cache_resource(ttl=RENEWED_S, max_entries=32, show_spinner="Counting the answers …")
def _snapshot(study_id: str, config_hash: str, phase: Phase, kinds: tuple[SessionKind, ...]) -> Snapshot:
    with db_engine.reading(resources.engine()) as conn:
        return Snapshot(
            taken_at=datetime.now(UTC),
            flow={
                kind: sessions.flow(conn, study_id, config_hash=config_hash, kind=kind, phase=phase)
                for kind in get_args(SessionKind)
            },
            kinds=kinds,
            stimuli=studies.stimuli(conn, config_hash),
            counts=results.frame(tables.counts(conn, config_hash, kinds=kinds, phases=(phase,))),
            ai=tuple(ai.results(conn, config_hash)),
        )


def _banner(phase: Phase, snapshot: Snapshot) -> None:
    simulated = snapshot.flow["simulated"].began
    if "simulated" in snapshot.kinds and simulated:
        people = snapshot.flow["human"].began
        st.warning(
            f"**Simulated data.** {simulated} of the {people + simulated} participants below are computed, "
            "not people. Switch them off above before you conclude anything.",
            icon=":material/smart_toy:",
        )
    elif simulated and not snapshot.flow["human"].began:
        st.info(
            f"Nobody has taken part in the {phase} phase yet, but {simulated} simulated participants have. "
            "Switch on “Include simulated participants” above to see how this page will look.",
            icon=":material/smart_toy:",
        )


def _model(snapshot: Snapshot) -> Model | None:
    found = {model.name: model for model in results.models(snapshot.ai)}
    if len(found) > 1:
        return found[st.selectbox("Model", list(found), key="model", bind="query-params", width=320)]
    return next(iter(found.values()), None)


# ---- flow


def _flow(snapshot: Snapshot, study: Study) -> None:
    parts.section("Participants", definitions.FLOW)
    left, right = st.columns(2, gap="large")
    with left:
        _metrics(snapshot.flow["human"])
        if "simulated" in snapshot.kinds:
            st.metric("Simulated participants, finished", snapshot.flow["simulated"].completed)
    with right:
        _filled(list(snapshot.answers.values()), study.trials.ratings_per_stimulus)


def _metrics(people: Flow) -> None:
    with st.container(horizontal=True):
        for name, n, of in (
            ("Openings of the page", people.opened, 0),
            ("Declined", people.declined, people.opened),
            ("Consented and began", people.began, 0),
            ("Finished", people.completed, people.began),
        ):
            share = f"{n / of:.0%} of {of}" if of else None
            st.metric(name, n, share, delta_color="off", delta_arrow="off", width=150)


def _filled(answers: Sequence[int], wanted: int) -> None:
    figure = charts.filled(answers, wanted=wanted, dark=parts.is_dark())
    parts.chart(figure, "filled", "How many stimuli have how many answers")
    if answers:
        st.caption(
            f"Answers per stimulus: {min(answers)} to {max(answers)}, median {median(answers):g}; "
            f"{wanted} wanted."
        )
