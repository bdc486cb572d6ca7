"""Raters with generated weights, where the real ones are not here: the contract runs on them instead.

One line for each rater: a function of an empty folder that gives the loaded rater.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from torch import nn

from core.vision import onnx
from core.vision.rater import Compute, Declaration, Rater
from core.vision.raters import emonet, hsemotion
from tests.core.vision.generated import export, filled


def of_emonet(declaration: Declaration, _folder: Path) -> Rater:
    """Not the architecture, which takes its time and is tested by itself, but of its shape at both ends."""
    return emonet.Rater(declaration, thin(256, len(declaration.gives[0].labels) + 2), "0" * 64)


def of_hsemotion(folder: Path) -> Rater:
    """Not the architecture, but of its shape at both ends."""
    path = export(thin(224, 10), folder / "hsemotion.onnx", (3, 224, 224), ["y"])
    return hsemotion.Rater(onnx.session(path, Compute()), hashlib.sha256(path.read_bytes()).hexdigest())


def thin(size: int, outputs: int) -> nn.Module:
    """One linear layer behind 8 x 8 means; small, for valence and arousal to be within their range."""
    layers = filled(nn.Sequential(nn.AvgPool2d(size // 8), nn.Flatten(), nn.Linear(3 * 64, outputs)))
    with torch.no_grad():
        layers[-1].weight *= 0.2
    return layers.eval()


GENERATED: Mapping[str, Callable[[Path], Rater]] = {
    "emonet-8": partial(of_emonet, emonet.EIGHT),
    "emonet-5": partial(of_emonet, emonet.FIVE),
    "hsemotion": of_hsemotion,
}
