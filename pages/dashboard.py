"""The dashboard: how far people agree, with the intended expression, with each other, with models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import get_args

import streamlit as st

from core import study as study_files
from core.records import Phase, SessionKind, StudyVersion
from core.study import Study
from db import ai, ends, sessions, studies, tables
from db import engine as db_engine
from db.ends import Ends
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
    same_person,
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
    with db_engine.reading(resources.engine()) as conn:
        study = resources.study_of(conn, version.config_hash)
    asked = dict(study_files.asked(study))
    scales = tuple(
        sorted({results.EMOTION, *(name for scale_id in asked for name in results.told_of(scale_id))})
    )
    snapshot = _renewed(version, phase, kinds, study.trials.places_return_min, scales)
    _banner(phase, snapshot)
    _flow(snapshot, study)
    model = _model(snapshot)
    recognition.show(snapshot, study, model)
    shown.reliability(snapshot, asked, version)
    same_person.show(snapshot, asked)
    comparison.show(snapshot, asked)
    shown.norms(snapshot, study, version)


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


def _renewed(
    version: StudyVersion,
    phase: Phase,
    kinds: tuple[SessionKind, ...],
    silent_min: int,
    scales: tuple[str, ...],
) -> Snapshot:
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Refresh", icon=":material/refresh:", help="Without it, at most once a minute."):
            _snapshot.clear()
        snapshot = _snapshot(version.study_id, version.config_hash, phase, kinds, silent_min, scales)
        st.caption(f"As of {snapshot.taken_at:%Y-%m-%d %H:%M:%S} UTC", width="content")
    return snapshot


@st.cache_resource(ttl=RENEWED_S, max_entries=32, show_spinner="Counting the answers …")
def _snapshot(
    study_id: str,
    config_hash: str,
    phase: Phase,
    kinds: tuple[SessionKind, ...],
    silent_min: int,
    scales: tuple[str, ...],
) -> Snapshot:
    silent_for, phases = timedelta(minutes=silent_min), (phase,)
    with db_engine.reading(resources.engine()) as conn:
        return Snapshot(
            taken_at=datetime.now(UTC),
            flow={
                kind: sessions.flow(conn, study_id, config_hash=config_hash, kind=kind, phase=phase)
                for kind in get_args(SessionKind)
            },
            ends={
                kind: ends.of_version(conn, config_hash, silent_for=silent_for, kind=kind, phase=phase)
                for kind in get_args(SessionKind)
            },
            kinds=kinds,
            stimuli=studies.stimuli(conn, config_hash),
            counts=results.frame(tables.counts(conn, config_hash, kinds=kinds, phases=phases)),
            foils=results.frame(tables.foils(conn, config_hash, kinds=kinds, phases=phases)),
            retests=tables.retests(conn, config_hash, kinds=kinds, phases=phases),
            ai=tuple(ai.results(conn, config_hash, scales=scales)),
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
    found = {model.name: model for model in results.models(snapshot.ai) if model.tells(results.EMOTION)}
    if len(found) > 1:
        return found[st.selectbox("Model", list(found), key="model", bind="query-params", width=320)]
    return next(iter(found.values()), None)


# ---- flow


def _flow(snapshot: Snapshot, study: Study) -> None:
    parts.section("Participants", definitions.FLOW)
    left, right = st.columns(2, gap="large")
    with left:
        _metrics(snapshot.flow["human"])
        _others(snapshot.ends["human"])
        if "simulated" in snapshot.kinds:
            st.metric("Simulated participants, finished", snapshot.flow["simulated"].completed)
    with right:
        _filled(results.answers(snapshot, study), study.trials.ratings_per_stimulus)


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


def _others(people: Ends) -> None:
    """Show what became of those who did not finish; of the rarer ends only those that there were."""
    with st.container(horizontal=True):
        st.metric("Under way", people.running, width=150)
        st.metric("Left", people.left, width=150)
        for name, n in (
            ("Stopped", people.stopped),
            ("Screened out", people.screened_out),
            ("Came when full", people.full),
            ("Deleted", people.erased),
        ):
            if n:
                st.metric(name, n, width=150)


def _filled(answers: Mapping[str, Sequence[int]], wanted: int) -> None:
    figure = charts.filled(answers, wanted=wanted, dark=parts.is_dark())
    parts.chart(figure, "filled", "How many stimuli have how many answers in each task set")
    told = [
        f"{task} {min(counts)} to {max(counts)}, median {median(counts):g}"
        for task, counts in answers.items()
        if counts
    ]
    if told:
        st.caption(f"Answers per stimulus, {wanted} wanted: {'; '.join(told)}.")
