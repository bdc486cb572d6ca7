"""Finds, fetches and verifies the files that models need (assets/models.toml)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from core.errors import ModelError
from core.vision import consent, digests, first_seen, ledger
from core.vision.catalogue import Source, Weights, entries, entry, size
from core.vision.digests import Digests

__all__ = ["Source", "Weights", "entries", "entry", "size"]

Progress = Callable[[int, int], None]  # bytes so far, bytes in all


def find(name: str, folders: Sequence[Path]) -> Path | None:
    """The entry's file in one of the folders, if it is there and may be used; see `locate`."""
    return locate(entry(name), folders)


def locate(weights: Weights, folders: Sequence[Path]) -> Path | None:
    """The first right file in the folders; None as well where its licence is not agreed to."""
    return present(weights, folders) if consent.agreed(weights, folders) else None


def present(weights: Weights, folders: Sequence[Path]) -> Path | None:
    """The first file with the right checksum, under whatever name it lies in the folders.

    Only files of the right size are read; subfolders are not searched. Where upstream publishes no
    checksum, and none is recorded yet, it is the first file of the right name.
    """
    held = first_seen.held(weights, folders)
    if held.first_seen:
        return next(iter(_named(weights, folders)), None)
    paths = (path for folder in folders for path in _of_size(folder, held))
    return next((path for path in paths if _right(held, digests.of(path, folders))), None)


def need(name: str, folders: Sequence[Path]) -> Path:
    """The file of that entry; ModelError with the ways to get it where it is in no folder.

    A file whose checksum upstream does not publish is recorded when it is first needed.
    """
    weights = entry(name)
    if not (path := locate(weights, folders)):
        raise ModelError(missing(weights, folders))
    if first_seen.held(weights, folders).first_seen:
        sha256 = digests.of(path, folders).sha256
        first_seen.record(weights, path, sha256, f"found as {path}", folders)
    return path


def sha256_of(name: str, folders: Sequence[Path]) -> str:
    """The SHA-256 of the file that `need` gives, for the record, however the entry is checked."""
    return digests.of(need(name, folders), folders).sha256


def checksum(path: Path) -> str:
    """The SHA-256 of a file as 64 hex digits."""
    return digests.fresh(path).sha256


def check(weights: Weights, path: Path) -> None:
    """Raise ModelError unless the file has the entry's checksum, or may be the first one seen."""
    found, n_bytes = digests.fresh(path), path.stat().st_size
    low, high = weights.bounds
    if weights.first_seen and low <= n_bytes <= high:
        return
    if weights.first_seen or not _right(weights, found):
        said = f"git blob hash {found.git_sha1}" if weights.git_sha1 else f"sha256 {found.sha256}"
        needed = f"{weights.size_bytes} bytes" if weights.size_bytes is not None else size(weights)
        raise ModelError(
            f"{path} is not {weights.name}: found {n_bytes} bytes with {said}, "
            f"needed {needed} with {weights.check}"
        )


def verify(folders: Sequence[Path]) -> Iterator[tuple[str, bool]]:
    """A line for each entry, and False where a file of its name has other bytes; reads every file anew."""
    for weights in entries():
        other = present(weights, folders)
        paths = dict.fromkeys([*_named(weights, folders), *([other] if other else [])])
        verdicts = [(path, *_verdict(weights, path, folders)) for path in paths]
        yield from ((f"{weights.name}: {path} {said}", right) for path, said, right in verdicts)
        if not paths:
            yield f"{weights.name}: not here", True


def _verdict(weights: Weights, path: Path, folders: Sequence[Path]) -> tuple[str, bool]:
    held, found = first_seen.held(weights, folders), digests.fresh(path)
    if held.first_seen:
        return f"has the sha256 {found.sha256}; upstream publishes none, so it is held to once used", True
    if not _right(held, found):
        said = found.git_sha1 if held.git_sha1 else found.sha256
        more = f". {first_seen.how_to_accept(weights, folders)}" if weights.first_seen else ""
        return f"has the wrong checksum {said}{more}", False
    if not consent.agreed(weights, folders):
        return f"is right, but nobody has agreed to its licence yet. {consent.how(weights)}", True
    return "is right", True


def missing(weights: Weights, folders: Sequence[Path]) -> str:
    """What is missing or in the way, and how to mend it: by a command, and without a network."""
    if not consent.agreed(weights, folders) and (path := present(weights, folders)):
        return (
            f"{path} is {weights.name}, but nobody has agreed to its licence yet: {weights.licence}. "
            f"{weights.notice}\n{consent.how(weights)}"
        )
    recorded = weights.first_seen and not first_seen.held(weights, folders).first_seen
    if recorded and (named := _named(weights, folders)):
        return f"{named[0]} is another file than before: {first_seen.how_to_accept(weights, folders)}"
    return (
        f"the model file {weights.name} ({weights.file}, {size(weights)}, licence {weights.licence}) "
        f"is not in {', '.join(map(str, folders))}. Fetch it with: facenorm models fetch {weights.name}\n"
        f"{by_hand(weights, folders)}"
    )


def by_hand(weights: Weights, folders: Sequence[Path]) -> str:
    """How to get the file on a machine without a network."""
    agreed = consent.agreed(weights, folders)
    agree = "" if agreed else f". Then agree to its licence: facenorm models fetch {weights.name}"
    return (
        f"Without a network, get {weights.origin} elsewhere and put it into {folders[0]} "
        f"under {_known_by(first_seen.held(weights, folders))}{agree}"
    )


def _known_by(weights: Weights) -> str:
    if weights.first_seen:
        return f"the name {weights.file} ({weights.check})"
    return f"any name; it is known by its {weights.check}"


def _right(weights: Weights, found: Digests) -> bool:
    return found.git_sha1 == weights.git_sha1 if weights.git_sha1 else found.sha256 == weights.sha256


def _named(weights: Weights, folders: Sequence[Path]) -> list[Path]:
    """The files of the expected name, of any size."""
    paths = (folder / weights.file for folder in folders)
    return [path for path in paths if path.is_file() and os.access(path, os.R_OK)]


def _of_size(folder: Path, weights: Weights) -> list[Path]:
    """The folder's files of the entry's size, the one of the expected name first."""
    low, high = weights.bounds
    try:
        with os.scandir(folder) as found:
            paths = [Path(item.path) for item in found if low <= _size(item) <= high]
    except OSError:  # a folder that is not there yet, or may not be read, holds nothing for us
        return []
    return sorted(paths, key=lambda path: (path.name != weights.file, path.name))


def _size(item: os.DirEntry[str]) -> int:
    """The size of a file that can be read; -1 for anything else, such as a broken link."""
    readable = item.is_file() and os.access(item.path, os.R_OK)
    return item.stat().st_size if readable else -1


def fetch(name: str, folders: Sequence[Path], *, progress: Progress | None = None) -> Path:
    """Get the file into the first folder that can be written unless one has it; return its place.

    A cut download resumes where it stopped; the file appears under its name only when its
    checksum is right. Raises ModelError when no source gave it, or its licence is not agreed to.
    """
    from core.vision import fetching  # needs a network client that finding does not

    weights = entry(name)
    consent.require(weights, folders)
    if present(weights, folders):
        return need(name, folders)
    with ledger.alone(ledger.writable(folders) / weights.file):
        # Another process may have fetched it while we waited.
        return present(weights, folders) or fetching.get(weights, folders, progress or _silent)


def _silent(_done: int, _total: int) -> None:
    """Report nothing."""
