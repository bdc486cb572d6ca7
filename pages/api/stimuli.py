"""Pictures, under the hash of their served bytes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
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

KEPT_BYTES = 64_000_000  # of pictures
KEPT_SESSIONS = 2000  # which pictures they show: up to some hundred hashes each
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COOKIES = 40  # sessions of other studies that one browser may hold


@dataclass(frozen=True, slots=True)
class AtHand:
    """What is known without asking the database: the bytes of pictures, and who may see which.

    What a session shows only ever grows: a picture that is not among those at hand is looked up again.
    """

    pictures: Kept[str, Picture]
    seen_by: Kept[str, frozenset[str]]


@cache
def at_hand() -> AtHand:
    """What this process has at hand."""
    return AtHand(Kept(KEPT_BYTES, weight=lambda picture: len(picture.content)), Kept(KEPT_SESSIONS))


async def stimulus(request: Request) -> Response:
    """Serve one picture to a participant of its study, or to a researcher.

    A wrong hash and a picture of another study look the same: 404.
    """
    served_sha256 = request.path_params["served_sha256"]
    if not _SHA256.fullmatch(served_sha256):
        return PlainTextResponse("no such stimulus", status_code=404)
    picture = _known(request.cookies, served_sha256)
    if picture is None:
        picture = await run_in_threadpool(_find, dict(request.cookies), served_sha256)
    if picture is None:
        return PlainTextResponse("no such stimulus", status_code=404)
    return Response(
        picture.content,
        media_type=picture.media_type,
        headers={"Cache-Control": "private, max-age=31536000, immutable"},
    )


def _tokens(jar: Mapping[str, str]) -> list[str]:
    prefix = cookies.participant("")
    return [value for name, value in jar.items() if name.startswith(prefix)][:_COOKIES]


def _known(jar: Mapping[str, str], served_sha256: str) -> Picture | None:
    """Return a picture that is at hand, to somebody of whom it is known that they may see it."""
    seen = any(served_sha256 in (at_hand().seen_by.get(token) or ()) for token in _tokens(jar))
    return at_hand().pictures.get(served_sha256) if seen else None


def _find(jar: Mapping[str, str], served_sha256: str) -> Picture | None:
    with db_engine.reading(store.engine()) as conn:
        if not _may_see(conn, jar, served_sha256):
            return None
        picture = at_hand().pictures.get(served_sha256) or pictures.get(conn, served_sha256)
    if picture is not None:
        at_hand().pictures.keep(served_sha256, picture)
    return picture


def _may_see(conn: Connection, jar: Mapping[str, str], served_sha256: str) -> bool:
    login = jar.get(cookies.LOGIN)
    if login is not None and researchers.by_token(conn, login) is not None:
        return True
    for token in _tokens(jar):
        shown = pictures.allowed(conn, token)
        if served_sha256 in shown:
            at_hand().seen_by.keep(token, shown)
            return True
    return False
