"""Who comes with a link: to which study, as what kind of participant, and whether they have been here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from core import recruitment
from core.records import Phase, Session, SessionKind, StudyVersion
from core.recruitment import Arrival, Query
from core.study import Study
from db import external, sessions, studies
from db.returning import Policy
from pages.api import store


@dataclass(frozen=True, slots=True)
class Entry:
    """What a link leads to: one version of a study, and what a session there counts as."""

    version: StudyVersion
    kind: SessionKind
    phase: Phase


@dataclass(frozen=True, slots=True)
class Coming:
    """What is known of somebody who comes with a link."""

    entry: Entry | None  # None where the study takes nobody now
    study: Study  # as the entry has it, else as it was last loaded
    arrival: Arrival
    known: Session | None  # that began with the link's id

    @property
    def kind(self) -> SessionKind:
        """What a session counts as; where a study is closed, those come back who are people."""
        return self.entry.kind if self.entry else "human"


def entry(conn: Connection, study_id: str, link: str) -> Entry | None:
    """Resolve a link; None where the study is not open (a preview needs no open study)."""
    kind = studies.link_kind(conn, study_id, link) if link else "human"
    if kind is None:
        return None
    # A preview shows what would be opened next.
    newest = studies.latest if kind == "preview" else studies.open_version
    version = newest(conn, study_id)
    return version and Entry(version, kind, version.phase)


def find(conn: Connection, study_id: str, link: str, query: Query, *, typed: str = "") -> Coming | None:
    """Tell who comes; None where there is no such study.

    typed: the participant code of a lab, where the link does not hold it.
    """
    where = entry(conn, study_id, link)
    version = where.version if where else studies.latest(conn, study_id)
    if version is None:
        return None
    study = store.study_of(conn, version.config_hash)
    name = recruitment.id_parameter(study)
    if typed and name and study.recruitment.route == "lab" and name not in query:
        query = {**query, name: [typed]}
    arrival = recruitment.arrive(study, query)
    kind = where.kind if where else "human"
    if kind != "human" and arrival.problem == "incomplete":
        arrival = Arrival(kept=arrival.kept)
    known = None
    if kind == "human" and arrival.external_id is not None:
        known = external.session_of(conn, study_id, kind, arrival.external_id)
    return Coming(where, study, arrival, known)


def held(conn: Connection, coming: Coming, token: str, *, again: bool) -> Session | None:
    """Find the session of this browser's cookie; None where it is not the one that the link asks for.

    Two people may share a browser: the id of the link says who is here.
    """
    session = sessions.by_token(conn, token) if token else None
    if session is None or outdated(session, coming.entry, again=again):
        return None
    if session.kind == "human" and coming.arrival.external_id is not None:
        return session if session == coming.known else None
    return session


def outdated(session: Session, where: Entry | None, *, again: bool) -> bool:
    """Say whether a preview begins anew: the study has changed, or it was done and is wanted again."""
    if session.kind != "preview" or where is None:
        return False
    done = session.outcome is not None
    return session.config_hash != where.version.config_hash or (done and again)


def policy(study: Study) -> Policy:
    """Return what a study says of those who come back."""
    resume = study.resume
    return Policy(resume.policy, timedelta(seconds=resume.grace_s), timedelta(hours=resume.max_age_h))


def asked(form: Mapping[str, str]) -> dict[str, list[str]]:
    """Read the parameters of the link from a form that carries them on."""
    prefix = "url."
    return {name.removeprefix(prefix): [value] for name, value in form.items() if name.startswith(prefix)}
