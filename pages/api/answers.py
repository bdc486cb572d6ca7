"""POST /api/answers: what the trial element sends, acknowledged only once it is stored."""

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from core import answers as core_answers
from core import cookies
from core.errors import AnswerError, DatabaseError
from core.records import Answer
from pages.api import bodies, saving
from pages.api.saving import Outcome, Post

AT_ONCE = 20_000  # bytes that are read in the event loop itself; more would keep the others waiting


async def answers(request: Request) -> JSONResponse:
    """Store a batch of answers; sending one again changes nothing."""
    cookie = request.cookies.get(cookies.participant(request.query_params.get("at", "")))
    if not cookie or not cookies.matches(cookie, request.headers.get("x-facenorm-token")):
        return _error(401, "this browser has no session here; open the study's link again")
    try:
        batch = await _read(request)
        outcome = await saving.writer().store(Post(cookie, batch))
    except HTTPException as error:
        return _error(error.status_code, error.detail)
    except AnswerError as error:
        return _error(400, str(error))
    except DatabaseError:
        # Its words are for who runs the server, and in the log; the browser keeps the answers.
        return _error(503, "the answers could not be stored now; send them again")
    return _response(outcome)


async def _read(request: Request) -> tuple[Answer, ...]:
    body = await bodies.read(request, limit=core_answers.MAX_BYTES)
    if len(body) <= AT_ONCE:
        return core_answers.parse(body)
    return await run_in_threadpool(core_answers.parse, body)


def _response(outcome: Outcome) -> JSONResponse:
    """Answer 200 when everything is stored, else why not: of the session, or of the first rejected answer."""
    if not outcome.known:
        return _error(401, "this session is not known any more; open the study's link again")
    if outcome.ended:
        return JSONResponse({"error": outcome.ended, "acked": outcome.acked}, status_code=410)
    status = int(outcome.rejected[0]["status"]) if outcome.rejected else 200
    return JSONResponse({"acked": outcome.acked, "rejected": outcome.rejected}, status_code=status)


def _error(status: int, reason: str) -> JSONResponse:
    return JSONResponse({"error": reason}, status_code=status)
