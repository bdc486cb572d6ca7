"""The pairs of faces: how those of one person and those of two were rated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import streamlit as st

from core import scales
from core.builtin_scales import SAME_IDENTITY
from core.errors import AgreementError
from core.study import Scale
from pages.ui import charts, definitions, parts, results
from pages.ui.results import Missing, Snapshot

PARTS = 10  # of a line


def show(snapshot: Snapshot, asked: Mapping[str, Scale]) -> None:
    """Show both distributions, where the study asks for pairs."""
    scale = asked.get(SAME_IDENTITY)
    if scale is None or scale.anchors is None:
        return
    parts.section("The same person?", definitions.SAME_PERSON)
    found = results.attempt(lambda: ratings(snapshot, scale))
    if isinstance(found, Missing):
        st.info(parts.sentence(found.reason))
        return
    low, high = scale.anchors.low, scale.anchors.high
    ends = (next(iter(low.values())), next(iter(high.values())))
    drawn = figure(found, ends=ends, dark=parts.is_dark())
    parts.chart(drawn, "same-person", "Ratings of pairs of one person and of two people")


def ratings(snapshot: Snapshot, scale: Scale) -> dict[str, list[int]]:
    """How many ratings of `same_identity` fell on each point, of pairs of one person and of two.

    A line is cut into ten parts. Raises AgreementError when no pair was rated.
    """
    low, high = scales.bounds(scale)
    n, width = (PARTS, (high - low) / PARTS) if scale.kind == "vas" else (round(high - low) + 1, 1)
    found: dict[str, list[int]] = {}
    for name, rows in (("one person", snapshot.counts), ("two people", snapshot.foils)):
        rated = rows[(rows["scale_id"] == SAME_IDENTITY) & (rows["status"] == "answered")]
        found[name] = [0] * n
        for value, times in zip(rated["value"], rated["n"], strict=True):
            found[name][min(int((value - low) // width), n - 1)] += int(times)
    if not any(map(sum, found.values())):
        raise AgreementError("nobody has rated a pair yet; the pairs come last in a session")
    return found


def figure(found: Mapping[str, Sequence[int]], *, ends: tuple[str, str], dark: bool = False) -> go.Figure:
    """Draw which share of ratings fell on each point, of pairs of one person and of two.

    ends: the words at the lowest and the highest point.
    """
    drawn = go.Figure()
    for (name, counts), colour in zip(found.items(), charts.steps(len(found), dark=dark), strict=True):
        n = sum(counts)
        drawn.add_trace(
            go.Bar(
                name=f"{name} (n = {n})",
                x=list(range(1, len(counts) + 1)),
                y=[count / n if n else 0 for count in counts],
                customdata=list(counts),
                marker={"color": colour},
                hovertemplate=f"{name}, %{{x}}: %{{y:.0%}} (%{{customdata}})<extra></extra>",
            )
        )
    charts.layout(drawn, height=300, dark=dark)
    charts.legend(drawn, shown=True)
    points = list(range(1, max(map(len, found.values())) + 1))
    drawn.update_xaxes(fixedrange=True, tickvals=points, tickangle=0)
    # As tick labels they would be turned on a phone.
    for words, side, x in ((ends[0], "left", 0), (ends[1], "right", 1)):
        drawn.add_annotation(
            text=words, x=x, xref="paper", xanchor=side, y=0, yref="paper", yanchor="top", yshift=-22,
            showarrow=False,
        )  # fmt: skip
    drawn.update_layout(margin={"b": 48})
    drawn.update_yaxes(title="share of ratings", fixedrange=True, rangemode="tozero", tickformat=".0%")
    return drawn
