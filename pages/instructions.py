"""What to do, each widget that this study uses with its keys, and the first faces fetched ahead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import streamlit as st

from core import study as studies
from core import tasks
from core.design_rules import PAIRS
from core.records import Trial
from core.settings import PROJECT
from core.study import Scale
from db import engine as db_engine
from db import sessions
from db import studies as stored
from pages.ui import resources, specs, text
from pages.ui.session import Visit
from pages.ui.specs import Json

FETCHED = 4
"""Trials whose pictures are fetched while the instructions are read."""

_ASSETS = PROJECT / "assets"
_STYLES = ("trial/widgets.css", "page/instructions.css")
_PARTS = ("base", "scales", "manikin", "grid", "widgets")
_SCRIPTS = (*(f"trial/{part}.js" for part in _PARTS), "page/instructions.js")
_examples = st.components.v2.component(
    "facenorm_instructions",
    css="".join((_ASSETS / name).read_text(encoding="utf-8") for name in _STYLES),
    js="\n".join((_ASSETS / name).read_text(encoding="utf-8") for name in _SCRIPTS),
    isolate_styles=False,
)

_SHOWN_OPTIONS = 4  # of a choice: enough to know it again
_LAST_DIGIT = 9
_KEYS = '<span class="fn-keys">($keys_html)</span>'
_GOING_ON = """
<h2>$title</h2>
<p>$next</p>
<dl class="keys with-keys">
  <dt><kbd>Enter</kbd></dt><dd>$enter</dd>
  <dt><kbd>Tab</kbd></dt><dd>$tab</dd>
  $cannot_html
