"""Pictures, under the hash of their served bytes."""

import re
from functools import cache

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core import cookies
from core.records import Picture
from db import engine as db_engine
from db import pictures, researchers
from pages.api import store
from pages.api.kept import Kept

_SHA256 = re.compile(r"[0-9a-f]{64}")
KEPT_BYTES = 64_000_000  # of pictures that are at hand without asking the database for their bytes
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
        return _pictures().get(served_sha256, lambda: pictures.get(conn, served_sha256))


@cache
def _pictures() -> Kept[str, Picture]:
    return Kept(KEPT_BYTES, weight=lambda picture: len(picture.content))


def _may_see(conn: Connection, jar: dict[str, str], served_sha256: str) -> bool:
    prefix = cookies.participant("")
    held = [value for name, value in jar.items() if name.startswith(prefix)]
    if held and pictures.allowed(conn, tokens=held[:_COOKIES], served_sha256=served_sha256):
        return True
    login = jar.get(cookies.LOGIN)
    return login is not None and researchers.by_token(conn, login) is not None
