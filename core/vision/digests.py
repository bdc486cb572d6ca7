"""Checksums of files, remembered: half a gigabyte is hashed once, not at every start."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.vision import ledger

FILE = ".checksums.json"
KEPT_FROM_BYTES = 8_000_000  # smaller files are hashed in the time that reading what is kept takes
CHUNK_BYTES = 1 << 20
State = tuple[int, int, int]  # size, and when content and inode were changed, in ns


@dataclass(frozen=True, slots=True)
class Digests:
    """A file's SHA-256, and the SHA-1 under which git stores it; both as hex digits."""

    sha256: str
    git_sha1: str


def fresh(path: Path) -> Digests:
    """Read the file and hash it."""
    sha256 = hashlib.sha256()
    # Not against forgery: it is what the authors' repository says of the file.
    git_sha1 = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            sha256.update(chunk)
            git_sha1.update(chunk)
    return Digests(sha256.hexdigest(), git_sha1.hexdigest())


def of(path: Path, folders: Sequence[Path]) -> Digests:
    """The file's checksums, from memory where neither its size nor its times have changed.

    What this process does not remember may lie in the first of the folders that can be written.
    """
    path = path.absolute()
    return _remembered(path, _state(path), tuple(folders))


def _state(path: Path) -> State:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


@functools.lru_cache(maxsize=256)
def _remembered(path: Path, state: State, folders: tuple[Path, ...]) -> Digests:
    if state[0] < KEPT_FROM_BYTES:
        return fresh(path)
    kept = _kept(folders).get(str(path), {})
    if kept.get("state") == list(state):
        return Digests(kept["sha256"], kept["git_sha1"])
    digests = fresh(path)
    if _state(path) == state:
        _keep(path, state, digests, folders)
    return digests


def _kept(folders: tuple[Path, ...]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for folder in reversed(ledger.searched(folders)):
        with contextlib.suppress(OSError, ValueError, TypeError):
            kept |= json.loads((folder / FILE).read_text(encoding="utf-8"))
    return kept


def _keep(path: Path, state: State, digests: Digests, folders: tuple[Path, ...]) -> None:
    """Keep it for the next process; where nothing can be written it is hashed again."""
    with contextlib.suppress(OSError, ModelError):
        file = ledger.writable(ledger.searched(folders)) / FILE
        with ledger.alone(file):
            kept = {name: row for name, row in _kept(folders).items() if Path(name).exists()}
            kept[str(path)] = {"state": state} | asdict(digests)
            ledger.replace(file, json.dumps(kept, indent=1))
