"""The picture files that a command is given, with what a manifest says of them."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core import codes
from core.errors import StimulusError, StudyError
from core.identity import references
from core.vision.image import SUFFIXES

# The manifest's short names, and the columns that they stand for.
ALIASES = {"file": "stim_file", "identity": "identity_id", "reference": "reference_file"}
KNOWN = ("stim_file", "identity_id", "intended_emotion", "reference_file")


@dataclass(frozen=True, slots=True)
class Source:
    """One file to rate; `stim_file` is its place below the folder that was given.

    reference: `stim_file` of the picture that it was made from, by core.identity.references.RULE; where that
        picture is not among the given ones, its name as the manifest writes it.
    traits: the manifest's further columns as they stand there: gender, age_group, generator, prompt ...
    """

    path: Path
    stim_file: str
    identity_id: str | None = None
    intended_emotion: str | None = None
    reference: str | None = None
    traits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """What a manifest says of one file."""

    line: int
    identity_id: str | None
    intended_emotion: str | None
    reference: str | None
    traits: Mapping[str, str]


def gather(paths: Sequence[Path], manifest: Path | None = None) -> tuple[Source, ...]:
    """Every picture of the paths once, joined to its row of the manifest where there is one.

    Raises StimulusError when a path is missing or nothing is left, StudyError when the manifest
    is not usable.
    """
    unique: dict[Path, Source] = {}
    for source in walk(paths):
        unique.setdefault(source.path.resolve(), source)
    if not unique:
        given, suffixes = ", ".join(map(str, paths)), " ".join(sorted(SUFFIXES))
        raise StimulusError(f"{given}: no picture found; needed are files ending in {suffixes}")
    found = tuple(unique.values())
    return join(found, manifest) if manifest else found


def named(manifest: Path) -> tuple[Source, ...]:
    """Every picture that a manifest names, in its order; those that are references alone come last.

    Files are relative to the manifest; whether they exist is not looked at.
    Raises StudyError when the manifest is not usable.
    """
    rows = _rows(manifest)
    if not rows:
        raise StudyError(f"{manifest}: found no row; needed one picture a row; add them")
    places = {(manifest.parent / name).resolve() for name in rows}
    references = dict.fromkeys(row.reference for row in rows.values() if row.reference)
    alone = [name for name in references if (manifest.parent / name).resolve() not in places]
    found = [Source(manifest.parent / name, name) for name in (*rows, *alone)]
    return _referred(_named(found, [rows.get(one.stim_file) for one in found], manifest), manifest)


def walk(paths: Iterable[Path]) -> Iterator[Source]:
    """The named files, whatever their suffix, and the pictures below the named folders, in order."""
    for path in paths:
        if path.is_dir():
            yield from (Source(file, file.relative_to(path).as_posix()) for file in _below(path))
        elif path.is_file():
            yield Source(path, path.name)
        else:
            raise StimulusError(f"{path}: there is no such file or folder")


def _below(folder: Path) -> Iterator[Path]:
    for place, subfolders, names in os.walk(folder):
        subfolders.sort()
        for name in sorted(names):
            # Hidden files are other programs' records; some end in .jpg and are no pictures.
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield Path(place, name)


def join(sources: Sequence[Source], manifest: Path) -> tuple[Source, ...]:
    """Add what the manifest says to the sources that it names, and to each the picture it was made from.

    A row's file and reference are relative to the folder that was given, or to the manifest itself.
    """
    rows = _rows(manifest)
    by_place = {(manifest.parent / name).resolve(): row for name, row in rows.items()}
    matched = [rows.get(source.stim_file) or by_place.get(source.path.resolve()) for source in sources]
    if not any(matched):
        example = next(iter(rows), "nothing")
        raise StudyError(
            f"{manifest}: none of its {len(rows)} rows names a given picture (it names {example}, "
            f"given is {sources[0].stim_file}); write files relative to the folder or to the manifest"
        )
    return _referred(_named(sources, matched, manifest), manifest)


def _named(sources: Sequence[Source], rows: Sequence[Row | None], manifest: Path) -> list[Source]:
    """Each source with its row; one that is only a reference belongs to who was made from it."""
    files = {source.stim_file for source in sources}
    by_place = {source.path.resolve(): source.stim_file for source in sources}
    named, owners = [], dict[str, str]()
    for source, row in zip(sources, rows, strict=True):
        if row is None:
            named.append(source)
            continue
        reference = row.reference
        if reference and reference not in files:
            reference = by_place.get((manifest.parent / reference).resolve(), reference)
        if reference == source.stim_file:
            raise StudyError(
                f"{manifest}:{row.line}: {source.stim_file} is its own reference; leave the cell empty"
            )
        if reference and row.identity_id:
            owners.setdefault(reference, row.identity_id)
        named.append(
            replace(
                source,
                identity_id=row.identity_id,
                intended_emotion=row.intended_emotion,
                reference=reference,
                traits=row.traits,
            )
        )
    return [
        replace(source, identity_id=owners.get(source.stim_file)) if row is None else source
        for source, row in zip(named, rows, strict=True)
    ]


def _referred(sources: Sequence[Source], manifest: Path) -> tuple[Source, ...]:
    found = references.fill(
        [source.stim_file for source in sources],
        [source.identity_id for source in sources],
        [source.intended_emotion for source in sources],
        [source.reference for source in sources],
    )
    owners = {source.stim_file: source.identity_id for source in sources}
    for source, reference in zip(sources, found, strict=True):
        owner = owners.get(reference or "")
        if owner and source.identity_id and owner != source.identity_id:
            raise StudyError(
                f"{manifest}: the reference of {source.stim_file} is {reference}, which shows {owner!r} and "
                f"not {source.identity_id!r}; correct the identity or the reference"
            )
    return tuple(replace(source, reference=one) for source, one in zip(sources, found, strict=True))


def _rows(manifest: Path) -> dict[str, Row]:
    """The manifest's rows by file."""
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            reader.fieldnames = [_column(name) for name in reader.fieldnames or ()]
            if "stim_file" not in reader.fieldnames:
                raise StudyError(f"{manifest}:1: found no column 'file'; add it, with one picture a row")
            return _by_file(((reader.line_num, row) for row in reader), manifest)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StudyError(f"{manifest}: cannot be read as UTF-8 CSV ({error})") from error


def _column(name: str) -> str:
    """The column's name as the tables have it, however the header is spaced and capitalised."""
    name = "_".join(name.lower().split())
    return ALIASES.get(name, name)


def _by_file(rows: Iterable[tuple[int, Mapping[str, str | None]]], manifest: Path) -> dict[str, Row]:
    by_file: dict[str, Row] = {}
    for line, row in rows:
        name, emotion = row["stim_file"] or "", row.get("intended_emotion") or None
        if name in by_file:
            raise StudyError(f"{manifest}:{line}: {name} stands here twice; remove one row")
        if emotion is not None and emotion not in codes.EMOTIONS:
            raise StudyError(
                f"{manifest}:{line}: found intended_emotion {emotion!r}, needed one of "
                f"{codes.listed(codes.EMOTIONS)}; {codes.mend(emotion, codes.EMOTIONS)}"
            )
        by_file[name] = Row(
            line, row.get("identity_id") or None, emotion, row.get("reference_file") or None, _traits(row)
        )
    return by_file


def _traits(row: Mapping[str, str | None]) -> dict[str, str]:
    # A row that is too long keeps its surplus cells under None, which is no column.
    return {name: cell for name, cell in row.items() if name and name not in KNOWN and cell}
