"""Answers: every revision is kept, the newest is current, and a repeated post changes nothing.

Answers of many sessions are stored in one transaction: what is known of their trials is read at once, each
answer is judged by itself, and those that pass are written at once. Nothing is remembered between two
transactions, for another process may have erased, ended or restarted what this one knew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, bindparam, exists, select, update

from core.errors import AnswerError, ConflictError, EndedError
from core.records import Answer, Evidence, Expected, Outcome, Response, Shown, Trial
from db.schema import answer as answer_table
from db.schema import response, session, trial, trial_stimulus
from db.statements import canonical, digest, now

SIGN_OF_LIFE = timedelta(seconds=30)  # how old the last one grows before the next is written


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer goes, as this transaction sees it.

    trial: with its target alone.
    may_be_last: with this answer, the session may have an answer to each of its trials.
    of_responses: what is written beside every response.
    revisions: the hashes of the bodies that are stored already; grows with each accepted answer.
    """

    trial: Trial
    superseded: bool
    token_sha256: str
    config_hash: str
    outcome: Outcome | None
    last_seen_at: datetime
    may_be_last: bool
    of_responses: Mapping[str, object]
    revisions: dict[int, str]

    @property
    def session_id(self) -> str:
        """The session that the trial is of."""
        return str(self.of_responses["session_id"])


@dataclass(frozen=True, slots=True)
class Accepted:
    """A new answer, judged and not yet written."""

    answer: Answer
    body_sha256: str
    place: Place


def hold(conn: Connection, tokens: Collection[str]) -> None:
    """Let nobody else store answers of these tokens' sessions, nor end them, until the transaction ends.

    Two posts of one session at the same time: the second waits here and then sees the first.
    """
    # On SQLite a writing transaction is alone already. The order keeps two batches from a deadlock.
    if conn.dialect.name == "postgresql":
        held = session.c.token_sha256.in_([digest(token) for token in tokens])
        found = select(session.c.session_id).where(held).order_by(session.c.session_id)
        conn.execute(found.with_for_update(key_share=True))


def places(conn: Connection, trial_ids: Collection[str]) -> dict[str, Place]:
    """Find where the answers to these trials go; trials that are not there are left out."""
    found: dict[str, Place] = {}
    for row in conn.execute(_PLACES, {"trial_ids": list(trial_ids)}):
        place = found.get(row.trial_id)
        if place is None:
            place = found[row.trial_id] = _place(row)
        if row.revision is not None:
            place.revisions[row.revision] = row.body_sha256
    return found


def judge(answer: Answer, place: Place, *, back: bool) -> Accepted | None:
    """Say whether an answer is new; None where this revision is stored already with the same body.

    back: whether the study lets participants go back and revise.
    Raises EndedError when its session has ended early, ConflictError when the revision is stored with
    another body or a later attempt replaced the trial, and AnswerError when it is not the next revision
    or the study does not allow revisions.
    """
    body_sha256 = _body_hash(answer)
    stored = place.revisions.get(answer.revision)
    if stored == body_sha256:
        return None
    if stored is not None:
        raise ConflictError(
            f"revision {answer.revision} of trial {answer.trial_id!r} is stored with another body; "
            "it stays as it is, a change needs the next revision"
        )
    _require_open(answer, place)
    _require_next(answer, last=max(place.revisions, default=0), back=back)
    place.revisions[answer.revision] = body_sha256
    return Accepted(answer, body_sha256, place)


def save(conn: Connection, accepted: Sequence[Accepted]) -> None:
    """Write accepted answers; they become current, and their sessions show a sign of life."""
    if not accepted:
        return
    revised = [each.answer.trial_id for each in accepted if each.answer.revision > 1]
    if revised:
        conn.execute(_REPLACE, {"trial_ids": revised})
    moment = now()
    conn.execute(answer_table.insert(), [_answer_row(each, moment) for each in accepted])
    rows = [_response_row(each, given) for each in accepted for given in each.answer.responses]
    if rows:
        conn.execute(response.insert(), rows)
    quiet = {each.place.session_id for each in accepted if moment - each.place.last_seen_at > SIGN_OF_LIFE}
    if quiet:
        conn.execute(_TOUCH, {"session_ids": sorted(quiet), "moment": moment})


