"""Small TOML files beside the models: what was first seen, and what was agreed to."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from core.errors import ModelError

Row = dict[str, str | int]


def row(name: str, file: str, folders: Sequence[Path]) -> dict[str, Any]:
    """The entry's table in the first folder that has one; empty where none has."""
    found = (_read(folder / file).get(name) for folder in searched(folders))
    return next((table for table in found if table), {})


def place(name: str, file: str, folders: Sequence[Path]) -> Path:
    """The file in which that table stands."""
    return next(path for folder in searched(folders) if name in _read(path := folder / file))


def write(name: str, table: Row, file: str, folders: Sequence[Path]) -> Path:
    """Put the table into the first folder that can be written; return the file."""
    path = writable(searched(folders)) / file
    with alone(path):
        tables = _read(path) | {name: table}
        replace(path, "\n".join(_toml(*item) for item in tables.items()))
    return path


def writable(folders: Sequence[Path]) -> Path:
    """The first folder that can be written, made where it is not there; ModelError where none can."""
    for folder in folders:
        if _can_write(folder):
            return folder
    raise ModelError(
        f"{' and '.join(map(str, folders))} cannot be written; "
        f"set FACENORM_MODELS to a list with a folder of yours"
    )


def now() -> str:
    """The time as tables give it: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def replace(path: Path, text: str) -> None:
    """Write a file as a whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    # A path may hold bytes that are no text.
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    Path(name).chmod(0o644)  # others on the machine read the models, too
    Path(name).replace(path)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the file's lock, so that two processes do not write it at once."""
    with path.with_name(f".{path.name.lstrip('.')}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def searched(folders: Sequence[Path]) -> list[Path]:
    """The folders, and where things go when none of them can be written."""
    return [*folders, user_cache_path("facenorm") / "models"]


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Root may write anywhere; a folder that its owner has closed stays as it is all the same.
        return os.access(folder, os.W_OK) and bool(folder.stat().st_mode & stat.S_IWUSR)
    except OSError:
        return False


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:  # a file that is not there, or may not be read, says nothing
        return {}
    except ValueError as error:
        raise ModelError(f"{path} cannot be read: {error}; mend it, or move it away") from error


def _toml(name: str, table: Row) -> str:
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items())
    return f"[{name}]\n{''.join(lines)}"
