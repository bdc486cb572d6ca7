"""What somebody meets before the consent: a damaged link, a lab's code, a full study, an app's browser."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core import i18n, plan, recruitment
from db import engine as db_engine
from db import places, sessions, studies
from db.places import Scope
from pages.ui import resources, session, text, ways
from pages.ui.session import Visit

_ASIDE = "<h1>$title</h1><p>$text</p>"
_BACK = """
<h1>$title</h1><p>$text</p>
<form method="post" action="/api/return"$replace_html>$carried_html
  <div class="actions"><button class="main">$button</button></div></form>
<p class="small">$contact</p>
"""
_FULL = """
<h1>$title</h1><p>$text</p>$way_html
"""


def obstacle(visit: Visit) -> Callable[[Visit], None] | None:
    """Return the page that stands before the consent, None where there is none."""
    if visit.known is not None:
        return _known
    problem = visit.arrival.problem
    if visit.study.recruitment.route == "lab" and problem in {"incomplete", "damaged"}:
        return _lab_code
    if problem in {"incomplete", "damaged"}:
        return _unusable
    if visit.kind != "preview" and session.once("full", lambda: _is_full(visit)):
        return _full
    return None


def carried(visit: Visit) -> str:
    """Return the fields by which a form carries the link on."""
    values = {"study": visit.study.study, "link": visit.link, "language": visit.language}
    arrival = visit.arrival
    values |= {f"url.{name}": value for name, value in arrival.kept.items()}
    if arrival.external_id is not None:
        # A lab's code goes back into no address.
        typed = visit.study.recruitment.route == "lab"
        values["typed" if typed else f"url.{recruitment.id_parameter(visit.study)}"] = arrival.external_id
    return text.hidden(**values)


def bare_address(visit: Visit) -> str:
    """Return the address without a lab's participant code, which the history must not keep."""
    return session.address(visit) if visit.study.recruitment.route == "lab" else ""


def languages(visit: Visit) -> str:
    """Return the links to the study's other languages."""
    if len(visit.study.languages) == 1:
        return ""
    links = "".join(_language(visit, code) for code in visit.study.languages)
    label = visit.words["welcome.language"]
    return text.html(
        '<nav aria-label="$label"><ul class="languages">$links_html</ul></nav>', label=label, links_html=links
    )


def device_fact(visit: Visit) -> str:
    """Say on which device to take part."""
    device = visit.study.recruitment.device
    return visit.words["welcome.device" if device == "any" else f"welcome.device.{device}"]


def device_note(visit: Visit) -> str:
    """Return a note that only another device than the recommended one shows."""
    device = visit.study.recruitment.device
    if device == "any":
        return ""
    words = visit.words[f"welcome.device.not_{device}"]
    return text.html(
        '<p class="note" role="note" data-device="$device" hidden>$words</p>', device=device, words=words
    )


def app_note(visit: Visit) -> str:
    """Tell who reads this inside an app to open it in a browser, with a button where one works."""
    app = session.in_app()
    if app is None:
        return ""
    words = text.said(visit, "welcome.app", app=visit.words[f"welcome.app.{app}"])
    link = '<p class="actions"><a class="button main" data-outside="$app" target="_self">$open</a></p>'
    way = text.html(link, app=app, open=visit.words["welcome.app.open"])
    if app not in {"line", "kakaotalk"}:
        way = text.html("<p>$menu</p>", menu=visit.words["welcome.app.menu"])
    return text.html('<div class="note" role="note"><p>$words</p>$way_html</div>', words=words, way_html=way)


def _language(visit: Visit, code: str) -> str:
    current = ' aria-current="true"' if code == visit.language else ""
    return text.html(
        '<li><a href="$address" target="_self" lang="$code" hreflang="$code"$current_html>$name</a></li>',
        address=session.address(visit, lang=code),
        code=code,
        current_html=current,
        name=i18n.words(code)["language.name"],
    )


def _unusable(visit: Visit) -> None:
    problem = visit.arrival.problem
    said = text.said(visit, f"recruit.{problem}.text", contact=visit.study.contact)
    markup = text.html(_ASIDE, title=visit.words[f"recruit.{problem}.title"], text=said)
    text.show(visit, languages(visit) + markup, key="welcome")


def _known(visit: Visit) -> None:
    ended = visit.known is not None and visit.known.outcome is not None
    words = "recruit.ended" if ended else "recruit.known"
    markup = text.html(
        _BACK,
        title=visit.words[f"{words}.title"],
        text=visit.words[f"{words}.text"],
        button=visit.words[f"{words}.button"],
        replace_html=" data-replace" if visit.study.recruitment.route == "lab" else "",
        carried_html=carried(visit),
        contact=text.said(visit, "welcome.contact", contact=visit.study.contact),
    )
    text.show(visit, languages(visit) + markup, key="welcome", address=bare_address(visit))


def _lab_code(visit: Visit) -> None:
    markup = text.heading(visit.words["lab.code.title"])
    markup += text.html("<p>$text</p>", text=visit.words["lab.code.text"])
    text.show(visit, languages(visit) + markup, key="welcome", address=bare_address(visit))
    with st.form("lab", border=False):
        # The browser's memory of what was typed here would show the codes of others.
        code = st.text_input(visit.words["lab.code.label"], key="lab.code", autocomplete="off")
        sent = st.form_submit_button(visit.words["lab.code.button"], type="primary")
    if sent and code.strip():
        session.set_lab_code(code)
        st.rerun()
    if sent or visit.arrival.problem == "damaged":
        st.error(visit.words["lab.code.missing" if sent else "lab.code.damaged"])


def _is_full(visit: Visit) -> bool:
    """Look once for each page load, and count who cannot begin."""
    version = visit.version
    scope = Scope(version, visit.kind, visit.phase, visit.language)
    with db_engine.reading(resources.engine()) as conn:
        taken = places.renewed(conn, scope, plan.counting(visit.study))
        full = plan.is_full(visit.study, studies.stimuli(conn, version.config_hash), taken)
    if full and visit.problem != "full":  # else the press on Begin is counted already
        with db_engine.writing(resources.engine()) as conn:
            sessions.tally(conn, version.config_hash, "full", kind=visit.kind, phase=visit.phase)
    return full


def _full(visit: Visit) -> None:
    arrival = visit.arrival
    url = recruitment.return_url(visit.study, "full", arrival.external_id, "", arrival.kept)
    way = text.html(
        "<p>$later</p>", later=text.said(visit, "recruit.full.later", contact=visit.study.contact)
    )
    if url is not None:
        way += ways.back(visit, url, by_itself=visit.kind == "human")
    markup = text.html(
        _FULL, title=visit.words["recruit.full.title"], text=visit.words["recruit.full.text"], way_html=way
    )
    text.show(visit, languages(visit) + markup, key="welcome")
