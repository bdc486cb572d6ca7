"""Stop: go on after all, stop and keep the answers, or stop and delete them."""

from __future__ import annotations

import streamlit as st

from db import engine as db_engine
from db import erasure
from pages import debriefing, erase, resume
from pages.ui import resources, session, text
from pages.ui.session import Visit

_CHOICES = """
<h1 data-focus>$title</h1>
<p>$text</p>
<p>$payment</p>
<p class="note" role="status" data-unsaved="$session_id" hidden>$unsaved <b data-count></b></p>
<ul class="choices">
<li><h2>$on</h2><p>$on_text</p>
<a class="button main" href="$on_address" target="_self" data-here="$here">$on_button</a></li>
<li><h2>$keep</h2><p>$keep_text</p>
<form method="post" action="/api/stop" data-send="$session_id" data-without="$without">$hidden_html
<button>$keep_button</button></form></li>
<li><h2>$delete</h2><p>$delete_text</p>
<a class="button danger" href="$delete_address" target="_self" data-here="$here">$delete_button</a></li>
</ul>
<p class="small">$contact</p>
"""
_KEPT = """
<h1 data-focus>$title</h1>
<p>$text</p>
<ul class="facts"><li>$pictures</li><li>$questions</li></ul>
<p>$payment</p>
"""


def is_asked() -> bool:
    """Say whether this page was asked for, by the link at the foot of every other one."""
    return "stop" in st.query_params


def render(visit: Visit) -> None:
    """Ask what becomes of the answers."""
    words = visit.words
    markup = text.html(
        _CHOICES,
        title=words["stop.title"],
        text=words["stop.text"],
        payment=erase.payment(visit),
        session_id=visit.session.session_id,
        unsaved=words["stop.unsaved"],
        on=words["stop.on"],
        on_text=resume.told(visit) if resume.is_due(visit) else words["stop.on.text"],
        here=session.sign_of_life(visit),
        on_button=words["stop.on.button"],
        on_address=session.address(visit),
        keep=words["stop.keep"],
        keep_text=words["stop.keep.text"],
        keep_button=words["stop.keep.button"],
        without=words["stop.unsent.button"],
        hidden_html=text.hidden(at=visit.key, token=visit.post_token, back=session.address(visit)),
        delete=words["stop.delete"],
        delete_text=words["stop.delete.text"],
        delete_button=words["stop.delete.button"],
        delete_address=session.address(visit, erase="1"),
        contact=text.said(visit, "welcome.contact", contact=visit.study.contact),
    )
    text.show(visit, markup, key="stop")


def ended(visit: Visit) -> None:
    """Say what happened to somebody who stopped and kept their answers."""
    with db_engine.reading(resources.engine()) as conn:
        kept = erasure.contents(conn, visit.session.session_id)
    markup = text.html(
        _KEPT,
        title=visit.words["stop.kept.title"],
        text=visit.words["stop.kept.text"],
        pictures=text.said(visit, "erase.pictures", n=kept.pictures),
        questions=text.said(visit, "erase.questions", n=kept.questions),
        payment=erase.payment(visit),
    )
    text.show(visit, erase.again(visit) + markup, key="stopped", forget=visit.session.session_id)
    debriefing.tell(visit)
    text.show(visit, erase.offer(visit) + erase.closing(visit), key="closing")
