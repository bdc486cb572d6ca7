"""The last page: what became of the session, the code that proves it, and the way back."""

from __future__ import annotations

import logging

import streamlit as st

from core import recruitment
from db import codes, external, sessions
from db import engine as db_engine
from pages import debriefing, erase, stop
from pages.ui import resources, session, text, ways
from pages.ui.session import Visit

_COMPLETE = """
<h1>$title</h1>
<p>$saved</p>
$empty_html
<h2 id="code-title">$label</h2>
<p>$explanation</p>
<output class="code" id="code" aria-labelledby="code-title">$code</output>
<p><button type="button" data-copy="#code" aria-live="polite">$copy</button></p>
"""
_log = logging.getLogger("facenorm")


def complete(visit: Visit) -> None:
    """Close a session in which nothing is due any more."""
    with db_engine.writing(resources.engine()) as conn:
        sessions.complete(conn, visit.session.session_id)
    st.rerun()


def render(visit: Visit) -> None:
    """Show how the session ended, and let this browser forget the answers it kept."""
    if visit.session.outcome == "stopped":
        stop.ended(visit)
        if visit.study.recruitment.route == "lab":
            text.show(visit, ways.next_participant(visit), key="next")
        return
    code = session.once(f"code:{visit.session.session_id}", lambda: _code(visit))
    page = _complete if visit.session.outcome == "complete" else _screened_out
    shown = erase.again(visit, "done.preview") + page(visit, code) + erase.offer(visit) + _way_on(visit, code)
    text.show(visit, shown, key="done", forget=visit.session.session_id)


def _code(visit: Visit) -> str | None:
    """Return the code of a complete session; None where the pool has none left."""
    chosen, done = visit.study.recruitment, visit.session
    if chosen.code == "fixed":
        return chosen.fixed_code
    if chosen.code == "personal" or visit.kind != "human" or done.outcome != "complete":
        return done.completion_code
    with db_engine.writing(resources.engine()) as conn:
        given = codes.take(conn, visit.study.study, done.session_id)
    if given is None:
        _log.warning(
            "study %s has no completion code left in its pool; load more with 'facenorm codes load'",
            visit.study.study,
        )
    return given


def _complete(visit: Visit, code: str | None) -> str:
    empty = text.html(
        '<p class="problem" role="alert">$words</p>',
        words=text.said(visit, "done.empty", contact=visit.study.contact),
    )
    return text.html(
        _COMPLETE,
        title=visit.words["done.title"],
        saved=visit.words["done.text"],
        empty_html=empty if code is None else "",
        label=visit.words["done.empty.code" if code is None else "done.code"],
        explanation="" if code is None else visit.words["done.code.text"],
        code=code or visit.session.completion_code,
        copy=visit.words["done.copy"],
    )


def _screened_out(visit: Visit, _code: str | None) -> str:
    said = text.html("<p>$text</p>", text=visit.words["done.screened_out.text"])
    return text.heading(visit.words["done.screened_out.title"]) + said


def _way_on(visit: Visit, code: str | None) -> str:
    contact = text.html(
        '<p class="small">$words</p>', words=text.said(visit, "welcome.contact", contact=visit.study.contact)
    )
    if visit.study.recruitment.route == "lab":
        return contact + ways.next_participant(visit)
    url = _return_url(visit, code or visit.session.completion_code)
    if url is not None:
        by_itself = visit.kind == "human" and not debriefing.is_owed(visit)
        return ways.back(visit, url, by_itself=by_itself) + contact
    close = text.html("<p>$close</p>", close=visit.words["done.close"])
    return (close if visit.session.outcome == "complete" else "") + contact


def _return_url(visit: Visit, code: str) -> str | None:
    with db_engine.reading(resources.engine()) as conn:
        known = external.of_session(conn, visit.session.session_id)
    return recruitment.return_url(
        visit.study,
        visit.session.outcome,
        known.external_id if known else None,
        code,
        known.parameters if known else {},
    )
