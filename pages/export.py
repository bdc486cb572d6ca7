"""Export: the study's tables as CSV files in one download."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from core.export.public import K
from core.records import StudyVersion
from db import engine as db_engine
from db import studies
from pages.ui import guard, resources

_PUBLIC = f"""
For sharing. It holds only participants who agreed to share: who ticked every consent item with
`shares: true`. They and their sessions get fresh random ids; times of the day, completion codes, free text
and answers to sensitive questions are left out; ages come in bands, and of the window's size there is only
phone, tablet or desktop. Of their language and the numbers and choices that they gave about themselves or in
questionnaires, a value or a combination that fewer than {K} of them share is blanked. Ratings and norms are
given however few people they rest on. Stimuli marked as not publishable stay out.
"""

_PRIVATE = """
Everything as it is stored, for your own analysis and archive, but no ids of platforms such as Prolific:
`facenorm export --private --with-external-ids` has them. It can identify people: keep it where your ethics
approval says. Each private export is logged with your name and the time.
"""

_FILES = """
| file | one row per |
|---|---|
| `ratings.csv` | participant × trial × scale |
| `ai_ratings.csv` | AI rater × stimulus × scale |
| `norms.csv` | stimulus |
| `participants.csv` | session |
| `questionnaires.csv` | session × question, or line of a Likert list |
| `stimuli.csv` | stimulus, with the hash of its original file |
| `codebook.csv` | column of the other files, scale, and question |
"""


def render() -> None:
    """Choose a study and what leaves; the download itself is a route beside Streamlit."""
    guard.require()
    st.title("Export")
    with db_engine.reading(resources.engine()) as conn:
        versions = studies.listing(conn)
    if not versions:
        st.info("There is no study yet. Load one on the page “Studies”.")
        return
    version = st.selectbox("Study", versions, format_func=_named)
    public = _public()
    excel = st.checkbox(
        "For Excel",
        help="Adds a byte-order mark, without which Excel shows Korean and Japanese as garbage.",
    )
    _download(version, public=public, excel=excel)
    with st.expander("What is in it"):
        st.markdown(_FILES)


def _named(version: StudyVersion) -> str:
    return f"{version.title} ({version.study_id}, version {version.version}, {version.state})"


def _public() -> bool:
    choice = st.radio(
        "What to export",
        ["public", "private"],
        format_func={"public": "Public", "private": "Private"}.__getitem__,
        horizontal=True,
    )
    st.caption(_PUBLIC if choice == "public" else _PRIVATE)
    return choice == "public"


def _download(version: StudyVersion, *, public: bool, excel: bool) -> None:
    query = urlencode({"version": version.version, "public": int(public), "excel": int(excel)})
    label = "Download public export" if public else "Download private export"
    st.link_button(
        label, f"/api/export/{version.study_id}?{query}", type="primary", icon=":material/download:"
    )
    st.caption("A zip of CSV files, made when you press. A large study takes a while.")
