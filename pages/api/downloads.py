"""Exports as a download, made by the same command that a shell runs."""

import asyncio
import re
import shutil
import sys
import tempfile
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from core import cookies, settings
from db import engine as db_engine
from db import researchers
from pages.api import store

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


async def export(request: Request) -> Response:
    """Send a zip of a study's tables to a researcher; the work is done by a process of its own.

    Query: version=N (default: the open or newest one), public=1 (default) or 0, excel=1 for byte-order marks.
    """
    name = await run_in_threadpool(_researcher, request.cookies.get(cookies.LOGIN, ""))
    study_id = request.path_params["study_id"]
    if name is None:
        return PlainTextResponse("log in as a researcher first, at /researcher", status_code=401)
    if not _SLUG.fullmatch(study_id):
        return PlainTextResponse("no such study", status_code=404)
    public = request.query_params.get("public", "1") != "0"
    stem = f"{study_id}-{'public' if public else 'private'}"
    scratch = Path(tempfile.mkdtemp(prefix="facenorm-export-"))
    target = scratch / f"{stem}.zip"
    options = ["--public" if public else "--private", "--who", name, "--where", "download"]
    if request.query_params.get("excel") == "1":
        options.append("--excel")
    if (version := request.query_params.get("version", "")).isdecimal():
        options += ["--version", version]
    code, said = await _run(["export", study_id, "--out", str(target), *options])
    if code != 0:
        shutil.rmtree(scratch)
        return PlainTextResponse(said or "the export failed; see the server's log", status_code=409)
    return FileResponse(
        target,
        filename=target.name,
        headers={"Cache-Control": "no-store"},
        background=BackgroundTask(shutil.rmtree, scratch),
    )


def _researcher(cookie: str) -> str | None:
    with db_engine.reading(store.engine()) as conn:
        login = researchers.by_token(conn, cookie) if cookie else None
    return login.name if login and not login.must_change else None


async def _run(arguments: list[str]) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "core.cli",
        *arguments,
        cwd=settings.PROJECT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _out, errors = await process.communicate()
    return process.returncode or 0, errors.decode(errors="replace").strip()
