"""What every participant page has around it: its language, and words for a lost connection."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core import i18n
from core.settings import PROJECT

_ASSETS = PROJECT / "assets" / "page"
_element = st.components.v2.component(
    "facenorm_frame",
    css=(_ASSETS / "frame.css").read_text(encoding="utf-8") + i18n.stylesheet(),
    js=(_ASSETS / "frame.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def show(words: Mapping[str, str]) -> None:
    """Frame a page whose words these are; the same element stays from page to page."""
    data = {
        "lang": words["language.code"],
        "dir": words["language.direction"],
        "skip": words["connection.skip"],
        "lost": words["connection.lost"],
    }
    _element(key="frame", data=data)
