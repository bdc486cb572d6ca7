"""Raw scale points and canonical units.

Canonical units are -1..1 for a bipolar scale, with its declared zero at 0, and 0..1
for a unipolar one, with its declared zero at 0: a unipolar midpoint is never made 0.
"""

from __future__ import annotations

from core.errors import StudyError
from core.study import Scale
from core.study_rules import VAS_RANGE


def bounds(scale: Scale) -> tuple[float, float]:
    """The lowest and the highest raw point."""
    if scale.kind == "vas":
        return VAS_RANGE
    if scale.points is None:
        raise StudyError(f"a {scale.kind} has no scale points; needed a likert or a vas")
    return (1.0, float(scale.points))


def canonical_bounds(scale: Scale) -> tuple[float, float]:
    """The lowest and the highest canonical value."""
    bounds(scale)
    return (-1.0, 1.0) if scale.polarity == "bipolar" else (0.0, 1.0)


def canonical(value: float, scale: Scale) -> float:
    """A raw point in canonical units.

    A zero that is not the middle of a bipolar scale gives its two sides different
    slopes, so that both ends are full. A unipolar scale with its zero at the high end
    is turned round.
    Raises StudyError for a choice and for a value outside the scale.
    """
    low, high = bounds(scale)
    if not low <= value <= high:
        raise StudyError(f"found {value:g}; needed a raw point from {low:g} to {high:g}")
    zero = low if scale.zero is None else scale.zero
    if scale.polarity == "bipolar":
        return (value - zero) / (high - zero if value >= zero else zero - low)
    return abs(value - zero) / (high - low)
