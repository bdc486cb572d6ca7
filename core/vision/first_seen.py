"""Files whose checksum upstream does not publish: the first one is recorded, and held to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from core.errors import ModelError
from core.vision import ledger
from core.vision.catalogue import Weights

FILE = "first-seen.toml"


def held(weights: Weights, folders: Sequence[Path]) -> Weights:
    """The entry with the recorded checksum; as it is where it has its own, or nothing is recorded."""
    row = ledger.row(weights.name, FILE, folders) if weights.first_seen else {}
    if not row:
        return weights
    try:
        return dataclasses.replace(weights, sha256=row["sha256"], size_bytes=row["size_bytes"])
    except KeyError as error:
        path = ledger.place(weights.name, FILE, folders)
        raise ModelError(f"{path}: [{weights.name}] lacks {error}; add it, or delete the table") from error


def record(weights: Weights, path: Path, sha256: str, source: str, folders: Sequence[Path]) -> None:
    """Hold to this file from now on."""
    row: ledger.Row = {
        "sha256": sha256,
        "size_bytes": path.stat().st_size,
        "source": source,
        "at": ledger.now(),
    }
    ledger.write(weights.name, row, FILE, folders)


def how_to_accept(weights: Weights, folders: Sequence[Path]) -> str:
    """What is recorded, and the way to another file."""
    row = ledger.row(weights.name, FILE, folders)
    return (
        f"{weights.name} was first seen {row.get('at', '')[:10]} ({row.get('source')}) "
        f"with sha256 {row['sha256']}; "
        f"upstream publishes no checksum, so another file is refused. To accept a new one, delete the table "
        f"[{weights.name}] from {ledger.place(weights.name, FILE, folders)}"
    )
