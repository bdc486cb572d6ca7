"""Whether this server can do its work."""

import logging

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from db import engine as db_engine
from pages.api import store

_log = logging.getLogger("facenorm")


async def health(_request: Request) -> JSONResponse:
    """Answer 200 when the database answers and has the schema of this program, else 503."""
    problem = await run_in_threadpool(db_engine.problem, store.engine())
    if problem is not None:
        # The words may name hosts and files, which are no stranger's business.
        _log.error("not healthy: %s", problem)
    return JSONResponse({"ok": problem is None}, status_code=200 if problem is None else 503)
