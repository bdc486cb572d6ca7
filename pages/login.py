"""The researcher's way in and out: plain forms, so that the server can set an HttpOnly cookie."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from db.researchers import ATTEMPTS, ATTEMPTS_WITHIN, LONGEST_PASSWORD, SHORTEST_PASSWORD, Login
from pages.ui import session

# Codes, since an address is anybody's words: what it says must not be shown as ours.
PROBLEMS = {
    "wrong": f"The name or the password is wrong. After {ATTEMPTS} attempts you must wait.",
    "wait": "Too many attempts for this name; wait {minutes}, then try again.",
    "ended": "Your login has ended. Log in again.",
    "differ": "The two new passwords differ. Type the same one twice.",
    "length": f"A new password needs {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters. Choose another.",
    "same": "The new password is the old one or your name. Choose another.",
}

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
<label>New password <input name="new" type="password" autocomplete="new-password"
 minlength="{SHORTEST_PASSWORD}" required>
 <small>At least {SHORTEST_PASSWORD} characters; words are easier to keep in mind than symbols.</small>
</label>
<label>The same once more <input name="repeated" type="password" autocomplete="new-password"
 minlength="{SHORTEST_PASSWORD}" required></label>
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
    if said := problem(st.query_params.get("problem", ""), st.query_params.get("minutes", "")):
        st.error(said)
    if login is None:
        ask(st.query_params.get("next", ""))
    elif login.must_change:
        renew(login)
    else:
        _account(login)


def problem(code: str, minutes: str) -> str | None:
    """Say in words what was wrong; None for a code that this page does not know."""
    longest = ATTEMPTS_WITHIN // timedelta(minutes=1)
    # Longer digits would be no wait of ours, and int() refuses thousands of them.
    known = minutes.isascii() and minutes.isdecimal() and len(minutes) <= 3 and 1 <= int(minutes) <= longest
    n = int(minutes) if known else longest
    sentence = PROBLEMS.get(code)
    return sentence and sentence.format(minutes=f"{n} minute" if n == 1 else f"{n} minutes")


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
