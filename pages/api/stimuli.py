"""Pictures, under the hash of their served bytes."""

import re

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core import cookies
from core.records import Picture
from db import engine as db_engine
from db import pictures, researchers, sessions
from pages.api import store

_SHA256 = re.compile(r"[0-9a-f]{64}")
_COOKIES = 40  # sessions of other studies that one browser may hold


async def stimulus(request: Request) -> Response:
    """Serve one picture to a participant of its study, or to a researcher.

    A wrong hash and a picture of another study look the same: 404.
    """
    served_sha256 = request.path_params["served_sha256"]
    if not _SHA256.fullmatch(served_sha256):
        return PlainTextResponse("no such stimulus", status_code=404)
    picture = await run_in_threadpool(_find, dict(request.cookies), served_sha256)
    if picture is None:
        return PlainTextResponse("no such stimulus", status_code=404)
    return Response(
        picture.content,
        media_type=picture.media_type,
        headers={"Cache-Control": "private, max-age=31536000, immutable"},
    )


def _find(jar: dict[str, str], served_sha256: str) -> Picture | None:
    with db_engine.reading(store.engine()) as conn:
        if not _may_see(conn, jar, served_sha256):
            return None
        return pictures.get(conn, served_sha256)


def _may_see(conn: Connection, jar: dict[str, str], served_sha256: str) -> bool:
    login = jar.get(cookies.LOGIN)
    if login is not None and researchers.by_token(conn, login) is not None:
        return True
    prefix = cookies.participant("")
    held = [value for name, value in jar.items() if name.startswith(prefix)]
    found = (sessions.by_token(conn, token) for token in held[:_COOKIES])
    return any(
        pictures.allowed(conn, session_id=session.session_id, served_sha256=served_sha256)
        for session in found
        if session is not None
    )
