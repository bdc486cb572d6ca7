"""DeepFace itself, as it is called by those who use it, on a face that was found before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from core.records import Face
from core.vision import deep


class Known:
    """A detector for DeepFace's own pipeline: it finds the face that we found."""

    def __init__(self, face: Face, picture: np.ndarray) -> None:
        self.face, self.border = face, (int(0.5 * picture.shape[1]), int(0.5 * picture.shape[0]))

    def detect_faces(self, _img: np.ndarray) -> list[Any]:
        region = deep.load("deepface.models.Detector").FacialAreaRegion
        left, top = self.border  # DeepFace has put black around the picture before it asks
        eyes = {
            name: (int(x) + left, int(y) + top)
            for name, (x, y) in zip(("right_eye", "left_eye"), self.face.points, strict=False)
        }
        corner = (int(self.face.x) + left, int(self.face.y) + top)
        return [region(*corner, int(self.face.width), int(self.face.height), confidence=0.9, **eyes)]


class Oracle:
    """DeepFace with models of its own, read from `home`; the face comes from `Known`."""

    def __init__(self, stored: dict[str, dict[str, Any]]) -> None:
        self.stored = stored

    def face(self, picture: np.ndarray, face: Face) -> np.ndarray:
        """The aligned crop in RGB."""
        extract = deep.load("deepface.modules.detection").extract_faces
        (found,) = extract(self._bgr(picture, face), detector_backend="opencv", normalize_face=False)
        return np.asarray(found["face"])

    def analyze(self, picture: np.ndarray, face: Face | None, *actions: str) -> dict[str, Any]:
        """Its answer on the whole picture; without a face on the picture as a crop."""
        analyze = deep.load("deepface.DeepFace").analyze
        (found,) = analyze(self._bgr(picture, face), actions=actions, detector_backend=self._backend(face))
        return dict(found)

    def represent(self, picture: np.ndarray, face: Face | None, model: str) -> np.ndarray:
        """Its embedding, made of length 1, of the whole picture or of a crop."""
        represent = deep.load("deepface.DeepFace").represent
        (found,) = represent(
            self._bgr(picture, face), model, detector_backend=self._backend(face), l2_normalize=True
        )
        return np.asarray(found["embedding"])

    def _bgr(self, picture: np.ndarray, face: Face | None) -> np.ndarray:
        if face is not None:
            self.stored["face_detector"]["opencv"] = Known(face, picture)
        return np.ascontiguousarray(picture[..., ::-1])

    def _backend(self, face: Face | None) -> str:
        return "skip" if face is None else "opencv"


@contextmanager
def oracle(home: Path | None = None) -> Iterator[Oracle]:
    """DeepFace with an empty store of models, and its weights in home/.deepface/weights."""
    modeling = deep.load("deepface.modules.modeling")
    stored: dict[str, dict[str, Any]] = {task: {} for task in modeling.AVAILABLE_MODELS}
    with (
        patch.object(modeling, "cached_models", stored, create=True),
        patch.dict(os.environ, {"DEEPFACE_HOME": str(home)} if home else {}),
    ):
        yield Oracle(stored)
