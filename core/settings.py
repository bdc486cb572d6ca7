"""Where things lie and what the environment says about it."""

from __future__ import annotations

import getpass
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Settings:
    """The installation: folders, database and models."""

    data: Path
    database_url: str
    model_folders: tuple[Path, ...]


def load(env: Mapping[str, str] = os.environ) -> Settings:
    """Read FACENORM_DATA, FACENORM_DATABASE_URL and FACENORM_MODELS, with their defaults."""
    data = Path(env.get("FACENORM_DATA") or PROJECT / "data").expanduser().resolve()
    folders = [Path(part).expanduser() for part in env.get("FACENORM_MODELS", "").split(os.pathsep) if part]
    return Settings(
        data=data,
        database_url=env.get("FACENORM_DATABASE_URL") or f"sqlite:///{data / 'facenorm.db'}",
        model_folders=tuple(folders) or (user_cache_path("facenorm") / "models",),
    )


def make_data(settings: Settings) -> None:
    """Make the data folder, which nobody else on the machine may read."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)


def user() -> str:
    """Name who runs this process; a container's user may have a number only."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def secret(settings: Settings) -> bytes:
    """The installation's 32 secret bytes, made once; replicas share the file or the variable."""
    if given := os.environ.get("FACENORM_SECRET"):
        return given.encode()
    path = settings.data / "secret.key"
    make_data(settings)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
    except FileExistsError:
        pass
    return path.read_bytes()
