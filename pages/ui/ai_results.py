"""What vision models said: how much of it there is, per rater, and face by face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from core.errors import ModelError
from core.records import AiResult, Score, Stimulus, StudyVersion
from core.study import Study
from core.vision import labels, registry
from db import ai, studies
from db import engine as db_engine
from db.ai import Summary
from pages.ui import parts, resources, results, tables

TOP = 3  # probabilities shown per face
NUMBERS = 6  # scales shown per face
DRAWN = {
    "overlay": "the face's landmarks over those of its neutral, and the Action Units that changed",
    "difference": "the reference in grey; in colour what changed, the brighter the more; the face outlined",
}
STATUS = {"ok": "ok", "no_face": "no face", "unreadable": "unreadable", "abstained": "abstained"}


def show(version: StudyVersion) -> None:
    """Show how many results each rater has, then one rater's, then the pictures that raters drew."""
    with db_engine.reading(resources.engine()) as conn:
        counted = ai.summary(conn, version.config_hash)
        stimuli = studies.stimuli(conn, version.config_hash)
        study = resources.study_of(conn, version.config_hash)
    if not counted:
        return
    st.subheader("What the models said", anchor=False)
    st.dataframe(_summary(counted), hide_index=True, height="content")
    if any(one.status == "abstained" for one in counted):
        st.caption(
            "Abstained: the rater had nothing to go on, such as no reference; its faces below say why."
        )
    raters = sorted({one.rater_id for one in counted}, key=results.place)
    rater_id = st.selectbox("Face by face", raters, key="of-rater", bind="query-params", width=360)
    with db_engine.reading(resources.engine()) as conn:
        found = tuple(ai.results(conn, version.config_hash, rater_id=rater_id))
    _faces(found, stimuli, study)
    _pictures(stimuli, counted)


def _summary(counted: Sequence[Summary]) -> pd.DataFrame:
    rows: dict[tuple[str, str, str, str], dict[str, int]] = {}
    for one in counted:
        key = (one.rater_id, one.detector, one.rater_version, one.weights_sha256[:8])
        rows.setdefault(key, {})[one.status] = one.n
    ordered = sorted(rows.items(), key=lambda row: (results.place(row[0][0]), row[0]))
    return pd.DataFrame(
        [
            dict(zip(("rater", "faces by", "version", "weights"), key, strict=True))
            | {words: n.get(status, 0) for status, words in STATUS.items()}
            for key, n in ordered
        ]
    )


def _faces(found: Sequence[AiResult], stimuli: Sequence[Stimulus], study: Study) -> None:
    known = {stimulus.served_sha256: stimulus for stimulus in stimuli}
    asked = study.scales.get(results.EMOTION)
    options = tuple(asked.options) if asked else ()
    shown = pd.DataFrame([_row(one, known[one.served_sha256], options) for one in found])
    shown = shown.dropna(axis="columns", how="all")
    st.dataframe(
        shown,
        hide_index=True,
        row_height=tables.ROW_PX,
        height=min(640, 40 + tables.ROW_PX * len(shown)),
        column_config={"face": st.column_config.ImageColumn("", width=tables.ROW_PX + 8, pinned=True)},
    )
    left = max((len(one.scores) for one in found), default=0) - NUMBERS
    if left > 0:
        st.caption(f"The first {NUMBERS} scales are shown; {left} more are in the export.")


def _row(result: AiResult, stimulus: Stimulus, options: Sequence[str]) -> dict[str, object]:
    best = sorted(result.probabilities.items(), key=lambda one: -one[1])[:TOP]
    return {
        "face": parts.picture(stimulus),
        "identity": stimulus.identity_id,
        "intended": stimulus.intended_emotion,
        "label": results.label_of(result),
        "most probable": ", ".join(f"{code} {share:.0%}" for code, share in best) or None,
        "outside the study's emotions": _unmapped(result.probabilities, options),
        **_scores(result),
        "status": STATUS[result.status],
        "reason": result.reason or None,
        "detector": result.detector,
    }


def _scores(result: AiResult) -> dict[str, object]:
    others = [score for score in result.scores if score.scale_id != results.EMOTION]
    return {one.scale_id: _said(one) for one in others[:NUMBERS]}


def _said(score: Score) -> object:
    """A number, a label, or a number with its letter."""
    if score.value is None:
        return score.label
    return round(score.value, 3) if score.label is None else f"{score.value:.2f} {score.label}"


def _unmapped(probabilities: Mapping[str, float], options: Sequence[str]) -> str | None:
    """How much of the rater's answer the study has no emotion for, such as contempt."""
    if not probabilities or not options:
        return None
    try:
        mapped = labels.onto(probabilities, options)
    except ModelError:
        return "everything"
    left = {code: share for code, share in mapped.unmapped.items() if share >= 0.005}
    return ", ".join(f"{code} {share:.0%}" for code, share in left.items()) or "nothing"


def _pictures(stimuli: Sequence[Stimulus], counted: Sequence[Summary]) -> None:
    """Show the overlays and maps of one stimulus, where raters drew any."""
    drawing = {name for name, entry in registry.RATERS.items() if entry.kind == "comparison"}
    if not drawing & {one.rater_id for one in counted}:
        return
    # A reference has nothing to be compared with: the edits come first.
    edits = sorted(stimuli, key=lambda one: one.intended_emotion in {None, "neutral"})
    by_name = {f"{one.identity_id} · {one.intended_emotion} · {one.stim_file}": one for one in edits}
    name = st.selectbox("Pictures drawn by raters", list(by_name), key="drawn-of", width=360)
    with db_engine.reading(resources.engine()) as conn:
        found = list(ai.pictures(conn, by_name[name].served_sha256))
    if not found:
        st.info("No rater drew a picture of this stimulus: it has no reference, or no face was found.")
        return
    for column, (rater_id, shows, content) in zip(st.columns(len(found)), found, strict=True):
        column.image(content, caption=f"{rater_id}, {shows}: {DRAWN.get(shows, 'see docs/models.md')}")
