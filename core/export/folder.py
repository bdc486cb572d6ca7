"""A folder that appears whole or not at all, and its zip."""

from __future__ import annotations

import secrets
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import ExportError

MARK = "codebook.csv"


@contextmanager
def placed(folder: Path, *, replace: bool) -> Iterator[Path]:
    """Give a folder to fill, which takes its place when the block ends without an error.

    Raises ExportError when something is there already and may not be replaced, or the disk refuses.
    """
    _check(folder, replace=replace)
    part = _beside(folder, "part")
    try:
        part.mkdir(parents=True)
        yield part
        _check(folder, replace=replace)
        _swap(part, folder)
    except OSError as error:
        raise ExportError(
            f"{folder}: cannot be written ({error}); free some space or give another folder"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def placed_file(path: Path) -> Iterator[Path]:
    """Give a file to write, which takes its place when the block ends without an error, also over another.

    Raises ExportError when the disk refuses.
    """
    part = _beside(path, "part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(path)
    except OSError as error:
        raise ExportError(
            f"{path}: cannot be written ({error}); free some space or give another path"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def pack(folder: Path, target: Path) -> Path:
    """Zip a folder's files, under the name of the zip, into `target`, which appears whole or not at all."""
    with placed_file(target) as part, zipfile.ZipFile(part, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                # Pictures are compressed already.
                method = zipfile.ZIP_DEFLATED if path.suffix == ".csv" else zipfile.ZIP_STORED
                archive.write(path, Path(target.stem) / path.relative_to(folder), compress_type=method)
    return target


def _check(folder: Path, *, replace: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not folder.is_dir():
        raise ExportError(f"{folder}: is a file; give the name of a folder")
    if not replace:
        raise ExportError(
            f"{folder}: is there already and not empty; give another folder or ask to replace it (--replace)"
        )
    if not (folder / MARK).is_file():
        raise ExportError(
            f"{folder}: holds no export (no {MARK}), and nothing else is replaced; give another folder"
        )


def _swap(part: Path, folder: Path) -> None:
    if not folder.exists():
        part.rename(folder)
        return
    old = _beside(folder, "old")
    folder.rename(old)
    try:
        part.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old)


def _beside(path: Path, sort: str) -> Path:
    path = path.absolute()
    return path.with_name(f".{path.name}-{secrets.token_hex(4)}.{sort}")
