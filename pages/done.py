"""Thank-you with the completion code, which exists only for complete sessions."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from db import engine as db_engine
from db import sessions
from pages.ui import resources, text
from pages.ui.session import Visit

_PAGE = """
<h1>$title</h1>
<p>$saved</p>
<h2 id="code-title">$label</h2>
<p>$explanation</p>
<output class="code" id="code" aria-labelledby="code-title">$code</output>
<p><button type="button" class="main" data-copy="#code" aria-live="polite">$copy</button></p>
<p>$close</p>
<p class="small">$contact</p>
"""


def complete(visit: Visit) -> None:
    """Close a session in which nothing is due any more."""
    with db_engine.writing(resources.engine()) as conn:
        sessions.complete(conn, visit.session.session_id)
    st.rerun()


def render(visit: Visit) -> None:
    """Show the completion code and let this browser forget the answers it kept."""
    preview = text.html(
        '<p class="note" role="note">$words <a href="$address" target="_self">$again</a></p>',
        words=visit.words["done.preview"],
        address="/?" + urlencode({"study": visit.study.study, "link": visit.link, "again": "1"}),
        again=visit.words["done.again"],
    )
    markup = text.html(
        _PAGE,
        title=visit.words["done.title"],
        saved=visit.words["done.text"],
        label=visit.words["done.code"],
        explanation=visit.words["done.code.text"],
        code=visit.session.completion_code,
        copy=visit.words["done.copy"],
        close=visit.words["done.close"],
        contact=text.said(visit, "welcome.contact", contact=visit.study.contact),
    )
    shown = preview + markup if visit.kind == "preview" else markup
    text.show(visit, shown, key="done", forget=visit.session.session_id)
