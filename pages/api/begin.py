"""Begin and decline: the two ways out of the consent page."""

import random
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse

from core import build, cookies, i18n, plan
from core.records import Circumstances, ConsentGiven, Phase, Session, SessionKind, StudyVersion
from core.study import Study
from db import engine as db_engine
from db import sessions, studies
from pages.api import bodies, responses, store

AGE = "minimum_age"  # the consent item that every study has
SESSION_S = 14 * 24 * 3600  # how long a browser may come back to its session


@dataclass(frozen=True, slots=True)
class Entry:
    """What a link leads to: one version of a study, and what a session there counts as."""

    version: StudyVersion
    kind: SessionKind
    phase: Phase


def entry(conn: Connection, study_id: str, link: str) -> Entry | None:
    """Resolve a link; None where the study is not open (a preview needs no open study)."""
    kind = studies.link_kind(conn, study_id, link) if link else "human"
    if kind is None:
        return None
    # A preview shows what would be opened next.
    newest = studies.latest if kind == "preview" else studies.open_version
    version = newest(conn, study_id)
    return version and Entry(version, kind, version.phase)


async def begin(request: Request) -> RedirectResponse:
    """Create the session that the pressed Begin asks for, and send its cookie."""
    form = await bodies.form(request)
    problem, key, token = await run_in_threadpool(_begin, form, request.cookies)
    response = _back(form, problem=problem)
    if token:
        responses.set_cookie(response, request, cookies.participant(key), token, max_age_s=SESSION_S)
    return response


async def decline(request: Request) -> RedirectResponse:
    """Count a refusal and keep nothing else of it."""
    form = await bodies.form(request)
    await run_in_threadpool(_decline, form)
    return _back(form, declined="1")


def _back(form: dict[str, str], **more: str) -> RedirectResponse:
    kept = {"study": form.get("study"), "link": form.get("link"), "lang": form.get("language")}
    query = {name: value for name, value in (kept | more).items() if value}
    return RedirectResponse(f"/?{urlencode(query)}", status_code=303)


def _begin(form: dict[str, str], jar: dict[str, str]) -> tuple[str, str, str]:
    """Return (problem, key, token): either the problem or the token is empty."""
    study_id, nonce = form.get("study", ""), form.get("nonce", "")
    with db_engine.writing(store.engine()) as conn:
        where = entry(conn, study_id, form.get("link", ""))
        if where is None:
            return "closed", "", ""
        study = store.study_of(conn, where.version.config_hash)
        language = form.get("language", "")
        if language not in study.languages or not 16 <= len(nonce) <= 64:
            return "form", "", ""
        if not _agreed(study, form):
            return "consent", "", ""
        key = cookies.session_key(study_id, where.kind)
        token = _held(conn, where, jar.get(cookies.participant(key), "")) or _create(conn, where, study, form)
    return "", key, token


def _held(conn: Connection, where: Entry, token: str) -> str | None:
    """Return the token that this browser holds already: Begin in a second tab is no second session."""
    session = sessions.by_token(conn, token) if token else None
    return token if session is not None and not outdated(session, where, again=True) else None


def outdated(session: Session, where: Entry, *, again: bool) -> bool:
    """Say whether a preview begins anew: the study has changed, or it was done and is wanted again."""
    if session.kind != "preview":
        return False
    done = session.completed_at is not None
    return session.config_hash != where.version.config_hash or (done and again)


def _agreed(study: Study, form: dict[str, str]) -> bool:
    required = [f"consent.{item.id}" for item in study.consent.items if item.required]
    return all(form.get(name) == "on" for name in [*required, "age"])


def _create(conn: Connection, where: Entry, study: Study, form: dict[str, str]) -> str:
    # One nonce is one session, and a seed of its own for each session keeps trial ids apart.
    rng = random.Random(f"{study.seed}:{where.version.config_hash}:{where.kind}:{form['nonce']}")
    stimuli = studies.stimuli(conn, where.version.config_hash)
    _session, token = sessions.begin(
        conn,
        config_hash=where.version.config_hash,
        kind=where.kind,
        phase=where.phase,
        language=form["language"],
        nonce=form["nonce"],
        consents=_consents(study, form),
        draw=lambda places: plan.build(study, stimuli, places, rng=rng),
        option_order=plan.option_order(study, rng=rng),
        utc_offset_min=_offset(form.get("utc_offset", "")),
        circumstances=Circumstances(study.disclosure, i18n.catalogue_hash(form["language"]), build.APP),
    )
    return token


def _consents(study: Study, form: dict[str, str]) -> list[ConsentGiven]:
    language = form["language"]
    of_age = i18n.words(language)["welcome.age"].format(age=study.minimum_age)
    version = study.consent.version
    return [
        ConsentGiven(AGE, required=True, agreed=True, language=language, version=version, text=of_age),
        *(
            ConsentGiven(
                item_id=item.id,
                required=item.required,
                agreed=form.get(f"consent.{item.id}") == "on",
                language=language,
                version=version,
                text=f"{study.consent.intro[language]}\n\n{item.text[language]}",  # type: ignore[index]
            )
            for item in study.consent.items
        ),
    ]


def _offset(text: str) -> int | None:
    """Return minutes east of UTC, or None where the browser did not say anything plausible."""
    try:
        minutes = int(text)
    except ValueError:
        return None
    return minutes if -14 * 60 <= minutes <= 14 * 60 else None


def _decline(form: dict[str, str]) -> None:
    with db_engine.writing(store.engine()) as conn:
        where = entry(conn, form.get("study", ""), form.get("link", ""))
        if where is not None:
            sessions.tally(conn, where.version.config_hash, "declined", kind=where.kind, phase=where.phase)
