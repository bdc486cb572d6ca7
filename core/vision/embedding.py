"""A network's output as an embedding: a direction, of length 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.vision.rater import Opinion


def opinion(row: NDArray[np.float32], reason: str = "") -> Opinion:
    """The row made of length 1; an abstention where it has no direction."""
    norm = length(row)
    if not 0 < norm < np.inf:
        return Opinion(reason="the network gave nothing that has a direction")
    return Opinion(embedding=(row.astype(np.float64) / norm).astype(np.float32), reason=reason)


def length(row: NDArray[np.float32]) -> float:
    """The row's Euclidean length."""
    return float(np.linalg.norm(row.astype(np.float64)))
