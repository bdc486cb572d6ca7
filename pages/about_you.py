"""A little about you: each answer is stored when it is given."""

from __future__ import annotations

from pages.ui import questions, text
from pages.ui.session import Visit


def is_due(visit: Visit) -> bool:
    """Say whether an enabled question is still to be answered or passed over, or the page to be left."""
    return not visit.session.instructions_read and questions.is_due(visit, None, visit.study.about_you)


def render(visit: Visit) -> None:
    """Ask the questions that the study has enabled."""
    text.show(visit, text.heading(visit.words["about.title"]), key="about")
    questions.render(visit, None, visit.study.about_you)
