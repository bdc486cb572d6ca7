"""Questions outside the trials: which are asked, and whether what was typed answers them."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from core import i18n
from core.study import Study
from core.study_design import Question

Value = str | float | None
Wrong = Literal["number", "range", "long", "option"]

LONGEST = 2000  # characters of a text
_LARGEST = 1e15  # up to here every whole number is exact
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d+$)(?!\d{3}$)")  # 1,5 but not 1,500


def of_page(study: Study, questionnaire_id: str | None) -> tuple[Question, ...] | None:
    """The questions of a questionnaire, or of None: those about the participant; None if there is no such."""
    if questionnaire_id is None:
        return study.about_you
    return next((one.questions for one in study.questionnaires if one.id == questionnaire_id), None)


def may_be_sensitive(study: Study, consents: Mapping[str, bool]) -> bool:
    """Whether a participant agreed to every consent item about sensitive questions."""
    return all(consents.get(item.id) for item in study.consent.items if item.sensitive)


def asked(questions: Sequence[Question], *, sensitive: bool) -> tuple[Question, ...]:
    """The questions that are on; the sensitive ones only for who agreed to them."""
    return tuple(one for one in questions if one.enabled and (sensitive or not one.sensitive))


def fields(question: Question) -> tuple[str, ...]:
    """The names under which answers are stored: the question's id, or `question.item` in a Likert list."""
    if question.kind == "likert":
        return tuple(f"{question.id}.{item.id}" for item in question.items)
    return (question.id,)


def by_field(questions: Sequence[Question]) -> dict[str, Question]:
    """Each field of these questions with its question, in order."""
    return {field: question for question in questions for field in fields(question)}


def missing(questions: Sequence[Question], saved: Mapping[str, Value]) -> tuple[str, ...]:
    """The fields that must be answered and are not."""
    return tuple(
        field
        for field, question in by_field(questions).items()
        if question.required and saved.get(field) is None
    )


def is_settled(questions: Sequence[Question], saved: Mapping[str, Value]) -> bool:
    """Whether each field is answered or, where that is allowed, passed over."""
    return all(field in saved for field in by_field(questions)) and not missing(questions, saved)


def read(question: Question, typed: str | None) -> Value:
    """What was typed or chosen, as it is stored: None for nothing, and the text itself if it is no number."""
    text = _clean(typed or "")
    if question.kind == "number":
        return _number(text)
    return text or None


def wrong(question: Question, value: Value) -> Wrong | None:
    """What keeps a value from being an answer; None where it is one, or is none at all."""
    if value is None:
        return None
    if question.kind == "number":
        return _wrong_number(question, value)
    if question.kind == "text":
        return "long" if len(str(value)) > LONGEST else None
    return None if value in question.options else "option"


def needed(question: Question, words: Mapping[str, str]) -> str:
    """What a question takes, in the catalogue's words; empty for options, which can be seen."""
    if question.kind == "text":
        return words["ask.characters"].format(most=LONGEST)
    if question.kind != "number":
        return ""
    low, high = question.min, question.max
    if low is None and high is None:
        return words["ask.number"]
    if high is None:
        return words["ask.number.from"].format(low=f"{low:g}")
    if low is None:
        return words["ask.number.to"].format(high=f"{high:g}")
    return words["ask.number.between"].format(low=f"{low:g}", high=f"{high:g}")


def told(problem: Wrong, question: Question, value: Value, words: Mapping[str, str]) -> str:
    """A problem in the catalogue's words."""
    if problem == "long":
        return words["ask.long"].format(most=LONGEST, n=len(str(value)))
    return words["ask.wrong"].format(needed=needed(question, words) or words["ask.choose"])


def label(question: Question, field: str, language: str) -> str:
    """The words of a field: the question's, or a statement's of a Likert list."""
    texts = {f"{question.id}.{item.id}": item.text for item in question.items}
    return i18n.text(texts.get(field, question.text), language)


def _clean(text: str) -> str:
    """A text as every database and file can hold it: NFC, no control characters, no halves of characters."""
    kept = "".join(_kept(text.replace("\r\n", "\n").replace("\r", "\n")))
    return unicodedata.normalize("NFC", kept).strip()


def _kept(text: str) -> Iterator[str]:
    for character in text:
        # Cc: NUL and its like, which PostgreSQL refuses; Cs: halves of a pair, which UTF-8 has not.
        if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cs"}:
            yield character


def _number(text: str) -> Value:
    # Input methods type full-width digits.
    plain = unicodedata.normalize("NFKC", text).replace("\N{MINUS SIGN}", "-").replace(" ", "")
    plain = _DECIMAL_COMMA.sub(".", plain)
    if not _NUMBER.fullmatch(plain):
        return text or None
    value = float(plain)
    return int(value) if value.is_integer() and abs(value) <= _LARGEST else value


def _wrong_number(question: Question, value: Value) -> Wrong | None:
    if not isinstance(value, int | float):
        return "number"
    low = -_LARGEST if question.min is None else question.min
    high = _LARGEST if question.max is None else question.max
    return None if math.isfinite(value) and low <= value <= high else "range"
