"""AI ratings: which models, what they need, how far they are and what they said."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import pandas as pd
import streamlit as st

from core.records import AiResult, Stimulus, StudyVersion
from core.vision import registry, weights
from core.vision.rater import Declaration
from db import ai, ai_runs, audit, studies
from db import engine as db_engine
from db.ai_runs import AiRun
from pages.ui import choose, guard, parts, processes, resources, results, tables

TOP = 3  # probabilities shown per face
STALE = timedelta(minutes=1)  # a run without a sign of life for so long has stopped
FALLBACK = "haar"  # the command's default, too: its file comes in one package with the first rater's
STATUS = {"ok": "ok", "no_face": "no face", "unreadable": "unreadable", "abstained": "abstained"}


def render() -> None:
    """Choose, fetch, start, watch: from top to bottom."""
    who = guard.require().name
    st.title("AI ratings")
    version = choose.current()
    if version is None:
        st.info("There is no study yet. Load one on the page “Studies”.")
        return
    raters, detector = _choice()
    for rater_id in raters:
        _about(registry.declaration(rater_id))
    missing = _weights(registry.needed(raters, detector)) if raters else ()
    _start(version, raters, detector, who, ready=bool(raters) and not missing)
    _watch(version)


# ---- what to run


def _choice() -> tuple[list[str], str]:
    titles = {name: entry.declaration.title for name, entry in registry.RATERS.items()}
    raters = st.pills(
        "Raters",
        list(titles),
        default=list(titles)[:1],
        selection_mode="multi",
        format_func=titles.__getitem__,
    )
    detector = st.segmented_control(
        "Face detector", list(registry.DETECTORS), default=_usable_detector(), required=True, key="detector"
    )
    return raters, detector


def _usable_detector() -> str:
    """The first detector whose file is here, so that a fresh installation need fetch no more than it has."""
    files = {name: entry.weights for name, entry in registry.DETECTORS.items()}
    places = _places(tuple(files.values()))
    return next((name for name, file in files.items() if places[file] is not None), FALLBACK)


def _about(declaration: Declaration) -> None:
    with st.expander(f"What {declaration.title} is, and is not", icon=":material/info:"):
        gives = "; ".join(
            f"{one.scale_id} ({one.units}{': ' + ', '.join(one.labels) if one.labels else ''})"
            for one in declaration.gives
        )
        st.markdown(
            f"- **Gives** {gives}\n- **Trained on** {declaration.trained_on}"
            f"\n- **Limits** {declaration.limits}\n- **Licence** {declaration.licence}"
            f"\n- **Cite** {declaration.citation}"
        )
    st.caption(
        "Models are trained on photographs. What they make of drawn or computer-made faces is shown as it "
        "is: it says something about the model, not only about the face."
    )


# ---- weights


@st.cache_data(ttl=10, show_spinner=False)
def _places(names: Collection[str]) -> dict[str, str | None]:
    """Where each file lies; looking means reading it, so not more often than every few seconds."""
    folders = resources.configuration().model_folders
    found = {name: weights.locate(weights.entry(name), folders) for name in names}
    return {name: str(path) if path else None for name, path in found.items()}


def _weights(names: Sequence[str]) -> tuple[str, ...]:
    """Show the files that are needed; return those that are missing."""
    places = _places(tuple(dict.fromkeys(names)))
    missing = tuple(name for name, place in places.items() if place is None)
    with st.expander(
        f"Model files: {len(places) - len(missing)} of {len(places)} here",
        icon=":material/check_circle:" if not missing else ":material/error:",
        expanded=bool(missing),
    ):
        for name, place in places.items():
            _file(weights.entry(name), place)
    return missing


def _file(entry: weights.Weights, place: str | None) -> None:
    what = f"**{entry.title}** · `{entry.file}` · {weights.size(entry)} · {entry.licence}"
    if place is not None:
        st.markdown(f":material/check: {what}  \n`{place}`")
        return
    folder = resources.configuration().model_folders[0]
    st.markdown(f":material/close: {what}  \nMissing. Fetch it here, or in a shell:")
    st.code(f"facenorm models fetch {entry.name}", language="bash")
    st.caption(
        f"By hand: get {entry.sources[0]} elsewhere and put it into `{folder}` under any name; "
        f"it is known by its SHA-256 `{entry.sha256}`."
    )
    _fetch(entry)


def _fetch(entry: weights.Weights) -> None:
    name = f"fetch-{entry.name}"
    if processes.running(name) is not None:
        _fetching(name)
        return
    if said := processes.failure(name):
        st.error("It could not be fetched.")
        st.code(said, language=None, wrap_lines=True)
    if st.button(f"Fetch {entry.name}", icon=":material/download:", key=name):
        processes.start(name, "models", "fetch", entry.name)
        st.rerun()


@st.fragment(run_every=1)
def _fetching(name: str) -> None:
    if processes.running(name) is None:
        _places.clear()
        st.rerun(scope="app")
    st.caption(":material/downloading: Fetching; a download that was cut goes on where it stopped.")


# ---- the run


def _start(version: StudyVersion, raters: Sequence[str], detector: str, who: str, *, ready: bool) -> None:
    name = _process(version)
    running = processes.running(name) is not None
    if not st.button(
        "Start rating", type="primary", icon=":material/play_arrow:", disabled=running or not ready
    ):
        return
    with db_engine.writing(resources.engine()) as conn:
        detail = f"{version.study_id} version {version.version}: {', '.join(raters)} on {detector}"
        audit.write(conn, who, "AI rating started", detail)
    arguments = [
        "--study",
        version.study_id,
        "--raters",
        ",".join(raters),
        "--detector",
        detector,
        "--who",
        who,
    ]
    processes.start(name, "rate", *arguments)
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
    _state(version)


@st.fragment(run_every=1)
def _ticking(version: StudyVersion) -> None:
    if processes.running(_process(version)) is None:
        st.rerun(scope="app")
    _state(version)


def _state(version: StudyVersion) -> None:
    with db_engine.reading(resources.engine()) as conn:
        run = ai_runs.latest(conn, version.config_hash)
        found = tuple(ai.results(conn, version.config_hash))
        stimuli = studies.stimuli(conn, version.config_hash)
    if run is None:
        st.info("No model has rated this study yet.")
        return
    _progress(run, found)
    _results(found, stimuli)


def _progress(run: AiRun, found: Sequence[AiResult]) -> None:
    st.subheader("The newest run", anchor=False)
    end = run.finished_at or run.seen_at
    working = run.finished_at is None and datetime.now(UTC) - run.seen_at < STALE
    if working:
        st.progress(run.done / max(run.total, 1), f"{run.done} of {run.total}")
    elif run.finished_at is None:
        st.warning(
            f"It stopped after {run.done} of {run.total} and has given no sign of life since "
            f"{run.seen_at:%H:%M:%S} UTC. What is done is kept; start again to go on from there."
        )
    if run.problem:
        st.error(run.problem)
    versions = sorted({f"{r.rater_id} {r.rater_version} ({r.weights_sha256[:8]})" for r in found})
    st.caption(
        f"{run.done} of {run.total} rated in {(end - run.began_at).total_seconds():.1f} s · began "
        f"{run.began_at:%Y-%m-%d %H:%M:%S} UTC, started by {run.who} on {run.host} · "
        f"{', '.join(versions)} on faces found by {run.detector}"
    )


def _results(found: Sequence[AiResult], stimuli: Sequence[Stimulus]) -> None:
    known = {stimulus.served_sha256: stimulus for stimulus in stimuli}
    shown = [_row(result, known[result.served_sha256]) for result in found]
    if not shown:
        return
    st.dataframe(
        pd.DataFrame(shown),
        hide_index=True,
        row_height=tables.ROW_PX,
        height=min(640, 40 + tables.ROW_PX * len(shown)),
        column_config={"face": st.column_config.ImageColumn("", width=tables.ROW_PX + 8, pinned=True)},
    )


def _row(result: AiResult, stimulus: Stimulus) -> dict[str, str | None]:
    best = sorted(result.probabilities.items(), key=lambda one: -one[1])[:TOP]
    return {
        "face": parts.picture(stimulus),
        "identity": stimulus.identity_id,
        "intended": stimulus.intended_emotion,
        "label": results.label_of(result),
        "most probable": ", ".join(f"{code} {share:.0%}" for code, share in best),
        "status": STATUS[result.status],
        "reason": result.reason,
        "rater": result.rater_id,
        "detector": result.detector,
    }
