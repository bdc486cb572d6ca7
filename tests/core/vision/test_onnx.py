"""onnx: batches of any size through networks of any batch, on the device that there is."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from core.errors import ModelError
from core.vision.onnx import providers, session, threads
from core.vision.rater import Compute


def doubling(path: Path, batch: int | str) -> Path:
    """A file whose outputs are twice and minus its input, made for this batch."""
    shape = [batch, 3]
    value = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", "y", "z")}
    nodes = [helper.make_node("Add", ["x", "x"], ["y"]), helper.make_node("Neg", ["x"], ["z"])]
    graph = helper.make_graph(nodes, "doubling", [value["x"]], [value["y"], value["z"]])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.mark.parametrize("batch", ["n", 1, 4])
@pytest.mark.parametrize("rows", [1, 3, 4, 9])
def test_a_batch_of_any_size_goes_through(tmp_path: Path, batch: int | str, rows: int) -> None:
    network = session(doubling(tmp_path / "ä model.onnx", batch), Compute())
    x = np.arange(rows * 3, dtype=np.float32).reshape(rows, 3)
    double, minus = network(x)
    np.testing.assert_array_equal(double, 2 * x)
    np.testing.assert_array_equal(minus, -x)


def test_a_network_gets_what_is_not_contiguous_as_it_looks(tmp_path: Path) -> None:
    network = session(doubling(tmp_path / "model.onnx", "n"), Compute())
    x = np.arange(6, dtype=np.float32).reshape(3, 2).T
    np.testing.assert_array_equal(network(x)[0], 2 * x)


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"broken\.onnx is no model that onnxruntime can open"):
        session(path, Compute())


@pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="onnxruntime has CUDA here"
)
def test_without_cuda_the_message_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no CUDA here .*install onnxruntime-gpu"):
        session(doubling(tmp_path / "model.onnx", 1), Compute("cuda"))
    assert providers(Compute()) == ["CPUExecutionProvider"]


def test_the_threads_are_those_of_torch() -> None:
    import torch

    assert threads() == torch.get_num_threads()


@pytest.mark.parametrize(("setting", "expected"), [("3", 3), ("2,1", 2), ("", 0), ("many", 0)])
def test_before_torch_is_loaded_the_threads_are_those_of_openmp(setting: str, expected: int) -> None:
    code = (
        "import sys; from core.vision import onnx; assert 'torch' not in sys.modules; print(onnx.threads())"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": setting}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    assert int(done.stdout) == expected
