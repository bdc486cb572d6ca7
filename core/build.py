"""Which build of the program a participant met: its version, and the hash of what runs in their browser."""

from __future__ import annotations

from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from core.settings import PROJECT

FOLDERS = (PROJECT / "assets" / "page", PROJECT / "assets" / "trial")


def name(release: str, folders: tuple[Path, ...]) -> str:
    """A release and the first 16 hex digits of the SHA-256 of these folders' files, as in `0.1.0+9f…`."""
    hashed = sha256()
    for path in sorted(path for folder in folders for path in folder.iterdir() if path.is_file()):
        # Each file's own hash and name: no byte can move from one file to the next unnoticed.
        hashed.update(f"{path.name} {sha256(path.read_bytes()).hexdigest()}\n".encode())
    return f"{release}+{hashed.hexdigest()[:16]}"


APP = name(version("facenorm"), FOLDERS)
"""The build of this process, stored with each session and each answer."""
