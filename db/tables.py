"""What was collected, as tables: rows are read as they are needed, so that memory stays constant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar, get_args

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from core.records import Participant, Phase, QuestionnaireAnswer, SessionKind, StudyStimulus, StudyVersion
from db import checks, exclusions, rating_rows, studies
from db.checks import Checks
from db.exclusions import Exclusion
from db.rating_rows import LeftOut, Value
from db.schema import about as about_table
from db.schema import consent, questionnaire, response, session, trial
from db.sessions import AboutValue

T = TypeVar("T")
Conditions = tuple[ColumnElement[bool], ...]

HUMAN: tuple[SessionKind, ...] = ("human",)
LIVE: tuple[Phase, ...] = ("live",)
CHUNK = 2000
NOTHING_CHECKED = Checks()
_OF_PARTICIPANT = (
    *("session_id", "study_id", "study_version", "config_hash", "kind", "phase", "language"),
    *("utc_offset_min", "began_at", "completed_at", "task_order", "disclosure", "outcome", "ended_at"),
    *("returns", "catalogue_sha256", "app", "px_per_cm"),
)


@dataclass(frozen=True, slots=True)
class Count:
    """How often a stimulus got a value or label on a scale, in raw points or response codes."""

    scale_id: str
    stimulus_id: str
    status: str
    value: float | None
    label: str | None
    n: int


def ratings(
    conn: Connection,
    study_id: str,
    *,
    config_hash: str | None = None,
    kinds: Sequence[SessionKind] = HUMAN,
    phases: Sequence[Phase] = LIVE,
) -> Iterator[dict[str, Value]]:
    """Yield a study's current ratings: a row per trial and scale, sessions in the order they began.

    A row has the columns of ratings.csv, raw scale points in `response`, and besides them `kind`, `phase`
    and `language`. Excluded ratings and superseded attempts are marked, not left out.
    """
    left_out = LeftOut.of(exclusions.active(conn, study_id))
    bounds = {
        version.config_hash: rating_rows.bounds(version.content)
        for version in studies.listing(conn, study_id)
    }
    found = rating_rows.statement().where(*_of_study(study_id, config_hash, kinds, phases))
    # A reader who stops in the middle leaves no cursor open on the server.
    with conn.execute(found.execution_options(yield_per=CHUNK)) as result:
        keys = tuple(result.keys())
        for values in result:
            row: dict[str, Value] = dict(zip(keys, values, strict=True))
            yield rating_rows.complete(row, bounds=bounds[str(row["config_hash"])], left_out=left_out)


def counts(
    conn: Connection,
    config_hash: str,
    *,
    kinds: Sequence[SessionKind] = HUMAN,
    phases: Sequence[Phase] = LIVE,
) -> tuple[Count, ...]:
    """Count a version's ratings by scale, stimulus and value, without what is excluded.

    Practice, attention checks, repeats, foils and superseded attempts do not count: one rater, one
    stimulus, one rating.
    """
    version = studies.get(conn, config_hash)
    if version is None:
        return ()
    by = (response.c.scale_id, response.c.stimulus_id, response.c.status, response.c.value, response.c.label)
    found = (
        select(*by, func.count().label("n"))
        .where(response.c.study_id == version.study_id, response.c.study_version == version.version)
        .where(response.c.kind.in_(kinds), response.c.phase.in_(phases))
        .where(response.c.current, response.c.is_main)
        .where(*_not_excluded(exclusions.active(conn, version.study_id)))
        .group_by(*by)
    )
    return tuple(Count(*row) for row in conn.execute(found))


def foils(
    conn: Connection,
    config_hash: str,
    *,
    kinds: Sequence[SessionKind] = HUMAN,
    phases: Sequence[Phase] = LIVE,
) -> tuple[Count, ...]:
    """Count a version's ratings of pairs that show two people, without what is excluded."""
    version = studies.get(conn, config_hash)
    if version is None:
        return ()
    by = (response.c.scale_id, response.c.stimulus_id, response.c.status, response.c.value, response.c.label)
    found = (
        select(*by, func.count().label("n"))
        .join(trial, trial.c.trial_id == response.c.trial_id)
        .where(*_beside_main(conn, version, kinds, phases), trial.c.is_foil)
        .group_by(*by)
    )
    return tuple(Count(*row) for row in conn.execute(found))


def retests(
    conn: Connection,
    config_hash: str,
    *,
    kinds: Sequence[SessionKind] = HUMAN,
    phases: Sequence[Phase] = LIVE,
) -> dict[str, int]:
    """Count by scale how often somebody gave a value both times that they saw a stimulus."""
    version = studies.get(conn, config_hash)
    if version is None:
        return {}
    first = response.alias("first")
    same = (first.c.trial_id == trial.c.repeat_of, first.c.scale_id == response.c.scale_id, first.c.current)
    found = (
        select(response.c.scale_id, func.count())
        .join(trial, trial.c.trial_id == response.c.trial_id)
        .join(first, and_(*same))
        .where(*_beside_main(conn, version, kinds, phases), trial.c.is_repeat)
        .where(response.c.status == "answered", first.c.status == "answered")
        .group_by(response.c.scale_id)
    )
    return dict(conn.execute(found).tuples().all())


