"""registry: light to import, complete, clear about what is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ModelError
from core.settings import PROJECT
from core.vision import registry, weights
from core.vision.rater import Rater

HEAVY = ("torch", "onnxruntime", "deepface", "mediapipe", "sklearn", "h5py", "httpx", "streamlit", "pandas")


def test_importing_it_loads_no_model_library() -> None:
    code = "import sys, core.vision.registry, core.vision.run\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    assert not set(HEAVY) & set(done.stdout.split())


@pytest.mark.parametrize("rater_id", registry.RATERS)
def test_every_rater_declares_what_a_reader_must_know(rater_id: str) -> None:
    declared = registry.declaration(rater_id)
    assert declared.rater_id == rater_id
    assert all([declared.title, declared.version, declared.licence])
    assert declared.gives or declared.dimensions
    assert all([declared.citation, declared.trained_on, declared.limits])
    names = {entry.name for entry in weights.entries()}
    assert set(declared.weights) <= names
    for gives in declared.gives:
        assert gives.units
        assert gives.labels or gives.kind == "number"
        if gives.kind == "number" and gives.low is not None and gives.high is not None:
            assert gives.low < gives.high


def test_every_detector_reads_a_file_of_the_catalogue() -> None:
    assert {entry.weights for entry in registry.DETECTORS.values()} <= {w.name for w in weights.entries()}


def test_a_loaded_rater_knows_the_checksum_of_its_weights(mini_xception: Rater, folders: list[Path]) -> None:
    path = weights.need("mini-xception", folders)
    assert mini_xception.weights_sha256 == weights.checksum(path)


def test_all_that_is_missing_is_said_at_once(tmp_path: Path, shared: Path) -> None:
    said = registry.missing(["mini-xception"], "yunet", [tmp_path])
    assert [line.split(" (")[0] for line in said] == ["the model file mini-xception", "the model file yunet"]
    assert registry.missing(["mini-xception"], "yunet", [tmp_path, shared / "models"]) == ()


def test_loading_without_weights_says_how_to_get_them(tmp_path: Path) -> None:
    for load in (
        lambda: registry.rater("mini-xception", [tmp_path]),
        lambda: registry.detector("haar", [tmp_path]),
    ):
        with pytest.raises(ModelError, match="facenorm models fetch"):
            load()


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no rater 'minixception'.*did you mean 'mini-xception'"):
        registry.rater("minixception", [tmp_path])
    with pytest.raises(ModelError, match=r"no detector 'retina'.*did you mean 'retinaface'"):
        registry.detector("retina", [tmp_path])


def test_the_best_detector_whose_file_is_here_is_taken(folders: list[Path], tmp_path: Path) -> None:
    assert registry.usable_detector(folders) == "yunet"  # RetinaFace's file is not here
    assert registry.usable_detector([tmp_path]) == "haar"
