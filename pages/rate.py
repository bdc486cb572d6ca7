"""The trials: mounts the element that shows, times and sends them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TypeAlias

import streamlit as st

from core import build, tasks
from core import study as studies
from core.builtin_scales import SAME_IDENTITY
from core.design_rules import PAIRS
from core.records import Trial
from core.settings import PROJECT
from core.study import Scale
from db import engine as db_engine
from db import sessions
from db import studies as stored
from pages.ui import resources, text
from pages.ui.session import Visit

_ASSETS = PROJECT / "assets" / "trial"
# The parts of one script, in the order in which they need each other.
_PARTS = ("base", "keeping", "outbox", "pictures", "scales", "manikin", "grid", "widgets", "watch", "trial")
_SCRIPT = "\n".join((_ASSETS / f"{part}.js").read_text(encoding="utf-8") for part in _PARTS)

_element = st.components.v2.component(
    "facenorm_trial",
    html=(_ASSETS / "trial.html").read_text(encoding="utf-8"),
    css="".join((_ASSETS / f"{part}.css").read_text(encoding="utf-8") for part in ("trial", "widgets")),
    js=_SCRIPT,
    isolate_styles=False,  # Element Timing reports nothing from inside a shadow root
)

Json: TypeAlias = "str | float | bool | list[Json] | dict[str, Json] | None"


def is_due(visit: Visit) -> bool:
    """Say whether the server lacks an answer to a trial."""
    with db_engine.reading(resources.engine()) as conn:
        return sessions.open_trials(conn, visit.session.session_id) > 0


def render(visit: Visit) -> None:
    """Show the trials; the element asks for a rerun when the server holds an answer to each."""
    with db_engine.reading(resources.engine()) as conn:
        trials = sessions.trials(conn, visit.session.session_id)
        answered = sessions.answered(conn, visit.session.session_id)
        served = {
            each.stimulus_id: each.served_sha256 for each in stored.stimuli(conn, visit.version.config_hash)
        }
    data = {
        **_frame(visit),
        "trials": [_trial(trial, served) for trial in trials],
        "answered": sorted(answered),
    }
    # The trigger only asks for a rerun: what is complete stands in the database.
    _element(key="trial", data=data, on_done_change=lambda: None)


def _frame(visit: Visit) -> dict[str, Json]:
    return {
        "session": visit.session.session_id,
        "url": f"/api/answers?at={visit.key}",
        "token": visit.post_token,
        "lang": visit.language,
        "words": {key: words for key, words in visit.words.items() if key.startswith(("trial.", "scale."))},
        "contact": visit.study.contact,
        "display": visit.study.display.model_dump(),
        "back": visit.study.trials.back,
        "app": build.APP,
        "layout": visit.study.trials.layout,
        "break_every": visit.study.trials.break_every,
        "practice": {"feedback": visit.study.practice.feedback},
        "pairs": visit.study.identity_pairs.model_dump(include={"crop", "oval_width", "oval_height"}),
        "scales": {
            scale_id: _scale(visit, scale_id, scale) for scale_id, scale in studies.asked(visit.study)
        },
        "tasks": _tasks(visit),
    }


def _tasks(visit: Visit) -> dict[str, Json]:
    sets = {each.id: each for each in tasks.sets(visit.study)}
    found: dict[str, Json] = {
        name: {"scales": list(each.scales), "affect_grid": each.affect_grid} for name, each in sets.items()
    }
    return found | {PAIRS: {"scales": [SAME_IDENTITY], "affect_grid": False}}


def _trial(trial: Trial, served: Mapping[str, str]) -> dict[str, Json]:
    stimuli = [
        {"role": shown.role, "src": f"/api/stimuli/{served[shown.stimulus_id]}"} for shown in trial.shown
    ]
    return {
        "id": trial.trial_id,
        "block": trial.block,
        "task": trial.task,
        "practice": trial.is_practice,
        "expected": trial.expected and asdict(trial.expected),
        "stimuli": stimuli,
    }


def _scale(visit: Visit, scale_id: str, scale: Scale) -> dict[str, Json]:
    return {
        "id": scale_id,
        "kind": scale.kind,
        "question": text.own(visit, scale.question),
        "instruction": text.own(visit, scale.instruction) if scale.instruction else None,
        "options": _options(visit, scale_id, scale),
        "polarity": scale.polarity,
        "anchors": _anchors(visit, scale),
        "points": scale.points,
        "zero": scale.zero,
        "look": scale.look,
        "cannot_tell": _cannot_tell(visit, scale),
        "after": studies.EMOTION if scale.of == studies.EMOTION else None,
        "not_after": list(scale.not_applicable_after),
    }


def _cannot_tell(visit: Visit, scale: Scale) -> str | None:
    if not scale.cannot_tell:
        return None
    own = scale.cannot_tell_text
    return text.own(visit, own) if own else visit.words["trial.cannot_tell"]


def _options(visit: Visit, scale_id: str, scale: Scale) -> list[Json]:
    if scale.kind == "likert":
        return [{"code": point, "text": str(point)} for point in range(1, (scale.points or 0) + 1)]
    order = visit.session.option_order.get(scale_id, tuple(scale.options))
    return [{"code": code, "text": text.own(visit, scale.options[code])} for code in order]


def _anchors(visit: Visit, scale: Scale) -> Json:
    if scale.anchors is None:
        return None
    ends = {"low": scale.anchors.low, "middle": scale.anchors.middle, "high": scale.anchors.high}
    return {name: words and text.own(visit, words) for name, words in ends.items()}
