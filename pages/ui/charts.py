"""The figures of the dashboard: numbers in, plotly figures out; nothing is computed here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

# Even steps of CIE lightness from the page's background towards its opposite, so that an
# equal difference in proportion looks equally large, for colour-blind readers too.
PROPORTIONS_LIGHT = (
    "#f4f7fa", "#cedef5", "#abc4ee", "#8babe2", "#7092d1", "#5a7aba", "#48629f", "#3a4c82", "#2c3664",
)  # fmt: skip
PROPORTIONS_DARK = (
    "#2e303c", "#3b455e", "#445b80", "#4e74a1", "#5d8dbc", "#74a6d3", "#92bfe3", "#b7d8f0", "#e0f0fb",
)  # fmt: skip

# Told apart with every common colour deficiency (Okabe and Ito, 2008), and by shape as well.
MARKS: Mapping[str, tuple[str, str]] = {
    "angry": ("#d55e00", "triangle-up"),
    "sad": ("#0072b2", "triangle-down"),
    "happy": ("#e69f00", "circle"),
    "disgust": ("#009e73", "square"),
    "surprise": ("#56b4e9", "diamond"),
    "fear": ("#cc79a7", "star"),
    "neutral": ("#8c8c8c", "circle-open"),
    "contempt": ("#8a6d3b", "cross"),
}
ZERO_LIGHT, ZERO_DARK = "#66707f", "#a3a9b8"  # a nought is there to be read, not to be seen first
OTHER_MARK = ("#8c8c8c", "x")
ACCENT = "#d55e00"

# A drawing leaves as vector graphics; zooming would only catch the finger that scrolls.
CONFIG = {
    "displaylogo": False,
    "modeBarButtons": [["toImage"]],
    "toImageButtonOptions": {"format": "svg"},
}


@dataclass(frozen=True, slots=True)
class Interval:
    """One estimate with its interval, to be drawn as a line of a forest plot."""

    name: str
    estimate: float
    low: float | None  # None where the data allow no interval
    high: float | None
    n: str  # for instance "48 stimuli, 720 ratings"


@dataclass(frozen=True, slots=True)
class FacePoint:
    """One stimulus between two raters, with the picture that hovering shows."""

    x: float
    y: float
    emotion: str
    picture: str  # URL
    words: str


def proportions_scale(*, dark: bool) -> list[tuple[float, str]]:
    """The one colour scale for proportions from 0 to 1."""
    colours = PROPORTIONS_DARK if dark else PROPORTIONS_LIGHT
    return [(i / (len(colours) - 1), colour) for i, colour in enumerate(colours)]


def _ink(*, dark: bool) -> str:
    return "#fafafa" if dark else "#31333f"


def layout(figure: go.Figure, *, height: int, dark: bool) -> go.Figure:
    """Give a figure the looks that all share."""
    return figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": _ink(dark=dark), "size": 13},
        dragmode=False,
        showlegend=False,
    )


def steps(n: int, *, dark: bool) -> Sequence[str]:
    """Give n colours of the one scale that are told apart; from the fifth on they come again."""
    scale = PROPORTIONS_DARK if dark else PROPORTIONS_LIGHT
    apart = (scale[4],) if n < 2 else (scale[3], scale[6], scale[8], scale[1])
    return tuple(islice(cycle(apart), n))


def legend(figure: go.Figure, *, shown: bool) -> None:
    """Put the legend in a line above the figure, or leave it out."""
    figure.update_layout(
        showlegend=shown, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None}
    )


def _cell(count: float, proportion: float, show: str) -> str:
    if math.isnan(proportion):
        return ""
    if count == 0:
        return "0"
    return f"{count:g}" if show == "counts" else f"{proportion:.0%}"


def _luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.1 of one "#rrggbb" colour."""
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def ink_on(proportion: float, *, dark: bool) -> str:
    """Black or white, whichever is read better on the scale's colour of a proportion."""
    colours = PROPORTIONS_DARK if dark else PROPORTIONS_LIGHT
    nearest = colours[round((0.0 if math.isnan(proportion) else proportion) * (len(colours) - 1))]
    return "#000000" if (_luminance(nearest) + 0.05) ** 2 > 0.05 * 1.05 else "#ffffff"


