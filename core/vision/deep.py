"""DeepFace, as a library: the one place that imports it.

Left alone, DeepFace looks for weights in a folder of its own, downloads what it misses without a
checksum, and prints. Here its networks run on files that were found before, and nothing is fetched.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.vision import onnx
from core.vision.rater import Compute

Locate = Callable[[str, str], Path]  # a file's name and where it comes from -> where it lies here

# Read once, when the package is imported: its engine, and no word below "critical".
ENVIRONMENT = MappingProxyType(
    {"DEEPFACE_BACKEND_ENGINE": "onnx", "DEEPFACE_LOG_LEVEL": "50", "RETINAFACE_LOG_LEVEL": "50"}
)
# Importing changes the process's environment for a moment, and locating a function of the package.
_LOCK = threading.RLock()


class Client(Protocol):
    """One of DeepFace's models."""

    def predict(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """The outputs for pictures of shape (n, size, size, 3), BGR from 0 to 1."""


def client(module: str, name: str, path: Path, compute: Compute) -> Client:
    """DeepFace's model of that class on the weights in `path`.

    module: below deepface.models, for instance "demography.onnx.Emotion".
    """
    kind = getattr(load(f"deepface.models.{module}"), name)
    # Not its constructor: that would look for the weights itself, and start as many threads as it likes.
    made = kind.__new__(kind)
    made.model_name, made.model = name, onnx.session(path, compute).inner
    ready: Client = made
    return ready


def retinaface(path: Path, compute: Compute) -> Callable[[NDArray[np.uint8], float], Mapping[str, Any]]:
    """RetinaFace: a BGR picture and a threshold -> the package's own answer, at the picture's scale."""
    package = load("retinaface.RetinaFace")
    network = load("retinaface.model.retinaface_onnx_model").RetinaFace(onnx.session(path, compute).inner)

    def faces(image: NDArray[np.uint8], threshold: float) -> Mapping[str, Any]:
        found: Mapping[str, Any] = package.detect_faces(
            image, threshold=threshold, model=network, allow_upscaling=False
        )
        return found

    return faces


def detector(backend: str) -> Any:
    """One of DeepFace's detectors; inside `locating` only."""
    return load("deepface.modules.modeling").get_model_class("face_detector", backend)()


def backends() -> tuple[str, ...]:
    """The names of DeepFace's detectors."""
    return tuple(load("deepface.modules.modeling").AVAILABLE_MODELS["face_detector"])


def version() -> str:
    """The package's version."""
    return importlib.metadata.version("deepface")


@contextlib.contextmanager
def locating(locate: Locate) -> Iterator[None]:
    """Have DeepFace take its files from `locate`, and download none, as long as this lasts."""

    def found(file_name: str, source_url: str | list[str], compress_type: str | None = None) -> str:
        return str(locate(file_name, source_url if isinstance(source_url, str) else source_url[0]))

    module = load("deepface.commons.weight_utils")
    with _LOCK:
        theirs = module.download_weights_if_necessary
        module.download_weights_if_necessary = found
        try:
            yield
        finally:
            module.download_weights_if_necessary = theirs


def load(name: str) -> Any:
    """Import one of the package's modules, on onnxruntime and in silence."""
    with _LOCK, _environment(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # retinaface changes the process's filters, too
        module = importlib.import_module(name)
        engine = importlib.import_module("deepface.commons.backend_utils").get_backend_engine()
    if engine != "onnx":
        raise ModelError(
            f"DeepFace runs on {engine} in this process, and on onnxruntime is needed; "
            "unset DEEPFACE_BACKEND_ENGINE, or import core.vision.deep first"
        )
    return module


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
