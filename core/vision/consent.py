"""Agreements to the licences of non-commercial weights, recorded once beside the models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.errors import ModelError
from core.vision import ledger
from core.vision.catalogue import Weights, size

FILE = "agreements.toml"


def agreed(weights: Weights, folders: Sequence[Path]) -> bool:
    """Whether its licence asks for no agreement, or somebody has agreed to this very licence."""
    return not weights.consent or ledger.row(weights.name, FILE, folders).get("licence") == weights.licence


def agree(weights: Weights, folders: Sequence[Path], *, who: str) -> Path:
    """Record who agreed to the entry's licence, and when; return the file that says so."""
    row = ledger.Row(licence=weights.licence, who=who, at=ledger.now())
    return ledger.write(weights.name, row, FILE, folders)


def require(weights: Weights, folders: Sequence[Path]) -> None:
    """Raise ModelError unless the licence is agreed to."""
    if not agreed(weights, folders):
        raise ModelError(
            f"{weights.name} may be fetched and used only after you have agreed to its licence, "
            f"{weights.licence}.\n{weights.notice}\n{how(weights)}"
        )


def terms(weights: Weights) -> str:
    """What is shown before the question."""
    return f"{weights.title} ({weights.file}, {size(weights)})\nLicence: {weights.licence}\n{weights.notice}"


def how(weights: Weights) -> str:
    """The command that agrees."""
    return (
        f"Agree once with: facenorm models fetch {weights.name}   "
        f"(in a script: facenorm models fetch --agree {weights.name})"
    )
