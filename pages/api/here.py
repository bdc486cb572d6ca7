"""POST /api/here: the sign of life of a page that is open and now loads another one."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from core import cookies
from db import engine as db_engine
from db import returning
from pages.api import store


async def here(request: Request) -> Response:
    """Note that the participant was there until now, so that the next page load ends no absence."""
    cookie = request.cookies.get(cookies.participant(request.query_params.get("at", "")))
    if not cookie or not cookies.matches(cookie, request.headers.get("x-facenorm-token")):
        return Response(status_code=401)
    await run_in_threadpool(_note, cookie)
    return Response(status_code=204)


def _note(cookie: str) -> None:
    with db_engine.writing(store.engine()) as conn:
        returning.stay(conn, cookie)
