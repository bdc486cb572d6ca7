"""What a participant's own pages post: to go on after an absence, and to leave a lab's browser."""

from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse

from core import cookies
from db import engine as db_engine
from db import returning, sessions
from pages.api import bodies, coming, store


async def resume(request: Request) -> RedirectResponse:
    """Do to a session that waits what the study's policy says, and lead back to it."""
    form = await bodies.form(request)
    cookie = _cookie(request, form)
    if cookie is not None:
        await run_in_threadpool(_resume, cookie)
    return _to(form, "study", "link", "language")


async def next_participant(request: Request) -> RedirectResponse:
    """Take the cookies of a lab's participant away and lead to the entry of the next one's code."""
    form = await bodies.form(request)
    response = _to(form, "study", "link")
    response.headers["Cache-Control"] = "no-store"
    for name in (cookies.ERASE, cookies.ERASED):
        response.delete_cookie(name, path="/")
    if _cookie(request, form) is not None:
        response.delete_cookie(cookies.participant(form["at"]), path="/")
    return response


def _cookie(request: Request, form: dict[str, str]) -> str | None:
    """Return the session's cookie where the form carries the token that goes with it."""
    cookie = request.cookies.get(cookies.participant(form.get("at", "")), "")
    return cookie if cookie and cookies.matches(cookie, form.get("token")) else None


def _resume(cookie: str) -> None:
    with db_engine.writing(store.engine()) as conn:
        session = sessions.by_token(conn, cookie)
        if session is not None:
            policy = coming.policy(store.study_of(conn, session.config_hash))
            returning.let_on(conn, session.session_id, policy)


def _to(form: dict[str, str], *names: str) -> RedirectResponse:
    query = {"lang" if name == "language" else name: form[name] for name in names if form.get(name)}
    return RedirectResponse(f"/?{urlencode(query)}", status_code=303)
