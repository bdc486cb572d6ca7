"""What a researcher should know of answers that were deleted."""

from __future__ import annotations

import streamlit as st

from db import engine as db_engine
from db import erasure
from db.copies import Copy
from db.erasure import Notice
from pages.ui import resources


def show(study_id: str) -> None:
    """Say how many participants' answers were deleted, and which copies made before still hold these."""
    with db_engine.reading(resources.engine()) as conn:
        n, found = erasure.count(conn, study_id), erasure.notice(conn, study_id)
    if n == 0:
        return
    whose = "1 participant were" if n == 1 else f"{n} participants were"
    said = f"The answers of {whose} deleted and are in no table any more."
    if found is None or not (found.exports or found.backups):
        st.info(f"{said} No export and no backup is known that still holds them.", icon=":material/delete:")
        return
    with st.expander(f"{said} Copies still hold some of them", icon=":material/delete:"):
        st.write(
            f"These copies were made before {found.last:%d %B %Y, %H:%M} UTC, while the answers were still "
            "there. Replace the exports by new ones, tell whom you gave them to, and delete the backups: "
            "restoring one would bring the answers back."
        )
        st.dataframe(
            [
                {"made (UTC)": f"{one.at:%Y-%m-%d %H:%M}", "what": one.what, "where": one.where}
                for one in _copies(found)
            ],
            hide_index=True,
        )


def _copies(found: Notice) -> list[Copy]:
    return sorted((*found.exports, *found.backups), key=lambda one: one.at)
