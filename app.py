"""The ASGI application: Streamlit's pages and, beside them, the project's own routes.

`streamlit run app.py` starts it, and so does `facenorm serve`.
"""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from pages import api
from pages.api.headers import Headers, OwnForms


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Bring the database up to date before the first request, and keep it tidy."""
    api.migrate()
    # With 500 participants a full collection stops everything for 300 ms, and by default one comes every
    # half minute; the younger generations take what the reruns of pages leave.
    gc.freeze()
    gc.set_threshold(700, 10, 1000)
    upkeep = asyncio.create_task(api.upkeep.keep())
    yield
    upkeep.cancel()


app = st.App(
    "pages/main.py",
    routes=api.ROUTES,
    # Streamlit sends its 2.8 MB of scripts as they are; compressed they are about 1 MB.
    middleware=[
        Middleware(Headers),
        Middleware(OwnForms),
        Middleware(GZipMiddleware, minimum_size=1000, compresslevel=6),
    ],
    lifespan=lifespan,
)
