"""People's mean against a model's value, one point per stimulus, with its face."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.agreement.continuous import Comparison
from core.study import Scale
from core.vision import registry
from core.vision.rater import Gives
from pages.ui import charts, definitions, hover, parts, results
from pages.ui.results import Missing, Model, Pairs, Snapshot

SCOPE = "human-ai"
RECOGNITION = "recognition"
FEW = 5


def show(snapshot: Snapshot, asked: Mapping[str, Scale], model: Model | None) -> None:
    """Show one comparison, chosen among those that both sides answer."""
    parts.section("People against the model", definitions.HUMAN_AI)
    if model is None:
        st.info("No model has rated these faces yet. Start one on the page “AI ratings”.")
        return
    shared = _shared(asked, model)
    options = [*shared, *([RECOGNITION] if results.EMOTION in asked else [])]
    if not options:
        st.info(f"{model.name} gives none of the scales that this study asks: {', '.join(asked)}.")
        return
    what = st.segmented_control(
        "Compare", options, default=options[0], key="compare", bind="query-params", required=True,
        format_func=lambda name: "intended emotion recognised" if name == RECOGNITION else name,
    )  # fmt: skip
    found = results.attempt(lambda: _pairs(snapshot, asked, model, shared, what))
    if isinstance(found, Missing):
        st.info(parts.sentence(found.reason))
        return
    chart, numbers = st.columns([3, 1], gap="large")
    with chart:
        _points(found, snapshot)
    with numbers:
        _numbers(found)


def _shared(asked: Mapping[str, Scale], model: Model) -> dict[str, Gives]:
    entry = registry.RATERS.get(model.rater_id)
    gives = entry.declaration.gives if entry else ()
    return {one.scale_id: one for one in gives if one.kind == "number" and one.scale_id in asked}


def _pairs(
    snapshot: Snapshot, asked: Mapping[str, Scale], model: Model, shared: dict[str, Gives], what: str
) -> Pairs:
    if what == RECOGNITION:
        return results.recognition(snapshot, model.results)
    return results.pairs(snapshot, model.results, what, asked[what], shared[what])


def _points(found: Pairs, snapshot: Snapshot) -> None:
    stimuli = {stimulus.stimulus_id: stimulus for stimulus in snapshot.stimuli}
    points = [
        charts.FacePoint(
            x=human,
            y=model,
            emotion=stimuli[stimulus_id].intended_emotion or "",
            picture=parts.picture(stimuli[stimulus_id]),
            words=f"{stimuli[stimulus_id].identity_id}, {stimuli[stimulus_id].intended_emotion}\n"
            f"people {parts.number(human)} (n = {n})\nmodel {parts.number(model)}",
        )
        for stimulus_id, human, model, n in zip(
            found.stimulus_ids, found.human, found.model, found.n, strict=True
        )
    ]
    with st.container(key=SCOPE):
        figure = charts.against(
            points,
            titles=found.titles,
            ranges=found.ranges,
            same_units=found.same_units,
            dark=parts.is_dark(),
        )
        parts.chart(figure, "against", "People's mean against the model's value per stimulus")
    hover.faces(SCOPE)
    st.caption("Point at a mark, or tap it, to see the face.")


def _numbers(found: Pairs) -> None:
    compared = results.attempt(lambda: results.compared(found))
    if isinstance(compared, Missing):
        st.info(parts.sentence(compared.reason))
        return
    for name, value, low, high in _lines(compared):
        st.metric(name, parts.number(value))
        if low is not None:
            st.caption(f"95 % interval {parts.number(low)} to {parts.number(high)}")
    st.caption(f"{compared.spearman.n_stimuli} stimuli")
    if few := sum(n < FEW for n in found.n):
        st.caption(f"{few} of them rest on fewer than {FEW} people's answers.")
    if not found.same_units:
        st.caption("Units or zero differ, so only ranks are compared: no concordance, no bias.")


def _lines(compared: Comparison) -> list[tuple[str, float, float | None, float | None]]:
    named = [("Spearman's ρ", compared.spearman), ("CCC", compared.concordance), ("Bias", compared.bias)]
    return [(name, one.estimate, one.low, one.high) for name, one in named if one is not None]