</dl>
"""
_ZERO = "<dt><kbd>0</kbd></dt><dd>$text</dd>"
_ARROWS = {"line": "←→", "grid": "←→↑↓"}


@dataclass(frozen=True, slots=True)
class Example:
    """One widget of this study: its name, and the scales and values with which it is shown."""

    widget: str
    scales: tuple[tuple[str, Scale], ...]

    @property
    def last_digit(self) -> int:
        """The last of the digits that answer it, 0 where none does."""
        _, scale = self.scales[0]
        return 0 if self.widget in _ARROWS else min(_LAST_DIGIT, len(scale.options) or scale.points or 0)


def is_due(visit: Visit) -> bool:
    """Say whether Start has not been pressed yet."""
    return not visit.session.instructions_read


def render(visit: Visit) -> None:
    """Explain the task; Start is remembered."""
    with db_engine.reading(resources.engine()) as conn:
        trials = sessions.trials(conn, visit.session.session_id)
        served = {
            each.stimulus_id: each.served_sha256 for each in stored.stimuli(conn, visit.version.config_hash)
        }
    examples = tuple(_used(visit, trials))
    text.show(visit, text.heading(visit.words["instructions.title"]), key="instructions")
    st.markdown(_instructions(visit, trials))
    first = [picture["src"] for trial in trials[:FETCHED] for picture in specs.pictures(trial, served)]
    _examples(key="examples", data=_data(visit, examples, first))
    text.show(visit, _going_on(visit), key="keys")
    if st.button(visit.words["instructions.start"], key="start", type="primary"):
        with db_engine.writing(resources.engine()) as conn:
            sessions.mark_instructions(conn, visit.session.session_id)
        st.rerun()


def _instructions(visit: Visit, trials: tuple[Trial, ...]) -> str:
    if visit.study.instructions:
        return text.own(visit, visit.study.instructions)
    lead = " ".join(_lead(visit, trials))
    return "\n".join((lead, "", *(f"- {line}" for line in _lines(visit, trials))))


def _lead(visit: Visit, trials: tuple[Trial, ...]) -> Iterator[str]:
    """Count what this participant will see."""
    main = [trial for trial in trials if not trial.is_practice]
    faces = [trial for trial in main if trial.task != PAIRS]
    parts = len({trial.block for trial in faces})
    key = "instructions.lead.parts" if parts > 1 else "instructions.lead"
    if faces:
        yield text.said(visit, key, faces=len(faces), parts=parts)
    if len(main) > len(faces):
        yield text.said(visit, "instructions.lead.pairs", pairs=len(main) - len(faces))
    if len(trials) > len(main):
        yield text.said(visit, "instructions.lead.practice", n=len(trials) - len(main))


def _lines(visit: Visit, trials: tuple[Trial, ...]) -> Iterator[str]:
    exposure = visit.study.display.exposure
    if exposure is None:
        yield visit.words["instructions.look"]
    else:
        if exposure.fixation_ms:
            yield visit.words["instructions.cross"]
        yield visit.words["instructions.brief"]
    yield visit.words["instructions.impression"]
    if _come_again(trials):
        yield visit.words["instructions.again"]
    yield visit.words[f"instructions.saved.{visit.study.resume.policy}"]


def _come_again(trials: tuple[Trial, ...]) -> bool:
    shown = [trial.shown for trial in trials if trial.task != PAIRS]
    return len(set(shown)) < len(shown)


def _used(visit: Visit, trials: tuple[Trial, ...]) -> Iterator[Example]:
    """Give each widget that this participant will meet once, with the first scales that use it."""
    met = dict.fromkeys(trial.task for trial in trials)
    found: dict[str, Example] = {}
    for task in met:
        for example in _of(visit, task):
            found.setdefault(example.widget, example)
    yield from found.values()


def _of(visit: Visit, task: str) -> Iterator[Example]:
    scales = tasks.scales_of(visit.study, task)
    grid = any(each.id == task and each.affect_grid for each in tasks.sets(visit.study))
    if grid:
        yield Example("grid", scales[:2])
    for pair in scales[2 * grid :]:
        yield Example(_widget(pair[1]), (pair,))


def _widget(scale: Scale) -> str:
    if scale.kind == "vas":
        return "line"
    return scale.kind if scale.look == "plain" else f"manikins.{scale.points}"


def _data(visit: Visit, examples: tuple[Example, ...], pictures: list[Json]) -> dict[str, Json]:
    surround = visit.study.display.surround
    return {
        "examples": [_example(visit, example) for example in examples],
        "pictures": pictures,
        "words": {key: words for key, words in visit.words.items() if key.startswith(("trial.", "scale."))},
        "surround": surround,
        "dark": not _is_light(surround),
    }


def _example(visit: Visit, example: Example) -> dict[str, Json]:
    shown = [specs.scale(visit, scale_id, scale) for scale_id, scale in example.scales]
    for spec in shown:
        if spec["kind"] == "choice":
            spec["options"] = spec["options"][:_SHOWN_OPTIONS]
    return {
        "affect_grid": example.widget == "grid",
        "specs": shown,
        "values": [_value(spec) for spec in shown],
        "how": _how(visit, example),
    }


def _value(spec: dict[str, Json]) -> Json:
    """Choose an answer for a picture: neither the first nor the middle one."""
    if spec["kind"] == "vas":
        return 68
    options = spec["options"]
    return options[len(options) * 7 // 10]["code"]


def _how(visit: Visit, example: Example) -> str:
    keys = "".join(f"<kbd>{arrow}</kbd> " for arrow in _ARROWS.get(example.widget, ""))
    if example.last_digit:
        keys = f"<kbd>1</kbd> – <kbd>{example.last_digit}</kbd>"
    words = visit.words[f"instructions.how.{example.widget}"]
    return text.html("$words ", words=words) + text.html(_KEYS, keys_html=keys.strip())


def _going_on(visit: Visit) -> str:
    said = text.said(visit, "instructions.next", next=visit.words["trial.next"])
    offering = [scale for _, scale in studies.asked(visit.study) if scale.cannot_tell]
    cannot = specs.cannot_tell(visit, offering[0]) if offering else None
    if cannot:
        said += " " + text.said(visit, "instructions.cannot", cannot=cannot)
    # A tenth option has the key 0 to itself.
    zero = cannot and all(max(len(scale.options), scale.points or 0) <= _LAST_DIGIT for scale in offering)
    return text.html(
        _GOING_ON,
        title=visit.words["instructions.going_on"],
        next=said,
        enter=visit.words["instructions.keys.next"],
        tab=visit.words["instructions.keys.tab"],
        cannot_html=text.html(_ZERO, text=cannot) if zero else "",
    )


def _is_light(colour: str) -> bool:
    """Say whether black stands out more from a colour than white does (WCAG relative luminance)."""
    red, green, blue = ((int(colour[at : at + 2], 16) / 255) ** 2.2 for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179
