"""Real faces beside the study's own: what the same raters make of both."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.agreement.confusion import Hit
from core.agreement.estimate import Estimate
from core.identity.gallery import Impostors, Kind
from core.identity.report import Report
from core.identity.separation import Separation
from core.records import StudyVersion
from core.yardstick import BINS, Recognition
from db import ai_runs
from db import engine as db_engine
from pages.ui import definitions, identity_words, parts, resources, yardstick_data
from pages.ui.identity_data import Embedded
from pages.ui.identity_tables import decimals, interval
from pages.ui.yardstick_data import OWN, Compared, Faces, Line, Told

RENEWED_S = 60
Named = list[tuple[Line, Recognition]]


def show(version: StudyVersion) -> None:
    """Show accuracy and calibration of each rater that names an emotion, set beside set."""
    with db_engine.reading(resources.engine()) as conn:
        run = ai_runs.latest(conn, version.config_hash)
    if run is None:
        return
    found = _compared(version.config_hash, f"{run.run_id} {run.done}")
    if not found.lines:
        return
    parts.section("Intended emotions: accuracy and calibration", definitions.YARDSTICK)
    if found.n_sets == 1:
        st.info(parts.plain(identity_words.YARDSTICK))
    _tables(found.lines)
    if known := _known(found.over_labels):
        st.markdown(f"**Over the emotions that all sets have: {', '.join(found.labels)}**")
        st.dataframe(_accuracy(known), hide_index=True, height="content")


@st.cache_resource(ttl=RENEWED_S, max_entries=8, show_spinner="Reading what the models said …")
def _compared(config_hash: str, run: str) -> Compared:
    with db_engine.reading(resources.engine()) as conn:
        sets = yardstick_data.answering(conn, config_hash)
    return yardstick_data.compared(sets)


def _tables(found: Sequence[Line]) -> None:
    known = _known(found)
    if known:
        st.dataframe(_accuracy(known), hide_index=True, height="content")
    if calibrated := [(line, one) for line, one in known if one.calibration]:
        st.markdown("**Calibration**")
        st.dataframe(_calibration(calibrated), hide_index=True, height="content")
    if known:
        with st.expander("Accuracy of each emotion", icon=":material/table:"):
            st.dataframe(_by_emotion(known), hide_index=True, height="content", placeholder="")
    said = [f"- **{parts.plain(line.rater)}**, {parts.plain(line.title)}: {parts.sentence(line.found)}"
            for line in found if isinstance(line.found, str)]  # fmt: skip
    if said:
        st.info("\n".join(said))


def _known(found: Sequence[Line]) -> Named:
    return [(line, line.found) for line in found if isinstance(line.found, Recognition)]


def _accuracy(known: Named) -> pd.DataFrame:
    return pd.DataFrame(
        {
            **_names(known),
            "accuracy (95 %)": [_share(one.accuracy.h, one.accuracy) for _, one in known],
            "balanced (95 %)": [_share(one.balanced.estimate, one.balanced) for _, one in known],
            "by guessing": [parts.percent(one.chance) for _, one in known],
            "emotions": [len(one.labels) for _, one in known],
            "pictures": [one.n for _, one in known],
            "no answer": [one.n_unanswered for _, one in known],
            "people": [one.n_identities for _, one in known],
        }
    )


def _share(share: float | None, ends: Hit | Estimate) -> str:
    return f"{parts.percent(share)} ({parts.interval(ends.low, ends.high)})"


def _names(known: Named) -> dict[str, object]:
    return {"rater": [line.rater for line, _ in known], "faces": [line.title for line, _ in known]}


def _calibration(known: Named) -> pd.DataFrame:
    found = [one.calibration for _, one in known if one.calibration]
    return pd.DataFrame(
        {
            **_names(known),
            "confidence": [parts.percent(one.confidence) for one in found],
            "overconfidence (95 %)": [_number(one.overconfidence, 2) for one in found],
            f"ECE ({BINS} bins)": [decimals(one.ece, 2) for one in found],
            "Brier score (95 %)": [_number(one.brier, 2) for one in found],
            "pictures": [one.n for one in found],
        }
    )


def _number(one: Estimate, digits: int) -> str:
    """A number with its interval, where it has one."""
    ends = interval(one, digits)
    return decimals(one.estimate, digits) + (f" ({ends})" if ends else "")


def _by_emotion(known: Named) -> pd.DataFrame:
    labels = dict.fromkeys(hit.label for _, one in known for hit in one.by_emotion)
    cells = [{hit.label: _cell(hit) for hit in one.by_emotion} for _, one in known]
    return pd.DataFrame(
        {**_names(known), **{label: [cell.get(label, "") for cell in cells] for label in labels}}
    )


def _cell(hit: Hit) -> str:
    return f"{parts.percent(hit.h)} ({parts.interval(hit.low, hit.high)}), n = {hit.n}" if hit.n else ""


# ---- identity


def named(version: StudyVersion, models: Sequence[Embedded]) -> tuple[Faces, ...]:
    """The yardsticks of a study, with what these identity models said of them."""
    raters = tuple(sorted({one.rater_id for one in models}))
    with db_engine.reading(resources.engine()) as conn:
        run = ai_runs.latest(conn, version.config_hash)
    return _embedded(version.config_hash, raters, f"{run.run_id} {run.done}" if run else "")


@st.cache_resource(ttl=RENEWED_S, max_entries=8, show_spinner="Reading the yardsticks' embeddings …")
def _embedded(config_hash: str, raters: tuple[str, ...], run: str) -> tuple[Faces, ...]:
    with db_engine.reading(resources.engine()) as conn:
        return yardstick_data.embedded(conn, config_hash, raters)


@st.cache_resource(max_entries=64, show_spinner="Comparing all pairs of the yardstick …")
def _told(title: str, rater_id: str, detector: str, fingerprint: str, _each: Faces, _model: Embedded) -> Told:
    return yardstick_data.told(_each, _model)


def identity(
    sets: Sequence[Faces],
    models: Sequence[Embedded],
    reports: Sequence[Report],
    kind: Kind,
    impostors: Impostors | None,
) -> None:
    """Show how well the same models tell real people apart, beside the study's own identities."""
    if not sets:
        return
    parts.section("Beside real faces", definitions.YARDSTICK_IDENTITY)
    by_name = {one.name: one for one in models}
    rows: list[tuple[str, str, Separation]] = []
    for report in reports:
        model = by_name[report.model]
        told = [Told(OWN, report), *(_of(each, model) for each in sets)]
        rows += _rows(told, kind, impostors)
        for one in told:
            if isinstance(one.report, str):
                st.info(
                    f"**{parts.plain(model.name)}**, {parts.plain(one.title)}: {parts.sentence(one.report)}"
                )
    if rows:
        st.dataframe(_separations(rows), hide_index=True, height="content")


