"""The files that the chosen raters read: what is here, what is missing, and how it comes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import streamlit as st

from core.errors import ModelError
from core.vision import catalogue, consent, registry, weights
from core.vision.catalogue import Weights
from pages.ui import processes, resources


@st.cache_data(ttl=10, show_spinner=False)
def places(names: Collection[str]) -> dict[str, str | None]:
    """Where each usable file lies; looking means reading it, so not more often than every few seconds."""
    folders = resources.configuration().model_folders
    found = {name: weights.find(name, folders) for name in names}
    return {name: str(path) if path else None for name, path in found.items()}


def usable() -> frozenset[str]:
    """The raters whose files are all here."""
    files = {
        name: {*entry.declaration.weights, *registry.declaration(registry.source(name) or name).weights}
        for name, entry in registry.RATERS.items()
    }
    here = places(tuple(sorted(set().union(*files.values()))))
    return frozenset(name for name, needed in files.items() if all(here[file] for file in needed))


def show(names: Sequence[str], who: str) -> bool:
    """Show the files that are needed; whether all of them are here."""
    here = places(tuple(dict.fromkeys(names)))
    missing = [name for name, place in here.items() if place is None]
    with st.expander(
        f"Model files: {len(here) - len(missing)} of {len(here)} here",
        icon=":material/check_circle:" if not missing else ":material/error:",
        expanded=bool(missing),
    ):
        for name, place in here.items():
            _file(weights.entry(name), place, who)
    return not missing


def _file(entry: Weights, place: str | None, who: str) -> None:
    what = f"**{entry.title}** · `{entry.file}` · {catalogue.size(entry)} · {entry.licence}"
    if place is not None:
        st.markdown(f":material/check: {what}  \n`{place}`")
        return
    folders = resources.configuration().model_folders
    st.markdown(f":material/close: {what}")
    if not consent.agreed(entry, folders):
        _terms(entry, who)
        return
    st.markdown("Missing. Fetch it here, or in a shell:")
    st.code(f"facenorm models fetch {entry.name}", language="bash")
    st.caption(weights.by_hand(entry, folders))
    _fetch(entry)


def _terms(entry: Weights, who: str) -> None:
    st.markdown(f"{entry.notice}\n\nIt is neither fetched nor read before you agree to its licence.")
    if st.button("I agree, for this installation", icon=":material/gavel:", key=f"agree-{entry.name}"):
        try:
            consent.agree(entry, resources.configuration().model_folders, who=who)
        except ModelError as error:
            st.error(str(error))
            return
        places.clear()
        st.rerun()


def _fetch(entry: Weights) -> None:
    name = f"fetch-{entry.name}"
    if processes.running(name) is not None:
        _fetching(name)
        return
    if said := processes.failure(name):
        st.error("It could not be fetched.")
        st.code(said, language=None, wrap_lines=True)
    if st.button(f"Fetch {entry.name}", icon=":material/download:", key=name):
        processes.start(name, "models", "fetch", entry.name)
        st.rerun()


@st.fragment(run_every=1)
def _fetching(name: str) -> None:
    if processes.running(name) is None:
        places.clear()
        st.rerun(scope="app")
    st.caption(":material/downloading: Fetching; a download that was cut goes on where it stopped.")
