"""Networks of the right shape with generated weights, for adapters whose real weights are not here."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from core.records import Face

FACE = Face(0, 0, 1, 1, None, (), "none", "0", "largest of 1", 1)

# The module of the package and what builds its network, by the name of the file with the real weights.
TRUE = {
    "facial_expression_model_weights.onnx": ("demography.pytorch.Emotion", "base_model", {}, (48, 1)),
    "facenet_weights.onnx": ("facial_recognition.pytorch.Facenet", "InceptionResNetV1", {}, (160, 3)),
    "facenet512_weights.onnx": (
        "facial_recognition.pytorch.Facenet",
        "InceptionResNetV1",
        {"dimension": 512},
        (160, 3),
    ),
    "arcface_weights.onnx": ("facial_recognition.pytorch.ArcFace", "base_model", {}, (112, 3)),
    "ghostfacenet_v1.onnx": ("facial_recognition.pytorch.GhostFaceNet", "base_model", {}, (112, 3)),
}


class ChannelsLast(nn.Module):
    """Takes (n, height, width, channels), as DeepFace's files do."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        return self.inner(faces.permute(0, 3, 1, 2))


class Spots(nn.Module):
    """A detector in RetinaFace's shape that takes every white cell of 8 x 8 pixels for a face of 32 x 32.

    Scores are the cells' brightness, boxes the anchors themselves, and the five points lie at a
    quarter of the anchor's size from its centre.
    """

    POINTS = ((-0.25, -0.25), (0.25, -0.25), (0.0, 0.0), (-0.25, 0.25), (0.25, 0.25))

    def forward(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        grey = pictures.permute(0, 3, 1, 2).mean(dim=1, keepdim=True) / 255
        return [one for stride in (32, 16, 8) for one in self._head(grey, stride)]

    def _head(self, grey: torch.Tensor, stride: int) -> tuple[torch.Tensor, ...]:
        cells = nn.functional.avg_pool2d(grey, stride, ceil_mode=True).permute(0, 2, 3, 1)
        none = cells * 0
        # Two anchors a cell: first that nobody is there, then that somebody is.
        somebody = cells if stride == 8 else none
        points = [none + value for _ in range(2) for point in self.POINTS for value in point]
        return (
            torch.cat([1 - none, 1 - none, somebody, none], 3),
            torch.cat([none] * 8, 3),
            torch.cat(points, 3),
        )


def true(folder: Path, file: str) -> Path:
    """DeepFace's own architecture of that file, filled at random."""
    import importlib

    from core.vision import deep

    module, name, settings, (size, channels) = TRUE[file]
    deep.load("deepface")
    make: Callable[..., nn.Module] = getattr(importlib.import_module(f"deepface.models.{module}"), name)
    return export(ChannelsLast(filled(make(**settings))), folder / file, (size, size, channels), ["y"])


def filled(network: nn.Module) -> nn.Module:
    """The network with weights under which what differs at its input still differs at its output."""
    torch.manual_seed(1)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def thin(folder: Path, file: str, *, size: int, outputs: int, softmax: bool = False) -> Path:
    """Not the architecture: one linear layer behind 8 x 8 means, of the right shape at both ends."""
    layers = [nn.AvgPool2d(size // 8), nn.Flatten(), nn.Linear(3 * 64, outputs)]
    inner = nn.Sequential(*layers, *([nn.Softmax(dim=1)] if softmax else []))
    return export(ChannelsLast(filled(inner)), folder / file, (size, size, 3), ["y"])


def retinaface(folder: Path) -> Path:
    """The true architecture of RetinaFace, filled at random: it finds nobody, and takes its time."""
    from core.vision import deep

    deep.load("retinaface")
    from retinaface.model.retinaface_pth_model import RetinaFace

    torch.manual_seed(1)
    return _pictures(RetinaFace(), folder / "retinaface.onnx")


def spots(folder: Path) -> Path:
    """The file of `Spots`."""
    return _pictures(Spots(), folder / "spots.onnx")


def _pictures(network: nn.Module, path: Path) -> Path:
    return export(network, path, (64, 64, 3), [f"y{number}" for number in range(9)], any_size=True)


def export(
    network: nn.Module, path: Path, shape: Sequence[int], outputs: list[str], *, any_size: bool = False
) -> Path:
    """Write the network to an ONNX file that takes any batch, and where asked any size."""
    axes = {0: "n", 1: "height", 2: "width"} if any_size else {0: "n"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter by tracing is deprecated, and the other one slow
        torch.onnx.export(
            network.eval(),
            (torch.from_numpy(np.zeros((1, *shape), np.float32)),),
            str(path),
            dynamo=False,
            input_names=["x"],
            output_names=outputs,
            dynamic_axes={name: axes for name in ["x", *outputs]},
        )
    return path
