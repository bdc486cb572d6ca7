"""Deleting one's answers: by the browser's own session, or by the personal code from any browser."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

import streamlit as st

from core import cookies, leaving, settings
from core.records import Session
from db import engine as db_engine
from db import erase_codes, erasure, sessions
from db.statements import now
from pages import debriefing
from pages.ui import resources, session, text
from pages.ui.session import Visit

_CODE = """
<h1 data-focus>$title</h1>
$problem_html
<p>$text</p>
<form method="post" action="/api/erase/find">$hidden_html
<p><label for="erase-code">$label</label>
<input class="field" id="erase-code" name="code" required maxlength="40" autocomplete="off"
 autocapitalize="characters" spellcheck="false"$wrong_html placeholder="XXXX-XXXX-XXXX"></p>
<p><button class="main">$find</button></p></form>
<p class="small">$contact</p>
"""
_CONFIRM = """
<h1 data-focus>$title</h1>
<ul class="facts"><li>$date</li><li>$pictures</li><li>$questions</li></ul>
<p>$text</p>
$notes_html
<p>$copies</p>
<form method="post" action="/api/erase">$hidden_html
<div class="actions"><a class="button" href="$back" target="_self" data-here="$here">$keep</a>
<button class="danger">$delete</button></div></form>
<p><a href="$other_address" target="_self" data-here="$here">$other</a></p>
<p class="small">$contact</p>
"""
_LATE = """
<h1 data-focus>$title</h1>
<p>$text</p>
<p><a href="$back" target="_self">$keep</a></p>
"""
_DONE = """
<h1 data-focus>$title</h1>
<p>$text</p>
<p>$copies</p>
$payment_html
"""
_OFFER = """
<h2 id="erase-title">$title</h2>
<p>$text</p>
<output class="code second" id="erase-code" aria-labelledby="erase-title">$code</output>
<p><button type="button" data-copy="#erase-code" aria-live="polite">$copy</button></p>
<p>$later <a href="$address" target="_self">$shown_address</a></p>
<p><a href="$now_address" target="_self">$now</a></p>
"""


def is_asked() -> bool:
    """Say whether the page for deleting was asked for."""
    return "erase" in st.query_params


def render(visit: Visit) -> None:
    """Ask for the code, show what it leads to, or say that it is deleted."""
    asked = st.query_params["erase"]
    if asked == "done" and (erased := session.cookie(cookies.ERASED)):
        _done(visit, *erased.partition(".")[::2])
    elif asked == "1" and visit.session:
        _confirm(visit, visit.session, by="session")
    elif asked == "code" and (found := _by_code(visit)):
        _confirm(visit, found, by="code")
    else:
        text.show(visit, _ask(visit), key="erase")


def offer(visit: Visit) -> str:
    """Markup with the personal code and until when it works, for the last page of a session."""
    last = leaving.last_day(visit.study, visit.session)
    token = session.cookie(cookies.participant(visit.key))
    if last is None or not token or not leaving.may_erase(visit.study, visit.session, now()):
        return ""
    return text.html(
        _OFFER,
        title=visit.words["erase.offer"],
        text=text.said(visit, "erase.offer.text", date=said_date(visit, last)),
        code=erase_codes.shown(sessions.erase_code(token)),
        copy=visit.words["erase.offer.copy"],
        later=visit.words["erase.offer.later"],
        address=session.address(visit, erase="code"),
        shown_address=session.here() + "?" + urlencode({"study": visit.study.study, "erase": "code"}),
        now_address=session.address(visit, erase="1"),
        now=visit.words["erase.offer.now"],
    )


def again(visit: Visit, words: str = "welcome.preview") -> str:
    """Markup that lets a preview begin anew; empty for everybody else."""
    if visit.kind != "preview":
        return ""
    return text.html(
        '<p class="note" role="note">$words <a href="$address" target="_self">$again</a></p>',
        words=visit.words[words],
        address=session.address(visit, again="1"),
        again=visit.words["done.again"],
    )


def payment(visit: Visit) -> str:
    """Say how those are paid who stop."""
    own = visit.study.recruitment.payment
    return text.own(visit, own) if own else text.said(visit, "stop.payment", contact=visit.study.contact)


def closing(visit: Visit) -> str:
    """Markup of the last lines of a last page."""
    contact = text.said(visit, "welcome.contact", contact=visit.study.contact)
    template = '<p>$close</p><p class="small">$contact</p>'
    return text.html(template, close=visit.words["done.close"], contact=contact)


def said_date(visit: Visit, day: date) -> str:
    """Write a day as the visit's language does."""
    month = visit.words["erase.months"].split()[day.month - 1]
    return text.said(visit, "erase.date", day=day.day, month=month, year=day.year)


