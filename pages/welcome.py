"""Welcome and consent: one plain form, since only pressing Begin may create anything."""

from __future__ import annotations

from functools import cache

import streamlit as st

from core import planning, tasks
from core.study import ConsentItem
from db import engine as db_engine
from db import sessions, studies
from pages.ui import arriving, resources, session, text
from pages.ui.session import Visit

_FORM = """
<form method="post" action="/api/begin"$replace_html>
  $carried_html<input type="hidden" name="nonce" value="$nonce">
  <input type="hidden" name="utc_offset">
  <fieldset><legend>$legend</legend>$boxes_html</fieldset>
  <div class="actions"><button class="main">$begin</button>
  <button formaction="/api/decline" formnovalidate>$decline</button></div>
</form>
<p class="small">$contact</p>
"""
_BOX = """
<label class="tick"><input type="checkbox" name="$name"$required_html>
<span>$label <small>$remark</small></span></label>
"""


def render(visit: Visit) -> None:
    """Say what the study is and ask for consent, or why this visitor cannot begin."""
    if visit.declined:
        text.show(visit, _declined(visit), key="welcome", address=arriving.bare_address(visit))
    elif visit.session is None and (reason := arriving.obstacle(visit)):
        reason(visit)
    else:
        session.once("opened", lambda: _count_opening(visit))
        text.show(visit, _introduction(visit), key="welcome", address=arriving.bare_address(visit))
        st.markdown(text.own(visit, visit.study.consent.intro))
        text.show(visit, _form(visit), key="consent")


def _count_opening(visit: Visit) -> None:
    # Link scanners do not get here: they open no websocket.
    with db_engine.writing(resources.engine()) as conn:
        sessions.tally(conn, visit.version.config_hash, "opened", kind=visit.kind, phase=visit.phase)


def _introduction(visit: Visit) -> str:
    study = visit.study
    about = text.own(visit, study.description) if study.description else visit.words["welcome.what"]
    sets = 1 if study.tasks.design == "between" else len(tasks.sets(study))
    faces = study.trials.per_participant * sets
    facts = [
        text.said(visit, "welcome.duration", minutes=_minutes(visit.version.config_hash), faces=faces),
        arriving.device_fact(visit),
    ]
    parts = [
        arriving.languages(visit),
        arriving.app_note(visit),
        _note(visit, "problem", f"welcome.problem.{visit.problem}") if visit.problem else "",
        _note(visit, "note", "welcome.preview") if visit.kind == "preview" else "",
        text.heading(text.own(visit, study.title)),
        text.html('<p class="lead">$about</p>', about=about),
        '<ul class="facts">' + "".join(text.html("<li>$fact</li>", fact=fact) for fact in facts) + "</ul>",
        arriving.device_note(visit),
        text.html("<h2>$consent</h2>", consent=visit.words["welcome.consent"]),
        _note(visit, "note", "welcome.template") if _is_template(visit) else "",
    ]
    return "".join(parts)


@cache
def _minutes(config_hash: str) -> int:
    # The hash stands for study and stimuli alike: what was counted once holds.
    with db_engine.reading(resources.engine()) as conn:
        return planning.minutes(resources.study_of(conn, config_hash), studies.stimuli(conn, config_hash))


def _note(visit: Visit, kind: str, key: str) -> str:
    if key not in visit.words:  # the problem comes from the address bar
        return ""
    role = "alert" if kind == "problem" else "note"
    words = text.said(visit, key, contact=visit.study.contact)
    return text.html('<p class="$kind" role="$role">$words</p>', kind=kind, role=role, words=words)


def _is_template(visit: Visit) -> bool:
    """Say whether the consent still has blanks such as [name of the board]."""
    return "[" in text.own(visit, visit.study.consent.intro)


def _form(visit: Visit) -> str:
    if visit.arrival.problem == "unaccepted":
        return _note(visit, "note", "recruit.unaccepted")
    age = text.said(visit, "welcome.age", age=visit.study.minimum_age)
    boxes = [_consent_box(visit, item) for item in visit.study.consent.items]
    return text.html(
        _FORM,
        # In a lab the next participant must find nothing when they press Back.
        replace_html=" data-replace" if visit.study.recruitment.route == "lab" else "",
        carried_html=arriving.carried(visit),
        nonce=session.nonce(),
        legend=visit.words["welcome.items"],
        boxes_html="".join([*boxes, _box(visit, "age", age, required=True)]),
        begin=visit.words["welcome.begin"],
        decline=visit.words["welcome.decline"],
        contact=text.said(visit, "welcome.contact", contact=visit.study.contact),
    )


def _consent_box(visit: Visit, item: ConsentItem) -> str:
    return _box(visit, f"consent.{item.id}", text.own(visit, item.text), required=item.required)


def _box(visit: Visit, name: str, label: str, *, required: bool) -> str:
    return text.html(
        _BOX,
        name=name,
        required_html=" required" if required else "",
        label=label,
        remark=visit.words["welcome.required" if required else "welcome.optional"],
    )


def _declined(visit: Visit) -> str:
    return text.html(
        '<h1>$title</h1><p>$text</p><p><a href="$address" target="_self">$back</a></p>',
        title=visit.words["welcome.declined.title"],
        text=visit.words["welcome.declined.text"],
        address=session.address(visit),
        back=visit.words["welcome.declined.back"],
    )
