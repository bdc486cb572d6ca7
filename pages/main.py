"""The script that Streamlit runs: which page this visitor sees."""

from __future__ import annotations

import logging

import streamlit as st

from core.errors import FacenormError
from pages import about_you, ai_ratings, dashboard, done, export, instructions, login, rate, studies, welcome
from pages.ui import session, text
from pages.ui.session import Visit

_log = logging.getLogger("facenorm")


def participant() -> None:
    """Show the step that this participant has reached; the database knows which."""
    visit = session.visit()
    if visit is None:
        text.no_study(session.unknown_visitor_words())
        return
    _step(visit)(visit)


def _step(visit: Visit):  # type: ignore[no-untyped-def]
    if visit.session is None:
        return welcome.render
    if visit.session.completed_at is not None:
        return done.render
    if not visit.session.instructions_read:
        return instructions.render if about_you.is_done(visit) else about_you.render
    return rate.render


def _pages() -> dict[str, list[st.Page]]:
    return {
        "": [
            st.Page(participant, title="Study", default=True, visibility="hidden"),
            st.Page(login.render, title="Log in", url_path="researcher", visibility="hidden"),
        ],
        "Facenorm": [
            st.Page(studies.render, title="Studies", icon=":material/folder_open:", url_path="studies"),
            st.Page(ai_ratings.render, title="AI ratings", icon=":material/neurology:", url_path="ai_ratings"),
            st.Page(dashboard.render, title="Dashboard", icon=":material/monitoring:", url_path="dashboard"),
            st.Page(export.render, title="Export", icon=":material/download:", url_path="export"),
        ],
    }


def main() -> None:
    """Choose the page and show it; an error that a person can mend is shown in its own words."""
    is_participant = session.path() == "/"
    st.set_page_config(
        page_title="Facenorm",
        page_icon=":material/face:",
        layout="centered" if is_participant else "wide",
        initial_sidebar_state="collapsed" if is_participant else "auto",
    )
    hidden = is_participant or session.researcher() is None
    page = st.navigation(_pages(), position="hidden" if hidden else "sidebar")
    try:
        page.run()
    except FacenormError as error:
        _log.info("shown to a visitor: %s", error)
        st.error(str(error))


main()
