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
_WORDS = {None: None, True: "true", False: "false"}
_REMEMBERED = 10_000


def escape(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run; a number such as -0.4 stays."""
    return f"'{text}" if _runs(text) else text


def unescape(cell: str) -> str:
    """Give back the text that `escape` was given."""
    return cell[1:] if cell.startswith("'") and _runs(cell[1:]) else cell


def _runs(text: str) -> bool:
    return _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None


class Texts(dict[Value, str | None]):
    """Escaped texts; remembers some thousand, since most columns repeat few of them."""

    def __missing__(self, value: Value) -> str | None:
        if len(self) > _REMEMBERED:
            self.clear()
        text = self[value] = None if value is None else escape(str(value))
        return text


Format = Callable[[Sequence[Value]], Sequence[object]]


def formatter(kind: Kind) -> Format:
    """The function that makes a column's values into cells; None becomes an empty cell."""
    texts = Texts()
    formats: dict[Kind, Format] = {
        "text": lambda values: [texts[value] for value in values],
        "list": lambda values: [texts[joined(value)] for value in values],
        # NaN alone differs from itself.
        "number": lambda values: [None if value != value else value for value in values],  # noqa: PLR0124
        "integer": lambda values: [None if value is None else int(value) for value in values],  # type: ignore[arg-type]
        "boolean": lambda values: [_WORDS[value] for value in values],  # type: ignore[index]
        "time": lambda values: [_time(value) for value in values],
    }
    return formats[kind]


def _time(value: Value) -> Value:
    if not isinstance(value, datetime):
        return value
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