def _ink_of(count: float, proportion: float, *, dark: bool) -> str:
    if count == 0:
        return ZERO_DARK if dark else ZERO_LIGHT
    return ink_on(proportion, dark=dark)


def _annotations(
    counts: NDArray[np.float64], proportions: NDArray[np.float64], columns: Sequence[str], *,
    show: str, dark: bool,
) -> go.Scatter:  # fmt: skip
    # A heat map's own texts have two fixed greys, too faint in the middle of the scale.
    cells = [(y, x) for y in range(counts.shape[0]) for x in range(counts.shape[1])]
    return go.Scatter(
        x=[columns[x] for _, x in cells],
        y=[y for y, _ in cells],
        mode="text",
        text=[_cell(counts[cell], proportions[cell], show) for cell in cells],
        textfont={"color": [_ink_of(counts[cell], proportions[cell], dark=dark) for cell in cells]},
        hoverinfo="skip",
    )


def confusion(
    counts: NDArray[np.float64],
    proportions: NDArray[np.float64],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    titles: tuple[str, str],
    show: Literal["proportions", "counts"] = "proportions",
    dark: bool = False,
) -> go.Figure:
    """A table of rows x columns as a heat map; the colour is the row proportion, always.

    counts, proportions: shape (rows, columns), in the order in which the study declares
    the labels; a row without ratings has NaN proportions and stays blank.
    titles: of the rows and of the columns. Cells where both agree are outlined.
    """
    totals = np.nansum(counts, axis=1)
    ticks = [f"{row}<br><span style='font-size:10px'>n = {total:g}</span>" for row, total in
             zip(rows, totals, strict=True)]  # fmt: skip
    hover = f"{titles[0]} %{{customdata}}<br>{titles[1]} %{{x}}<br>%{{z:.1%}} of the row<extra></extra>"
    figure = go.Figure(
        go.Heatmap(
            z=proportions,
            x=list(columns),
            y=list(range(len(rows))),
            zmin=0,
            zmax=1,
            colorscale=proportions_scale(dark=dark),
            showscale=False,
            customdata=[[f"{row} (n = {t:g})"] * len(columns) for row, t in zip(rows, totals, strict=True)],
            hovertemplate=hover,
            hoverongaps=False,
            xgap=2,
            ygap=2,
        )
    )
    figure.add_trace(_annotations(counts, proportions, columns, show=show, dark=dark))
    layout(figure, height=90 + 46 * len(rows), dark=dark)
    figure.update_xaxes(title=titles[1], fixedrange=True, showgrid=False, automargin=True, ticks="")
    figure.update_yaxes(
        title=titles[0], fixedrange=True, showgrid=False, zeroline=False, automargin=True,
        tickvals=list(range(len(rows))), ticktext=ticks, autorange="reversed", ticks="",
    )  # fmt: skip
    return _outline(figure, rows, columns, dark=dark)


def _outline(figure: go.Figure, rows: Sequence[str], columns: Sequence[str], *, dark: bool) -> go.Figure:
    for y, label in enumerate(rows):
        if label in columns:
            x = list(columns).index(label)
            figure.add_shape(
                type="rect", x0=x - 0.48, x1=x + 0.48, y0=y - 0.47, y1=y + 0.47,
                line={"color": _ink(dark=dark), "width": 1.5},
            )  # fmt: skip
    return figure


