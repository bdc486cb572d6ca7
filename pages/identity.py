"""Identity: whether the edited faces of a study are still the same person, by its stored embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from core.identity import gallery, images
from core.identity.gallery import Gallery, Impostors, Kind
from core.identity.report import Report
from core.records import AiResult, Stimulus, StudyVersion
from db import ai, studies
from db import engine as db_engine
from pages.ui import (
    charts,
    choose,
    guard,
    hover,
    identity_charts,
    identity_data,
    identity_tables,
    identity_words,
    parts,
    resources,
    yardstick,
)
from pages.ui.identity_data import Embedded
from pages.ui.tables import ROW_PX

RENEWED_S = 60
CARDS = 12
FACE_PX, NOTES_PX = 96, 260  # the width of a column: its name must fit, too
SCOPE = "identity-intensity"
INTENSITY = "intensity"


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """What is stored of a study at one moment."""

    taken_at: datetime
    stimuli: tuple[Stimulus, ...]
    shown: Gallery
    models: tuple[Embedded, ...]
    ai: tuple[AiResult, ...]


def render() -> None:
    """Show how well identities are told apart, then each edit, the most doubtful first."""
    guard.require()
    st.title("Identity")
    version = choose.version()
    if version is None:
        st.info("There is no study yet. Load one on the page “Studies”.")
        return
    stored = _renewed(version)
    if not stored.models:
        st.info(
            "No identity model has embedded these faces yet. Choose one on the page “AI ratings”: those that "
            "give an embedding, for instance MobileFaceNet."
        )
        return
    reports = _reports(version, stored)
    if not reports:
        return
    yardsticks = yardstick.named(version, stored.models)
    _notes(reports, alone=not yardsticks)
    kind, impostors = _choice(reports)
    _separations(reports, kind, impostors)
    yardstick.identity(yardsticks, stored.models, reports, kind, impostors)
    _robustness(reports)
    report = _model(reports)
    by_file = {stimulus.stim_file: stimulus for stimulus in stored.stimuli}
    _edits(report, by_file)
    _intensity(report, by_file, stored.ai)


# ---- what is stored


def _renewed(version: StudyVersion) -> Stored:
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Refresh", icon=":material/refresh:", help="Without it, at most once a minute."):
            _stored.clear()
        stored = _stored(version.config_hash)
        st.caption(f"As of {stored.taken_at:%Y-%m-%d %H:%M:%S} UTC", width="content")
    return stored


@st.cache_resource(ttl=RENEWED_S, max_entries=8, show_spinner="Reading the embeddings …")
def _stored(config_hash: str) -> Stored:
    with db_engine.reading(resources.engine()) as conn:
        stimuli = studies.stimuli(conn, config_hash)
        models = identity_data.models(ai.embeddings(conn, config_hash), stimuli)
        said = tuple(one for one in ai.results(conn, config_hash) if _intensity_of(one) is not None)
    return Stored(datetime.now(UTC), tuple(stimuli), identity_data.of_stimuli(stimuli), models, said)


def _reports(version: StudyVersion, stored: Stored) -> list[Report]:
    """The reports of all models; those that cannot be made are said."""
    found = [
        _report(version.config_hash, one.name, one.fingerprint, one, stored.shown) for one in stored.models
    ]
    for one in found:
        if isinstance(one, str):
            st.info(parts.sentence(one))
    return [one for one in found if isinstance(one, Report)]


@st.cache_resource(max_entries=64, show_spinner="Comparing all pairs …")
def _report(config_hash: str, name: str, fingerprint: str, _model: Embedded, _shown: Gallery) -> Report | str:
    return identity_data.reported(_model, _shown)


# ---- the sections


def _notes(reports: Sequence[Report], *, alone: bool) -> None:
    notes = [*dict.fromkeys(note for one in reports for note in one.notes)]
    notes += [identity_words.YARDSTICK] if alone else []
    if not notes:
        return
    st.warning("\n".join(f"- {parts.plain(note)}" for note in notes), icon=":material/info:")


def _choice(reports: Sequence[Report]) -> tuple[Kind, Impostors | None]:
    parts.section("Told apart", identity_words.HEADLINE)
    kinds = [kind for kind in gallery.KINDS if any(one.of(kind) for one in reports)]
    matched = any(one.headline == "matched" for one in reports)
    if not kinds:
        return "reference", None
    with st.container(horizontal=True, gap="medium"):
        kind = st.segmented_control(
            "Each edit with", kinds, default=kinds[0], key="compared", bind="query-params", required=True,
            format_func=identity_words.KINDS.__getitem__,
        )  # fmt: skip
        if not matched:
            return kind, None
        impostors = st.segmented_control(
            "Impostors", ["matched", "all"], default="matched", key="impostors", bind="query-params",
            required=True,
        )  # fmt: skip
    return kind, impostors


def _separations(reports: Sequence[Report], kind: Kind, impostors: Impostors | None) -> None:
    for one in reports:
        if one.of(kind, impostors) is None:
            reason = one.missing.get((kind, impostors or one.headline), "there are no such pairs")
            st.info(f"**{one.model}**: {parts.sentence(reason)}")
    table = identity_tables.summary(reports, kind, impostors)
    if table.empty:
        return
    st.dataframe(table, hide_index=True, height="content")
    for row in range(0, len(reports), 2):
        for column, one in zip(st.columns(2, gap="large"), reports[row : row + 2], strict=False):
            found = one.of(kind, impostors)
            if found is None:
                continue
            with column:
                st.markdown(f"**{parts.plain(one.model)}**")
                figure = identity_charts.distributions(found, dark=parts.is_dark())
                parts.chart(
                    figure,
                    f"pairs-{one.model}",
                    f"Similarities within identities and of impostors, {one.model}",
                )


def _robustness(reports: Sequence[Report]) -> None:
    found = identity_data.robustness(reports)
    if found is None:
        return
    parts.section("Do the models agree?", identity_words.ROBUSTNESS)
    if isinstance(found, str):
        st.info(parts.sentence(found))
        return
    st.dataframe(identity_tables.agreement(found), hide_index=True, height="content")


def _model(reports: Sequence[Report]) -> Report:
    parts.section("Each edit", identity_words.EDITS)
    by_name = {one.model: one for one in reports}
    if len(by_name) == 1:
        return reports[0]
    return by_name[st.selectbox("Model", list(by_name), key="model", bind="query-params", width=320)]


def _edits(report: Report, by_file: Mapping[str, Stimulus]) -> None:
    sorted_ = [report.images[at] for at in images.order_by_trouble(report.images)]
    usable = [one for one in sorted_ if one.reference]
    missed = sum(images.NEARER in one.flags for one in usable)
    near_one = sum(images.UNCHANGED in one.flags for one in usable)
    st.caption(
        f"{len(usable)} of {len(sorted_)} edits compared; {missed} nearer to another identity's neutral, "
        f"{near_one} with a similarity near 1. The {min(CARDS, len(usable))} most doubtful:"
    )
    st.html(identity_tables.cards(usable[:CARDS], by_file))
    st.markdown("**All edits, the most doubtful first**")
    table = identity_tables.edits(sorted_, by_file)
    pictures = {name: st.column_config.ImageColumn(width=FACE_PX) for name in table.columns[:3]}
    numbers = {
        name: st.column_config.NumberColumn(format=form)
        for name, form in (("similarity", "%.2f"), ("percentile", "%.1f"), ("margin", "%.2f"),
                           ("to edited neutral", "%.2f"))
        if name in table.columns
    }  # fmt: skip
    st.dataframe(
        table,
        hide_index=True,
        placeholder="",
        row_height=ROW_PX,
        height=min(640, 40 + ROW_PX * len(table)),
        column_config={**pictures, **numbers, "notes": st.column_config.TextColumn(width=NOTES_PX)},
    )


def _intensity(report: Report, by_file: Mapping[str, Stimulus], said: Sequence[AiResult]) -> None:
    raters = sorted({one.rater_id for one in said})
    if not raters:
        return
    parts.section("Similarity and intensity", identity_words.INTENSITY)
    rater_id = st.selectbox("Intensity by", raters, key="intensity", bind="query-params", width=320)
    values = {one.served_sha256: _intensity_of(one) for one in said if one.rater_id == rater_id}
    points = [
        charts.FacePoint(
            x=value,
            y=one.reference.similarity,
            emotion=one.intended_emotion or "",
            picture=parts.picture(by_file[one.stim_file]),
            words=f"{one.identity_id}, {one.intended_emotion}\nintensity {parts.number(value)}\n"
            f"similarity {parts.number(one.reference.similarity)}",
        )
        for one in report.images
        if one.reference and (value := values.get(by_file[one.stim_file].served_sha256)) is not None
    ]
    if not points:
        return
    with st.container(key=SCOPE):
        figure = charts.against(
            points,
            titles=(f"intensity by {rater_id}", f"similarity by {report.model}"),
            ranges=((0.0, max(point.x for point in points)), (min(point.y for point in points), 1.0)),
            same_units=False,
            dark=parts.is_dark(),
        )
        parts.chart(figure, "similarity-intensity", "Similarity to the reference against intensity, per edit")
    hover.faces(SCOPE)
    st.caption(f"{len(points)} edits. Point at a mark, or tap it, to see the face.")


def _intensity_of(one: AiResult) -> float | None:
    return next((score.value for score in one.scores if score.scale_id == INTENSITY), None)
