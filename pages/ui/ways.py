"""The ways out of a study: back to the platform that sent somebody, or on to a lab's next participant."""

from __future__ import annotations

from pages.ui import text
from pages.ui.session import Visit

RETURN_S = 20  # long enough to copy what the page shows; whoever needs longer presses Stay
NEXT_S = 60

_RETURN = """
<p class="actions"><a class="button main" href="$url" target="_self" data-go>$go</a></p>
"""
_NEXT = """
<section class="aside"><h2>$title</h2><p>$text</p>
<form method="post" action="/api/next" data-replace="wipe" data-send="$session" data-without="$without">
  $hidden_html
  <div class="actions"><button class="main" data-go>$go</button></div>
</form>$auto_html</section>
"""
_AUTO = """
<p data-after="$seconds">$before<span data-seconds>$seconds</span>$after
<button type="button" class="quiet" data-stay>$stay</button></p>
"""


def back(visit: Visit, url: str, *, by_itself: bool) -> str:
    """Return the button to where participants return to, followed by itself unless they stay."""
    button = text.html(_RETURN, url=url, go=visit.words["done.return"])
    return button + (_by_itself(visit, "done.return", RETURN_S) if by_itself else "")


def next_participant(visit: Visit) -> str:
    """Return what begins a lab's next participant and leaves nothing of this one in the browser."""
    return text.html(
        _NEXT,
        title=visit.words["lab.next.title"],
        text=visit.words["lab.next.text"],
        session=visit.session.session_id,
        without=visit.words["unsent.button"],
        hidden_html=text.hidden(
            study=visit.study.study, link=visit.link, at=visit.key, token=visit.post_token
        ),
        go=visit.words["lab.next.button"],
        auto_html=_by_itself(visit, "lab.next", NEXT_S),
    )


def _by_itself(visit: Visit, words: str, seconds: int) -> str:
    # The words around the number differ in each language: it is counted down in its own place.
    before, _, after = visit.words[f"{words}.auto"].partition("{seconds}")
    return text.html(_AUTO, before=before, after=after, seconds=seconds, stay=visit.words[f"{words}.stay"])
