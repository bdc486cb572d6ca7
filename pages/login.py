"""The researcher's way in and out: plain forms, so that the server can set an HttpOnly cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import parts, session

if TYPE_CHECKING:
    from db.researchers import Login

MIN_PASSWORD = 10

_CSS = """
.facenorm-form { display: grid; gap: 1rem; max-width: 22rem; color: var(--st-text-color, CanvasText);
  font: 1rem/1.4 var(--st-font, sans-serif); }
.facenorm-form label { display: grid; gap: .3rem; font-size: .875rem; }
.facenorm-form input { font: inherit; font-size: 1rem; color: inherit; padding: .55rem .7rem;
  border-radius: .5rem;
  background: var(--st-secondary-background-color, Field); border: 1px solid var(--st-border-color, #8888); }
.facenorm-form button { font: inherit; padding: .55rem 1rem; border-radius: .5rem; cursor: pointer;
  justify-self: start; color: #fff; background: var(--st-primary-color, #2f6f8f);
  border: 1px solid transparent; }
.facenorm-form button.quiet { color: inherit; background: none; border-color: var(--st-border-color, #8888); }
.facenorm-form :is(input, button):focus-visible { outline: 2px solid var(--st-primary-color, #2f6f8f);
  outline-offset: 2px; }
.facenorm-form small { opacity: .75; }
"""

# The values reach the form as properties, so nothing in an address can become markup.
_JS = """
export default function ({ data, parentElement }) {
  const form = parentElement.querySelector("form");
  for (const [name, value] of Object.entries(data)) form.elements[name].value = value;
}
"""

_IN = """<form class="facenorm-form" method="post" action="/api/login">
<label>Name <input name="name" autocomplete="username" autocapitalize="none" spellcheck="false"
 required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<input type="hidden" name="next">
<button>Log in</button></form>"""

_NEW = f"""<form class="facenorm-form" method="post" action="/api/password">
<label>New password <input name="new" type="password" autocomplete="new-password" minlength="{MIN_PASSWORD}"
 required><small>At least {MIN_PASSWORD} characters; words are easier to keep in mind than signs.</small>
</label>
<label>The same once more <input name="repeated" type="password" autocomplete="new-password"
 minlength="{MIN_PASSWORD}" required></label>
<input type="hidden" name="token">
<button>Set password</button></form>"""

_OUT = """<form class="facenorm-form" method="post" action="/api/logout">
<input type="hidden" name="token"><button class="quiet">Log out</button></form>"""

_in = st.components.v2.component("facenorm_login", html=_IN, css=_CSS, js=_JS, isolate_styles=False)
_new = st.components.v2.component("facenorm_password", html=_NEW, css=_CSS, js=_JS, isolate_styles=False)
_out = st.components.v2.component("facenorm_logout", html=_OUT, css=_CSS, js=_JS, isolate_styles=False)


def render() -> None:
    """Show the form that this visitor needs: log in, set a password, or log out."""
    login = session.researcher()
    if problem := st.query_params.get("problem"):
        st.error(parts.sentence(problem))
    if login is None:
        ask(st.query_params.get("next", ""))
    elif login.must_change:
        renew(login)
    else:
        _account(login)


def ask(next_path: str) -> None:
    """Show the login form; afterwards the browser goes to next_path."""
    st.title("Researcher login")
    st.caption("Lost your password? `facenorm researcher NAME` on the server prints a new one-time password.")
    _in(key="login", data={"next": next_path}, height="content")


def renew(login: Login) -> None:
    """Ask for a password of the researcher's own, once the one-time password has been used."""
    st.title("Choose your password")
    st.write(f"You are logged in as **{login.name}** with a one-time password. Choose your own to go on.")
    _new(key="password", data={"token": session.researcher_token()}, height="content")


def _account(login: Login) -> None:
    st.title("Your login")
    st.write(f"You are logged in as **{login.name}** until {login.expires_at:%Y-%m-%d %H:%M} UTC.")
    st.html('<a href="/studies">Go to the studies</a>')
    with st.expander("Change your password"):
        _new(key="password", data={"token": session.researcher_token()}, height="content")
    _out(key="logout", data={"token": session.researcher_token()}, height="content")
