"""Which study and version a researcher's page is about; both stay in the address."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.records import StudyVersion
from db import engine as db_engine
from db import studies
from pages.ui import resources


def current() -> StudyVersion | None:
    """Let the researcher choose a study: its open version, else its newest; None where there is none."""
    versions = _study(st)
    return versions and _preferred(versions)


def version() -> StudyVersion | None:
    """Let the researcher choose a study and one of its versions; None where there is no study."""
    left, right = st.columns([3, 1])
    versions = _study(left)
    if not versions:
        return None
    by_number = {each.version: each for each in versions}
    numbers = list(by_number)
    index = numbers.index(_preferred(versions).version)
    return by_number[right.selectbox("Version", numbers, index=index, key="version", bind="query-params")]


def _study(where: DeltaGenerator) -> list[StudyVersion] | None:
    """Return the chosen study's versions, the newest first."""
    with db_engine.reading(resources.engine()) as conn:
        listing = studies.listing(conn)
    if not listing:
        return None
    study_ids = sorted({each.study_id for each in listing})
    study_id = where.selectbox("Study", study_ids, key="study", bind="query-params")
    return sorted((each for each in listing if each.study_id == study_id), key=lambda each: -each.version)


def _preferred(versions: list[StudyVersion]) -> StudyVersion:
    return next((each for each in versions if each.state == "open"), versions[0])
