"""What a study's pictures are: from the rows of a manifest or from the names of files."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.codes import listed, mend, nearest
from core.errors import StudyError

# The manifest's short names and those of the tables.
_ALIASES = {"stim_file": "file", "identity_id": "identity", "reference_file": "reference"}
REQUIRED = ("file", "identity", "intended_emotion")
OPTIONAL = ("reference", "generator", "generator_version", "prompt", "variant", "publishable")
_YES_NO = {"": True, "yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_SUFFIX = r"\.(?:[pP][nN][gG]|[jJ][pP][eE]?[gG]|[wW][eE][bB][pP])"
_PICTURE = re.compile(rf".*{_SUFFIX}")
# Pictures that browsers do not all show: a name such as id1_happy.tif deserves a word.
_OTHER_PICTURE = re.compile(r".*\.(?:gif|bmp|tiff?|heic|heif|avif|jp2|svg|psd)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """One picture to rate, as its manifest row or its name describes it."""

    where: str  # the row or file as a message names it
    file: str
    identity: str
    emotion: str | None  # None for a reference that is not rated
    reference: str | None = None
    generator: str | None = None
    generator_version: str | None = None
    prompt: str | None = None
    variant: str | None = None
    publishable: bool = True
    rated: bool = True
    extra: Mapping[str, str] = field(default_factory=dict)


def normal(text: str) -> str:
    """Text as it is compared: macOS writes the same Korean name in another Unicode form."""
    return unicodedata.normalize("NFC", text).strip()


def from_csv(path: Path, emotions: Sequence[str]) -> tuple[list[Row], list[str]]:
    """Read a manifest: its usable rows, and a line for everything else.

    Raises StudyError when the file as a whole cannot be used.
    """
    table = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    rows: list[Row] = []
    try:
        columns = _columns(next(table, []), path.name)
        problems = [*_misspelt(columns, path.name)]
        for cells in table:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"{path.name}:{table.line_num}"
            problem = _problem(columns, cells, emotions)
            if problem is None:
                rows.append(_row(where, columns, cells))
            else:
                problems.append(f"{where}: {problem}")
    except csv.Error as error:
        text = f"{path.name}:{table.line_num}: found {error}; needed CSV; look at the quotes in this row"
        raise StudyError(text) from error
    return rows, problems


def from_names(files: Sequence[str], pattern: str, emotions: Sequence[str]) -> tuple[list[Row], list[str]]:
    """Read the names of files (relative to the folder) by a pattern such as `{identity}_{emotion}.png`."""
    known, any_code = _compiled(pattern, "|".join(map(re.escape, emotions))), _compiled(pattern, "[^/]+")
    rows, problems = [], []
    for file in sorted(files):
        found = known.fullmatch(file)
        if found:
            names = found.groupdict()
            rows.append(Row(file, file, names["identity"], names["emotion"], variant=names.get("variant")))
        elif near := any_code.fullmatch(file):
            problems.append(f"{file}: {_wrong_emotion(near['emotion'], emotions)}")
        elif _PICTURE.fullmatch(file):
            problems.append(f"{file}: found a name unlike {pattern!r}; needed that form; rename or remove it")
        elif _OTHER_PICTURE.fullmatch(file):
            problems.append(
                f"{file}: found another kind of picture; needed JPEG, PNG or WebP; save it as PNG"
            )
    return rows, problems


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise StudyError(f"{path}: found no such manifest; needed a CSV file; correct 'manifest:'") from error
    except OSError as error:
        raise StudyError(f"{path}: found {error.strerror}; needed a readable manifest") from error
    except UnicodeDecodeError as error:
        text = f"{path}: found bytes that are not UTF-8; needed UTF-8; in a spreadsheet save as 'CSV UTF-8'"
        raise StudyError(text) from error


def _columns(header: Sequence[str], name: str) -> list[str]:
    columns = ["_".join(normal(cell).lower().split()) for cell in header]
    columns = [_ALIASES.get(column, column) for column in columns]
    if len(columns) == 1 and re.search(r"[;\t]", columns[0]):
        raise StudyError(f"{name}:1: found columns divided by semicolons or tabs; needed commas; save it so")
    for column in filter(None, columns):
        if columns.count(column) > 1:
            raise StudyError(f"{name}:1: found the column {column!r} twice; needed it once; remove one")
    for column in REQUIRED:
        if column not in columns:
            near = nearest(column, [each for each in columns if each not in (*REQUIRED, *OPTIONAL)])
            how = f"rename {near!r}" if near else "add it"
            raise StudyError(f"{name}:1: found columns {listed(columns)}; needed {column!r}; {how}")
    return columns


def _misspelt(columns: Sequence[str], name: str) -> Iterator[str]:
    """Say which further columns were probably meant as known ones: `publishible` would publish all."""
    missing = [column for column in OPTIONAL if column not in columns]
    for column in columns:
        near = nearest(column, missing, cutoff=0.8)
        if near and column not in (*REQUIRED, *OPTIONAL):
            yield f"{name}:1: found the column {column!r}; kept as a further one; did you mean {near!r}?"


def _problem(columns: Sequence[str], cells: Sequence[str], emotions: Sequence[str]) -> str | None:
    if any(cell.strip() for cell in cells[len(columns) :]):
        return f"found {len(cells)} cells; needed {len(columns)}; put text with commas in quotes"
    values = _values(columns, cells)
    for column in ("file", "identity"):
        if not values.get(column):
            return f"found no {column}; needed one; fill it in"
    emotion, publishable = values.get("intended_emotion", ""), values.get("publishable", "").lower()
    if emotion not in emotions:
        return _wrong_emotion(emotion, emotions)
    if publishable not in _YES_NO:
        return f"found publishable {publishable!r}; needed yes or no; write one of them"
    return None


def _row(where: str, columns: Sequence[str], cells: Sequence[str]) -> Row:
    values = _values(columns, cells)
    return Row(
        where=where,
        file=_path(values["file"]),
        identity=values["identity"],
        emotion=values["intended_emotion"],
        reference=_path(values.get("reference", "")) or None,
        generator=values.get("generator") or None,
        generator_version=values.get("generator_version") or None,
        prompt=values.get("prompt") or None,
        variant=values.get("variant") or None,
        publishable=_YES_NO[values.get("publishable", "").lower()],
        extra={name: value for name, value in values.items() if name not in (*REQUIRED, *OPTIONAL)},
    )


def _values(columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """The cells by column; a short row's are empty, and a column without a name is left out."""
    padded = (*map(normal, cells), *[""] * len(columns))
    return {column: cell for column, cell in zip(columns, padded, strict=False) if column}


def _path(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./")


def _wrong_emotion(code: str, emotions: Sequence[str]) -> str:
    hint = mend(code, emotions)
    return f"found the emotion {code!r}; needed one of {listed(emotions)}; {hint}"


def _compiled(pattern: str, emotion: str) -> re.Pattern[str]:
    groups = {"{identity}": r"(?P<identity>[^/]+)", "{emotion}": f"(?P<emotion>{emotion})"}
    groups["{variant}"] = r"(?P<variant>[^/]+)"
    parts = re.split(r"(\{[^{}]*\})", normal(pattern))
    suffix = "" if _PICTURE.fullmatch(pattern) else _SUFFIX
    return re.compile("".join(groups.get(part, re.escape(part)) for part in parts) + suffix)
