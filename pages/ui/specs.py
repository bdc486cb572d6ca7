"""Scales and pictures as the widgets in the browser want them, in the visit's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from core.records import Trial
from core.study import EMOTION, Scale
from pages.ui import text
from pages.ui.session import Visit

Json: TypeAlias = "str | float | bool | list[Json] | dict[str, Json] | None"


def scale(visit: Visit, scale_id: str, asked: Scale) -> dict[str, Json]:
    """Return what a widget needs to know of its scale."""
    return {
        "id": scale_id,
        "kind": asked.kind,
        "question": text.own(visit, asked.question),
        "instruction": text.own(visit, asked.instruction) if asked.instruction else None,
        "options": _options(visit, scale_id, asked),
        "polarity": asked.polarity,
        "anchors": _anchors(visit, asked),
        "points": asked.points,
        "zero": asked.zero,
        "look": asked.look,
        "cannot_tell": cannot_tell(visit, asked),
        "after": EMOTION if asked.of == EMOTION else None,
        "not_after": list(asked.not_applicable_after),
    }


def pictures(trial: Trial, served: Mapping[str, str]) -> list[Json]:
    """Return a trial's pictures with their addresses; served: stimulus_id to the hash it is served under."""
    return [{"role": shown.role, "src": f"/api/stimuli/{served[shown.stimulus_id]}"} for shown in trial.shown]


def cannot_tell(visit: Visit, asked: Scale) -> str | None:
    """Return the words of a scale's button for those who cannot tell, if it has one."""
    if not asked.cannot_tell:
        return None
    own = asked.cannot_tell_text
    return text.own(visit, own) if own else visit.words["trial.cannot_tell"]


def _options(visit: Visit, scale_id: str, asked: Scale) -> list[Json]:
    if asked.kind == "likert":
        return [{"code": point, "text": str(point)} for point in range(1, (asked.points or 0) + 1)]
    order = visit.session.option_order.get(scale_id, tuple(asked.options))
    return [{"code": code, "text": text.own(visit, asked.options[code])} for code in order]


def _anchors(visit: Visit, asked: Scale) -> Json:
    if asked.anchors is None:
        return None
    ends = {"low": asked.anchors.low, "middle": asked.anchors.middle, "high": asked.anchors.high}
    return {name: words and text.own(visit, words) for name, words in ends.items()}
