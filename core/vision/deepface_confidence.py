"""DeepFace's `confidence` of a verification, for those who compare with results that report it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from core.vision import deep

# What DeepFace calls the models that our raters run.
NAMES: Mapping[str, str] = MappingProxyType(
    {
        "deepface-vgg-face": "VGG-Face",
        "deepface-facenet": "Facenet",
        "deepface-facenet512": "Facenet512",
        "deepface-arcface": "ArcFace",
        "deepface-sface": "SFace",
        "deepface-ghostfacenet": "GhostFaceNet",
    }
)


def of(rater_id: str, threshold: float | None) -> Callable[[float], float] | None:
    """The function from a similarity to DeepFace's confidence (0 to 100); None for other models.

    It is the package's own: the distance rescaled above and below the threshold, with a jump between, fitted
    to other data. It is no probability.
    """
    if rater_id not in NAMES or threshold is None:
        return None
    find, name = deep.load("deepface.modules.verification").find_confidence, NAMES[rater_id]

    def confidence(similarity: float) -> float:
        distance = round(1 - similarity, 6)
        return float(find(distance, name, distance <= threshold, "cosine"))

    return confidence
