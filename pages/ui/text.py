"""Words on participant pages: the study's and the catalogue's, always escaped."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from string import Template

import streamlit as st

from core import i18n
from core.settings import PROJECT
from core.study_base import Text
from pages.ui.session import Visit

_ASSETS = PROJECT / "assets"
_STYLES = ("page/page.css", "page/leaving.css")
# What the trials keep is sent by the trials' own script.
_SCRIPTS = (
    *("trial/base.js", "trial/keeping.js", "trial/outbox.js"),
    *("page/asked.js", "page/unsent.js", "page/page.js"),
)
_markup = st.components.v2.component(
    "facenorm_page",
    css="\n".join((_ASSETS / name).read_text(encoding="utf-8") for name in _STYLES),
    js="\n".join((_ASSETS / name).read_text(encoding="utf-8") for name in _SCRIPTS),
    isolate_styles=False,
)
_SAID = {
    "tick": "welcome.tick",
    "copied": "done.copied",
    "unsent": "unsent.text",
    "failed": "lab.next.failed",
}


def said(visit: Visit, key: str, **values: object) -> str:
    """Return the catalogue's words in the visit's language, with their values."""
    return visit.words[key].format(**values)


def own(visit: Visit, text: Text) -> str:
    """Return the study's own words in the visit's language."""
    return i18n.text(text, visit.language)


def html(template: str, **values: object) -> str:
    """Fill `$name` in a template with escaped values; values named `..._html` are markup already."""
    safe = {
        name: str(value) if name.endswith("_html") else escape(str(value)) for name, value in values.items()
    }
    return Template(template).substitute(safe)


def heading(text: str) -> str:
    """Return the page's main heading as markup."""
    return html("<h1>$text</h1>", text=text)


def hidden(**fields: str) -> str:
    """Return the hidden fields of a form as markup."""
    field = '<input type="hidden" name="$name" value="$value">'
    return "".join(html(field, name=name, value=value) for name, value in fields.items())


def show(visit: Visit, markup: str, *, key: str, forget: str = "", address: str = "") -> None:
    """Put markup on a participant page.

    forget: id of the session whose answers in this browser are no longer needed; what was not sent yet is
        sent first.
    address: what takes the place of the page's address in the browser, without an entry in its history.
    """
    words = {name: visit.words[key] for name, key in _SAID.items()}
    data = {"html": markup, "lang": visit.language, "title": own(visit, visit.study.title)}
    send = {
        "url": f"/api/answers?at={visit.key}",
        "questions": f"/api/questionnaire?at={visit.key}",
        "token": visit.post_token,
    }
    _markup(key=key, data={**data, "words": words, "forget": forget, "send": send, "address": address})


def no_study(words: Mapping[str, str]) -> None:
    """Say that the link leads nowhere."""
    markup = heading(words["nostudy.title"]) + html("<p>$text</p>", text=words["nostudy.text"])
    data = {"html": markup, "lang": words["language.code"], "title": "", "words": {}, "forget": ""}
    _markup(key="page", data=data)
