"""codebook.csv: what each column of an export holds, and what each scale and question asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from core.errors import ExportError
from core.export import fields
from core.ratings import Kind, Row
from core.study import Scale, Study
from core.study_base import Text
from core.study_design import Question

COLUMNS = ("file", "column", "scale_id", "type", "units", "range", "description", "missing", "public")
SCALE_COLUMNS = ("kind", "asks", "of", "points", "polarity", "zero", "codes", "source", "status")
WORDS = ("question", "instruction", "labels", "anchor_low", "anchor_middle", "anchor_high")

Headers = Mapping[str, Mapping[str, Kind]]


def kinds(study: Study) -> dict[str, Kind]:
    """The codebook's own columns: those of every column, those of a scale, and its words per language."""
    words = (f"{word}_{language}" for word in WORDS for language in study.languages)
    return {
        **dict.fromkeys((*COLUMNS, *SCALE_COLUMNS, *words), "text"),
        "points": "integer",
        "zero": "number",
    }


def rows(study: Study, headers: Headers) -> Iterator[Row]:
    """Yield a row per file and column as written, then one per scale.

    headers: the columns of each file with their kinds.
    Raises ExportError when a column is not described.
    """
    empty = dict.fromkeys(kinds(study))
    questions = {f"about_{question.id}": question for question in study.about_you}
    for file, header in headers.items():
        for column, kind in header.items():
            row = {**empty, **_column(file, column, kind, study.scales)}
            asked = questions.get(column) if file == "participants.csv" else None
            yield {**row, **_question(asked)} if asked else row
    for scale_id in study.ask:
        yield {**empty, **_scale(scale_id, study.scales[scale_id])}


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


def _question(question: Question) -> Row:
    return {
        "codes": "|".join(question.options),
        **_texts("question", question.text),
        **_labels(question.options),
    }


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
