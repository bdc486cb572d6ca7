"""People's mean against a model's value, one point per stimulus, with its face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from core import scales
from core.agreement.continuous import Comparison
from core.study import Scale
from core.vision import registry
from core.vision.rater import Gives
from pages.ui import charts, definitions, hover, parts, results
from pages.ui.results import Missing, Model, Pairs, Snapshot

SCOPE = "human-ai"
RECOGNITION = "recognition"
FITTED = "fitted-"
FEW = 5


@dataclass(frozen=True, slots=True)
class Side:
    """A model's side of a comparison: who says it, and on which scale; of recognition none."""

    model: Model
    gives: Gives | None

    @property
    def name(self) -> str:
        """What the list of models shows."""
        return f"{self.model.name}: {self.gives.scale_id}" if self.gives else self.model.name


def show(snapshot: Snapshot, asked: Mapping[str, Scale]) -> None:
    """Show one comparison, chosen among those that both sides answer."""
    parts.section("People against the model", definitions.HUMAN_AI)
    models = results.models(snapshot.ai)
    if not models:
        st.info("No model has rated these faces yet. Start one on the page “AI ratings”.")
        return
    sides = _sides(asked, models)
    if not sides:
        st.info(f"No model gives a scale that this study asks: {', '.join(asked)}.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        what = st.segmented_control(
            "Compare", list(sides), default=next(iter(sides)), key="compare", bind="query-params",
            required=True,
            format_func=lambda name: "intended emotion recognised" if name == RECOGNITION else name,
        )  # fmt: skip
        side = _side(sides[what])
    found = results.attempt(lambda: _pairs(snapshot, asked, side, what))
    if isinstance(found, Missing):
        st.info(parts.sentence(found.reason))
        return
    chart, numbers = st.columns([3, 1], gap="large")
    with chart:
        _points(found, snapshot)
    with numbers:
        _numbers(found)


def _sides(asked: Mapping[str, Scale], models: Sequence[Model]) -> dict[str, list[Side]]:
    """By what is compared, the models that say something of it."""
    found = {
        scale_id: [
            Side(model, gives)
            for model in models
            for gives in _gives(model, asked)
            if gives.kind == "number" and gives.scale_id in results.told_of(scale_id)
        ]
        for scale_id in asked
    }
    if results.EMOTION in asked:
        found[RECOGNITION] = [Side(model, None) for model in models if model.tells(results.EMOTION)]
    return {name: sides for name, sides in found.items() if sides}


def _gives(model: Model, asked: Mapping[str, Scale]) -> Sequence[Gives]:
    if model.rater_id.startswith(FITTED):  # it predicts people's means in their own units
        return [
            Gives(scale_id, "number", results.units(scale), (), *scales.canonical_bounds(scale), 0.0)
            for scale_id, scale in asked.items()
            if scale.kind != "choice" and model.tells(scale_id)
        ]
    entry = registry.RATERS.get(model.rater_id)
    return [one for one in entry.declaration.gives if model.tells(one.scale_id)] if entry else []


def _side(sides: Sequence[Side]) -> Side:
    by_name = {side.name: side for side in sides}
    if len(by_name) == 1:
        return sides[0]
    return by_name[st.selectbox("With", list(by_name), key="with", bind="query-params", width=360)]


def _pairs(snapshot: Snapshot, asked: Mapping[str, Scale], side: Side, what: str) -> Pairs:
    if side.gives is None:
        return results.recognition(snapshot, side.model.results)
    return results.pairs(snapshot, side.model.results, what, asked[what], side.gives)


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
