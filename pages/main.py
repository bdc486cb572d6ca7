"""The script that Streamlit runs: which page this visitor sees."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import Protocol

import streamlit as st

from core.errors import FacenormError
from core.settings import PROJECT
from pages import (
    about_you,
    calibrate,
    debriefing,
    done,
    erase,
    instructions,
    questionnaire,
    rate,
    resume,
    stop,
    welcome,
)
from pages.ui import foot, frame, session, text
from pages.ui.session import Visit


class Step(Protocol):
    """A page of a session: whether it is due, and its showing."""

    def is_due(self, visit: Visit) -> bool:
        """Say whether the participant has to see it now."""

    def render(self, visit: Visit) -> None:
        """Show it."""


STEPS: tuple[Step, ...] = (
    resume,
    calibrate,
    about_you,
    questionnaire.BEFORE,
    instructions,
    rate,
    questionnaire.AFTER,
    debriefing,
)
"""The pages of a session in their order: each says whether it is due, and the first one that is is shown."""

ICON = PROJECT / "assets" / "page" / "icon.svg"

_log = logging.getLogger("facenorm")


def participant() -> None:
    """Show the step that this participant has reached; the database knows which."""
    visit = session.visit()
    frame.show(visit.words if visit else session.unknown_visitor_words())
    if visit is None:
        text.no_study(session.unknown_visitor_words())
    else:
        _step(visit)(visit)


def _step(visit: Visit) -> Callable[[Visit], None]:
    if erase.is_asked():
        return erase.render
    if visit.session is None:
        return welcome.render
    if visit.session.outcome is not None:
        return _ended
    if stop.is_asked():
        return stop.render
    return next((_with_foot(page) for page in STEPS if page.is_due(visit)), done.complete)


def _ended(visit: Visit) -> None:
    done.render(visit)
    if visit.session.outcome == "screened_out":
        debriefing.tell(visit)


def _with_foot(page: Step) -> Callable[[Visit], None]:
    """Show a page with the way out at its foot; the trials have one of their own."""

    def render(visit: Visit) -> None:
        page.render(visit)
        if page is not rate:
            foot.render(visit)

    return render


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
            page("identity", "Identity", "familiar_face_and_zone"),
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
