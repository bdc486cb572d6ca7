"""Participants and what they said outside of trials: all of it, or what may be public."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Protocol

from core import questions
from core.export import fields, public
from core.ratings import Kind, Row, Value
from core.records import Participant, QuestionnaireAnswer
from core.study import Study
from core.study_design import Question

AGE = "age"
EXTERNAL_ID = "external_id"

Sheet = tuple[dict[str, Kind], Iterable[Row]]
Place = tuple[str | None, str]
"""Of an answer: the questionnaire (None: about the participant) and the field."""


class People(Protocol):
    """The columns and rows of the files about people."""

    def participants(self) -> Sheet:
        """Those of participants.csv."""

    def questionnaires(self) -> Sheet:
        """Those of questionnaires.csv."""


class All:
    """Everything, as it is stored.

    external_ids: by session, where they are asked for.
    """

    def __init__(
        self,
        study: Study,
        participants: Iterable[Participant],
        answers: Iterable[QuestionnaireAnswer],
        *,
        external_ids: Mapping[str, str] | None = None,
    ) -> None:
        self._questions = questions.by_field(study.about_you)
        self._participants, self._answers, self._external_ids = participants, answers, external_ids

    def participants(self) -> Sheet:
        """Every session, with each question and each item of consent that anybody answered."""
        kinds = _kinds(with_external_ids=self._external_ids is not None)
        rows = []
        for one in self._participants:
            about: Row = {f"about_{field}": _whole(value) for field, value in one.about.items()}
            consents: Row = {f"consent_{item}": agreed for item, agreed in one.consents.items()}
            kinds |= {column: self._kind(column) for column in about if column not in kinds}
            kinds |= dict.fromkeys(consents, "boolean")
            known = {EXTERNAL_ID: (self._external_ids or {}).get(one.session_id)}
            rows.append({**_fixed(one), **known, **about, **consents})
        return kinds, [{**dict.fromkeys(kinds), **row} for row in rows]

    def questionnaires(self) -> Sheet:
        """Every answer."""
        return fields.kinds("questionnaires.csv"), (_answer(one, one.value) for one in self._answers)

    def _kind(self, column: str) -> Kind:
        question = self._questions.get(column.removeprefix("about_"))
        return "number" if question and question.kind == "number" else "text"


class Sharing:
    """Who agreed to share, with nobody recognisable.

    Numbers and choices are facts by which somebody might be known, wherever they were asked; they are
    published as `public.suppress` allows. Lines of a Likert list say what somebody thinks of a statement,
    as ratings do of a face, and stay. Texts and sensitive questions are left out.
    """

    def __init__(
        self,
        study: Study,
        participants: Iterable[Participant],
        answers: Iterable[QuestionnaireAnswer],
        *,
        sharing: Collection[str],
        ids: public.Pseudonyms,
    ) -> None:
        self._ids = ids
        self._people = {one.session_id: one for one in participants if one.session_id in sharing}
        self._answers = [one for one in answers if one.session_id in self._people]
        self._asked = dict(_publishable(study))
        self._published = self._suppressed()

    def participants(self) -> Sheet:
        """The sessions, sorted by their new ids."""
        asked = {field: question for (page, field), question in self._asked.items() if page is None}
        kinds = _kinds(with_external_ids=False)
        for field, question in asked.items():
            kinds[f"about_{field}"] = "number" if question.kind == "number" and field != AGE else "text"
        rows = [self._row(one, asked) for one in self._people.values()]
        return kinds, sorted(rows, key=lambda row: str(row["session_id"]))

    def questionnaires(self) -> Sheet:
        """The answers, sorted by the new ids of their sessions."""
        rows = [
            {
                **_answer(one, self._published[one.session_id].get(place)),
                "subject_id": self._ids.subject(one.session_id),
                "session_id": self._ids.session(one.session_id),
                "saved_at_utc": None,
            }
            for one in self._answers
            if (place := _place(one)) in self._asked
        ]
        return fields.kinds("questionnaires.csv"), sorted(rows, key=lambda row: str(row["session_id"]))

    def _suppressed(self) -> dict[str, dict[Place | str, Value]]:
        """What is published of each session: the language, and answers by place."""
        said: dict[str, dict[Place, Value]] = {
            who: {(None, field): value for field, value in one.about.items()}
            for who, one in self._people.items()
        }
        for one in self._answers:
            said[one.session_id][_place(one)] = one.value
        facts = [place for place, question in self._asked.items() if question.kind != "likert"]
        rest = [place for place in self._asked if place not in facts]
        kept = public.suppress(
            {
                who: (self._people[who].language, *(_fact(place, given.get(place)) for place in facts))
                for who, given in said.items()
            }
        )
        return {
            who: {
                **dict(zip(("language", *facts), kept[who], strict=True)),
                **{place: given.get(place) for place in rest},
            }
            for who, given in said.items()
        }

    def _row(self, one: Participant, asked: Mapping[str, Question]) -> Row:
        published = self._published[one.session_id]
        return {
            **_fixed(one),
            **dict.fromkeys(field.column for field in fields.FILES["participants.csv"] if field.is_dropped),
            "subject_id": self._ids.subject(one.session_id),
            "session_id": self._ids.session(one.session_id),
            "language": published["language"],
            **{f"about_{field}": published[None, field] for field in asked},
        }


def _publishable(study: Study) -> Iterator[tuple[Place, Question]]:
    pages = [(None, study.about_you), *((page.id, page.questions) for page in study.questionnaires)]
    for page, asked in pages:
        for field, question in questions.by_field(questions.asked(asked, sensitive=False)).items():
            if question.kind != "text":
                yield (page, field), question


def _place(one: QuestionnaireAnswer) -> Place:
    field = one.question_id if one.item_id is None else f"{one.question_id}.{one.item_id}"
    return one.questionnaire_id, field


def _fact(place: Place, value: Value) -> Value:
    return public.age_band(value) if place[1] == AGE else _whole(value)


def _whole(value: Value) -> Value:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _kinds(*, with_external_ids: bool) -> dict[str, Kind]:
    kinds = fields.kinds("participants.csv")
    if not with_external_ids:
        del kinds[EXTERNAL_ID]
    return kinds


def _answer(one: QuestionnaireAnswer, value: Value) -> Row:
    return {
        "subject_id": one.session_id,
        "session_id": one.session_id,
        "study_id": one.study_id,
        "study_version": one.study_version,
        "config_hash": one.config_hash,
        "questionnaire_id": one.questionnaire_id,
        "question_id": one.question_id,
        "item_id": one.item_id,
        "value": _whole(value),
        "saved_at_utc": one.saved_at,
    }


def _fixed(one: Participant) -> dict[str, Value]:
    return {
        "subject_id": one.session_id,
        "session_id": one.session_id,
        "study_id": one.study_id,
        "study_version": one.study_version,
        "config_hash": one.config_hash,
        "kind": one.kind,
        "phase": one.phase,
        "language": one.language,
        "completed": one.completed_at is not None,
        "began_at_utc": one.began_at,
        "completed_at_utc": one.completed_at,
        "completion_code": one.completion_code,
        "utc_offset_min": one.utc_offset_min,
        "excluded": one.excluded,
        "exclusion_reason": one.exclusion_reason,
        "task_order": one.task_order or None,
        "disclosure": one.disclosure,
        "outcome": one.outcome,
        "ended_at_utc": one.ended_at,
        "returns": one.returns,
        "n_checks": one.n_checks,
        "n_checks_passed": one.n_checks_passed,
        "practice_attempts": one.practice_attempts,
        "catalogue_sha256": one.catalogue_sha256,
        "app": one.app,
        "px_per_cm": one.px_per_cm,
    }
