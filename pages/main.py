"""The script that Streamlit runs: which page this visitor sees."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable

import streamlit as st

from core.errors import FacenormError
from core.settings import PROJECT
from pages import about_you, done, instructions, questionnaire, rate, welcome
from pages.ui import session, text
from pages.ui.session import Visit

STEPS = (about_you, questionnaire.BEFORE, instructions, rate, questionnaire.AFTER)
"""The pages of a session in their order: each says whether it is due, and the first one that is is shown."""

ICON = PROJECT / "assets" / "page" / "icon.svg"

_log = logging.getLogger("facenorm")


def participant() -> None:
    """Show the step that this participant has reached; the database knows which."""
    visit = session.visit()
    if visit is None:
        text.no_study(session.unknown_visitor_words())
    else:
        _step(visit)(visit)


def _step(visit: Visit) -> Callable[[Visit], None]:
    if visit.session is None:
        return welcome.render
    if visit.session.outcome is not None:
        return done.render
    return next((page.render for page in STEPS if page.is_due(visit)), done.complete)


def _lazy(name: str) -> Callable[[], None]:
    """Import a researcher's page when it is opened: participants need neither pandas nor plotly."""

    def render() -> None:
        importlib.import_module(f"pages.{name}").render()

    return render


def _pages() -> dict[str, list[st.Page]]:
    def page(name: str, title: str, icon: str) -> st.Page:
        return st.Page(_lazy(name), title=title, icon=f":material/{icon}:", url_path=name)

    return {
        "": [
            st.Page(participant, title="Study", default=True, visibility="hidden"),
            st.Page(_lazy("login"), title="Log in", url_path="researcher", visibility="hidden"),
        ],
        "Facenorm": [
            page("studies", "Studies", "folder_open"),
            page("ai_ratings", "AI ratings", "neurology"),
            page("dashboard", "Dashboard", "monitoring"),
            page("export", "Export", "download"),
        ],
    }


def main() -> None:
    """Choose the page and show it; an error that a person can mend is shown in its own words."""
    is_participant = session.path() == "/"
    st.set_page_config(
        page_title="Facenorm",
        page_icon=ICON,
        layout="centered" if is_participant else "wide",
        initial_sidebar_state="collapsed" if is_participant else "auto",
    )
    hidden = is_participant or session.researcher() is None
    chosen = st.navigation(_pages(), position="hidden" if hidden else "sidebar")
    try:
        chosen.run()
    except FacenormError as error:
        _log.warning("shown to a visitor: %s", error)
        # Its words are for who can mend it; a participant is told what it means for them.
        st.error(session.unknown_visitor_words()["error.text"] if is_participant else str(error))
    except Exception:
        if not is_participant:
            raise
        # Streamlit would offer participants to search the web for it.
        _log.exception("shown to a participant")
        st.error(session.unknown_visitor_words()["error.text"])


main()
