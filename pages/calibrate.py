"""A lab's screen: how many pixels make a centimetre, by the size of a bank card."""

from __future__ import annotations

import math

import streamlit as st

from core.settings import PROJECT
from db import engine as db_engine
from db import sessions
from pages.ui import resources, text
from pages.ui.session import Visit

CARD_CM = (8.560, 5.398)  # ISO/IEC 7810, ID-1
PX_PER_CM = (15.0, 120.0)  # CSS pixels of any screen that shows the whole card

_ASSETS = PROJECT / "assets" / "page"
_card = st.components.v2.component(
    "facenorm_card",
    css=(_ASSETS / "card.css").read_text(encoding="utf-8"),
    js=(_ASSETS / "card.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def is_due(visit: Visit) -> bool:
    """Say whether faces have a visual angle and this screen's size is not known yet."""
    return visit.study.display.size_deg is not None and visit.session.px_per_cm is None


def render(visit: Visit) -> None:
    """Let the participant make a drawing as large as a real card."""
    words = visit.words
    intro = text.html("<p>$text</p><p>$how</p>", text=words["lab.card.text"], how=words["lab.card.how"])
    text.show(visit, text.heading(words["lab.card.title"]) + intro, key="calibrate")
    said = {name: words[f"lab.card.{name}"] for name in ("label", "value", "turned", "zoom", "button")}
    data = {"card_cm": CARD_CM, "px_per_cm": PX_PER_CM, "lang": visit.language, "words": said}
    result = _card(key="card", data=data, on_fits_change=lambda: None)
    found = result.get("fits")
    if isinstance(found, int | float) and is_plausible(found):
        with db_engine.writing(resources.engine()) as conn:
            sessions.calibrate(conn, visit.session.session_id, px_per_cm=float(found))
        st.rerun()


def is_plausible(px_per_cm: float) -> bool:
    """Say whether a screen can have so many pixels in a centimetre."""
    low, high = PX_PER_CM
    return math.isfinite(px_per_cm) and low <= px_per_cm <= high
