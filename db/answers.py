"""Answers: every revision is kept, the newest is current, and a repeated post changes nothing."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection, Row, select, update

from core.errors import AnswerError, ConflictError
from core.records import Answer, Response
from db import sessions
from db.schema import answer as answer_table
from db.schema import response, session, trial, trial_stimulus
from db.statements import canonical, digest, now


def store(conn: Connection, session_id: str, answer: Answer, *, back: bool) -> None:
    """Store one revision of a trial's answer.

    back: whether the study lets participants go back and revise.
    A revision that is stored already with the same body changes nothing.
    Raises ConflictError when it is stored with another body, and AnswerError when it is not the next
    one, the trial is not of this session, or the study does not allow revisions.
    """
    facts = _trial_facts(conn, session_id, answer.trial_id)
    body_sha256 = _body_hash(answer)
    stored = _revisions(conn, answer.trial_id)
    if answer.revision in stored:
        _require_same(answer, stored[answer.revision], body_sha256)
        return
    _require_next(answer, last=max(stored, default=0), back=back)
    _insert(conn, answer, body_sha256, facts)
    sessions.touch(conn, session_id)


def _trial_facts(conn: Connection, session_id: str, trial_id: str) -> Row[tuple[object, ...]]:
    found = (
        select(
            trial_stimulus.c.stimulus_id,
            trial_stimulus.c.is_main,
            session.c.session_id,
            session.c.study_id,
            session.c.study_version,
            session.c.kind,
            session.c.phase,
        )
        .select_from(trial)
        .join(session, session.c.session_id == trial.c.session_id)
        .join(trial_stimulus, trial_stimulus.c.trial_id == trial.c.trial_id)
        .where(trial.c.trial_id == trial_id, trial.c.session_id == session_id)
        .where(trial_stimulus.c.role == "target")
        # Two posts of one trial at the same time: the second waits and then sees the first.
        .with_for_update(of=trial)
    )
    facts = conn.execute(found).one_or_none()
    if facts is None:
        raise AnswerError(f"trial {trial_id!r} is not one of this session's; load the page again")
    return facts


def _revisions(conn: Connection, trial_id: str) -> dict[int, str]:
    found = select(answer_table.c.revision, answer_table.c.body_sha256)
    rows = conn.execute(found.where(answer_table.c.trial_id == trial_id))
    return {revision: body_sha256 for revision, body_sha256 in rows}


def _body_hash(answer: Answer) -> str:
    body = asdict(answer)
    body["responses"] = sorted(body["responses"], key=lambda one: str(one["scale_id"]))
    return digest(canonical(body))


def _require_same(answer: Answer, stored_sha256: str, body_sha256: str) -> None:
    if stored_sha256 != body_sha256:
        raise ConflictError(
            f"revision {answer.revision} of trial {answer.trial_id!r} is stored with another body; "
            "it stays as it is, a change needs the next revision"
        )


def _require_next(answer: Answer, *, last: int, back: bool) -> None:
    if answer.revision != last + 1:
        raise AnswerError(
            f"trial {answer.trial_id!r} has {last} revision(s) stored, but revision {answer.revision} came; "
            f"it needs revision {last + 1}"
        )
    if answer.revision > 1 and not back:
        raise AnswerError(
            f"trial {answer.trial_id!r} is answered, and this study does not allow going back; "
            "set 'trials: back: true' in a new version to allow it"
        )


def _insert(conn: Connection, answer: Answer, body_sha256: str, facts: Row[tuple[object, ...]]) -> None:
    conn.execute(
        update(response)
        .where(response.c.trial_id == answer.trial_id, response.c.current)
        .values(current=False)
    )
    conn.execute(
        answer_table.insert(),
        {
            "trial_id": answer.trial_id,
            "revision": answer.revision,
            "body_sha256": body_sha256,
            "saved_at": now(),
            **asdict(answer.evidence),
        },
    )
    if answer.responses:
        conn.execute(response.insert(), [_response_row(answer, one, facts) for one in answer.responses])


def _response_row(answer: Answer, given: Response, facts: Row[tuple[object, ...]]) -> dict[str, object]:
    return {
        "trial_id": answer.trial_id,
        "revision": answer.revision,
        "current": True,
        **asdict(given),
        **facts._asdict(),
    }
