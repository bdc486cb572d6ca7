"""The foot of every page of a running session: the way out."""

from __future__ import annotations

from pages.ui import session, text
from pages.ui.session import Visit

_FOOT = '<p class="foot"><a href="$address" target="_self" data-here="$here">$stop</a></p>'


def render(visit: Visit) -> None:
    """Offer to stop."""
    markup = text.html(
        _FOOT,
        address=session.address(visit, stop="1"),
        here=session.sign_of_life(visit),
        stop=visit.words["trial.stop"],
    )
    text.show(visit, markup, key="foot")
