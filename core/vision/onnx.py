"""Networks in ONNX files, run by onnxruntime."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.vision.rater import Compute

if TYPE_CHECKING:
    import onnxruntime

Arrays = tuple[NDArray[Any], ...]
ERRORS = 3  # onnxruntime's log level: its warnings are about the graph, not about the result


@dataclass(frozen=True)
class Network:
    """An opened model with one input: a batch in, the batch of each output."""

    inner: onnxruntime.InferenceSession
    input_name: str
    batch: int | None  # the only batch that it takes; None where any will do

    def __call__(self, batch: NDArray[np.float32]) -> Arrays:
        """Each output for the whole batch, whatever batch the file was made for.

        A network of a fixed batch is run several times, the last row repeated to fill it.
        """
        if self.batch is None or len(batch) == self.batch:
            return self._run(batch)
        filled = np.concatenate([batch, np.repeat(batch[-1:], -len(batch) % self.batch, axis=0)])
        parts = [self._run(rows) for rows in np.split(filled, len(filled) // self.batch)]
        return tuple(np.concatenate(outputs)[: len(batch)] for outputs in zip(*parts, strict=True))

    def _run(self, batch: NDArray[np.float32]) -> Arrays:
        return tuple(self.inner.run(None, {self.input_name: np.ascontiguousarray(batch)}))


def session(path: Path, compute: Compute) -> Network:
    """Open the model on the device; ModelError where the file or the device cannot be used."""
    import onnxruntime

    on = providers(compute)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    options.log_severity_level = ERRORS
    try:
        # Bytes, not the path: onnxruntime cannot open every name that a folder may have.
        inner = onnxruntime.InferenceSession(path.read_bytes(), options, providers=on)
    except Exception as error:  # onnxruntime's errors share no class of their own
        raise ModelError(f"{path} is no model that onnxruntime can open: {_line(error)}") from error
    return _network(path, inner)


def _network(path: Path, inner: onnxruntime.InferenceSession) -> Network:
    inputs = inner.get_inputs()
    if len(inputs) != 1:
        raise ModelError(f"{path} wants {len(inputs)} inputs; a network on faces has one")
    size = inputs[0].shape[0] if inputs[0].shape else None
    return Network(inner, inputs[0].name, size if isinstance(size, int) and size > 0 else None)


def providers(compute: Compute) -> list[str]:
    """What onnxruntime calls the device; ModelError where this installation lacks it."""
    import onnxruntime

    if compute.device == "cpu":
        return ["CPUExecutionProvider"]
    known = onnxruntime.get_available_providers()
    if "CUDAExecutionProvider" not in known:
        raise ModelError(
            f"onnxruntime {onnxruntime.__version__} has no CUDA here (it has {', '.join(known)}); "
            "install onnxruntime-gpu in its place, or rate with --device cpu"
        )
    return ["CUDAExecutionProvider", "CPUExecutionProvider"]


def threads() -> int:
    """As many threads as torch would use in this process; 0 leaves it to onnxruntime."""
    if torch := sys.modules.get("torch"):
        return int(torch.get_num_threads())
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdigit() else 0


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
