"""codebook.csv: what each column of an export holds, and what each scale and question asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from core import questions
from core.errors import ExportError
from core.export import fields
from core.ratings import Kind, Row
from core.study import Scale, Study, asked
from core.study_base import Text
from core.study_design import Question

COLUMNS = ("file", "column", "scale_id", "type", "units", "range", "description", "missing", "public")
SCALE_COLUMNS = ("kind", "asks", "of", "points", "polarity", "zero", "codes", "source", "status")
QUESTION_COLUMNS = ("questionnaire_id", "question_id", "item_id")
WORDS = ("question", "instruction", "labels", "anchor_low", "anchor_middle", "anchor_high")

Headers = Mapping[str, Mapping[str, Kind]]


def kinds(study: Study) -> dict[str, Kind]:
    """The codebook's own columns: of every column, of a scale, of a question, and the words per language."""
    words = (f"{word}_{language}" for word in WORDS for language in study.languages)
    return {
        **dict.fromkeys((*COLUMNS, *SCALE_COLUMNS, *QUESTION_COLUMNS, *words), "text"),
        "points": "integer",
        "zero": "number",
    }


def rows(study: Study, headers: Headers) -> Iterator[Row]:
    """Yield a row per file and column as written, then one per scale and one per question of questionnaires.

    headers: the columns of each file with their kinds.
    Raises ExportError when a column is not described.
    """
    empty = dict.fromkeys(kinds(study))
    about = {f"about_{field}": (field, one) for field, one in questions.by_field(study.about_you).items()}
    for file, header in headers.items():
        for column, kind in header.items():
            row = {**empty, **_column(file, column, kind, study.scales)}
            question = about.get(column) if file == "participants.csv" else None
            yield {**row, **_question(*question)} if question else row
    for scale_id, scale in asked(study):
        yield {**empty, **_scale(scale_id, scale)}
    for page in study.questionnaires:
        for field, one in questions.by_field(page.questions).items():
            yield {**empty, **_answered(page.id, field, one)}


def _column(file: str, column: str, kind: Kind, scales: Collection[str]) -> Row:
    field = fields.of(file, column, scales)
    if field is None:
        raise ExportError(f"{file}: the column {column!r} is not described; add it to core/export/fields.py")
    return {
        "file": file,
        "column": column,
        "type": kind,
        "units": field.units,
        "range": field.range,
        "description": field.description,
        "missing": field.missing,
        "public": field.public,
    }


def _answered(questionnaire_id: str, field: str, question: Question) -> Row:
    question_id, _, item_id = field.partition(".")
    return {
        "file": "questionnaires.csv",
        "column": "value",
        "type": "number" if question.kind == "number" else "text",
        "range": _span(question),
        "description": "What this question asked.",
        "missing": "passed over, or suppressed in a public export",
        "public": "as it is" if question.kind == "likert" else "suppressed where fewer than 5 share it",
        "kind": question.kind,
        "questionnaire_id": questionnaire_id,
        "question_id": question_id,
        "item_id": item_id,
        **_question(field, question),
    }


def _question(field: str, question: Question) -> Row:
    """What a question asked; of a Likert list its line, under the words above the list."""
    lines = {f"{question.id}.{item.id}": item.text for item in question.items}
    return {
        "codes": "|".join(question.options),
        **_texts("question", lines.get(field, question.text)),
        **(_texts("instruction", question.text) if lines else {}),
        **_labels(question.options),
        **_caution(question),
    }


def _caution(question: Question) -> Row:
    if question.kind == "text":
        return {"description": "Free text: it may hold what identifies somebody.", "public": "left out"}
    return {"description": "A sensitive question.", "public": "left out"} if question.sensitive else {}


def _span(question: Question) -> str:
    if question.kind != "number":
        return "one of codes" if question.options else ""
    low = "" if question.min is None else f"from {question.min:g}"
    return f"{low} to {question.max:g}".strip() if question.max is not None else low


def _scale(scale_id: str, scale: Scale) -> Row:
    anchors = scale.anchors
    return {
        "file": "ratings.csv",
        "column": "response_label" if scale.kind == "choice" else "response",
        "scale_id": scale_id,
        "type": "text" if scale.kind == "choice" else "number",
        "units": "" if scale.kind == "choice" else "scale points",
        "range": _range(scale),
        "description": "What this scale asked.",
        "kind": scale.kind,
        "asks": scale.asks,
        "of": scale.of,
        "points": scale.points,
        "polarity": scale.polarity,
        "zero": scale.zero,
        "codes": "|".join(scale.options),
        "source": scale.source,
        "status": scale.status,
        **_texts("question", scale.question),
        **_texts("instruction", scale.instruction),
        **_labels(scale.options),
        **_texts("anchor_low", anchors.low if anchors else None),
        **_texts("anchor_middle", anchors.middle if anchors else None),
        **_texts("anchor_high", anchors.high if anchors else None),
    }


def _range(scale: Scale) -> str:
    if scale.kind == "choice":
        return "one of codes"
    return "0 to 100" if scale.kind == "vas" else f"1 to {scale.points}"


def _texts(word: str, text: Text | None) -> Row:
    return {f"{word}_{language}": words for language, words in (text or {}).items()}


def _labels(options: Mapping[str, Text]) -> Row:
    languages = dict.fromkeys(language for text in options.values() for language in text)
    return {
        f"labels_{language}": "|".join(text[language] for text in options.values()) for language in languages
    }