def participants(
    conn: Connection,
    study_id: str,
    *,
    config_hash: str | None = None,
    kinds: Sequence[SessionKind] = HUMAN,
    phases: Sequence[Phase] = LIVE,
) -> Iterator[Participant]:
    """Yield a study's sessions, begun or complete, in the order in which they began."""
    left_out = exclusions.reasons(exclusions.active(conn, study_id), "session")
    of_study = _of_study(study_id, config_hash, kinds, phases)
    abouts, consents = _about(conn, of_study), _consents(conn, of_study)
    checked = checks.of_sessions(conn, of_study)
    # A code is nobody's before it is shown to them.
    code = case((session.c.completed_at.is_not(None), session.c.completion_code))
    found = (
        select(*(session.c[name] for name in _OF_PARTICIPANT), code.label("completion_code"))
        .where(*of_study)
        .order_by(session.c.study_version, session.c.began_at, session.c.session_id)
    )
    with conn.execute(found.execution_options(yield_per=CHUNK)) as result:
        for row in result:
            yield Participant(
                **row._asdict() | {"task_order": tuple(row.task_order)},
                **asdict(checked.get(row.session_id, NOTHING_CHECKED)),
                about=abouts.get(row.session_id, {}),
                consents=consents.get(row.session_id, {}),
                excluded=row.session_id in left_out,
                exclusion_reason=left_out.get(row.session_id),
            )


def questionnaire_answers(
    conn: Connection,
    study_id: str,
    *,
    config_hash: str | None = None,
    kinds: Sequence[SessionKind] = HUMAN,
    phases: Sequence[Phase] = LIVE,
) -> Iterator[QuestionnaireAnswer]:
    """Yield what participants answered in questionnaires, sessions in the order in which they began."""
    names = ("session_id", "study_id", "study_version", "config_hash")
    given = ("questionnaire_id", "question_id", "value", "saved_at")
    found = (
        select(*(session.c[name] for name in names), *(questionnaire.c[name] for name in given))
        .join(questionnaire, questionnaire.c.session_id == session.c.session_id)
        .where(*_of_study(study_id, config_hash, kinds, phases))
        .order_by(session.c.study_version, session.c.began_at, session.c.session_id)
        .order_by(questionnaire.c.questionnaire_id, questionnaire.c.question_id)
    )
    with conn.execute(found.execution_options(yield_per=CHUNK)) as result:
        for row in result:
            question_id, _, item_id = row.question_id.partition(".")
            yield QuestionnaireAnswer(**row._asdict() | {"question_id": question_id}, item_id=item_id or None)


def stimuli(conn: Connection, study_id: str, *, config_hash: str | None = None) -> Iterator[StudyStimulus]:
    """Yield the stimuli of a study's versions, or of one of them."""
    left_out = exclusions.reasons(exclusions.active(conn, study_id), "stimulus")
    for version in reversed(studies.listing(conn, study_id)):
        if config_hash not in {None, version.config_hash}:
            continue
        for one in studies.stimuli(conn, version.config_hash):
            yield StudyStimulus(
                study_id=study_id,
                study_version=version.version,
                config_hash=version.config_hash,
                stimulus=one,
                excluded=one.stimulus_id in left_out,
                exclusion_reason=left_out.get(one.stimulus_id),
            )


def _of_study(
    study_id: str, config_hash: str | None, kinds: Sequence[SessionKind], phases: Sequence[Phase]
) -> Conditions:
    conditions = (session.c.study_id == study_id, session.c.kind.in_(kinds), session.c.phase.in_(phases))
    return conditions if config_hash is None else (*conditions, session.c.config_hash == config_hash)


def _beside_main(
    conn: Connection, version: StudyVersion, kinds: Sequence[SessionKind], phases: Sequence[Phase]
) -> Conditions:
    """Responses of a version that are no main ratings, of the last attempt, without what is excluded."""
    return (
        response.c.study_id == version.study_id,
        response.c.study_version == version.version,
        response.c.kind.in_(kinds),
        response.c.phase.in_(phases),
        response.c.current,
        ~response.c.is_main,
        ~trial.c.superseded,
        *_not_excluded(exclusions.active(conn, version.study_id)),
    )


def _not_excluded(active: Sequence[Exclusion]) -> list[ColumnElement[bool]]:
    columns = {
        "session": response.c.session_id,
        "trial": response.c.trial_id,
        "stimulus": response.c.stimulus_id,
    }
    # A condition only where there is something to leave out: the trial is not in the index that counts.
    found = {kind: exclusions.reasons(active, kind) for kind in get_args(exclusions.TargetKind)}
    return [columns[kind].not_in(list(targets)) for kind, targets in found.items() if targets]


def _about(conn: Connection, of_study: Conditions) -> dict[str, dict[str, AboutValue]]:
    columns = (about_table.c.session_id, about_table.c.question_id, about_table.c.value)
    rows = conn.execute(select(*columns).join(session).where(*of_study))
    return _nested(row._tuple() for row in rows)


def _consents(conn: Connection, of_study: Conditions) -> dict[str, dict[str, bool]]:
    columns = (consent.c.session_id, consent.c.item_id, consent.c.agreed)
    rows = conn.execute(select(*columns).join(session).where(*of_study))
    return _nested(row._tuple() for row in rows)


def _nested(rows: Iterable[tuple[str, str, T]]) -> dict[str, dict[str, T]]:
    found: dict[str, dict[str, T]] = {}
    for session_id, name, value in rows:
        found.setdefault(session_id, {})[name] = value
    return found
