"""A file's columns as codes: each cell a position in the column's distinct texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.agreement.estimate import Floats, Ints
from core.analysing.asked import Columns
from core.errors import AgreementError

MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null")


@dataclass(frozen=True, slots=True)
class Column:
    """codes: shape (rows,), positions in names, -1 for an empty cell."""

    name: str
    codes: Ints
    names: tuple[str, ...]

    def numbers(self) -> Floats:
        """Each name as a number, NaN where it is none: shape (names,)."""
        return np.array([_number(name) for name in self.names], dtype=np.float64)


def columns(path: Path, asked: Columns) -> Mapping[str, Column]:
    """The columns of a CSV or Parquet file that were asked for, by name.

    Cells are stripped; empty ones and NA, NaN and null are missing.
    Raises AgreementError where the file cannot be read, has no rows or lacks a column.
    """
    try:
        separator = "," if path.suffix == ".parquet" else _separator(path)
        present = _header(path, separator)
        named = _named(asked, present)
        _check(path, named, present)
        frame = _frame(path, list(dict.fromkeys(named.values())), separator)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise AgreementError(
            f"{path}: cannot be read ({error}); give a CSV file in UTF-8 with a header, or a Parquet file"
        ) from error
    if not len(frame):
        raise AgreementError(f"{path}: has a header and no rows; give a file with one rating or more")
    return {str(name): _coded(str(name), column, separator == ";") for name, column in frame.items()}


def _named(asked: Columns, present: Sequence[str]) -> dict[str, str]:
    """The column of each option; an emotion that is a scale of a long file has none."""
    one = {
        "--rater": asked.rater,
        "--stimulus": asked.stimulus,
        "--scale": asked.scale,
        "--value": asked.value,
        "--intended": asked.intended,
        "--identity": asked.identity,
        "--rater-type": asked.rater_type,
    }
    if asked.emotion is not None and not (asked.scale and asked.emotion not in present):
        one["--emotion"] = asked.emotion
    named = {option: name for option, name in one.items() if name is not None}
    named |= {f"--scales {name}": name for name in asked.scales}
    return named | {f"--by {name}": name for name in asked.by}


def _check(path: Path, named: Mapping[str, str], present: Sequence[str]) -> None:
    for option, name in named.items():
        if name not in present:
            raise AgreementError(
                f"{path}: has no column {name!r}; it has {', '.join(present)}: mend {option.split()[0]}"
            )


def _separator(path: Path) -> str:
    with path.open(encoding="utf-8-sig") as file:
        header = file.readline()
    return max(",;\t", key=header.count)


def _header(path: Path, separator: str) -> list[str]:
    if path.suffix == ".parquet":
        from pyarrow import parquet

        return [str(name) for name in parquet.read_schema(path).names]
    return [str(name) for name in pd.read_csv(path, sep=separator, nrows=0, encoding="utf-8-sig").columns]


def _frame(path: Path, names: list[str], separator: str) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path, columns=names).astype("category")
    # As text first: categories that are read at once are taken for numbers, and rater 007 becomes 7.
    return pd.read_csv(
        path,
        sep=separator,
        usecols=names,
        dtype=str,
        keep_default_na=False,
        na_values=list(MISSING),
        encoding="utf-8-sig",
    ).astype("category")


def _coded(name: str, column: pd.Series, comma: bool) -> Column:
    texts = [str(one).strip() for one in column.cat.categories]
    if comma:
        texts = [_pointed(text) for text in texts]
    place: dict[str, int] = {}
    of_category = [-1 if text in MISSING else place.setdefault(text, len(place)) for text in texts]
    codes = np.array([*of_category, -1], dtype=np.int64)[column.cat.codes.to_numpy()]
    return _in_order(name, codes, list(place))


def _in_order(name: str, codes: Ints, names: list[str]) -> Column:
    """The names in the order in which the rows have them."""
    used, first = np.unique(codes[codes >= 0], return_index=True)
    order = used[np.argsort(first)]
    place = np.full(len(names) + 1, -1)
    place[order] = np.arange(len(order))
    return Column(name, place[codes], tuple(names[one] for one in order))


def _pointed(text: str) -> str:
    """A number with a decimal comma, which files with semicolons have, with a point."""
    return (
        text.replace(",", ".")
        if text.count(",") == 1 and np.isfinite(_number(text.replace(",", ".")))
        else text
    )


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return np.nan
    return value if np.isfinite(value) else np.nan
