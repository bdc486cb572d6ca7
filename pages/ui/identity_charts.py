"""The figures of the page about identity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.identity import pairs
from core.identity.separation import Separation
from pages.ui import charts

SHOWN = 50  # bars over all similarities: two of the counted bins each
WITHIN_LIGHT, WITHIN_DARK = "#0072b2", "#56b4e9"
BETWEEN_LIGHT, BETWEEN_DARK = "#b35000", "#e69f00"


def distributions(one: Separation, *, dark: bool = False) -> go.Figure:
    """Shares of within and of impostor pairs by similarity: two curves, told apart by their lines as well."""
    figure = go.Figure()
    edges = pairs.EDGES[:: (len(pairs.EDGES) - 1) // SHOWN]
    colours = (WITHIN_DARK, BETWEEN_DARK) if dark else (WITHIN_LIGHT, BETWEEN_LIGHT)
    for name, counts, colour, dash, fill in (
        (f"one identity (n = {one.n_within:,})", one.within_bins, colours[0], "solid", "tozeroy"),
        (f"impostors (n = {one.n_between:,})", one.between_bins, colours[1], "dot", "none"),
    ):
        shares = _shares(counts)
        figure.add_trace(
            go.Scatter(
                name=name,
                x=edges,
                y=[*shares, shares[-1]],
                mode="lines",
                line={"color": colour, "dash": dash, "width": 2, "shape": "hv"},
                fill=fill,
                hovertemplate="%{y:.1%} from %{x:.2f}<extra></extra>",
            )
        )
    charts.layout(figure, height=250, dark=dark)
    charts.legend(figure, shown=True)
    figure.update_layout(margin={"t": 32})
    figure.update_xaxes(
        title="similarity (cosine)", fixedrange=True, range=_range(one, edges), tickformat=".1f"
    )
    figure.update_yaxes(title="share of pairs", fixedrange=True, rangemode="tozero", tickformat=".0%")
    return figure


def _shares(counts: Sequence[int]) -> list[float]:
    summed = np.reshape(counts, (SHOWN, -1)).sum(axis=1)
    shares: list[float] = (summed / max(1, summed.sum())).tolist()
    return shares


def _range(one: Separation, edges: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    """From a little below the lowest pair to 1."""
    used = np.flatnonzero(np.add(one.within_bins, one.between_bins))
    lowest = pairs.EDGES[used[0]] if len(used) else edges[0]
    return float(lowest) - 0.06, 1.02
