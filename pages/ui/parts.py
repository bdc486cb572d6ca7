"""The small pieces of which the dashboard's sections are made."""

from __future__ import annotations

import math
import re

import plotly.graph_objects as go
import streamlit as st

from core.records import Stimulus
from pages.ui import charts


def section(title: str, definition: str) -> None:
    """Show a heading with its definitions and sources one click away."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(title, width="content", anchor=False)
        with st.popover("How it is computed", type="tertiary", icon=":material/help:"):
            st.markdown(definition)


def chart(figure: go.Figure, key: str, alt: str) -> None:
    """Show a figure that leaves as vector graphics."""
    config = charts.CONFIG | {"toImageButtonOptions": {"format": "svg", "filename": f"facenorm-{key}"}}
    st.plotly_chart(figure, key=key, alt=alt, config=config)


def is_dark() -> bool:
    """Say whether this browser shows the dark theme."""
    return st.context.theme.type == "dark"


def picture(stimulus: Stimulus) -> str:
    """Return the address of a picture; the researcher's cookie opens it."""
    return f"/api/stimuli/{stimulus.served_sha256}"


def plain(text: str) -> str:
    """Write what somebody else wrote so that Markdown leaves it as it is."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:])", r"\\\1", text)


def sentence(text: str) -> str:
    """Write an error's text as a line of its own."""
    return plain(text[:1].upper() + text[1:])


def percent(share: float | None) -> str:
    """Write a share as people read it."""
    return "" if share is None or math.isnan(share) else f"{share:.0%}"


def interval(low: float | None, high: float | None) -> str:
    """Write an interval of shares."""
    return "" if low is None or high is None or math.isnan(low) else f"{low * 100:.0f}-{high:.0%}"


def number(value: float | None) -> str:
    """Write a number to two digits, with a real minus sign."""
    # Adding 0.0 turns a rounded -0.0 into 0.0.
    return "" if value is None or math.isnan(value) else f"{round(value, 2) + 0.0:.2f}".replace("-", "−")
