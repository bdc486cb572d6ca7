"""Which study and version a researcher's page is about; both stay in the address."""

from __future__ import annotations

import streamlit as st

from core.records import StudyVersion
from db import engine as db_engine
from db import studies
from pages.ui import resources


def version() -> StudyVersion | None:
    """Let the researcher choose a version; None when there is no study at all."""
    with db_engine.reading(resources.engine()) as conn:
        listing = studies.listing(conn)
    if not listing:
        return None
    study_ids = sorted({each.study_id for each in listing})
    left, right = st.columns([3, 1])
    study_id = left.selectbox("Study", study_ids, key="study", bind="query-params")
    return _version(right, [each for each in listing if each.study_id == study_id])


def _version(where: st.delta_generator.DeltaGenerator, versions: list[StudyVersion]) -> StudyVersion:
    by_number = {each.version: each for each in sorted(versions, key=lambda each: -each.version)}
    running = [number for number, each in by_number.items() if each.state == "open"]
    numbers = list(by_number)
    chosen = where.selectbox(
        "Version",
        numbers,
        index=numbers.index(running[0]) if running else 0,
        key="version",
        bind="query-params",
    )
    return by_number[chosen]
