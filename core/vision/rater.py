"""What every AI rater is: a declaration of what it gives, and crops in, opinions out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from core.records import Face, Score
from core.vision.image import Pixels


@dataclass(frozen=True, slots=True)
class Gives:
    """One scale that a rater answers, with the units of its values."""

    scale_id: str
    kind: Literal["choice", "number"]
    units: str
    labels: tuple[str, ...] = ()  # of a choice
    low: float | None = None  # of a number
    high: float | None = None
    zero: float | None = None  # the value that means "none" or "neither"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a rater is, before any of its weights are read."""

    rater_id: str
    title: str
    version: str  # of our code: another one may give other values
    gives: tuple[Gives, ...]
    weights: tuple[str, ...]  # names in models.toml
    licence: str
    citation: str
    trained_on: str
    limits: str


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a rater says of one face."""

    scores: tuple[Score, ...]
    probabilities: Mapping[str, float] = field(default_factory=dict)  # by code; they sum to 1


class Rater(Protocol):
    """A loaded model."""

    @property
    def declaration(self) -> Declaration:
        """What this rater is and gives."""

    @property
    def weights_sha256(self) -> str:
        """The checksum of the weights that it read."""

    def prepare(self, image: Pixels, face: Face) -> Pixels:
        """The crop that `rate` wants, small enough to keep until the batch is full."""

    def rate(self, crops: Sequence[Pixels]) -> tuple[Opinion, ...]:
        """One opinion for each crop, whatever else is in the batch."""
