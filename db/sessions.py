"""Sessions: begun once, resumed by their token, complete when every trial is answered.

Only the hash of a token is stored. The token follows from the nonce of the form that began the
session, so that a form sent twice begins one session and gives the same token twice.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, Row, func, select, update

from core.errors import SessionError
from core.records import (
    Circumstances,
    ConsentGiven,
    Counting,
    Expected,
    Outcome,
    Phase,
    Places,
    Plan,
    Session,
    SessionKind,
    Shown,
    StudyVersion,
    Trial,
)
from db import places, studies
from db.places import Counted
from db.schema import about as about_table
from db.schema import answer, consent, consent_text, session, study_version, trial, trial_stimulus
from db.schema import tally as tally_table
from db.statements import digest, insert, lock, now

AboutValue = str | float | None
Draw = Callable[[Places], Plan]

# No 0 O 1 I L: people copy the code by hand.
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
SHORTEST_NONCE = 16
ERASE_CODE_LENGTH = 12
USUAL = Circumstances()
PLAIN = Counting()
CONSENT_TEXTS = "consent texts"  # held while a text is taken into use, or deleted because nobody uses it
_OWN = ("session_id", "superseded")  # columns of a trial that are no part of its record


@dataclass(frozen=True, slots=True)
class Flow:
    """How many came how far."""

    opened: int
    declined: int
    began: int
    completed: int


def begin(
    conn: Connection,
    *,
    config_hash: str,
    kind: SessionKind,
    phase: Phase,
    language: str,
    nonce: str,
    consents: Sequence[ConsentGiven],
    draw: Draw,
    option_order: Mapping[str, tuple[str, ...]],
    utc_offset_min: int | None,
    circumstances: Circumstances = USUAL,
    counting: Counting | Counted = PLAIN,
) -> tuple[Session, str]:
    """Begin a session with its whole plan, or give the one that this nonce has begun already.

    draw: gets what is planned and done so far, and gives the plan.
    counting: how that is counted; or what was counted before, so that only what came since is read here.
    Returns the session and its token.
    Raises SessionError when people cannot take part in this version now.
    """
    version = _locked(conn, config_hash)
    token = token_of(nonce, version.study_id, kind)
    if begun := by_token(conn, token):
        return begun, token
    if kind == "human" and version.state != "open":
        raise SessionError(
            f"study {version.study_id!r}, version {version.version}, is {version.state}; "
            "a researcher opens it on the page 'Studies'"
        )
    scope = places.Scope(version, kind, phase, language)
    plan = draw(places.renewed(conn, scope, counting))
    session_id = secrets.token_hex(16)
    conn.execute(
        session.insert(),
        {
            "session_id": session_id,
            "token_sha256": digest(token),
            "study_id": version.study_id,
            "study_version": version.version,
            "config_hash": config_hash,
            "kind": kind,
            "phase": phase,
            "language": language,
            "option_order": {scale: list(codes) for scale, codes in option_order.items()},
            "utc_offset_min": utc_offset_min,
            "completion_code": "".join(secrets.choice(CODE_LETTERS) for _ in range(8)),
            "began_at": now(),
            "last_seen_at": now(),
            "task_order": list(plan.task_order),
            **asdict(circumstances),
            "erase_code_sha256": digest(erase_code(token)),
        },
    )
    _save_consents(conn, session_id, consents)
    save_trials(conn, session_id, config_hash, plan.trials)
    return _must_get(conn, session_id), token


def token_of(nonce: str, study_id: str, kind: SessionKind) -> str:
    """The token of the session that a nonce begins."""
    if len(nonce) < SHORTEST_NONCE:
        raise SessionError("the form that begins a session came without its nonce; load the page again")
    return hmac.new(nonce.encode(), f"session {kind} {study_id}".encode(), "sha256").hexdigest()


def erase_code(token: str) -> str:
    """The code with which a participant deletes their answers; it follows from the session's token."""
    drawn = hmac.new(token.encode(), b"erase", "sha256").digest()
    return "".join(CODE_LETTERS[byte % len(CODE_LETTERS)] for byte in drawn[:ERASE_CODE_LENGTH])


def by_token(conn: Connection, token: str) -> Session | None:
    """Find the session that a participant's cookie names."""
    return _one(conn, session.c.token_sha256 == digest(token))


def get(conn: Connection, session_id: str) -> Session | None:
    """Find a session by its id."""
    return _one(conn, session.c.session_id == session_id)


