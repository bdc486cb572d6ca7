"""Embeddings and pictures made for tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.identity import gallery
from core.identity.gallery import Gallery, Picture

EMOTIONS = ("angry", "sad", "happy", "disgust", "surprise")


def pictures(identities: int, *, edited_neutral: bool = False, traits: bool = False) -> list[Picture]:
    """A neutral and five edits of each identity, and perhaps an edited neutral."""
    made = []
    for at in range(identities):
        about = {"gender": "fm"[at % 2], "age_group": ("young", "old")[at // 2 % 2]} if traits else {}
        names = ["neutral", *EMOTIONS, *(["again"] if edited_neutral else [])]
        for name in names:
            emotion = "neutral" if name == "again" else name
            reference = None if name == "neutral" else f"{at:03d}_neutral.png"
            made.append(Picture(f"{at:03d}_{name}.png", f"id{at}", emotion, reference, about))
    return made


def embeddings(
    made: list[Picture], *, spread: float = 1.5, dimensions: int = 16, seed: int = 0
) -> NDArray[np.float32]:
    """Unit vectors around a centre of each identity: the larger the spread, the more they mix."""
    rng = np.random.default_rng(seed)
    centres: dict[object, NDArray[np.float64]] = {}
    rows = [
        centres.setdefault(one.identity_id, rng.normal(size=dimensions))
        + spread * rng.normal(size=dimensions)
        for one in made
    ]
    found = np.array(rows)
    unit: NDArray[np.float32] = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
    return unit


def a_set(identities: int, **options: bool) -> tuple[Gallery, NDArray[np.float32]]:
    """A gallery and its embeddings."""
    made = pictures(identities, **options)
    return gallery.build(made), embeddings(made)


def cosine(found: NDArray[np.float32], one: int, other: int) -> float:
    """One pair by the definition, rounded as the program's are."""
    return round(float(np.dot(found[one].astype(float), found[other].astype(float))), 6)
