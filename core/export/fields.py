"""What every column of an export holds: the source of codebook.csv, held equal to docs/data.md by a test.

A name with <angle brackets> stands for as many columns as the study has scales, questions and so on.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from core.export.field import Field
from core.export.rating_fields import AI_RATINGS, RATINGS
from core.export.table_fields import NORMS, PARTICIPANTS, QUESTIONNAIRES, STIMULI
from core.ratings import Kind

FILES: Mapping[str, tuple[Field, ...]] = {
    "ratings.csv": RATINGS,
    "norms.csv": NORMS,
    "participants.csv": PARTICIPANTS,
    "questionnaires.csv": QUESTIONNAIRES,
    "stimuli.csv": STIMULI,
    "ai_ratings.csv": AI_RATINGS,
}


def kinds(file: str) -> dict[str, Kind]:
    """The columns of a file that every study has, in order, with their kinds."""
    return {field.column: field.kind for field in FILES[file] if "<" not in field.column}


def of(file: str, column: str, scales: Collection[str]) -> Field | None:
    """The field that describes a column of a file, by its name or its pattern; None for an unknown one.

    scales: the study's, without which `artificial_proportion_n` could be the `n` of a scale
    `artificial_proportion` as well as the proportion of an option `n`.
    """
    return next((field for field in FILES[file] if _names(field, column, scales)), None)


def _names(field: Field, column: str, scales: Collection[str]) -> bool:
    scale = "|".join(map(re.escape, scales))
    pattern = re.escape(field.column).replace("<scale>", f"(?:{scale})")
    return re.fullmatch(re.sub(r"<\w+>", ".+", pattern), column) is not None
