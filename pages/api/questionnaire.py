"""POST /api/questionnaire: answers to questions outside the trials, each stored when it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from core import cookies, i18n, questions
from core.questions import Value
from core.records import Session
from core.study_design import Question
from db import engine as db_engine
from db import questionnaires, sessions
from pages.api import bodies, store

MAX_BYTES = 2_000_000
MAX_ANSWERS = 2_000
_NEEDED = 'needed {"page": id or null, "answers": {field: text or null}, "leave": boolean, "number": count}'
_OVERTAKEN = "a later request came first; send what is still true with a higher number"
_AGAIN = "this browser has no session here; open the study's link again"


class Page(BaseModel):
    """What the browser sends: some or all answers of a page, as they were typed or chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    page: Annotated[str, Field(max_length=40)] | None  # a questionnaire; None: about the participant
    answers: Annotated[dict[Annotated[str, Field(max_length=81)], str | None], Field(max_length=MAX_ANSWERS)]
    leave: bool = False  # was Continue pressed?
    number: Annotated[int, Field(ge=0, lt=2**31)] = 0  # of this request among those of its session


async def questionnaire(request: Request) -> JSONResponse:
    """Store answers; sending them again changes nothing, and the last word on each counts."""
    cookie = request.cookies.get(cookies.participant(request.query_params.get("at", "")))
    if not cookie or not cookies.matches(cookie, request.headers.get("x-facenorm-token")):
        return _error(401, _AGAIN)
    body = await bodies.read(request, limit=MAX_BYTES)
    try:
        page = Page.model_validate_json(body)
    except ValidationError:
        return _error(400, _NEEDED)
    return await run_in_threadpool(_store, cookie, page)


def _error(status: int, reason: str) -> JSONResponse:
    return JSONResponse({"error": reason}, status_code=status)


def _store(cookie: str, page: Page) -> JSONResponse:
    with db_engine.writing(store.engine()) as conn:
        session = sessions.by_token(conn, cookie)
        if session is None:
            return _error(401, _AGAIN)
        if session.outcome is not None:
            return _error(409, "this session has ended; its answers stay as they are")
        asked = _asked(conn, session, page)
        if not asked:
            return _error(422, "this study asks nothing on this page; open the study's link again")
        if unknown := page.answers.keys() - questions.by_field(asked).keys():
            return _error(422, f"{min(unknown)!r} is not asked on this page")
        newest = questionnaires.note_request(conn, session.session_id, page.number)
        if newest > page.number:
            return JSONResponse({"error": _OVERTAKEN, "newest": newest}, status_code=412)
        return JSONResponse(_answered(conn, session, page, asked))


def _asked(conn: Connection, session: Session, page: Page) -> tuple[Question, ...]:
    study = store.study_of(conn, session.config_hash)
    sensitive = questions.may_be_sensitive(study, sessions.consents(conn, session.session_id))
    return questions.asked(questions.of_page(study, page.page) or (), sensitive=sensitive)


def _answered(
    conn: Connection, session: Session, page: Page, asked: Sequence[Question]
) -> dict[str, list[str] | dict[str, str] | bool]:
    by_field = questions.by_field(asked)
    given = {field: questions.read(by_field[field], typed) for field, typed in page.answers.items()}
    wrong = _wrong(given, by_field, session.language)
    good = {field: value for field, value in given.items() if field not in wrong}
    questionnaires.save(conn, session.session_id, page.page, good)
    saved = questionnaires.read(conn, session.session_id, page.page)
    missing = [field for field in questions.missing(asked, saved) if field not in wrong]
    left = page.leave and not wrong and not missing
    if left:  # a question passed over is stored as such
        passed = {field: None for field in by_field if field not in saved}
        questionnaires.save(conn, session.session_id, page.page, passed)
        questionnaires.leave(conn, session.session_id)
    return {"saved": list(good), "wrong": wrong, "missing": missing, "left": left}


def _wrong(given: Mapping[str, Value], by_field: Mapping[str, Question], language: str) -> dict[str, str]:
    words = i18n.words(language)
    problems = {field: questions.wrong(by_field[field], value) for field, value in given.items()}
    return {
        field: questions.told(problem, by_field[field], given[field], words)
        for field, problem in problems.items()
        if problem is not None
    }
