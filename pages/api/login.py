"""The researcher's login: forms in, a cookie out; what was wrong goes to the page as a code that it knows."""

from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse

from core import cookies
from core.errors import LoginError
from db import engine as db_engine
from db import researchers
from pages.api import bodies, responses, store

LOGIN_S = int(researchers.LOGIN_LASTS.total_seconds())
_PAGES = {"/studies", "/ai_ratings", "/dashboard", "/export"}


async def log_in(request: Request) -> RedirectResponse:
    """Check name and password."""
    form = await bodies.form(request)
    target = form.get("next") if form.get("next") in _PAGES else "/studies"
    try:
        token = await run_in_threadpool(_log_in, form.get("name", ""), form.get("password", ""))
    except LoginError as error:
        return _to("/researcher", **_refusal(error), next=target)
    response = _to(target)
    responses.set_cookie(response, request, cookies.LOGIN, token, max_age_s=LOGIN_S)
    return response


async def change_password(request: Request) -> RedirectResponse:
    """Replace the password of the one who is logged in; every other login of theirs ends."""
    form, cookie = await bodies.form(request), request.cookies.get(cookies.LOGIN, "")
    if not cookies.matches(cookie, form.get("token")):
        return _to("/researcher", problem="ended")
    new, repeated = form.get("new", ""), form.get("repeated", "")
    if new != repeated:
        return _to("/researcher", problem="differ")
    if not researchers.SHORTEST_PASSWORD <= len(new) <= researchers.LONGEST_PASSWORD:
        return _to("/researcher", problem="length")
    try:
        token = await run_in_threadpool(_change, cookie, new)
    except LoginError:
        return _to("/researcher", problem="same" if await run_in_threadpool(_is_open, cookie) else "ended")
    response = _to("/studies")
    responses.set_cookie(response, request, cookies.LOGIN, token, max_age_s=LOGIN_S)
    return response


async def log_out(request: Request) -> RedirectResponse:
    """End this login on the server, not only in the browser."""
    form, cookie = await bodies.form(request), request.cookies.get(cookies.LOGIN, "")
    response = _to("/researcher")
    if cookies.matches(cookie, form.get("token")):
        await run_in_threadpool(_log_out, cookie)
        response.delete_cookie(cookies.LOGIN, path="/")
    return response


def _to(path: str | None, **query: str | None) -> RedirectResponse:
    said = {name: value for name, value in query.items() if value}
    return RedirectResponse(f"{path}?{urlencode(said)}" if said else str(path), status_code=303)


def _refusal(error: LoginError) -> dict[str, str]:
    if error.wait_min is None:
        return {"problem": "wrong"}
    return {"problem": "wait", "minutes": str(error.wait_min)}


def _log_in(name: str, password: str) -> str:
    return researchers.log_in(store.engine(), name, password).token


def _change(cookie: str, new: str) -> str:
    with db_engine.writing(store.engine()) as conn:
        return researchers.change_password(conn, cookie, new).token


def _is_open(cookie: str) -> bool:
    with db_engine.reading(store.engine()) as conn:
        return researchers.by_token(conn, cookie) is not None


def _log_out(cookie: str) -> None:
    with db_engine.writing(store.engine()) as conn:
        researchers.log_out(conn, cookie)
