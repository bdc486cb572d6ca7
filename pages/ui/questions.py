"""A page of questions: plain HTML whose answers the browser posts one by one, and Continue.

Streamlit's own widgets would carry the answers over its websocket, which drops what is given while
it is disconnected, and would show them as if they were there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core import questions as core_questions
from core.questions import Value
from core.settings import PROJECT
from core.study_design import Question
from db import engine as db_engine
from db import questionnaires, sessions
from pages.ui import resources, text
from pages.ui.session import Visit

_ASSETS = PROJECT / "assets"
_SCRIPTS = ("trial/base.js", "trial/keeping.js", "page/asked.js", "page/questions.js")
_element = st.components.v2.component(
    "facenorm_questions",
    css=(_ASSETS / "page" / "questions.css").read_text(encoding="utf-8"),
    js="\n".join((_ASSETS / name).read_text(encoding="utf-8") for name in _SCRIPTS),
    isolate_styles=False,
)
_MOST_RADIOS = 12  # more options are one list to choose from
_MOST_COLUMNS = 7  # of a Likert list; with more options each statement has a list of its own
# What is somewhat too long is told and not cut; what nobody types would fill a whole request.
_MOST_TYPED = 10 * core_questions.LONGEST

_FORM = """
<form class="questions" novalidate>
$intro_html$questions_html
<div class="problem summary" role="alert" hidden><p>$summary</p><ul></ul></div>
<div class="actions"><button class="main continue">$go_on</button></div>
<p class="small state" role="status"></p>
</form>
"""
_WRONG = '<p class="wrong" id="$id-wrong" hidden></p>'
_TYPED = """
<div class="question" data-field="$field">
<label for="$id">$label $required_html</label>
<p class="hint" id="$id-hint">$needed</p>
$control_html
$wrong_html
</div>
"""
_NUMBER = '<input id="$id" inputmode="$keys" autocomplete="off" value="$value" $aria_html>'
_TEXT = '<textarea id="$id" rows="2" maxlength="$most" autocomplete="off" $aria_html>$value</textarea>'
_SELECT = '<select id="$id" $aria_html><option value="">$choose</option>$options_html</select>'
_GROUP = """
<fieldset class="question" role="radiogroup" data-field="$field" $aria_html>
<legend id="$id-label">$label $required_html</legend>
<div class="options">$options_html</div>
$wrong_html$clear_html
</fieldset>
"""
_RADIO = """
<label class="option"><input type="radio" name="$field" value="$code"$checked_html><span>$label</span></label>
"""
_LIST = """
<fieldset class="question likert$wide" style="--options: $n">
<legend>$label $required_html</legend>
<div class="head" aria-hidden="true"><span></span>$heads_html</div>
$statements_html
$clear_html
</fieldset>
"""
_STATEMENT = """
<div class="statement" role="radiogroup" data-field="$field" $aria_html>
<p id="$id-label">$label</p>
<div class="options">$options_html</div>
$wrong_html
</div>
"""


def is_due(visit: Visit, page: str | None, questions: Sequence[Question]) -> bool:
    """Say whether a question of a page is still to be answered or passed over, or the page to be left."""
    asked = _asked(visit, questions)
    if not asked:
        return False
    with db_engine.reading(resources.engine()) as conn:
        # The last answer is stored when it is given, but only Continue leaves the page.
        is_open = questionnaires.is_open(conn, visit.session.session_id, page)
        saved = questionnaires.read(conn, visit.session.session_id, page)
    return is_open or not core_questions.is_settled(asked, saved)


def render(visit: Visit, page: str | None, questions: Sequence[Question]) -> None:
    """Ask the questions of a page; page: the questionnaire's id, None for those about the participant."""
    asked, saved = _asked(visit, questions), _shown(visit, page)
    intro = text.html("<p>$intro</p>", intro=visit.words["ask.intro"])
    markup = text.html(
        _FORM,
        intro_html="" if all(one.required for one in asked) else intro,
        questions_html="".join(_question(visit, question, saved) for question in asked),
        summary=visit.words["ask.summary"],
        go_on=visit.words["ask.continue"],
    )
    words = {key: text.said(visit, f"ask.{key}", contact=visit.study.contact) for key in _SAID}
    data = {
        "html": markup,
        "page": page,
        "session": visit.session.session_id,
        "url": f"/api/questionnaire?at={visit.key}",
        "token": visit.post_token,
        "words": words,
    }
    _element(key=f"questions.{page or ''}", data=data, on_left_change=lambda: None)  # asks for a rerun


_SAID = ("saved", "waiting", "waiting.next", "refused", "gone", "open")


