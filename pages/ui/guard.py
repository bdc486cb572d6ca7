"""Every researcher page begins here."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from pages import login
from pages.ui import session

if TYPE_CHECKING:
    from db.researchers import Login


def require() -> Login:
    """Return who is logged in; anybody else sees the login instead of the page."""
    who = session.researcher()
    if who is None:
        login.ask(session.path())
        st.stop()
    if who.must_change:
        login.renew(who)
        st.stop()
    # A link in Markdown would open a new tab.
    st.sidebar.html(
        f'<small>{escape(who.name)} · <a href="/researcher" style="color: inherit">your login</a></small>'
    )
    return who
