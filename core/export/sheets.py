"""One CSV file written as a stream, some thousand rows at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from core.export import cells
from core.ratings import Kind, Value

Chunk = Mapping[str, Sequence[Value]]
Cells = tuple[str, ...]
BOM = b"\xef\xbb\xbf"
_BLOCK = 1 << 20


def write(
    path: Path, kinds: Mapping[str, Kind], chunks: Iterable[Chunk], *, excel: bool, by: str | None = None
) -> int:
    """Write a file with a header and return its number of rows.

    UTF-8, comma, CRLF and quotes as RFC 4180 has them; with a byte-order mark where `excel` asks for it,
    since Excel reads Korean and Japanese wrongly without one.
    by: a column to sort the rows by, those with the same value in the order in which they came.
    """
    rows = _cells(kinds, chunks)
    with path.open("wb") as file:
        file.write(BOM if excel else b"")
        file.write(_encoded([tuple(cells.quoted(cells.escape(name)) for name in kinds)]))
        return _stream(file, rows) if by is None else _sort(file, rows, list(kinds).index(by), path.parent)


def _stream(file: BinaryIO, blocks: Iterable[list[Cells]]) -> int:
    n = 0
    for rows in blocks:
        n += len(rows)
        file.write(_encoded(rows))
    return n


def _sort(file: BinaryIO, blocks: Iterable[list[Cells]], at: int, folder: Path) -> int:
    """Write to a file on the side, then copy it run by run.

    Memory holds an entry per run of rows with one value: for a stream of sessions, one per session.
    """
    n, runs = 0, list[tuple[str, int, int]]()
    with tempfile.TemporaryFile(dir=folder) as aside:
        for rows in blocks:
            n += len(rows)
            for value, run in groupby(rows, key=itemgetter(at)):
                text = _encoded(run)
                _remember(runs, value, aside.tell(), len(text))
                aside.write(text)
        for _, start, length in sorted(runs):
            _copy(aside, file, start, length)
    return n


def _remember(runs: list[tuple[str, int, int]], value: str, start: int, length: int) -> None:
    if runs and runs[-1][0] == value:
        _, start, before = runs.pop()
        length += before
    runs.append((value, start, length))


def _copy(source: BinaryIO, target: BinaryIO, start: int, length: int) -> None:
    source.seek(start)
    while length > 0:
        block = source.read(min(length, _BLOCK))
        target.write(block)
        length -= len(block)


def _cells(kinds: Mapping[str, Kind], chunks: Iterable[Chunk]) -> Iterator[list[Cells]]:
    formats = {column: cells.formatter(kind) for column, kind in kinds.items()}
    for chunk in chunks:
        yield list(zip(*(write(chunk[column]) for column, write in formats.items()), strict=True))


def _encoded(rows: Iterable[Cells]) -> bytes:
    return "".join([",".join(row) + "\r\n" for row in rows]).encode()
