"""mini-Xception's network against the original Keras graph."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from core.errors import ModelError
from core.vision import weights
from core.vision.networks import mini_xception


def formula_inputs() -> torch.Tensor:
    """The four formula pictures of the golden file, shape (4, 1, 64, 64)."""
    x, y = np.meshgrid(np.arange(64.0), np.arange(64.0))
    pictures = [
        x / 63,
        y / 63,
        0.5 + 0.5 * np.sin(2 * np.pi * (x + 2 * y) / 16),
        np.clip(1 - np.hypot(x - 31.5, y - 31.5) / 32, 0, 1),
    ]
    return torch.from_numpy((np.stack(pictures)[:, None].astype(np.float32) - 0.5) * 2)


@pytest.fixture(scope="module")
def path(folders: list[Path]) -> Path:
    return weights.need("mini-xception", folders)


@pytest.fixture(scope="module")
def golden(shared: Path) -> np.ndarray:
    text = (shared / "reference" / "minixception_golden.json").read_text()
    return np.array(json.loads(text)["probabilities"])


def test_the_formula_inputs_give_the_probabilities_of_the_keras_graph(path: Path, golden: np.ndarray) -> None:
    # Oracle: the original hdf5 run by Keras 3.15.1 on TensorFlow 2.21; the tolerance is the file's own.
    with torch.inference_mode():
        found = mini_xception.load(path)(formula_inputs()).numpy()
    np.testing.assert_allclose(found, golden, atol=1e-5, rtol=0)


def test_in_float64_the_network_is_as_near(path: Path, golden: np.ndarray) -> None:
    # What is left is float32 rounding in the oracle: the layers are the same.
    with torch.inference_mode():
        found = mini_xception.load(path).double()(formula_inputs().double()).numpy()
    np.testing.assert_allclose(found, golden, atol=3e-6, rtol=0)


@pytest.mark.parametrize("side", range(1, 12))
def test_pooling_pads_as_tensorflow_documents_same_padding(side: int) -> None:
    # Oracle: output ceil(side / 2); window i covers 2i - before .. 2i - before + 2, before = total // 2.
    maps = torch.arange(side, dtype=torch.float32).reshape(1, 1, side, 1).expand(1, 1, side, side)
    size = -(-side // 2)
    before = max((size - 1) * 2 + 3 - side, 0) // 2
    last = [float(min(2 * i - before + 2, side - 1)) for i in range(size)]
    pooled = mini_xception.pool_same(maps)
    assert pooled.shape == (1, 1, size, size)
    assert pooled[0, 0, :, 0].tolist() == last


def test_a_file_without_a_layer_or_with_another_shape_is_refused(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.hdf5"
    copy.write_bytes(path.read_bytes())
    with h5py.File(copy, "r+") as file:
        del file["model_weights/conv2d_7"]
    with pytest.raises(ModelError, match=r"copy\.hdf5 is not mini-Xception as Keras saves it"):
        mini_xception.load(copy)
    copy.write_bytes(b"no hdf5")
    with pytest.raises(ModelError, match="is not mini-Xception"):
        mini_xception.load(copy)


# Keras chooses its engine once, when it is imported: a process of its own.
KERAS = """
import sys
import keras, numpy as np
network = keras.models.load_model(sys.argv[1], compile=False)
inputs = np.load(sys.argv[2])
np.save(sys.argv[3], np.asarray(network(inputs).detach()))
"""


def test_random_inputs_give_what_the_original_graph_gives_in_keras(path: Path, tmp_path: Path) -> None:
    # Oracle: the authors' hdf5 loaded and run by Keras itself, on torch.
    inputs = np.random.default_rng(1).uniform(-1, 1, (5, 1, 64, 64)).astype(np.float32)
    np.save(tmp_path / "in.npy", inputs.transpose(0, 2, 3, 1))
    files = [str(path), str(tmp_path / "in.npy"), str(tmp_path / "out.npy")]
    env = os.environ | {"KERAS_BACKEND": "torch", "KERAS_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", KERAS, *files], env=env, check=True, capture_output=True)
    with torch.inference_mode():
        found = mini_xception.load(path)(torch.from_numpy(inputs)).numpy()
    np.testing.assert_allclose(found, np.load(tmp_path / "out.npy"), atol=1e-5, rtol=0)
