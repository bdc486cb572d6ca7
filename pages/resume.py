"""Coming back after an absence: what the study does then, told before it happens."""

from __future__ import annotations

from db import returning
from db.statements import now
from pages.api import coming
from pages.ui import text
from pages.ui.session import Visit

_PAGE = """
<h1>$title</h1><p class="lead">$what</p><p>$sending</p>
<form method="post" action="/api/resume" data-send="$session" data-without="$without">$hidden_html
  <div class="actions"><button class="main">$button</button></div>
</form>
<p class="small">$contact</p>
"""
_WORDS = {"restart-block": "resume.again", "refuse": "resume.refuse", "expired": "resume.expired"}


def is_due(visit: Visit) -> bool:
    """Say whether the participant came back and was not let on yet."""
    return visit.session.resume_due


def told(visit: Visit) -> str:
    """Say what happens when this participant goes on."""
    what = returning.waits_for(visit.session, coming.policy(visit.study), at=now())
    return visit.words[_WORDS[what]]


def render(visit: Visit) -> None:
    """Say what happens now; the answers that this browser still keeps are sent before it does."""
    markup = text.html(
        _PAGE,
        title=visit.words["resume.title"],
        what=told(visit),
        sending=visit.words["resume.sending"],
        session=visit.session.session_id,
        hidden_html=text.hidden(
            study=visit.study.study,
            link=visit.link,
            language=visit.language,
            at=visit.key,
            token=visit.post_token,
        ),
        button=visit.words["resume.button"],
        without=visit.words["unsent.button"],
        contact=text.said(visit, "welcome.contact", contact=visit.study.contact),
    )
    text.show(visit, markup, key="resume")
