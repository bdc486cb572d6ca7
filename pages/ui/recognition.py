"""Recognition: intended, perceived and the model's labels, each against each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import streamlit as st

from core.agreement import confusion
from core.agreement.confusion import Confusion
from core.study import Study
from core.vision import registry
from pages.ui import charts, definitions, parts, results
from pages.ui.results import Missing, Model, Snapshot


@dataclass(frozen=True, slots=True)
class Table:
    """One confusion matrix to show, or the reason why there is none."""

    key: str
    title: str
    titles: tuple[str, str]  # of rows and columns
    found: Confusion | Missing


def show(snapshot: Snapshot, study: Study, model: Model | None) -> None:
    """Show the three matrices in the same colours, and the hit rates."""
    parts.section("Recognition", definitions.CONFUSION)
    cells, shared = _options()
    people, machine, both = (_restricted(table, shared=shared) for table in _tables(snapshot, study, model))
    left, right = st.columns(2, gap="large")
    with left:
        _matrix(people, cells)
    with right:
        _matrix(machine, cells)
    left, right = st.columns(2, gap="large")
    with left:
        _matrix(both, cells)
    with right:
        _hits({"people": people.found, "model": machine.found})


def _options() -> tuple[Literal["proportions", "counts"], bool]:
    with st.container(horizontal=True, gap="medium"):
        cells = st.segmented_control(
            "Cells", ["row percentages", "counts"], default="row percentages", key="cells",
            bind="query-params", required=True,
        )  # fmt: skip
        labels = st.segmented_control(
            "Labels", ["own", "shared"], default="own", key="labels", bind="query-params", required=True,
            format_func={"own": "each rater's own", "shared": "shared only"}.__getitem__,
        )  # fmt: skip
    return ("counts" if cells == "counts" else "proportions"), labels == "shared"


def _tables(snapshot: Snapshot, study: Study, model: Model | None) -> tuple[Table, Table, Table]:
    asked = results.EMOTION in study.ask
    rows = study.stimuli.emotions
    seen = tuple(study.scales[results.EMOTION].options) if asked else ()
    said, labels = (model.results, _labels(model, seen)) if model else ({}, ())
    name = model.rater_id if model else "AI"

    def found(compute: Callable[[], Confusion], *, people: bool, machine: bool) -> Confusion | Missing:
        if people and not asked:
            return Missing("This study does not ask people which emotion they see.")
        if machine and model is None:
            return Missing("No model has rated these faces yet. Start one on the page “AI ratings”.")
        return results.attempt(compute)

    def first() -> Confusion:
        return results.intended_perceived(snapshot, rows=rows, columns=seen)

    def second() -> Confusion:
        return results.intended_ai(snapshot, said, rows=rows, columns=labels)

    def third() -> Confusion:
        return results.perceived_ai(snapshot, said, rows=seen, columns=labels)

    sides = ("intended", "perceived", "model")
    return (
        Table("ip", "Intended × perceived by people", sides[:2], found(first, people=True, machine=False)),
        Table("ia", f"Intended × {name}", sides[::2], found(second, people=False, machine=True)),
        Table("pa", f"Perceived by people × {name}", sides[1:], found(third, people=True, machine=True)),
    )


def _labels(model: Model, responses: Sequence[str]) -> tuple[str, ...]:
    """The model's labels, in the study's order where the study has them."""
    entry = registry.RATERS.get(model.rater_id)
    given = entry.declaration.gives if entry else ()
    known = [label for gives in given if gives.scale_id == results.EMOTION for label in gives.labels]
    known += [code for result in model.results.values() for code in result.probabilities]
    place = {code: position for position, code in enumerate(responses)}
    return tuple(sorted(dict.fromkeys(known), key=lambda code: place.get(code, len(place))))


def _restricted(table: Table, *, shared: bool) -> Table:
    if not shared or isinstance(table.found, Missing):
        return table
    whole = table.found
    return Table(table.key, table.title, table.titles, results.attempt(lambda: confusion.restrict(whole)))


def _matrix(table: Table, cells: Literal["proportions", "counts"]) -> None:
    st.markdown(f"**{table.title}**")
    if isinstance(table.found, Missing):
        st.info(parts.sentence(table.found.reason))
        return
    figure = charts.confusion(
        table.found.counts.astype(float),
        confusion.proportions(table.found),
        rows=table.found.rows,
        columns=table.found.columns,
        titles=table.titles,
        show=cells,
        dark=parts.is_dark(),
    )
    parts.chart(figure, table.key, f"Confusion matrix: {table.title}")
    if table.found.n_missing:
        st.caption(f"Left out: {table.found.n_missing} without a label on one side.")


def _hits(sides: dict[str, Confusion | Missing]) -> None:
    st.markdown("**Recognised as intended**")
    usable = {name: found for name, found in sides.items() if isinstance(found, Confusion) and found.shared}
    if not usable:
        st.info("Nothing has been rated yet.")
        return
    for name, found in usable.items():
        whole = results.attempt(lambda found=found: confusion.overall(found))  # type: ignore[misc]
        if isinstance(whole, Missing):
            st.info(parts.sentence(whole.reason))
            continue
        st.caption(
            f"{name.capitalize()}: {parts.percent(whole.h)} of {whole.n} "
            f"[{parts.interval(whole.low, whole.high)}], {parts.percent(whole.chance)} by chance"
        )
    rows = pd.concat([_hit_rates(name, found) for name, found in usable.items()])
    st.dataframe(
        rows.sort_values("emotion", key=_order(usable), kind="stable"), hide_index=True, height="content"
    )


def _order(usable: dict[str, Confusion]):  # type: ignore[no-untyped-def]
    first = next(iter(usable.values())).rows
    return lambda column: column.map({label: place for place, label in enumerate(first)})


def _hit_rates(name: str, found: Confusion) -> pd.DataFrame:
    hits = [hit for hit in confusion.hits(found) if hit.n]
    return pd.DataFrame(
        {
            "emotion": [hit.label for hit in hits],
            "by": name,
            "H": [parts.percent(hit.h) for hit in hits],
            "H 95 %": [parts.interval(hit.low, hit.high) for hit in hits],
            "Hu": [parts.percent(hit.hu) for hit in hits],
            "n": [hit.n for hit in hits],
        }
    )
