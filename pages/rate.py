"""The trials: mounts the element that shows, times and sends them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import streamlit as st

from core import build, tasks
from core import study as studies
from core.records import Trial
from core.settings import PROJECT
from db import engine as db_engine
from db import practice, sessions
from db import studies as stored
from db.practice import Rule, Standing
from pages.ui import resources, session, specs
from pages.ui.session import Visit
from pages.ui.specs import Json

_ASSETS = PROJECT / "assets" / "trial"
# The parts of one script, in the order in which they need each other.
_PARTS = (
    *("base", "keeping", "outbox", "pictures", "scales", "manikin", "grid", "widgets"),
    *("watch", "stage", "exposure", "asking", "parts", "cover", "sitting", "trial"),
)
_SCRIPT = "\n".join((_ASSETS / f"{part}.js").read_text(encoding="utf-8") for part in _PARTS)

_element = st.components.v2.component(
    "facenorm_trial",
    html=(_ASSETS / "trial.html").read_text(encoding="utf-8"),
    css="".join((_ASSETS / f"{part}.css").read_text(encoding="utf-8") for part in ("trial", "widgets")),
    js=_SCRIPT,
    isolate_styles=False,  # Element Timing reports nothing from inside a shadow root
)

ALL = "all"
"""The stage of a session in which its practice, if it must be passed, is over."""


def is_due(visit: Visit) -> bool:
    """Say whether the server lacks an answer to a trial."""
    with db_engine.reading(resources.engine()) as conn:
        return sessions.open_trials(conn, visit.session.session_id) > 0


def render(visit: Visit) -> None:
    """Show the trials; the element asks for a rerun when the server holds an answer to each."""
    standing = _practice(visit)
    if standing and standing.is_failed:
        st.rerun()
    with db_engine.reading(resources.engine()) as conn:
        trials = sessions.trials(conn, visit.session.session_id)
        answered = sessions.answered(conn, visit.session.session_id)
        served = {
            each.stimulus_id: each.served_sha256 for each in stored.stimuli(conn, visit.version.config_hash)
        }
    stage = ALL
    if standing and not standing.is_passed:
        # What comes after the practice is shown to those alone who passed it.
        stage = f"practice {standing.tried + 1}"
        trials = tuple(trial for trial in trials if trial.is_practice)
    data = {
        **_frame(visit, trials),
        "stage": stage,
        "practice": _rules(visit, standing),
        "trials": [_trial(visit, trial, {} if trial.trial_id in answered else served) for trial in trials],
        "answered": [trial.trial_id for trial in trials if trial.trial_id in answered],
    }
    # The trigger only asks for a rerun: what is complete stands in the database.
    _element(key="trial", data=data, on_done_change=lambda: None)


def _practice(visit: Visit) -> Standing | None:
    """Where the participant stands in a practice that must be passed, after its consequences."""
    share = visit.study.practice.pass_share
    if share is None:
        return None
    rule = Rule(share, visit.study.practice.attempts)
    with db_engine.reading(resources.engine()) as conn:
        found = practice.standing(conn, visit.session.session_id, rule)
    if not found.is_failed:
        return found
    with db_engine.writing(resources.engine()) as conn:
        return practice.decide(conn, visit.session.session_id, rule)


def _rules(visit: Visit, standing: Standing | None) -> dict[str, Json]:
    """Return what the participant is told of the practice."""
    told: dict[str, Json] = {
        "feedback": visit.study.practice.feedback,
        "attempt": 1,
        "attempts": 1,
        "needed": None,
    }
    if standing and not standing.is_passed:
        attempts = visit.study.practice.attempts
        told |= {"attempt": standing.tried + 1, "attempts": attempts, "needed": standing.needed}
    return told


def _frame(visit: Visit, trials: Sequence[Trial]) -> dict[str, Json]:
    study = visit.study
    used = {trial.task for trial in trials}
    asked = {scale_id for task in used for scale_id, _ in tasks.scales_of(study, task)}
    return {
        "session": visit.session.session_id,
        "url": f"/api/answers?at={visit.key}",
        "here_url": session.sign_of_life(visit),
        "stop_url": session.address(visit, stop="1"),
        "token": visit.post_token,
        "lang": visit.language,
        "words": {key: words for key, words in visit.words.items() if key.startswith(("trial.", "scale."))},
        "contact": study.contact,
        "display": _display(visit),
        "back": study.trials.back,
        "app": build.APP,
        "layout": study.trials.layout,
        "break_every": study.trials.break_every,
        "pairs": study.identity_pairs.model_dump(include={"crop", "oval_width", "oval_height"}),
        "scales": {
            name: specs.scale(visit, name, scale) for name, scale in studies.asked(study) if name in asked
        },
        "tasks": {task: _task(visit, task) for task in sorted(used)},
    }


def _display(visit: Visit) -> dict[str, Json]:
    """Return how faces are shown; a visual angle has its size on the screen that was calibrated."""
    display = visit.study.display
    exposure = display.exposure and display.exposure.model_dump()
    shown: dict[str, Json] = {"surround": display.surround, "exposure": exposure}
    if display.size_deg is None or visit.session.px_per_cm is None:
        return shown | {"size_px": display.size_px, "fixed": False}
    size_cm = 2 * display.distance_cm * math.tan(math.radians(display.size_deg) / 2)
    return shown | {"size_px": round(size_cm * visit.session.px_per_cm, 2), "fixed": True}


def _task(visit: Visit, task: str) -> dict[str, Json]:
    grids = {each.id: each.affect_grid for each in tasks.sets(visit.study)}
    scales = [scale_id for scale_id, _ in tasks.scales_of(visit.study, task)]
    return {"scales": scales, "affect_grid": grids.get(task, False)}


def _trial(visit: Visit, trial: Trial, served: Mapping[str, str]) -> dict[str, Json]:
    """Return what the browser must know of a trial: not which answer an unmarked check wants.

    served: empty for a trial whose pictures are shown no more.
    """
    told = trial.expected and (
        trial.expected.instructed or (trial.is_practice and visit.study.practice.feedback)
    )
    return {
        "id": trial.trial_id,
        "block": trial.block,
        "task": trial.task,
        "practice": trial.is_practice,
        "expected": asdict(trial.expected) if told and trial.expected else None,
        "stimuli": specs.pictures(trial, served) if served else [],
    }
