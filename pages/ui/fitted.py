"""Fitting a rater to the study's own ratings, from the page on which the models are started."""

from __future__ import annotations

import streamlit as st

from core.records import StudyVersion
from core.vision import registry
from db import ai, audit
from db import engine as db_engine
from pages.ui import parts, processes, resources

SCALES = ("naturalness", "realism")


def show(version: StudyVersion, who: str) -> None:
    """Offer a fit on each identity model that has embedded the faces, and show how the last one went."""
    with db_engine.reading(resources.engine()) as conn:
        counted = ai.summary(conn, version.config_hash)
        asked = [name for name in SCALES if name in resources.study_of(conn, version.config_hash).ask]
    embedding = {name for name, entry in registry.RATERS.items() if entry.declaration.dimensions}
    embedded = sorted({(one.rater_id, one.detector) for one in counted if one.rater_id in embedding})
    if not embedded or not asked:
        return
    with st.expander("Fit a rater to this study's own ratings", icon=":material/model_training:"):
        st.markdown(
            f"Predicts people's mean {' and '.join(asked)} from the embeddings of an identity model. Each "
            "prediction comes from a model that saw no picture of that person. It has learned from these "
            "people: it is no independent rater."
        )
        rater_id, detector = st.selectbox(
            "Embeddings", embedded, format_func=lambda one: f"{one[0]} on {one[1]}", key="fit-on", width=360
        )
        _start(version, who, ("--embedding", rater_id, "--detector", detector, "--scales", ",".join(asked)))


def _start(version: StudyVersion, who: str, arguments: tuple[str, ...]) -> None:
    name = f"fit-{version.study_id}"
    running = processes.running(name) is not None
    if st.button("Fit", icon=":material/play_arrow:", disabled=running):
        with db_engine.writing(resources.engine()) as conn:
            audit.write(conn, who, "rater fitted", f"{version.study_id}: {' '.join(arguments)}")
        processes.start(name, "fit", version.study_id, *arguments, "--who", who)
        st.rerun()
    if running:
        _fitting(name)
    elif said := processes.failure(name):
        st.error(parts.plain(said))
    elif line := processes.last_line(name):
        st.caption(parts.plain(line))


@st.fragment(run_every=1)
def _fitting(name: str) -> None:
    if processes.running(name) is None:
        st.rerun(scope="app")
    st.caption(":material/hourglass_top: Fitting.")
