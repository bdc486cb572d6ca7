"""What a user asks of a rating file: which column is which, and how its scales are to be taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.agreement.krippendorff import Level


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of a file's columns.

    scales: of a wide file, one column per scale. scale, value: of a long file. emotion: the perceived label,
    a column or, in a long file, one of its scales. by: what the tables are split by.
    """

    rater: str
    stimulus: str
    scales: tuple[str, ...] = ()
    scale: str | None = None
    value: str | None = None
    emotion: str | None = None
    intended: str | None = None
    identity: str | None = None
    rater_type: str | None = None
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """Columns, declared levels and ranges by scale, and how intervals are drawn."""

    columns: Columns
    levels: Mapping[str, Level] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    resamples: int = 1000
    seed: int = 1
