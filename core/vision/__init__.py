"""Vision models as raters: one detection for each picture, and what each model says of the face."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.records import AiResult


def rate(
    pictures: Iterable[Path | str | bytes | NDArray[np.uint8]],
    raters: Sequence[str] = ("mini-xception",),
    *,
    detector: str | None = None,
    references: Sequence[Path | str | bytes | NDArray[np.uint8] | None] = (),
    folders: Sequence[Path] = (),
    device: str = "cpu",
    batch: int = 16,
) -> list[AiResult]:
    """Rate pictures in memory; nothing is stored.

    pictures: paths, encoded bytes, or RGB arrays of shape (height, width, 3) in 0..255.
    references: for each picture the one that it was made from, for raters that compare; may be left out.
    detector: the best one whose file is here where none is named, as `facenorm rate` takes it.
    folders: where the weights lie; those of the settings where none is given.
    Returns one record for each picture and rater, pictures first; a picture that cannot be read or shows
    no face is a record with that status and the reason.
    Raises ModelError for unknown raters, detectors and devices, and for missing weights.
    """
    from core.vision import at_once

    return at_once.rate(pictures, raters, detector, references, folders, device, batch)