def _asked(visit: Visit, questions: Sequence[Question]) -> tuple[Question, ...]:
    if not any(one.enabled and one.sensitive for one in questions):
        return core_questions.asked(questions, sensitive=False)
    with db_engine.reading(resources.engine()) as conn:
        consents = sessions.consents(conn, visit.session.session_id)
    sensitive = core_questions.may_be_sensitive(visit.study, consents)
    return core_questions.asked(questions, sensitive=sensitive)


def _shown(visit: Visit, page: str | None) -> dict[str, Value]:
    with db_engine.writing(resources.engine()) as conn:
        questionnaires.show(conn, visit.session.session_id, page)
        return questionnaires.read(conn, visit.session.session_id, page)


def _question(visit: Visit, question: Question, saved: Mapping[str, Value]) -> str:
    if question.kind == "likert":
        return _likert(visit, question, saved)
    if question.kind == "choice" and len(question.options) <= _MOST_RADIOS:
        return _choice(visit, question, saved)
    return _typed(visit, question, saved.get(question.id))


def _typed(visit: Visit, question: Question, value: Value) -> str:
    field, needed = question.id, core_questions.needed(question, visit.words)
    control = {"number": _NUMBER, "text": _TEXT, "choice": _SELECT}[question.kind]
    options = [_listed(visit, question, code, value) for code in question.options]
    return text.html(
        _TYPED,
        field=field,
        id=_id(field),
        label=text.own(visit, question.text),
        required_html=_required(visit, question),
        needed=needed,
        control_html=text.html(
            control,
            id=_id(field),
            value="" if value is None else value,
            most=_MOST_TYPED,
            keys="decimal"
            if question.min is None or question.min >= 0
            else "text",  # phones' pads lack minus
            choose=visit.words["ask.choose"],
            options_html="".join(options),
            aria_html=_aria(question, f"{_id(field)}-hint {_id(field)}-wrong"),
        ),
        wrong_html=text.html(_WRONG, id=_id(field)),
    )


def _listed(visit: Visit, question: Question, code: str, value: Value) -> str:
    return text.html(
        '<option value="$code"$selected_html>$label</option>',
        code=code,
        selected_html=" selected" if code == value else "",
        label=text.own(visit, question.options[code]),
    )


def _choice(visit: Visit, question: Question, saved: Mapping[str, Value]) -> str:
    field = question.id
    return text.html(
        _GROUP,
        field=field,
        id=_id(field),
        label=text.own(visit, question.text),
        required_html=_required(visit, question),
        aria_html=_aria(question, f"{_id(field)}-wrong", labelled=f"{_id(field)}-label"),
        options_html=_radios(visit, question, field, saved.get(field)),
        wrong_html=text.html(_WRONG, id=_id(field)),
        clear_html=_clear(visit, question),
    )


def _likert(visit: Visit, question: Question, saved: Mapping[str, Value]) -> str:
    heads = [
        text.html("<span>$label</span>", label=text.own(visit, one)) for one in question.options.values()
    ]
    statements = [
        _statement(visit, question, field, saved.get(field)) for field in core_questions.fields(question)
    ]
    return text.html(
        _LIST,
        wide=" wide" if len(question.options) <= _MOST_COLUMNS else "",
        n=len(question.options),
        label=text.own(visit, question.text),
        required_html=_required(visit, question),
        heads_html="".join(heads),
        statements_html="".join(statements),
        clear_html=_clear(visit, question),
    )


def _statement(visit: Visit, question: Question, field: str, value: Value) -> str:
    return text.html(
        _STATEMENT,
        field=field,
        id=_id(field),
        label=core_questions.label(question, field, visit.language),
        aria_html=_aria(question, f"{_id(field)}-wrong", labelled=f"{_id(field)}-label"),
        options_html=_radios(visit, question, field, value),
        wrong_html=text.html(_WRONG, id=_id(field)),
    )


def _radios(visit: Visit, question: Question, field: str, value: Value) -> str:
    return "".join(
        text.html(
            _RADIO,
            field=field,
            code=code,
            checked_html=" checked" if code == value else "",
            label=text.own(visit, label),
        )
        for code, label in question.options.items()
    )


def _clear(visit: Visit, question: Question) -> str:
    # A radio once chosen cannot be taken back by itself, but an open question may be left open.
    if question.required:
        return ""
    return text.html('<button type="button" class="clear">$clear</button>', clear=visit.words["ask.clear"])


def _required(visit: Visit, question: Question) -> str:
    if not question.required:
        return ""
    return text.html("<small>($required)</small>", required=visit.words["ask.required"])


def _aria(question: Question, described: str, *, labelled: str = "") -> str:
    required = ' aria-required="true"' if question.required else ""
    by = f' aria-labelledby="{labelled}"' if labelled else ""
    return f'aria-describedby="{described}"{required}{by}'


def _id(field: str) -> str:
    return f"q-{field}"
