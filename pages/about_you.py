"""A little about you: each answer is stored when it is given."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.study_design import Question
from db import engine as db_engine
from db import sessions
from db.sessions import AboutValue
from pages.ui import resources, session, text
from pages.ui.session import Visit


def render(visit: Visit) -> None:
    """Ask the questions that the study has enabled."""
    _place()["on_page"] = True
    intro = text.html("<p>$intro</p>", intro=visit.words["about.intro"])
    text.show(visit, text.heading(visit.words["about.title"]) + intro, key="about")
    saved = _saved(visit)
    given = {question.id: _ask(visit, question, saved.get(question.id)) for question in _questions(visit)}
    wrong = [question for question in _questions(visit) if _out_of_range(question, given[question.id])]
    good = {name: value for name, value in given.items() if name not in {one.id for one in wrong}}
    _save(visit, {name: value for name, value in good.items() if value != saved.get(name)})
    for question in wrong:
        st.error(_range(visit, question))
    if st.button(visit.words["about.continue"], key="continue", type="primary") and not wrong:
        _continue(visit, given)


def is_due(visit: Visit) -> bool:
    """Say whether an enabled question is still to be answered or passed over, or the page to be left."""
    if visit.session.instructions_read:
        return False
    saved = _saved(visit)
    complete = all(question.id in saved for question in _questions(visit)) and not _missing(visit, saved)
    # The last answer is stored when it is given, but only Continue leaves the page.
    return not complete or _place().get("on_page", False)


def _place() -> dict[str, bool]:
    return session.once("about", dict[str, bool])


def _questions(visit: Visit) -> list[Question]:
    enabled = [question for question in visit.study.about_you if question.enabled]
    if not any(question.sensitive for question in enabled):
        return enabled
    asking = [item.id for item in visit.study.consent.items if item.sensitive]
    with db_engine.reading(resources.engine()) as conn:
        agreed = sessions.consents(conn, visit.session.session_id)
    if all(agreed.get(item_id) for item_id in asking):
        return enabled
    return [question for question in enabled if not question.sensitive]


def _missing(visit: Visit, given: Mapping[str, AboutValue]) -> list[Question]:
    return [
        question for question in _questions(visit) if question.required and given.get(question.id) is None
    ]


def _saved(visit: Visit) -> dict[str, AboutValue]:
    with db_engine.reading(resources.engine()) as conn:
        return sessions.about(conn, visit.session.session_id)


def _save(visit: Visit, answers: Mapping[str, AboutValue]) -> None:
    if answers:
        with db_engine.writing(resources.engine()) as conn:
            for name, value in answers.items():
                sessions.save_about(conn, visit.session.session_id, name, value)


def _continue(visit: Visit, given: Mapping[str, AboutValue]) -> None:
    if missing := _missing(visit, given):
        names = " · ".join(text.own(visit, question.text) for question in missing)
        st.error(text.said(visit, "about.missing", questions=names))
        return
    _save(visit, given)  # a question passed over is stored as such
    _place()["on_page"] = False
    st.rerun()


def _ask(visit: Visit, question: Question, saved: AboutValue) -> AboutValue:
    label = text.own(visit, question.text)
    if question.required:
        label = f"{label} ({visit.words['about.required']})"
    key = f"about.{question.id}"
    if question.kind == "number":
        return _number(label, saved, key)
    if question.kind == "choice":
        return _choice(visit, label, question, saved, key)
    return st.text_input(label, value=saved and str(saved), max_chars=200, key=key) or None


def _number(label: str, saved: AboutValue, key: str) -> AboutValue:
    # Bounds of its own would make the field keep a wrong number to itself, as if nothing were typed.
    return st.number_input(label, value=None if saved is None else round(float(saved)), step=1, key=key)


def _out_of_range(question: Question, value: AboutValue) -> bool:
    if question.kind != "number" or value is None:
        return False
    low, high = question.min, question.max
    return (low is not None and float(value) < low) or (high is not None and float(value) > high)


def _range(visit: Visit, question: Question) -> str:
    bounds = [f"{bound:g}" if bound is not None else "…" for bound in (question.min, question.max)]
    name = text.own(visit, question.text)
    return text.said(visit, "about.range", question=name, low=bounds[0], high=bounds[1])


def _choice(visit: Visit, label: str, question: Question, saved: AboutValue, key: str) -> AboutValue:
    codes = list(question.options)
    return st.radio(
        label,
        codes,
        index=codes.index(str(saved)) if saved in codes else None,
        format_func=lambda code: text.own(visit, question.options[code]),
        key=key,
    )
