"""The study's questionnaires, one page each, before and after the trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from core.study_design import Questionnaire
from pages.ui import questions, text
from pages.ui.session import Visit


@dataclass(frozen=True, slots=True)
class Step:
    """The questionnaires of one moment of a session."""

    when: Literal["before", "after"]

    def is_due(self, visit: Visit) -> bool:
        """Say whether one of them is still to be answered."""
        return self._first(visit) is not None

    def render(self, visit: Visit) -> None:
        """Ask the first one that is due."""
        page = self._first(visit)
        if page is not None:
            _show(visit, page)

    def _first(self, visit: Visit) -> Questionnaire | None:
        if self.when == "before" and visit.session.instructions_read:
            return None
        pages = (one for one in visit.study.questionnaires if one.when == self.when)
        return next((one for one in pages if questions.is_due(visit, one.id, one.questions)), None)


BEFORE, AFTER = Step("before"), Step("after")


def _show(visit: Visit, page: Questionnaire) -> None:
    text.show(visit, text.heading(text.own(visit, page.title)), key=f"questionnaire.{page.id}")
    if page.intro:
        st.markdown(text.own(visit, page.intro))
    questions.render(visit, page.id, page.questions)
