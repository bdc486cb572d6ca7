"""The tables of an analysis as a folder of CSV files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.analysing.tables import Analysis
from core.errors import ExportError
from core.export import cells, folder

WARNINGS = "warnings.txt"


def check(out: Path) -> None:
    """Raise ExportError, before anything is computed, where the folder cannot be written."""
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise ExportError(f"{out}: is there already and not empty; give another folder or remove it first")


def write(analysis: Analysis, out: Path) -> None:
    """Write the tables and warnings.txt into a folder, which appears whole or not at all."""
    check(out)
    with folder.placed(out, replace=False) as part:
        for name, table in analysis.tables.items():
            _cells(table).to_csv(part / name, index=False, lineterminator="\n")
        lines = "".join(f"{line}\n" for line in analysis.warnings)
        (part / WARNINGS).write_text(lines, encoding="utf-8")


def _cells(table: pd.DataFrame) -> pd.DataFrame:
    """Flags as words, and texts that no spreadsheet takes for a formula."""
    return pd.DataFrame({name: _column(column) for name, column in table.items()})


def _column(column: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(column):
        return column.map({True: "true", False: "false"})
    if pd.api.types.is_numeric_dtype(column):
        return column
    return column.map(lambda cell: cells.escape(cell) if isinstance(cell, str) else cell)