def trials(conn: Connection, session_id: str) -> tuple[Trial, ...]:
    """List a session's trials in the order of their presentation, each in its last attempt."""
    shown: dict[str, list[Shown]] = {}
    for trial_id, role, stimulus_id in conn.execute(
        select(trial_stimulus.c.trial_id, trial_stimulus.c.role, trial_stimulus.c.stimulus_id)
        .where(trial_stimulus.c.session_id == session_id)
        .order_by(trial_stimulus.c.position)
    ):
        shown.setdefault(trial_id, []).append(Shown(role, stimulus_id))
    of_session = (trial.c.session_id == session_id) & ~trial.c.superseded
    rows = conn.execute(select(trial).where(of_session).order_by(trial.c.trial_index))
    return tuple(_trial(row, shown[row.trial_id]) for row in rows)


def answered(conn: Connection, session_id: str) -> frozenset[str]:
    """Tell which of a session's trials have an acknowledged answer."""
    found = (
        select(answer.c.trial_id)
        .join(trial, trial.c.trial_id == answer.c.trial_id)
        .where(trial.c.session_id == session_id)
    )
    return frozenset(conn.scalars(found))


def consents(conn: Connection, session_id: str) -> dict[str, bool]:
    """Read which items of the consent a participant agreed to."""
    found = select(consent.c.item_id, consent.c.agreed).where(consent.c.session_id == session_id)
    return {item_id: agreed for item_id, agreed in conn.execute(found)}


def about(conn: Connection, session_id: str) -> dict[str, AboutValue]:
    """Read what a participant said of themselves, by question."""
    found = select(about_table.c.question_id, about_table.c.value)
    rows = conn.execute(found.where(about_table.c.session_id == session_id))
    return {question_id: value for question_id, value in rows}


def mark_instructions(conn: Connection, session_id: str) -> None:
    """Remember that the instructions were read."""
    unread = (session.c.session_id == session_id) & session.c.instructions_at.is_(None)
    conn.execute(update(session).where(unread).values(instructions_at=now()))
    touch(conn, session_id)


def mark_debriefed(conn: Connection, session_id: str) -> None:
    """Remember that the participant was debriefed and keeps their answers in the study."""
    before = (session.c.session_id == session_id) & session.c.debriefed_at.is_(None)
    conn.execute(update(session).where(before).values(debriefed_at=now()))
    touch(conn, session_id)


def calibrate(conn: Connection, session_id: str, *, px_per_cm: float) -> None:
    """Keep how many CSS pixels make a centimetre of this participant's screen."""
    conn.execute(update(session).where(session.c.session_id == session_id).values(px_per_cm=px_per_cm))
    touch(conn, session_id)


def touch(conn: Connection, session_id: str) -> None:
    """Note a sign of life, so that the session keeps its place in the plan."""
    conn.execute(update(session).where(session.c.session_id == session_id).values(last_seen_at=now()))


def open_trials(conn: Connection, session_id: str) -> int:
    """Count the trials of a session that have no acknowledged answer."""
    waiting = (trial.c.session_id == session_id) & ~trial.c.superseded & ~_has_answer()
    return conn.scalar(select(func.count()).select_from(trial).where(waiting)) or 0


def complete(conn: Connection, session_id: str) -> Session:
    """Close a session whose trials are all answered; one that has ended stays as it is."""
    done = _must_get(conn, session_id)
    if done.outcome is not None:
        return done
    if missing := open_trials(conn, session_id):
        raise SessionError(
            f"{missing} trial(s) of this session have no acknowledged answer; "
            "answer them, or wait until the browser has sent what it keeps"
        )
    return end(conn, session_id, "complete")


def end(conn: Connection, session_id: str, outcome: Outcome) -> Session:
    """Close a session that is complete, stopped or screened out; the first end counts."""
    moment = now()
    values: dict[str, object] = {"outcome": outcome, "ended_at": moment, "last_seen_at": moment}
    if outcome == "complete":
        values["completed_at"] = moment
    running = (session.c.session_id == session_id) & session.c.outcome.is_(None)
    conn.execute(update(session).where(running).values(values))
    return _must_get(conn, session_id)


def tally(
    conn: Connection,
    config_hash: str,
    what: Literal["opened", "declined", "full", "erased"],
    *,
    kind: SessionKind = "human",
    phase: Phase = "live",
) -> None:
    """Count one more who opened the study or declined it; nothing else is kept of them."""
    statement = insert(conn, tally_table)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["config_hash", "kind", "phase", "what"], set_={"n": tally_table.c.n + 1}
        ),
        {"config_hash": config_hash, "kind": kind, "phase": phase, "what": what, "n": 1},
    )