def filled(answers: Mapping[str, Sequence[int]], *, wanted: int, dark: bool = False) -> go.Figure:
    """How many stimuli have how many answers in each task set, beside the number wanted."""
    figure = go.Figure()
    for (task, counts), colour in zip(answers.items(), steps(len(answers), dark=dark), strict=True):
        values, stimuli = np.unique(np.asarray(counts, dtype=int), return_counts=True)
        figure.add_trace(
            go.Bar(
                name=task,
                x=values,
                y=stimuli,
                marker={"color": colour},
                hovertemplate=f"{task}: %{{y}} stimuli have %{{x}} answers<extra></extra>",
            )
        )
    layout(figure, height=220 if len(answers) < 2 else 260, dark=dark)
    legend(figure, shown=len(answers) > 1)
    upper = max([wanted, *(n for counts in answers.values() for n in counts)])
    figure.add_vline(x=wanted, line={"color": ACCENT, "dash": "dash", "width": 1.5})
    figure.add_annotation(
        x=wanted, y=1, yref="paper", yanchor="bottom", xanchor="right", showarrow=False,
        text=f"wanted: {wanted}", font={"color": ACCENT},
    )  # fmt: skip
    figure.update_layout(margin={"t": 28 if len(answers) < 2 else 56}, bargap=0.15)
    figure.update_xaxes(
        title="answers per stimulus", fixedrange=True, range=[-0.6, upper * 1.04 + 0.6], tickformat="d"
    )
    figure.update_yaxes(title="stimuli", fixedrange=True, rangemode="tozero", tickformat="d")
    return figure


def _ends(one: Interval) -> tuple[float, float]:
    low = one.estimate if one.low is None else one.low
    return low, one.estimate if one.high is None else one.high


def reliability(intervals: Sequence[Interval], *, dark: bool = False) -> go.Figure:
    """One line per scale: the estimate with its interval, from the first scale downwards."""
    ends = [_ends(one) for one in intervals]
    lowest = min([0.0, *(low for low, _ in ends)])
    figure = go.Figure(
        go.Scatter(
            x=[i.estimate for i in intervals],
            y=[i.name for i in intervals],
            mode="markers",
            marker={"size": 10, "color": (PROPORTIONS_DARK if dark else PROPORTIONS_LIGHT)[5]},
            error_x={
                "array": [high - one.estimate for one, (_, high) in zip(intervals, ends, strict=True)],
                "arrayminus": [one.estimate - low for one, (low, _) in zip(intervals, ends, strict=True)],
                "thickness": 2,
                "width": 6,
            },
            customdata=[[*both, one.n] for one, both in zip(intervals, ends, strict=True)],
            hovertemplate="%{y}: %{x:.2f} [%{customdata[0]:.2f}, %{customdata[1]:.2f}]"
            "<br>%{customdata[2]}<extra></extra>",
        )
    )
    layout(figure, height=90 + 40 * len(intervals), dark=dark)
    figure.update_xaxes(title="alpha", range=[lowest - 0.05, 1.05], fixedrange=True, zeroline=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, automargin=True, showgrid=False)
    return figure


def against(
    points: Sequence[FacePoint],
    *,
    titles: tuple[str, str],
    ranges: tuple[tuple[float, float], tuple[float, float]],
    same_units: bool,
    dark: bool = False,
) -> go.Figure:
    """Two raters' values per stimulus; each point carries its picture as custom data.

    The line of equality is drawn only where both declare the same units and zero.
    """
    figure = go.Figure()
    if same_units:
        low, high = ranges[0]
        figure.add_shape(type="line", x0=low, y0=low, x1=high, y1=high,
                         line={"color": _ink(dark=dark), "width": 1, "dash": "dot"})  # fmt: skip
    for emotion in dict.fromkeys(p.emotion for p in points):
        colour, symbol = MARKS.get(emotion, OTHER_MARK)
        mine = [p for p in points if p.emotion == emotion]
        figure.add_trace(
            go.Scatter(
                name=emotion,
                x=[p.x for p in mine],
                y=[p.y for p in mine],
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 9, "line": {"width": 1}},
                customdata=[[p.picture, p.words] for p in mine],
                # The page draws its own box with the face; "none" hides plotly's but keeps its events.
                hoverinfo="none",
            )
        )
    layout(figure, height=420, dark=dark)
    legend(figure, shown=True)
    figure.update_layout(hovermode="closest")
    for axis, title, (low, high) in zip("xy", titles, ranges, strict=True):
        slack = (high - low) * 0.04
        figure.update_layout({f"{axis}axis": {
            "title": title, "fixedrange": True, "range": [low - slack, high + slack], "automargin": True,
        }})  # fmt: skip
    return figure
