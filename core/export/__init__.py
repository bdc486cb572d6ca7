"""A study as a folder of tidy CSV: for sharing (public) or for one's own analysis (private).

docs/data.md says what each file and column holds, and what a public export changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from core import ratings
from core.export import parquet, sheets
from core.export.cells import escape, unescape
from core.export.folder import pack, placed, placed_file
from core.export.public import Pseudonyms
from core.export.view import Private, Public
from core.export.writing import Tables, Writing
from core.ratings import AI_COLUMNS, AI_KINDS, Row

__all__ = ["Tables", "ai_sheet", "escape", "pack", "unescape", "write"]


def write(
    folder: Path,
    tables: Tables,
    *,
    public: bool = True,
    excel: bool = False,
    replace: bool = False,
    key: bytes | None = None,
) -> dict[str, int]:
    """Write the files of an export and return the number of rows in each.

    Ratings are streamed: memory grows with participants and stimuli, never with ratings.
    excel: begin the files with a byte-order mark. replace: an export in `folder` makes way.
    key: fixes a public export's random ids, for tests; by default no one can repeat them.
    Raises ExportError when the folder is taken or cannot be written; nothing is left behind then.
    """
    view = _public(tables, Pseudonyms(key)) if public else _private(tables)
    with placed(folder, replace=replace) as part:
        writing = Writing(part, tables, view, excel=excel)
        writing.ratings()
        writing.people()
        writing.stimuli()
        writing.ai_ratings()
        writing.codebook()
    return writing.counts


def ai_sheet(path: Path, rows: Iterable[Row], *, excel: bool = False) -> int:
    """Write AI ratings alone as one file, whole or not at all, and return its number of rows.

    A name that ends in .parquet gives Parquet, any other CSV.
    """
    with placed_file(path) as part:
        if path.suffix == ".parquet":
            return parquet.write(part, AI_KINDS, ratings.chunks(rows, AI_COLUMNS))
        return sheets.write(part, AI_KINDS, ratings.chunks(rows, AI_COLUMNS), excel=excel)


def _private(tables: Tables) -> Private:
    return Private(tables.study, external_ids=tables.external_ids)


def _public(tables: Tables, ids: Pseudonyms) -> Public:
    return Public(tables.study, tables.stimuli(), sharing=tables.sharing, ids=ids)