def _by_code(visit: Visit) -> Session | None:
    sealed, secret = session.cookie(cookies.ERASE), settings.secret(settings.load())
    study_id, _, code = cookies.unsealed(sealed, secret).partition(".")
    if study_id != visit.study.study or not code:
        return None
    with db_engine.reading(resources.engine()) as conn:
        found = erase_codes.find(conn, study_id, code)
    return found and found[0]


def _ask(visit: Visit) -> str:
    return text.html(
        _CODE,
        title=visit.words["erase.title"],
        problem_html=_problem(visit),
        wrong_html=' aria-invalid="true" aria-describedby="erase-problem"' if visit.problem else "",
        text=visit.words["erase.text"],
        label=visit.words["erase.code"],
        find=visit.words["erase.find"],
        hidden_html=text.hidden(study=visit.study.study, back=session.address(visit)),
        contact=text.said(visit, "welcome.contact", contact=visit.study.contact),
    )


def _problem(visit: Visit) -> str:
    if visit.problem is None:
        return ""
    minutes, contact = st.query_params.get("minutes", ""), visit.study.contact
    key = "erase.wait" if minutes.isdecimal() else "erase.unknown"
    said = text.said(visit, key, minutes=minutes, contact=contact)
    return text.html('<p class="problem" role="alert" id="erase-problem">$said</p>', said=said)


def _confirm(visit: Visit, found: Session, *, by: str) -> None:
    with db_engine.reading(resources.engine()) as conn:
        study = resources.study_of(conn, found.config_hash)
        held = erasure.contents(conn, found.session_id)
    last = leaving.last_day(study, found)
    if last and not leaving.may_erase(study, found, now()):
        text.show(visit, _late(visit, last), key="erase")
        return
    token = cookies.post_token(session.cookie(cookies.ERASE)) if by == "code" else visit.post_token
    markup = text.html(
        _CONFIRM,
        title=visit.words["erase.confirm"],
        date=text.said(visit, "erase.began", date=said_date(visit, leaving.first_day(found))),
        pictures=text.said(visit, "erase.pictures", n=held.pictures),
        questions=text.said(visit, "erase.questions", n=held.questions),
        text=visit.words["erase.confirm.text"],
        notes_html=_notes(visit, found),
        copies=visit.words["erase.copies"],
        hidden_html=text.hidden(by=by, at=visit.key, token=token, back=session.address(visit)),
        back=session.address(visit),
        here=session.sign_of_life(visit),
        keep=visit.words["erase.keep"],
        delete=visit.words["erase.delete"],
        other=visit.words["erase.other"],
        other_address=session.address(visit, erase="other"),
        contact=text.said(visit, "welcome.contact", contact=visit.study.contact),
    )
    text.show(visit, markup, key="erase")


def _notes(visit: Visit, found: Session) -> str:
    keys = {None: "erase.running", "complete": "erase.completed"}
    key = keys.get(found.outcome)
    return text.html("<p>$note</p>", note=visit.words[key]) if key else ""


def _late(visit: Visit, last: date) -> str:
    said = text.said(visit, "erase.late.text", date=said_date(visit, last), contact=visit.study.contact)
    return text.html(
        _LATE,
        title=visit.words["erase.late"],
        text=said,
        back=session.address(visit),
        keep=visit.words["erase.back"],
    )


def _done(visit: Visit, session_id: str, outcome: str) -> None:
    markup = text.html(
        _DONE,
        title=visit.words["erase.done"],
        text=visit.words["erase.done.text"],
        copies=visit.words["erase.copies"],
        payment_html="" if outcome == "complete" else text.html("<p>$said</p>", said=payment(visit)),
    )
    text.show(visit, again(visit) + markup, key="erased", forget=session_id)
    if outcome != "complete":
        debriefing.tell(visit)
    text.show(visit, closing(visit), key="closing")
