"""Who is looking at this page, and the only place that touches `st.session_state`.

The database is the state: a reload, a reconnect and a restarted server rebuild
everything here from the cookie and the link.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

import streamlit as st

from core import cookies, i18n, recruitment
from core.records import Phase, Session, SessionKind, StudyVersion
from core.recruitment import Arrival, InApp
from core.study import Study
from core.study_base import Language
from db import engine as db_engine
from db import researchers, returning, studies
from db.researchers import Login
from db.statements import now
from pages.api import coming
from pages.api.coming import Coming
from pages.ui import resources

T = TypeVar("T")
_LAB_CODE = "lab code"


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
    arrival: Arrival  # what the link brought
    known: Session | None  # that began with the link's id, perhaps in another browser


def visit() -> Visit | None:
    """Read link and cookie; None when the link leads to no open study."""
    query = st.query_params
    with db_engine.reading(resources.engine()) as conn:
        study_id = query.get("study") or _only_open_study(conn)
        link = query.get("link", "")
        found = coming.find(conn, study_id, link, _asked(), typed=_lab_code()) if study_id else None
        if found is None:
            return None
        key = cookies.session_key(study_id, found.kind)
        cookie = _cookies().get(cookies.participant(key), "")
        session = coming.held(conn, found, cookie, again="again" in query)
        # A session stays on the version that it began with, and may finish after the study closed.
        begun = session or found.known
        version = studies.get(conn, begun.config_hash) if begun else found.entry and found.entry.version
        if version is None and "erase" in query:  # answers can be deleted when the study is closed, too
            version = studies.latest(conn, str(study_id))
        if version is None:
            return None
        study = resources.study_of(conn, version.config_hash)
    _keep_lab_code(found)
    if session:
        session = _arrived(session, study)
    language = session.language if session else language_of(study)
    return Visit(
        study=study,
        version=version,
        kind=found.kind,
        phase=session.phase if session else version.phase,
        session=session,
        language=language,  # type: ignore[arg-type]
        words=i18n.words(language),
        link=link,
        key=key,
        post_token=cookies.post_token(cookie),
        problem=query.get("problem"),
        declined=query.get("declined") == "1",
        arrival=found.arrival,
        known=found.known,
    )


def address(visit: Visit, **more: str) -> str:
    """Return the address of this page for the same participant, with the link's parameters."""
    kept = {"study": visit.study.study, "link": visit.link, "lang": visit.language}
    query = {**brought(visit), **kept, **more}
    return "/?" + urlencode({name: value for name, value in query.items() if value})


def sign_of_life(visit: Visit) -> str:
    """Return where an open page says that it is there, before a page load that it starts itself."""
    return f"/api/here?at={visit.key}"


def brought(visit: Visit) -> dict[str, str]:
    """Return the link's own parameters; a lab's code is in no address, since it would stay in the history."""
    if visit.study.recruitment.route == "lab":
        return {}
    names = recruitment.parameters(visit.study)
    return {name: values[-1] for name, values in _asked().items() if name in names}


def in_app() -> InApp | None:
    """Say which app's own browser this is; what it calls itself is looked at here and kept nowhere."""
    return recruitment.in_app(st.context.headers.get("User-Agent") or "")


def set_lab_code(code: str) -> None:
    """Take a participant code that was typed in a lab, for this tab's connection."""
    st.session_state[_LAB_CODE] = code


def _lab_code() -> str:
    return st.session_state.get(_LAB_CODE, "")


def _keep_lab_code(found: Coming) -> None:
    # The page takes the code out of the address bar, so that the history does not keep it.
    if found.study.recruitment.route == "lab" and found.arrival.external_id:
        set_lab_code(found.arrival.external_id)


def _asked() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _arrived(session: Session, study: Study) -> Session:
    """Do what the study says of an absence, at the first look after a page load."""
    policy, seen = coming.policy(study), f"seen:{session.session_id}"
    is_first = seen not in st.session_state and _is_page_load()
    st.session_state[seen] = True
    if not is_first or not returning.may_be_away(session, policy, at=now()):
        return session
    with db_engine.writing(resources.engine()) as conn:
        return returning.arrive(conn, session.session_id, policy)


def _is_page_load() -> bool:
    """Say whether this connection is a page's first; a tab that connects again names its last session."""
    protocols = (st.context.headers.get("Sec-Websocket-Protocol") or "").split(",")
    return len(protocols) < 3


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


def cookie(name: str) -> str:
    """Return a cookie of this browser, empty where it has none."""
    return _cookies().get(name, "")


def here() -> str:
    """Return the address of the participants' page, without a query."""
    return (st.context.url or "").partition("?")[0].rstrip("/") + "/"


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
