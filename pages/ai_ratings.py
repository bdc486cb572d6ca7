"""AI ratings: which models, what they need, how far they are and what they said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pandas as pd
import streamlit as st

from core.records import StudyVersion
from core.vision import registry
from db import ai_runs, audit
from db import engine as db_engine
from db.ai_runs import AiRun
from pages.ui import (
    ai_results,
    choose,
    fitted,
    guard,
    model_files,
    parts,
    processes,
    raters,
    resources,
    yardstick,
)

STALE = timedelta(minutes=1)  # a run without a sign of life for so long has stopped


def render() -> None:
    """Choose, fetch, start, watch: from top to bottom."""
    who = guard.require().name
    st.title("AI ratings")
    version = choose.current()
    if version is None:
        st.info("There is no study yet. Load one on the page “Studies”.")
        return
    chosen = raters.choice(model_files.usable())
    detector = raters.detector(registry.usable_detector(resources.configuration().model_folders))
    raters.about(chosen)
    wanted = tuple(name for one in chosen for name in (registry.source(one), one) if name)
    ready = bool(chosen) and model_files.show(registry.needed(wanted, detector), who)
    _start(version, chosen, detector, who, ready=ready)
    _watch(version)
    fitted.show(version, who)


# ---- the run


def _start(version: StudyVersion, chosen: Sequence[str], detector: str, who: str, *, ready: bool) -> None:
    name = _process(version)
    running = processes.running(name) is not None
    if not st.button(
        "Start rating", type="primary", icon=":material/play_arrow:", disabled=running or not ready
    ):
        return
    with db_engine.writing(resources.engine()) as conn:
        detail = f"{version.study_id} version {version.version}: {', '.join(chosen)} on {detector}"
        audit.write(conn, who, "AI rating started", detail)
    arguments = ["--raters", ",".join(chosen), "--detector", detector, "--who", who]
    processes.start(name, "rate", "--study", version.study_id, *arguments)
    st.rerun()


def _process(version: StudyVersion) -> str:
    return f"rate-{version.study_id}"


def _watch(version: StudyVersion) -> None:
    if processes.running(_process(version)) is not None:
        _ticking(version)
        return
    if said := processes.failure(_process(version)):
        st.error("The last run ended with an error. What is done is kept; start again to go on from there.")
        st.code(said, language=None, wrap_lines=True)
    elif line := processes.last_line(_process(version)):
        st.caption(parts.plain(line))
    _newest(version)
    ai_results.show(version)
    yardstick.show(version)


@st.fragment(run_every=1)
def _ticking(version: StudyVersion) -> None:
    if processes.running(_process(version)) is None:
        st.rerun(scope="app")
    _newest(version)


def _newest(version: StudyVersion) -> None:
    with db_engine.reading(resources.engine()) as conn:
        run = ai_runs.latest(conn, version.config_hash)
    if run is None:
        st.info("No model has rated this study yet.")
        return
    st.subheader("The newest run", anchor=False)
    _progress(run)
    with st.expander("What it ran with", icon=":material/receipt_long:"):
        told = {**run.settings, **run.versions}
        st.dataframe(
            pd.DataFrame({"what": list(told), "which": list(told.values())}),
            hide_index=True,
            height="content",
        )


def _progress(run: AiRun) -> None:
    end = run.finished_at or run.seen_at
    seconds = (end - run.began_at).total_seconds()
    if run.finished_at is None and datetime.now(UTC) - run.seen_at < STALE:
        left = f", about {_minutes(seconds * (run.total / run.done - 1))} left" if run.done else ""
        st.progress(run.done / max(run.total, 1), f"{run.done} of {run.total}{left}")
    elif run.finished_at is None:
        st.warning(
            f"It stopped after {run.done} of {run.total} and has given no sign of life since "
            f"{run.seen_at:%H:%M:%S} UTC. What is done is kept; start again to go on from there."
        )
    if run.problem:
        st.error(run.problem)
    st.caption(
        f"{run.done} of {run.total} rated in {seconds:.1f} s · began "
        f"{run.began_at:%Y-%m-%d %H:%M:%S} UTC, started by {run.who} on {run.host} · "
        f"{', '.join(run.raters)} on faces found by {run.detector}"
    )


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
