"""What to do, with the keys, and an example without a picture."""

from __future__ import annotations

import streamlit as st

from core import study as studies
from core.study import Scale
from db import engine as db_engine
from db import sessions
from pages.ui import resources, text
from pages.ui.session import Visit

_EXAMPLE = """
<h2>$title</h2>
<div class="example$tone" style="--surround: $surround" aria-hidden="true">
  <div class="oval">$face</div><div>$scales_html</div>
</div>
"""
_KEYS = """
<h2>$keyboard</h2>
<dl class="keys">
  <dt><kbd>1</kbd> – <kbd>$last</kbd></dt><dd>$choose</dd>
  <dt><kbd>←</kbd> <kbd>→</kbd></dt><dd>$move</dd>
  <dt><kbd>Enter</kbd></dt><dd>$next</dd>
  <dt><kbd>Tab</kbd></dt><dd>$tab</dd>
</dl>
<h2>$touch</h2>
<p>$touching</p>
"""
_EXAMPLE_OPTIONS = 4


def is_due(visit: Visit) -> bool:
    """Say whether Start has not been pressed yet."""
    return not visit.session.instructions_read


def render(visit: Visit) -> None:
    """Explain the task; Start is remembered."""
    text.show(visit, text.heading(visit.words["instructions.title"]), key="instructions")
    st.markdown(_instructions(visit))
    text.show(visit, _example(visit) + _keys(visit), key="keys")
    if st.button(visit.words["instructions.start"], key="start", type="primary"):
        with db_engine.writing(resources.engine()) as conn:
            sessions.mark_instructions(conn, visit.session.session_id)
        st.rerun()


def _instructions(visit: Visit) -> str:
    if visit.study.instructions:
        return text.own(visit, visit.study.instructions)
    return text.said(visit, "instructions.text", faces=visit.study.trials.per_participant)


def _example(visit: Visit) -> str:
    surround = visit.study.display.surround
    asked = [scale for _, scale in studies.asked(visit.study)]
    shown = [
        *[scale for scale in asked if scale.options][:1],
        *[scale for scale in asked if scale.anchors][:1],
    ]
    return text.html(
        _EXAMPLE,
        title=visit.words["instructions.example"],
        face=visit.words["instructions.example.face"],
        surround=surround,
        tone="" if _is_light(surround) else " dark",
        scales_html="".join(_scale(visit, scale) for scale in shown),
    )


def _is_light(colour: str) -> bool:
    """Say whether black stands out more from a colour than white does (WCAG relative luminance)."""
    red, green, blue = ((int(colour[at : at + 2], 16) / 255) ** 2.2 for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179


def _scale(visit: Visit, scale: Scale) -> str:
    question = text.html("<p>$question</p>", question=text.own(visit, scale.question))
    if scale.options:
        return question + _choice(visit, scale)
    low, high = text.own(visit, scale.anchors.low), text.own(visit, scale.anchors.high)
    ends = text.html('<div class="ends"><span>$low</span><span>$high</span></div>', low=low, high=high)
    return question + '<div class="line"><i></i></div>' + ends


def _choice(visit: Visit, scale: Scale) -> str:
    words = [text.own(visit, option) for option in list(scale.options.values())[:_EXAMPLE_OPTIONS]]
    # The last of the four is the one that looks chosen.
    marked = [*(text.html("<span>$word</span>", word=word) for word in words[:-1])]
    marked.append(text.html('<span class="on"><b>$word</b></span>', word=words[-1]))
    return f'<div class="pick">{"".join(marked)}</div>'


def _keys(visit: Visit) -> str:
    options = [len(scale.options) for _, scale in studies.asked(visit.study) if scale.options]
    return text.html(
        _KEYS,
        keyboard=visit.words["instructions.keys"],
        last=min(9, max(options, default=9)),
        choose=visit.words["instructions.keys.choose"],
        move=visit.words["instructions.keys.move"],
        next=visit.words["instructions.keys.next"],
        tab=visit.words["instructions.keys.tab"],
        touch=visit.words["instructions.touch"],
        touching=text.said(visit, "instructions.touch.choose", next=visit.words["trial.next"]),
    )