def flow(
    conn: Connection,
    study_id: str,
    *,
    config_hash: str | None = None,
    kind: SessionKind = "human",
    phase: Phase = "live",
) -> Flow:
    """Count how far people came in a study, or in one version of it."""
    versions = select(study_version.c.config_hash).where(study_version.c.study_id == study_id)
    if config_hash is not None:
        versions = versions.where(study_version.c.config_hash == config_hash)
    tallied = (
        select(tally_table.c.what, func.sum(tally_table.c.n))
        .where(tally_table.c.config_hash.in_(versions), tally_table.c.kind == kind)
        .where(tally_table.c.phase == phase)
        .group_by(tally_table.c.what)
    )
    counted = {what: int(n) for what, n in conn.execute(tallied)}
    begun = select(func.count(), func.count(session.c.completed_at)).where(
        session.c.config_hash.in_(versions), session.c.kind == kind, session.c.phase == phase
    )
    began, completed = conn.execute(begun).one()
    return Flow(counted.get("opened", 0), counted.get("declined", 0), began, completed)


def _locked(conn: Connection, config_hash: str) -> StudyVersion:
    # Sessions of a version begin one after the other: each plan must see the one before it.
    lock(conn, f"begin {config_hash}")
    version = studies.get(conn, config_hash)
    if version is None:
        raise SessionError(f"no study version {config_hash[:12]} is in the database; ask for a new link")
    return version


def _has_answer() -> ColumnElement[bool]:
    return select(answer.c.trial_id).where(answer.c.trial_id == trial.c.trial_id).exists()


def _save_consents(conn: Connection, session_id: str, consents: Sequence[ConsentGiven]) -> None:
    lock(conn, CONSENT_TEXTS)
    for given in consents:
        text_sha256 = digest(given.text)
        seen = {"text_sha256": text_sha256, "text": given.text}
        conn.execute(insert(conn, consent_text).on_conflict_do_nothing(), seen)
        conn.execute(
            consent.insert(),
            {
                "session_id": session_id,
                "item_id": given.item_id,
                "required": given.required,
                "agreed": given.agreed,
                "language": given.language,
                "version": given.version,
                "text_sha256": text_sha256,
                "given_at": now(),
            },
        )


def save_trials(conn: Connection, session_id: str, config_hash: str, plan: Sequence[Trial]) -> None:
    """Store trials with what they show."""
    if not plan:
        raise SessionError("the plan of this session is empty; the study needs stimuli that are rated")
    columns = [column.name for column in trial.columns if column.name not in {*_OWN, "expected"}]
    rows = [
        {
            "session_id": session_id,
            "expected": one.expected and asdict(one.expected),
            **{name: getattr(one, name) for name in columns},
        }
        for one in plan
    ]
    shown = [
        {
            "trial_id": one.trial_id,
            "role": seen.role,
            "position": position,
            "config_hash": config_hash,
            "stimulus_id": seen.stimulus_id,
            "session_id": session_id,
            "is_main": not (one.is_practice or one.is_attention or one.is_repeat or one.is_foil),
            "task": one.task,
        }
        for one in plan
        for position, seen in enumerate(one.shown)
    ]
    conn.execute(trial.insert(), rows)
    conn.execute(trial_stimulus.insert(), shown)


def _trial(row: Row[tuple[object, ...]], shown: Sequence[Shown]) -> Trial:
    fields = row._asdict()
    expected = fields.pop("expected")
    for name in _OWN:
        del fields[name]
    return Trial(**fields, shown=tuple(shown), expected=expected and Expected(**expected))


def _one(conn: Connection, condition: ColumnElement[bool]) -> Session | None:
    row = conn.execute(select(session).where(condition)).one_or_none()
    if row is None:
        return None
    return Session(
        session_id=row.session_id,
        study_id=row.study_id,
        config_hash=row.config_hash,
        kind=row.kind,
        phase=row.phase,
        language=row.language,
        option_order={scale: tuple(codes) for scale, codes in row.option_order.items()},
        instructions_read=row.instructions_at is not None,
        completion_code=row.completion_code,
        began_at=row.began_at,
        completed_at=row.completed_at,
        last_seen_at=row.last_seen_at,
        task_order=tuple(row.task_order),
        disclosure=row.disclosure,
        outcome=row.outcome,
        ended_at=row.ended_at,
        debriefed_at=row.debriefed_at,
        px_per_cm=row.px_per_cm,
        returns=row.returns,
        resume_due=row.resume_due,
        utc_offset_min=row.utc_offset_min,
    )


def _must_get(conn: Connection, session_id: str) -> Session:
    found = get(conn, session_id)
    if found is None:
        raise SessionError("this session is not in the database; begin again from the study's link")
    return found
