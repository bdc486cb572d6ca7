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

_ASSETS = PROJECT / "assets" / "page"
_markup = st.components.v2.component(
    "facenorm_page",
    css=(_ASSETS / "page.css").read_text(encoding="utf-8"),
    js=(_ASSETS / "page.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


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


def show(visit: Visit, markup: str, *, key: str, forget: str = "") -> None:
    """Put markup on a participant page.

    forget: id of the session whose answers in this browser are no longer needed.
    """
    words = {"tick": visit.words["welcome.tick"], "copied": visit.words["done.copied"]}
    data = {"html": markup, "lang": visit.language, "title": own(visit, visit.study.title)}
    _markup(key=key, data={**data, "words": words, "forget": forget})


def no_study(words: Mapping[str, str]) -> None:
    """Say that the link leads nowhere."""
    markup = heading(words["nostudy.title"]) + html("<p>$text</p>", text=words["nostudy.text"])
    data = {"html": markup, "lang": words["language.code"], "title": "", "words": {}, "forget": ""}
    _markup(key="page", data=data)