def _require_open(answer: Answer, place: Place) -> None:
    # After a complete session a late revision is still welcome; all its trials are answered.
    if place.outcome not in {None, "complete"}:
        raise EndedError("this session has ended; it takes no more answers")
    if place.superseded:
        raise ConflictError(
            f"trial {answer.trial_id!r} was begun anew, and only its later attempt counts; "
            "load the page again"
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


_RESPONSE = tuple(field.name for field in fields(Response))
_EVIDENCE = tuple(field.name for field in fields(Evidence))
_FIRST_EVIDENCE = ("onset_ok", "decode_ms", "blur_count", "input_device", "viewport")
_USUAL_EVIDENCE = asdict(Evidence(onset_ok=True))


def _body_hash(answer: Answer) -> str:
    evidence = {name: getattr(answer.evidence, name) for name in _EVIDENCE}
    body = {
        "trial_id": answer.trial_id,
        "revision": answer.revision,
        "responses": [
            {name: getattr(given, name) for name in _RESPONSE}
            for given in sorted(answer.responses, key=lambda one: one.scale_id)
        ],
        # An answer that an earlier Facenorm stored has the same hash when it comes again: what it did not
        # know yet is left out where nothing is said of it.
        "evidence": {
            name: value
            for name, value in evidence.items()
            if name in _FIRST_EVIDENCE or value != _USUAL_EVIDENCE[name]
        },
    }
    return digest(canonical(body))


def _answer_row(each: Accepted, moment: datetime) -> dict[str, object]:
    return {
        "trial_id": each.answer.trial_id,
        "revision": each.answer.revision,
        "body_sha256": each.body_sha256,
        "saved_at": moment,
        **{name: getattr(each.answer.evidence, name) for name in _EVIDENCE},
    }


def _response_row(each: Accepted, given: Response) -> dict[str, object]:
    return {
        "trial_id": each.answer.trial_id,
        "revision": each.answer.revision,
        # Two revisions of one trial may lie in one batch.
        "current": each.answer.revision == max(each.place.revisions),
        **{name: getattr(given, name) for name in _RESPONSE},
        **each.place.of_responses,
    }


def _place(row: Row[tuple[object, ...]]) -> Place:
    fields = row._mapping
    return Place(
        trial=Trial(
            trial_id=row.trial_id,
            block=row.block,
            trial_index=row.trial_index,
            shown=(Shown("target", row.stimulus_id),),
            is_practice=row.is_practice,
            is_attention=row.is_attention,
            task=row.task,
            expected=row.expected and Expected(**row.expected),
        ),
        superseded=row.superseded,
        token_sha256=row.token_sha256,
        config_hash=row.config_hash,
        outcome=row.outcome,
        last_seen_at=row.last_seen_at,
        may_be_last=row.trial_id == row.last_trial or row.last_is_answered,
        of_responses={column.name: fields[column] for column in _OF_RESPONSES},
        revisions={},
    )


_OF_RESPONSES = (
    session.c.session_id,
    session.c.study_id,
    session.c.study_version,
    session.c.kind,
    session.c.phase,
    trial_stimulus.c.stimulus_id,
    trial_stimulus.c.is_main,
)
_other = trial.alias()
_late = answer_table.alias()
# A session that has an answer to each trial has one to its last: looking there first costs next to nothing.
_last_trial = (
    select(_other.c.trial_id)
    .where(_other.c.session_id == session.c.session_id, ~_other.c.superseded)
    .order_by(_other.c.trial_index.desc())
    .limit(1)
    .scalar_subquery()
    .correlate(session)
)
_PLACES = (
    select(
        trial.c.trial_id,
        trial.c.block,
        trial.c.trial_index,
        trial.c.is_practice,
        trial.c.is_attention,
        trial.c.task,
        trial.c.expected,
        trial.c.superseded,
        session.c.token_sha256,
        session.c.config_hash,
        session.c.outcome,
        session.c.last_seen_at,
        *_OF_RESPONSES,
        _last_trial.label("last_trial"),
        exists().where(_late.c.trial_id == _last_trial).label("last_is_answered"),
        answer_table.c.revision,
        answer_table.c.body_sha256,
    )
    .select_from(trial)
    .join(session, session.c.session_id == trial.c.session_id)
    .join(trial_stimulus, trial_stimulus.c.trial_id == trial.c.trial_id)
    .outerjoin(answer_table, answer_table.c.trial_id == trial.c.trial_id)
    .where(trial_stimulus.c.role == "target")
    .where(trial.c.trial_id.in_(bindparam("trial_ids", expanding=True)))
)
_REPLACE = (
    update(response)
    .where(response.c.trial_id.in_(bindparam("trial_ids", expanding=True)), response.c.current)
    .values(current=False)
)
_TOUCH = (
    update(session)
    .where(session.c.session_id.in_(bindparam("session_ids", expanding=True)))
    .values(last_seen_at=bindparam("moment"))
)
