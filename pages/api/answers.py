"""POST /api/answers: what the trial element sends, acknowledged only once it is stored."""

from dataclasses import dataclass, field

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from core import answers as core_answers
from core import cookies
from core.errors import AnswerError, ConflictError
from core.records import Answer, Session, Trial
from core.study import Study, ends_with_trials
from db import answers as db_answers
from db import engine as db_engine
from db import sessions
from pages.api import bodies, store


@dataclass(slots=True)
class Outcome:
    """What became of each answer of one request."""

    acked: list[tuple[str, int]] = field(default_factory=list)
    rejected: list[dict[str, str | int]] = field(default_factory=list)

    def reject(self, answer: Answer, status: int, reason: str) -> None:
        """Note an answer that will not be stored, and why."""
        self.rejected.append(
            {"trial_id": answer.trial_id, "revision": answer.revision, "status": status, "reason": reason}
        )

    def response(self) -> JSONResponse:
        """Answer 200 when everything is stored, else the first rejected answer's status."""
        status = int(self.rejected[0]["status"]) if self.rejected else 200
        return JSONResponse({"acked": self.acked, "rejected": self.rejected}, status_code=status)


async def answers(request: Request) -> JSONResponse:
    """Store a batch of answers; sending one again changes nothing."""
    cookie = request.cookies.get(cookies.participant(request.query_params.get("at", "")))
    if not cookie or not cookies.matches(cookie, request.headers.get("x-facenorm-token")):
        return _error(401, "this browser has no session here; open the study's link again")
    body = await bodies.read(request, limit=core_answers.MAX_BYTES)
    try:
        batch = core_answers.parse(body)
    except AnswerError as error:
        return _error(400, str(error))
    outcome = await run_in_threadpool(_store, cookie, batch)
    if outcome is None:
        return _error(401, "this session is not known any more; open the study's link again")
    return outcome.response()


def _error(status: int, reason: str) -> JSONResponse:
    return JSONResponse({"error": reason}, status_code=status)


def _store(cookie: str, batch: tuple[Answer, ...]) -> Outcome | None:
    outcome = Outcome()
    with db_engine.writing(store.engine()) as conn:
        session = sessions.by_token(conn, cookie)
        if session is None:
            return None
        study = store.study_of(conn, session.config_hash)
        trials = {trial.trial_id: trial for trial in sessions.trials(conn, session.session_id)}
        for answer in batch:
            _one(conn, session, study, trials.get(answer.trial_id), answer, outcome)
        done = sessions.answered(conn, session.session_id) >= trials.keys()
        if session.outcome is None and done and ends_with_trials(study):
            sessions.complete(conn, session.session_id)
    return outcome


def _one(
    conn: Connection, session: Session, study: Study, trial: Trial | None, answer: Answer, outcome: Outcome
) -> None:
    if trial is None:
        outcome.reject(answer, 422, f"trial {answer.trial_id} is not part of this session")
        return
    try:
        core_answers.check(study, trial, answer)
        db_answers.store(conn, session.session_id, answer, back=study.trials.back)
    except ConflictError as error:
        outcome.reject(answer, 409, str(error))
    except AnswerError as error:
        outcome.reject(answer, 422, str(error))
    else:
        outcome.acked.append((answer.trial_id, answer.revision))
