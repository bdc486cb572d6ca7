"""A study's pictures, from its folder to stimuli: checked, hashed, one in memory at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core import manifest, served
from core.codes import nearest
from core.errors import StimulusError, StudyError
from core.manifest import Row
from core.records import Picture, Stimulus
from core.study import Study

ID_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Gathered:
    """The usable stimuli of a study, and one clear line for each picture or row that is not."""

    stimuli: tuple[Stimulus, ...]
    problems: tuple[str, ...]
    paths: Mapping[str, Path]  # stim_file -> where it lies
    surround: str

    def pictures(self) -> Iterator[Picture]:
        """Originals and served copies, read one at a time.

        Raises StimulusError when a file is no longer what it was when it was gathered.
        """
        for stimulus in self.stimuli:
            copies = served.copies(_content(self.paths[stimulus.stim_file]), surround=self.surround)
            found = (copies.original.sha256, copies.served.sha256)
            if found != (stimulus.stim_sha256, stimulus.served_sha256):
                raise StimulusError(
                    f"{stimulus.stim_file}: found other bytes than a moment ago; needed the same; "
                    "load the study again when nothing writes to its folder"
                )
            yield copies.original
            if copies.served.sha256 != copies.original.sha256:
                yield copies.served


def gather(study: Study, base: Path) -> Gathered:
    """Read and check the pictures of a study whose file lies in `base`.

    Raises StudyError when the folder or the manifest as a whole cannot be used; a picture
    or row that cannot be used is told in `problems`, and the others load.
    """
    source, surround = study.stimuli, study.display.surround
    folder = base / source.folder
    if not folder.is_dir():
        raise StudyError(f"{folder}: found no such folder; needed the stimuli; correct 'stimuli: folder:'")
    paths = dict(_files(folder))
    if source.pattern is not None:
        rows, problems = manifest.from_names(tuple(paths), source.pattern, source.emotions)
    else:
        rows, problems = manifest.from_csv(folder / (source.manifest or ""), source.emotions)
    rows = _usable(rows, paths, problems)
    stimuli = _loaded([*rows, *_references(rows)], paths, surround, problems)
    stimuli = _with_their_references(stimuli, problems)
    used = {stimulus.stim_file: paths[stimulus.stim_file] for stimulus in stimuli}
    return Gathered(tuple(stimuli), tuple(problems), used, surround)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Each file's name relative to the folder, and its path; hidden ones are left out."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            path = Path(parent, name)
            if path.is_file():  # a pipe would never end
                yield manifest.normal(path.relative_to(folder).as_posix()), path


def _usable(rows: Sequence[Row], paths: Mapping[str, Path], problems: list[str]) -> list[Row]:
    usable: dict[str, Row] = {}
    identities = {row.file: row.identity for row in rows}
    for row in rows:
        problem = _problem(row, usable, paths) or _stranger(row, identities)
        if problem:
            problems.append(f"{row.where}: {problem}")
        else:
            usable[row.file] = row
    return list(usable.values())


def _stranger(row: Row, identities: dict[str, str]) -> str | None:
    """Say whether the row's reference shows somebody else; a new reference is noted as this identity's."""
    if row.reference is None:
        return None
    owner = identities.setdefault(row.reference, row.identity)
    if owner == row.identity:
        return None
    return (
        f"found the reference {row.reference!r}, which is of identity {owner!r}; "
        f"needed one of {row.identity!r}; correct the identity or the reference"
    )


def _problem(row: Row, before: Mapping[str, Row], paths: Mapping[str, Path]) -> str | None:
    if row.file in before:
        return f"found {row.file!r} again; needed it once; remove this row or {before[row.file].where}"
    for name in filter(None, (row.file, row.reference)):
        if name not in paths:
            near = nearest(name, paths)
            how = f"did you mean {near!r}?" if near else "add it or remove the row"
            return f"found no file {name!r}; needed it in the folder; {how}"
    if row.reference == row.file:
        return f"found {row.file!r} as its own reference; needed its source; leave the cell empty"
    return None


def _references(rows: Sequence[Row]) -> list[Row]:
    """The references that are no rows themselves, to be shown or exported but not rated."""
    files = {row.file for row in rows}
    references: dict[str, Row] = {}
    for row in rows:
        if row.reference is None or row.reference in files:
            continue
        known = references.get(row.reference)
        publishable = row.publishable and (known is None or known.publishable)
        references[row.reference] = Row(
            row.where, row.reference, row.identity, None, publishable=publishable, rated=False
        )
    return list(references.values())


def _loaded(
    rows: Sequence[Row], paths: Mapping[str, Path], surround: str, problems: list[str]
) -> list[Stimulus]:
    stimuli: dict[str, Stimulus] = {}  # by served hash
    for row in rows:
        try:
            copies = served.copies(_content(paths[row.file]), surround=surround)
        except StimulusError as error:
            problems.append(f"{_where(row)}: {error}")
            continue
        twin = stimuli.get(copies.served.sha256)
        if twin is None:
            stimuli[copies.served.sha256] = _stimulus(row, copies)
        else:
            text = f"found the same picture as {twin.stim_file!r}; needed each once; remove one of the two"
            problems.append(f"{_where(row)}: {text}")
    return list(stimuli.values())


def _with_their_references(stimuli: Sequence[Stimulus], problems: list[str]) -> list[Stimulus]:
    """Leave out what refers to a picture that did not load, and so on."""
    files = {None, *(stimulus.stim_file for stimulus in stimuli)}
    lost = [stimulus for stimulus in stimuli if stimulus.reference_file not in files]
    for stimulus in lost:
        text = f"found its reference {stimulus.reference_file!r} unusable; needed it; mend that picture"
        problems.append(f"{stimulus.stim_file}: {text}")
    rest = [stimulus for stimulus in stimuli if stimulus.reference_file in files]
    return _with_their_references(rest, problems) if lost else rest


def _stimulus(row: Row, copies: served.Copies) -> Stimulus:
    return Stimulus(
        stimulus_id=copies.served.sha256[:ID_LENGTH],
        stim_file=row.file,
        stim_sha256=copies.original.sha256,
        served_sha256=copies.served.sha256,
        width_px=copies.width_px,
        height_px=copies.height_px,
        identity_id=row.identity,
        intended_emotion=row.emotion,
        reference_file=row.reference,
        generator=row.generator,
        generator_version=row.generator_version,
        prompt=row.prompt,
        variant=row.variant,
        publishable=row.publishable,
        rated=row.rated,
        extra=row.extra,
    )


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > served.MAX_BYTES:
            raise StimulusError(served.TOO_LARGE)
        return path.read_bytes()
    except OSError as error:
        raise StimulusError(f"found {error.strerror}; needed a readable file") from error


def _where(row: Row) -> str:
    return row.where if row.where == row.file else f"{row.where}: {row.file}"
