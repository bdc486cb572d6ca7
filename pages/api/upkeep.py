"""What the server does by itself, now and then, while it runs."""

import asyncio
import logging

from starlette.concurrency import run_in_threadpool

from core.errors import FacenormError
from db import scrub
from pages.api import forgetting, store

EVERY_S = 30

_log = logging.getLogger("facenorm")


async def keep() -> None:
    """Destroy the ids that are due, and overwrite what deletions left in the database's files.

    Both happen at the start and, where there is something to do, later on. Deletions are gathered, so that
    writers wait for the overwriting twice a minute at the most.
    """
    while True:
        await run_in_threadpool(forgetting.forget_ids)
        await run_in_threadpool(settle)
        await asyncio.sleep(EVERY_S)


def settle() -> None:
    """Do it once if it is due; a failure is logged, and the next try comes by itself."""
    try:
        if not scrub.run(store.engine()):
            _log.info("a reader of an older state keeps traces of deleted answers in the database's files")
    except FacenormError as error:
        _log.warning("traces of deleted answers are still to be overwritten: %s", error)