def _of(each: Faces, model: Embedded) -> Told:
    return _told(each.title, model.rater_id, model.detector, each.fingerprint, each, model)


def _rows(told: Sequence[Told], kind: Kind, impostors: Impostors | None) -> list[tuple[str, str, Separation]]:
    """The kind that was chosen; where a set has none of it, all pairs, and of the others as well."""
    reports = [(one.title, one.report) for one in told if isinstance(one.report, Report)]
    lacking = any(one.of(kind, impostors) is None and one.of(kind) is None for _, one in reports)
    kinds: list[Kind] = [kind, "all_pairs"] if lacking and kind != "all_pairs" else [kind]
    return [
        (one.model, title, found)
        for each in kinds
        for title, one in reports
        if (found := one.of(each, impostors) or one.of(each))
    ]


def _separations(rows: Sequence[tuple[str, str, Separation]]) -> pd.DataFrame:
    found = [one for *_, one in rows]
    columns: dict[str, object] = {
        "model": [name for name, *_ in rows],
        "faces": [title for _, title, _ in rows],
        "compared with": [identity_words.KINDS[one.kind] for one in found],
        "people": [one.n_identities for one in found],
        "mean within": [f"{decimals(one.mean_within, 2)}, n = {one.n_within:,}" for one in found],
        "mean of impostors": [
            f"{decimals(one.mean_between, 2)}, n = {one.n_between:,} {one.impostors}" for one in found
        ],
        "d′ (95 %)": [_number(one.d_prime, 2) for one in found],
        "AUC (95 %)": [_number(one.auc, 3) for one in found],
        "EER (95 %)": [_number(one.eer, 3) for one in found],
    }
    if len({one.kind for one in found}) == 1:
        del columns["compared with"]
    return pd.DataFrame(columns)
