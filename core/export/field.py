"""One column of an export, as its codebook describes it."""

from __future__ import annotations

from dataclasses import dataclass

from core.ratings import Kind


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its kind of value, units, range and meaning, and what a public export does to it."""

    column: str
    kind: Kind
    description: str
    units: str = ""
    range: str = ""
    missing: str = ""  # what an empty cell means; "" where no cell is empty
    public: str = "as it is"

    @property
    def is_dropped(self) -> bool:
        """Is the column empty in a public export?"""
        return self.public == DROPPED


DROPPED = "empty"
NEW_ID = "new random id"
