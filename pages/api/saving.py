"""Where answers wait for their transaction: one for all that came while the last one was written.

A transaction that reaches the disk costs the same for one answer as for many. One thread writes, and each
request is answered after the commit that holds its answers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeAlias

from sqlalchemy import Connection

from core import answers as core_answers
from core.errors import AnswerError, ConflictError, DatabaseError, EndedError
from core.records import Answer
from core.study import ends_with_trials
from db import answers as db_answers
from db import engine as db_engine
from db import sessions
from db.answers import Accepted, Place
from db.statements import digest
from pages.api import store

AT_ONCE = 1000  # answers in one transaction, where more are waiting
# Time from the begin of one transaction to the next: many of a few answers cost several times the
# processor time of fewer with more, and a single participant never waits for it.
PACE_S = 0.02

_log = logging.getLogger("facenorm")


@dataclass(frozen=True, slots=True)
class Post:
    """The answers of one request, and the session's token that it carried."""

    token: str
    answers: tuple[Answer, ...]


@dataclass(slots=True)
class Outcome:
    """What became of each answer of one request."""

    known: bool = True  # is there a session of this token?
    acked: list[tuple[str, int]] = field(default_factory=list)
    rejected: list[dict[str, str | int]] = field(default_factory=list)
    ended: str | None = None  # why the session takes no more answers

    def reject(self, answer: Answer, error: AnswerError) -> None:
        """Note an answer that is not stored, and why."""
        status = 409 if isinstance(error, ConflictError) else 422
        self.rejected.append(
            {
                "trial_id": answer.trial_id,
                "revision": answer.revision,
                "status": status,
                "reason": str(error),
            }
        )


Settled: TypeAlias = "Outcome | Exception"
Waiting: TypeAlias = "tuple[Post, asyncio.Future[Outcome]]"


class Writer:
    """One thread that stores what requests hand to it."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Waiting] = SimpleQueue()
        Thread(target=self._run, name="facenorm-answers", daemon=True).start()

    async def store(self, post: Post) -> Outcome:
        """Return what became of a request's answers, once the transaction is committed.

        Raises DatabaseError when the database could not be written.
        """
        future = asyncio.get_running_loop().create_future()
        self._queue.put((post, future))
        return await future

    def _run(self) -> None:
        begun = -PACE_S
        while True:
            first = self._queue.get()
            time.sleep(max(0.0, begun + PACE_S - time.monotonic()))
            begun = time.monotonic()
            waiting = self._take(first)
            settled = _stored([post for post, _ in waiting])
            for (_, future), one in zip(waiting, settled, strict=True):
                _tell(future, one)

    def _take(self, first: Waiting) -> list[Waiting]:
        """Take with a request what else is waiting."""
        taken = [first]
        size = len(first[0].answers)
        while size < AT_ONCE:
            try:
                taken.append(self._queue.get_nowait())
            except Empty:
                break
            size += len(taken[-1][0].answers)
        return taken


@cache
def writer() -> Writer:
    """The process's one writer of answers; made on first use."""
    return Writer()


def _tell(future: asyncio.Future[Outcome], settled: Settled) -> None:
    def settle() -> None:
        if future.done():  # the browser has gone
            return
        if isinstance(settled, Exception):
            future.set_exception(settled)
        else:
            future.set_result(settled)

    try:
        future.get_loop().call_soon_threadsafe(settle)
    except RuntimeError:
        _log.info("the server stopped before it could acknowledge stored answers; browsers send them again")


def _stored(posts: Sequence[Post]) -> Sequence[Settled]:
    """Store requests together, or each by itself where one of them breaks the transaction."""
    try:
        return _transaction(posts)
    except DatabaseError as error:
        _log.error("answers of %d request(s) were not stored: %s", len(posts), error)
        return [error] * len(posts)
    except Exception as error:
        # Whatever is wrong with one request, the others are served.
        _log.exception("a transaction with the answers of %d request(s) failed", len(posts))
        if len(posts) == 1:
            return [error]
        return [settled for post in posts for settled in _stored([post])]


def _transaction(posts: Sequence[Post]) -> list[Outcome]:
    with db_engine.writing(store.engine()) as conn:
        db_answers.hold(conn, {post.token for post in posts})
        places = db_answers.places(conn, {answer.trial_id for post in posts for answer in post.answers})
        accepted: list[Accepted] = []
        outcomes = [_judged(conn, post, places, accepted) for post in posts]
        db_answers.save(conn, accepted)
        _complete(conn, accepted)
    return outcomes


def _judged(conn: Connection, post: Post, places: Mapping[str, Place], accepted: list[Accepted]) -> Outcome:
    """Judge each answer of a request; the accepted ones are still to be written."""
    outcome, token_sha256 = Outcome(), digest(post.token)
    own = {
        trial_id: place
        for trial_id in {answer.trial_id for answer in post.answers}
        if (place := places.get(trial_id)) and place.token_sha256 == token_sha256
    }
    if not own and sessions.by_token(conn, post.token) is None:
        return Outcome(known=False)
    for answer in post.answers:
        try:
            new = _judge(conn, answer, own.get(answer.trial_id))
        except EndedError as error:
            outcome.ended = str(error)
        except AnswerError as error:
            outcome.reject(answer, error)
        else:
            accepted += [new] if new else []
            outcome.acked.append((answer.trial_id, answer.revision))
    return outcome


def _judge(conn: Connection, answer: Answer, place: Place | None) -> Accepted | None:
    if place is None:
        raise AnswerError(f"trial {answer.trial_id} is not part of this session")
    study = store.study_of(conn, place.config_hash)
    core_answers.check(study, place.trial, answer)
    return db_answers.judge(answer, place, back=study.trials.back)


def _complete(conn: Connection, accepted: Iterable[Accepted]) -> None:
    """Complete the sessions that end with their trials and have an answer to each."""
    may_be_done = {
        each.place.session_id: each.place
        for each in accepted
        if each.place.may_be_last and each.place.outcome is None
    }
    for session_id, place in may_be_done.items():
        study = store.study_of(conn, place.config_hash)
        if ends_with_trials(study) and not sessions.open_trials(conn, session_id):
            sessions.end(conn, session_id, "complete")
