"""Values as CSV cells that no spreadsheet runs and every reader gets back."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from core.ratings import Kind, Value, joined

# What a spreadsheet may take for a formula: the ASCII signs, their full-width twins, the minus sign, and
# tab and line ends, also after blanks and apostrophes (https://owasp.org/www-community/attacks/CSV_Injection).
_BLANK = r"[\s'\x00-\x1f\u200b-\u200f\u2060\ufeff]"
_FORMULA = re.compile(rf"{_BLANK}*[=+\-@\t\r\n＝＋－＠−]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NO_NUMBER = {"None": "", "nan": ""}
_WORDS = {None: "", True: "true", False: "false"}
_QUOTED = re.compile(r'[,"\r\n]')
_REMEMBERED = 10_000


def escape(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run; a number such as -0.4 stays."""
    return f"'{text}" if _runs(text) else text


def unescape(cell: str) -> str:
    """Give back the text that `escape` was given."""
    return cell[1:] if cell.startswith("'") and _runs(cell[1:]) else cell


def _runs(text: str) -> bool:
    return _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None


class Texts(dict[Value, str]):
    """Texts as cells; remembers some thousand, since most columns repeat few of them."""

    def __missing__(self, value: Value) -> str:
        if len(self) > _REMEMBERED:
            self.clear()
        cell = self[value] = "" if value is None else quoted(escape(str(value)))
        return cell


def quoted(text: str) -> str:
    """Quote a text where RFC 4180 asks for it."""
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


Format = Callable[[Sequence[Value]], Sequence[str]]


def formatter(kind: Kind) -> Format:
    """The function that makes a column's values into cells; None becomes an empty one.

    csv.writer looks at every character of every cell; made by column, a million rows take half the time.
    Many columns hold one value for some thousand rows: they are made once.
    """
    each = _each(kind)

    def cells(values: Sequence[Value]) -> Sequence[str]:
        if values and values.count(values[0]) == len(values):
            return each(values[:1]) * len(values)
        return each(values)

    return cells


def _each(kind: Kind) -> Callable[[Sequence[Value]], list[str]]:
    texts = Texts()
    formats: dict[Kind, Callable[[Sequence[Value]], list[str]]] = {
        "text": lambda values: [texts[value] for value in values],
        "list": lambda values: [texts[joined(value)] for value in values],
        "number": _numbers,
        "integer": lambda values: ["" if value is None else str(int(value)) for value in values],  # type: ignore[arg-type]
        "boolean": lambda values: [_WORDS[value] for value in values],  # type: ignore[index]
        "time": lambda values: [_time(value) for value in values],
    }
    return formats[kind]


def _numbers(values: Sequence[Value]) -> list[str]:
    texts = list(map(str, values))
    if "None" in texts or "nan" in texts:
        return [_NO_NUMBER.get(text, text) for text in texts]
    return texts


def _time(value: Value) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return "" if value is None else str(value)
