"""Studies: load them, let participants in, hand out the links."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st
from sqlalchemy import Connection

from core import i18n, loading
from core import study as study_files
from core.errors import FacenormError, StudyError
from core.loading import Loaded
from core.records import Phase, SessionKind, StudyVersion
from db import audit, sessions, studies, yardsticks
from db import engine as db_engine
from pages.ui import erasures, guard, parts, processes, resources, session

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

STATE_COLOURS = {"loaded": "blue", "open": "green", "closed": "gray"}
SIMULATED = 30


def render() -> None:
    """List every study with what can be done to it, below the form that loads one."""
    who = guard.require().name
    st.title("Studies")
    loader = st.container()
    with db_engine.reading(resources.engine()) as conn:
        known = bool(studies.listing(conn))
    with loader.expander("Load a study", expanded=not known, icon=":material/upload_file:"):
        _load(who)
    with db_engine.reading(resources.engine()) as conn:
        listing = sorted(studies.listing(conn), key=lambda v: (v.study_id, -v.version))
    if not listing:
        st.info("There is no study yet. Load one above, or press “Load” with the demo study's path.")
    for study_id, versions in groupby(listing, key=lambda v: v.study_id):
        with st.container(border=True, key=f"study-{study_id}"):
            _study(list(versions), who)


# ---- loading


def _load(who: str) -> None:
    with st.form("load", border=False):
        path = st.text_input(
            "Study file on the server",
            placeholder=str(resources.configuration().data.parent / "assets" / "studies" / "demo.yaml"),
        )
        upload = st.file_uploader("… or upload the YAML", type=["yaml", "yml"], max_upload_size=1)
        base = st.text_input(
            "Folder on the server to which an uploaded file's stimuli folder is relative",
            help="Pictures stay where they are until the study is loaded; they are never uploaded here.",
        )
        check, load = st.columns([1, 1], width=260)
        checked = check.form_submit_button("Check", icon=":material/rule:")
        loaded = load.form_submit_button("Load", type="primary", icon=":material/upload_file:")
    if not (checked or loaded):
        return
    try:
        with st.spinner("Reading the study and its pictures …"):
            found = _source(path, upload, base)
            st.success(_store(found, who) if loaded else _usable(found))
    except FacenormError as error:
        st.error("  \n".join(map(parts.sentence, str(error).splitlines())))
        return
    _warnings(found.warnings)


def _source(path: str, upload: UploadedFile | None, base: str) -> Loaded:
    if upload is not None:
        folder = Path(base.strip()).expanduser()
        if not base.strip() or not folder.is_dir():
            raise StudyError(f"{base or 'no folder'}: give a folder that exists on the server")
        return loading.parse(upload.getvalue(), name=upload.name, base=folder)
    file = Path(path.strip()).expanduser()
    if not path.strip() or not file.is_file():
        raise StudyError(f"{path or 'no file'}: give the path of a YAML file on the server, or upload one")
    return loading.read(file)


def _usable(found: Loaded) -> str:
    asked = ", ".join(scale_id for scale_id, _ in study_files.asked(found.study))
    return f"Usable: {found.n_rated} stimuli to rate on {asked}, in {', '.join(found.study.languages)}."


def _store(found: Loaded, who: str) -> str:
    version = studies.store(
        resources.engine(),
        study_id=found.study.study,
        config_hash=study_files.config_hash(found.study, found.stimuli),
        title=found.title,
        content=study_files.to_json(found.study),
        source_yaml=found.source_yaml,
        stimuli=found.stimuli,
        pictures=found.pictures(),
        who=who,
    )
    sets = [
        yardsticks.Yardstick(one.yardstick_id, one.title, str(one.manifest), one.stimuli, one.paths)
        for one in found.yardsticks
    ]
    yardsticks.store(resources.engine(), version.config_hash, sets, who=who)
    return f"{version.study_id} is loaded as version {version.version}. It is {version.state}."


def _warnings(lines: Sequence[str]) -> None:
    if lines:
        with st.expander(f"{len(lines)} warnings", icon=":material/warning:", expanded=True):
            st.markdown("\n".join(f"- {parts.sentence(line)}" for line in lines))


# ---- one study


def _study(versions: Sequence[StudyVersion], who: str) -> None:
    newest = versions[0]
    shown = next((version for version in versions if version.state == "open"), newest)
    st.subheader(shown.title, anchor=False)
    _state(shown)
    _numbers(shown)
    erasures.show(shown.study_id)
    _links(shown)
    with st.container(horizontal=True):
        if newest.state != "open":
            _open(newest, who)
        if shown.state == "open":
            _simulate(shown, who)
            _close(shown, who)
    _progress(shown)
    if len(versions) > 1:
        _history(versions)


def _state(version: StudyVersion) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(version.state, color=STATE_COLOURS[version.state])
        if version.state != "loaded":
            st.badge(version.phase, color="orange" if version.phase == "pilot" else "gray")
        st.caption(f"`{version.study_id}` · version {version.version} · `{version.config_hash[:12]}`")


def _numbers(version: StudyVersion) -> None:
    with db_engine.reading(resources.engine()) as conn:
        rated = sum(stimulus.rated for stimulus in studies.stimuli(conn, version.config_hash))
        people = _flow(conn, version, "human")
        simulated = _flow(conn, version, "simulated")
    with st.container(horizontal=True):
        st.metric("Stimuli to rate", rated, width="content")
        st.metric("People who began", people.began, width="content")
        st.metric("People who finished", people.completed, width="content")
        st.metric("Simulated, finished", simulated.completed, width="content")


def _flow(conn: Connection, version: StudyVersion, kind: SessionKind) -> sessions.Flow:
    return sessions.flow(
        conn, version.study_id, config_hash=version.config_hash, kind=kind, phase=version.phase
    )


def _links(version: StudyVersion) -> None:
    with db_engine.reading(resources.engine()) as conn:
        languages = resources.study_of(conn, version.config_hash).languages
    token = session.once(f"preview:{version.study_id}", lambda: _preview_token(version.study_id))
    with st.expander("Links", icon=":material/link:", expanded=True):
        for language in languages if version.state == "open" else ():
            _one_link(
                f"Participants, {i18n.words(language)['language.name']}",
                _link(study=version.study_id, lang=language),
            )
        _one_link("Preview: counts nowhere", _link(study=version.study_id, link=token))


def _one_link(name: str, link: str) -> None:
    left, right = st.columns([1, 3], vertical_alignment="center", gap="small")
    left.markdown(name)
    right.code(link, language=None, wrap_lines=True)


def _preview_token(study_id: str) -> str:
    with db_engine.writing(resources.engine()) as conn:
        return studies.make_link(conn, study_id, "preview")


def _link(**query: str) -> str:
    here = (st.context.url or "").partition("?")[0].rstrip("/")
    return f"{here.removesuffix('/studies')}/?{urlencode(query)}"


def _open(version: StudyVersion, who: str) -> None:
    with st.popover(f"Open version {version.version} …", icon=":material/play_arrow:"):
        st.write("Opening freezes this version: every answer will point to it.")
        phase: Phase = st.radio(
            "Phase",
            ["live", "pilot"],
            captions=["Counts in norms and exports.", "To try it out; kept apart from the live data."],
            key=f"phase-{version.config_hash}",
        )
        if st.button("Open it", type="primary", key=f"open-{version.config_hash}"):
            _act(
                who,
                "study opened",
                version,
                lambda conn: studies.open_(conn, version.config_hash, phase=phase),
            )


def _close(version: StudyVersion, who: str) -> None:
    with st.popover("Close …", icon=":material/stop:"):
        st.write("Nobody else can begin. Those who have begun may finish; nothing is deleted.")
        if st.button("Close it", type="primary", key=f"close-{version.config_hash}"):
            _act(who, "study closed", version, lambda conn: studies.close(conn, version.config_hash))


def _act(who: str, what: str, version: StudyVersion, act: Callable[[Connection], object]) -> None:
    with db_engine.writing(resources.engine()) as conn:
        act(conn)
        audit.write(conn, who, what, f"{version.study_id} version {version.version}")
    st.rerun()


# ---- simulated participants


def _simulate(version: StudyVersion, who: str) -> None:
    name = _process(version)
    if st.button(
        f"Add {SIMULATED} simulated participants",
        icon=":material/smart_toy:",
        key=f"simulate-{version.config_hash}",
        disabled=processes.running(name) is not None,
        help="Computed answers with known bias and noise, to see how the dashboard looks. They are marked "
        "as simulated, are kept apart from people's answers and are never counted as such.",
    ):
        with db_engine.writing(resources.engine()) as conn:
            done = _flow(conn, version, "simulated").completed
            audit.write(conn, who, "simulation started", f"{version.study_id}, {SIMULATED} participants")
        arguments = ["--participants", str(SIMULATED), "--seed", str(done + 1), "--url", _server()]
        processes.start(name, "simulate", version.study_id, *arguments, note=done)
        st.rerun()


def _process(version: StudyVersion) -> str:
    return f"simulate-{version.study_id}"


def _server() -> str:
    # A proxy's address may not be reachable from the server itself.
    return f"http://localhost:{st.get_option('server.port')}"


def _progress(version: StudyVersion) -> None:
    if processes.running(_process(version)) is not None:
        _ticking(version)
    elif said := processes.failure(_process(version)):
        st.error("The simulated participants could not finish.")
        st.code(said, language=None, wrap_lines=True)


@st.fragment(run_every=1)
def _ticking(version: StudyVersion) -> None:
    before = processes.running(_process(version))
    if before is None:
        st.rerun(scope="app")
    with db_engine.reading(resources.engine()) as conn:
        done = _flow(conn, version, "simulated").completed - before
    st.progress(min(done / SIMULATED, 1.0), f"Simulated participants: {done} of {SIMULATED} have finished")


# ---- older versions


def _history(versions: Sequence[StudyVersion]) -> None:
    with st.expander(f"All {len(versions)} versions", icon=":material/history:"):
        st.dataframe(
            [
                {
                    "version": version.version,
                    "state": version.state,
                    "phase": version.phase,
                    "loaded": version.loaded_at,
                    "opened": version.opened_at,
                    "closed": version.closed_at,
                    "content": version.config_hash[:12],
                }
                for version in versions
            ],
            hide_index=True,
        )
