"""Which raters and which detector are to run, and what they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import streamlit as st

from core.vision import deepface_detect, registry
from core.vision.rater import Declaration


def choice(usable: Collection[str]) -> tuple[str, ...]:
    """Let the researcher choose raters, by what they are about.

    usable: those whose files are all here; the others are marked.
    """
    chosen: list[str] = []
    for title, entries in registry.FAMILIES.items():
        names = [entry.declaration.rater_id for entry in entries]
        chosen += st.pills(
            title,
            names,
            default=[name for name in names if name in registry.DEFAULT],
            selection_mode="multi",
            format_func=lambda name: name if name in usable else f"{name} :material/download:",
            key=f"raters-{title}",
        )
    st.caption(
        ":material/download: its files are not here yet. Chosen raters bring those that they work on. "
        "What each is stands below once it is chosen, and in docs/models.md."
    )
    return tuple(chosen)


def detector(default: str) -> str:
    """Let the researcher choose what finds the faces."""
    return st.segmented_control(
        "Face detector",
        list(registry.DETECTORS),
        default=default,
        required=True,
        key="detector",
        help="It finds each face once, for all raters. At the shell any of DeepFace's can be named, too: "
        f"{deepface_detect.PREFIX}NAME.",
    )


def about(raters: Sequence[str]) -> None:
    """Show what the chosen raters give, were trained on and cannot do."""
    declared = [registry.declaration(rater_id) for rater_id in raters]
    for one in declared:
        if one.warning:
            st.warning(f"**{one.rater_id}** {one.warning}", icon=":material/warning:")
    if declared:
        with st.expander("What these raters are, and are not", icon=":material/info:"):
            st.markdown("\n\n".join(map(_told, declared)))
    st.caption(
        "Models are trained on photographs. What they make of drawn or computer-made faces is shown as it "
        "is: it says something about the model, not only about the face."
    )


def _told(declared: Declaration) -> str:
    gives = "; ".join(
        f"{one.scale_id} ({one.units}{': ' + ', '.join(one.labels) if one.labels else ''})"
        for one in declared.gives[:8]
    )
    more = f" and {len(declared.gives) - 8} more" if len(declared.gives) > 8 else ""
    vector = f"an embedding of {declared.dimensions} numbers" if declared.dimensions else ""
    return (
        f"**{declared.rater_id}** {declared.title}\n"
        f"- **Gives** {'; '.join(part for part in (gives + more, vector) if part)}\n"
        f"- **Trained on** {declared.trained_on}\n- **Limits** {declared.limits}\n"
        f"- **Licence** {declared.licence}\n- **Cite** {declared.citation}"
    )
