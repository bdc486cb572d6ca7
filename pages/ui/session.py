"""Who is looking at this page, and the only place that touches `st.session_state`.

The database is the state: a reload, a reconnect and a restarted server rebuild
everything here from the cookie and the link.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from core import cookies, i18n
from core.records import Phase, Session, SessionKind, StudyVersion
from core.study import Study
from core.study_base import Language
from db import engine as db_engine
from db import researchers, sessions, studies
from db.researchers import Login
from pages.api import begin
from pages.ui import resources

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Visit:
    """One participant's look at one study."""

    study: Study
    version: StudyVersion
    kind: SessionKind
    phase: Phase
    session: Session | None
    language: Language
    words: Mapping[str, str]
    link: str  # the secret of a preview link, else empty
    key: str  # cookie suffix and `at` of /api/answers, for instance preview.demo
    post_token: str
    problem: str | None  # what the last Begin lacked: consent, closed or form
    declined: bool


def visit() -> Visit | None:
    """Read link and cookie; None when the link leads to no open study."""
    query = st.query_params
    with db_engine.reading(resources.engine()) as conn:
        study_id = query.get("study") or _only_open_study(conn)
        where = begin.entry(conn, study_id, query.get("link", "")) if study_id else None
        if study_id is None:
            return None
        kind = where.kind if where else "human"
        key = cookies.session_key(study_id, kind)
        cookie = _cookies().get(cookies.participant(key), "")
        session = sessions.by_token(conn, cookie) if cookie else None
        if session and where and begin.outdated(session, where, again="again" in query):
            session = None
        # A session stays on the version that it began with, and may finish after the study closed.
        version = studies.get(conn, session.config_hash) if session else (where and where.version)
        if version is None:
            return None
        study = resources.study_of(conn, version.config_hash)
    language = session.language if session else language_of(study)
    return Visit(
        study=study,
        version=version,
        kind=kind,
        phase=session.phase if session else version.phase,
        session=session,
        language=language,  # type: ignore[arg-type]
        words=i18n.words(language),
        link=query.get("link", ""),
        key=key,
        post_token=cookies.post_token(cookie),
        problem=query.get("problem"),
        declined=query.get("declined") == "1",
    )


def language_of(study: Study) -> str:
    """Choose by link, else by browser, else the study's first language."""
    return i18n.choose(_wanted_languages(), study.languages)


def unknown_visitor_words() -> Mapping[str, str]:
    """Return the words for somebody whose link leads nowhere, in their browser's language."""
    return i18n.words(i18n.choose(_wanted_languages(), i18n.LANGUAGES))


def _wanted_languages() -> list[str]:
    return [st.query_params.get("lang", ""), st.context.locale or ""]


def _only_open_study(conn) -> str | None:  # type: ignore[no-untyped-def]
    running = {version.study_id for version in studies.listing(conn) if version.state == "open"}
    return running.pop() if len(running) == 1 else None


def _cookies() -> Mapping[str, str]:
    return st.context.cookies


def researcher() -> Login | None:
    """Return the login behind this browser's cookie."""
    cookie = _cookies().get(cookies.LOGIN)
    if not cookie:
        return None
    with db_engine.reading(resources.engine()) as conn:
        return researchers.by_token(conn, cookie)


def researcher_token() -> str:
    """Return the token that a researcher's form carries."""
    return cookies.post_token(_cookies().get(cookies.LOGIN, ""))


def once(name: str, make: Callable[[], T]) -> T:
    """Return what `make` gave the first time in this tab's connection."""
    kept = f"once:{name}"
    if kept not in st.session_state:
        st.session_state[kept] = make()
    return st.session_state[kept]


def nonce() -> str:
    """Return the number used once that makes a double-clicked Begin one session."""
    return once("nonce", lambda: secrets.token_hex(16))


def path() -> str:
    """Return the path of the page in the address bar, `/` for a participant's."""
    url = st.context.url or "/"
    return "/" + url.split("//", 1)[-1].partition("/")[2].partition("?")[0].strip("/")
