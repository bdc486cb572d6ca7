"""What every AI rater is: a declaration of what it gives, and sights in, opinions out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.records import Score
from core.vision.sight import Sight

Kind = Literal["model", "comparison", "derived"]
Embedding = NDArray[np.float32]  # shape (dimensions,), of length 1


@dataclass(frozen=True, slots=True)
class Gives:
    """One scale that a rater answers, with the units of its values."""

    scale_id: str
    kind: Literal["choice", "number"]
    units: str
    labels: tuple[str, ...] = ()  # of a choice; of a number the words that may stand beside it
    low: float | None = None  # of a number; None where it has no bound
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
    helpful: tuple[str, ...] = ()  # names in models.toml that are used where they are there
    dimensions: int = 0  # of its embedding; 0 where it gives none
    threshold: float | None = None  # the cosine distance under which its authors say "same person"
    warning: str = ""  # to be read before it is used; such a rater never runs unless it is named


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a rater says of one face; without scores and embedding it abstains, and `reason` says why."""

    scores: tuple[Score, ...] = ()
    probabilities: Mapping[str, float] = field(default_factory=dict)  # by code; they sum to 1
    embedding: Embedding | None = field(default=None, compare=False)
    pictures: Mapping[str, bytes] = field(default_factory=dict)  # encoded, by what they show
    reason: str = ""  # why it abstains, or what was done otherwise than its authors did

    @property
    def abstains(self) -> bool:
        """Whether the rater says nothing of this face."""
        return not self.scores and self.embedding is None


class Rater(Protocol):
    """A loaded model."""

    @property
    def declaration(self) -> Declaration:
        """What this rater is and gives."""

    @property
    def weights_sha256(self) -> str:
        """The checksum of the weights that it read; of several, the one of them all."""

    def prepare(self, sight: Sight) -> Any:
        """What `rate` wants of one face, small enough to keep until the batch is full, and picklable."""

    def rate(self, prepared: Sequence[Any]) -> tuple[Opinion, ...]:
        """One opinion for each face, whatever else is in the batch."""


class Comparer(Protocol):
    """A rater that judges a picture beside its reference: the neutral face that was edited."""

    @property
    def declaration(self) -> Declaration:
        """What this rater is and gives."""

    @property
    def weights_sha256(self) -> str:
        """The checksum of the weights that it read; empty where it has none."""

    def compare(self, sight: Sight, reference: Sight) -> Opinion:
        """What changed from the reference to the picture."""


class Deriver(Protocol):
    """A rater without a model of its own: it works on what another rater said."""

    @property
    def declaration(self) -> Declaration:
        """What this rater is and gives."""

    @property
    def source(self) -> str:
        """The rater on whose opinions it works."""

    @property
    def relative(self) -> bool:
        """Whether it needs what the source said of the reference, too."""

    def derive(self, opinion: Opinion, reference: Opinion | None) -> Opinion:
        """Its opinion of the same face; the reference's only where `relative`."""


@dataclass(frozen=True, slots=True)
class Compute:
    """Where and how a rater computes; results may differ in the last digits."""

    device: Literal["cpu", "cuda"] = "cpu"


@dataclass(frozen=True, slots=True)
class Entry:
    """One rater of the registry: its declaration, and the function that loads it from the model folders."""

    declaration: Declaration
    load: Callable[[Sequence[Path], Compute], Rater | Comparer | Deriver]
    kind: Kind = "model"  # which of the three protocols it loads
