"""What the study was about, told at the end, with the choice to withdraw."""

from __future__ import annotations

import streamlit as st

from pages.ui import session, text
from pages.ui.session import Visit

_CHOICE = """
<h2>$title</h2>
<p>$text</p>
<form method="post" action="/api/debriefed">$hidden_html
<div class="actions"><button class="main">$keep</button>
<a class="button danger" href="$address" target="_self" data-here="$here">$withdraw</a></div></form>
<p class="small">$contact</p>
"""


def is_due(visit: Visit) -> bool:
    """Say whether the participant has not yet answered whether their answers may be kept."""
    return visit.study.debriefing is not None and visit.session.debriefed_at is None


def render(visit: Visit) -> None:
    """Tell what the study was about, and ask whether the answers may be kept."""
    title = text.html("<h1 data-focus>$title</h1>", title=visit.words["debrief.title"])
    text.show(visit, title, key="debriefing")
    st.markdown(text.own(visit, visit.study.debriefing))
    markup = text.html(
        _CHOICE,
        title=visit.words["debrief.choice"],
        text=visit.words["debrief.text"],
        hidden_html=text.hidden(at=visit.key, token=visit.post_token, back=session.address(visit)),
        keep=visit.words["debrief.keep"],
        address=session.address(visit, erase="1"),
        here=session.sign_of_life(visit),
        withdraw=visit.words["debrief.withdraw"],
        contact=text.said(visit, "welcome.contact", contact=visit.study.contact),
    )
    text.show(visit, markup, key="debriefing.choice")


def is_owed(visit: Visit) -> bool:
    """Say whether somebody who leaves now has not been debriefed."""
    told = visit.session is not None and visit.session.debriefed_at is not None
    return visit.study.disclosure == "after" and bool(visit.study.debriefing) and not told


def tell(visit: Visit) -> None:
    """Tell those who leave early what they would have been told at the end."""
    if is_owed(visit):
        text.show(visit, text.html("<h2>$title</h2>", title=visit.words["debrief.title"]), key="debriefing")
        st.markdown(text.own(visit, visit.study.debriefing))
