"""Stop, finish after the debriefing, and delete: plain forms, each with its session's token."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse

from core import cookies, leaving, settings
from core.records import Session
from db import attempts, erase_codes, erasure, sessions
from db import engine as db_engine
from db.statements import now
from pages.api import bodies, responses, store

CODE_S = 15 * 60  # from typing the code until the deletion is confirmed
TOLD_S = 10 * 60  # how long a browser may see again that its answers are deleted


async def stop(request: Request) -> RedirectResponse:
    """End the session early; its answers are kept."""
    return await _act(request, lambda conn, session: sessions.end(conn, session.session_id, "stopped"))


async def debriefed(request: Request) -> RedirectResponse:
    """Note that the participant was debriefed and keeps their answers in the study."""
    return await _act(request, lambda conn, session: sessions.mark_debriefed(conn, session.session_id))


async def find(request: Request) -> RedirectResponse:
    """Look for the session of a typed code, which a cookie then holds until the deletion is confirmed."""
    form = await bodies.form(request)
    study_id = form.get("study", "")
    found = await run_in_threadpool(_find, study_id, form.get("code", "")[:200])
    if isinstance(found, str):
        response = _back(form, erase="code")
        sealed = cookies.sealed(f"{study_id}.{found}", settings.secret(settings.load()))
        responses.set_cookie(response, request, cookies.ERASE, sealed, max_age_s=CODE_S)
        return response
    return _back(form, erase="other", problem="code", minutes=str(found or ""))


async def erase(request: Request) -> RedirectResponse:
    """Delete the session of this browser, or of the code that was typed."""
    form = await bodies.form(request)
    gone = await run_in_threadpool(_erase, form, request.cookies)
    if gone is None:
        return _back(form, erase="1" if form.get("by") == "session" else "code")
    response = _back(form, erase="done")
    for name in (cookies.ERASE, *_own(request.cookies, gone)):
        response.delete_cookie(name, path="/")
    erased = f"{gone.session_id}.{gone.outcome or ''}"
    responses.set_cookie(response, request, cookies.ERASED, erased, max_age_s=TOLD_S)
    return response


async def _act(request: Request, act: Callable[[Connection, Session], object]) -> RedirectResponse:
    form = await bodies.form(request)
    cookie = request.cookies.get(cookies.participant(form.get("at", "")), "")

    def run() -> None:
        if not cookies.matches(cookie, form.get("token")):
            return
        with db_engine.writing(store.engine()) as conn:
            session = sessions.by_token(conn, cookie)
            if session is not None:
                act(conn, session)

    await run_in_threadpool(run)
    return _back(form)


def _back(form: dict[str, str], **more: str) -> RedirectResponse:
    """Lead back to the participant's page, and nowhere else."""
    back = form.get("back", "")
    kept = dict(parse_qsl(back.removeprefix("/?"))) if back.startswith("/?") else {}
    query = {name: value for name, value in {**kept, **more}.items() if value}
    return RedirectResponse(f"/?{urlencode(query)}", status_code=303)


def _find(study_id: str, typed: str) -> str | int | None:
    """Return the code, minutes to wait after too many attempts, or None where there is no such session."""
    with db_engine.writing(store.engine()) as conn:
        wait_min = attempts.count(conn, f"erase {study_id}", most=erase_codes.MOST_ATTEMPTS)
        found = None if wait_min else erase_codes.find(conn, study_id, typed)
    return wait_min or (found and found[1])


def _erase(form: dict[str, str], jar: dict[str, str]) -> Session | None:
    """Delete what the form asks for; None where it is not there, not this browser's or too late."""
    name = cookies.participant(form.get("at", "")) if form.get("by") == "session" else cookies.ERASE
    cookie = jar.get(name, "")
    if not cookies.matches(cookie, form.get("token")):
        return None
    with db_engine.writing(store.engine()) as conn:
        session = _named(conn, cookie, by=form.get("by", ""))
        if session is None:
            return None
        study = store.study_of(conn, session.config_hash)
        if not leaving.may_erase(study, session, now()):
            return None
        shared = leaving.shared(study, sessions.consents(conn, session.session_id))
        backups = settings.load().data / "backups"
        erasure.erase(conn, session.session_id, who=erasure.BY_PARTICIPANT, shared=shared, backups=backups)
    return session


def _named(conn: Connection, cookie: str, *, by: str) -> Session | None:
    if by == "session":
        return sessions.by_token(conn, cookie)
    study_id, _, code = cookies.unsealed(cookie, settings.secret(settings.load())).partition(".")
    found = erase_codes.find(conn, study_id, code)
    return found and found[0]


def _own(jar: dict[str, str], gone: Session) -> list[str]:
    """Cookies that lead to the session that is gone, if the browser holds any."""
    name = cookies.participant(cookies.session_key(gone.study_id, gone.kind))
    if name not in jar:
        return []
    with db_engine.reading(store.engine()) as conn:
        return [] if sessions.by_token(conn, jar[name]) else [name]
