"""Detectors made for photographs find one face in the drawn ones."""

from pathlib import Path

import numpy as np
import pytest

from core import settings
from core.vision import registry, weights
from core.vision.detect import Detector
from core.vision.mesh import MediaPipe


def detector(name: str, shared: Path) -> Detector:
    folders = [shared / "models", *settings.load().model_folders]
    catalogue = {"haar": "haar-frontalface", "yunet": "yunet"}
    if weights.find(catalogue[name], folders) is None:
        pytest.skip(f"the weights of {name} are in none of {[str(folder) for folder in folders]}")
    return registry.detector(name, folders)


@pytest.mark.parametrize("name", ["haar", "yunet"])
def test_detector_finds_exactly_one_face_in_95_percent(
    name: str, portraits: dict[str, np.ndarray], shared: Path
) -> None:
    judge = detector(name, shared)
    wrong = [file for file, picture in portraits.items() if len(judge.detect(picture)) != 1]
    assert len(wrong) <= 0.05 * len(portraits), wrong


def test_mediapipe_finds_exactly_one_face_in_95_percent(
    portraits: dict[str, np.ndarray], landmarker: MediaPipe
) -> None:
    wrong = [file for file, picture in portraits.items() if len(landmarker.meshes(picture)) != 1]
    assert len(wrong) <= 0.05 * len(portraits), wrong
