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
Block = tuple[Sequence[str], list[str]]
"""Of some lines, the values of the column that they are sorted by, and the lines."""

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
    blocks = _blocks(kinds, chunks, by)
    with path.open("wb") as file:
        file.write(BOM if excel else b"")
        file.write(_encoded([",".join(cells.quoted(cells.escape(name)) for name in kinds)]))
        return _stream(file, blocks) if by is None else _sort(file, blocks, path.parent)


def _stream(file: BinaryIO, blocks: Iterable[Block]) -> int:
    n = 0
    for _, lines in blocks:
        n += len(lines)
        file.write(_encoded(lines))
    return n


def _sort(file: BinaryIO, blocks: Iterable[Block], folder: Path) -> int:
    """Write to a file on the side, then copy it run by run.

    Memory holds an entry per run of rows with one value: for a stream of sessions, one per session.
    """
    n, runs = 0, list[tuple[str, int, int]]()
    with tempfile.TemporaryFile(dir=folder) as aside:
        for values, lines in blocks:
            n += len(lines)
            for value, run in groupby(zip(values, lines, strict=True), key=itemgetter(0)):
                text = _encoded(line for _, line in run)
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


def _blocks(kinds: Mapping[str, Kind], chunks: Iterable[Chunk], by: str | None) -> Iterator[Block]:
    formats = {column: cells.formatter(kind) for column, kind in kinds.items()}
    for chunk in chunks:
        columns = {column: write(chunk[column]) for column, write in formats.items()}
        if not all(columns.values()):
            continue  # of a chunk of which nothing may be shown
        lines = [",".join(row) for row in zip(*_merged(list(columns.values())), strict=True)]
        yield columns[by] if by else (), lines


def _merged(columns: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """Columns with neighbours that do not change made one, which is quicker than joining them row by row."""
    merged: list[Sequence[str]] = []
    for fixed, group in groupby(columns, key=lambda column: column.count(column[0]) == len(column)):
        some = list(group)
        merged += [[",".join(column[0] for column in some)] * len(some[0])] if fixed else some
    return merged


def _encoded(lines: Iterable[str]) -> bytes:
    return "".join([line + "\r\n" for line in lines]).encode()
