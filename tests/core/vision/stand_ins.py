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
from core.vision.raters import (
    deepface_attributes,
    deepface_emotion,
    deepface_identity,
    emonet,
    face_quality,
    hsemotion,
)
from tests.core.vision import generated
from tests.core.vision.generated import export, filled


def of_emonet(declaration: Declaration, _folder: Path) -> Rater:
    """Not the architecture, which takes its time and is tested by itself, but of its shape at both ends."""
    return emonet.Rater(declaration, thin(256, len(declaration.gives[0].labels) + 2), "0" * 64)


def of_hsemotion(folder: Path) -> Rater:
    """Not the architecture, but of its shape at both ends."""
    path = export(thin(224, 10), folder / "hsemotion.onnx", (3, 224, 224), ["y"])
    return hsemotion.Rater(onnx.session(path, Compute()), hashlib.sha256(path.read_bytes()).hexdigest())


def of_deepface_emotion(folder: Path) -> Rater:
    """DeepFace's own architecture."""
    generated.true(folder, "facial_expression_model_weights.onnx")
    return deepface_emotion.load([folder], Compute())


def of_deepface_attributes(folder: Path) -> Rater:
    """Not the architectures, but of their shapes at both ends."""
    files = {"age": 101, "gender": 2, "race": 6}
    paths = [
        generated.thin(folder, f"{name}.onnx", size=224, outputs=outputs, softmax=True)
        for name, outputs in files.items()
    ]
    return deepface_attributes.build(paths, Compute())


def of_identity(model: deepface_identity.Model, folder: Path) -> Rater:
    """Not the architecture, but of its shape at both ends; SFace's file takes channels first."""
    outputs = model.declaration.dimensions
    if model.declaration.rater_id == "deepface-sface":
        path = export(
            thin(model.size_px, outputs), folder / "sface.onnx", (3, model.size_px, model.size_px), ["y"]
        )
    else:
        path = generated.thin(folder, "identity.onnx", size=model.size_px, outputs=outputs)
    return deepface_identity.build(model, path, Compute())


def of_face_quality(folder: Path) -> Rater:
    """Not the architecture, but of its shape at both ends."""
    path = export(thin(face_quality.SIZE_PX, 1), folder / "quality.onnx", (3, 112, 112), ["y"])
    return face_quality.Rater(onnx.session(path, Compute()), hashlib.sha256(path.read_bytes()).hexdigest())


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
    "face-quality": of_face_quality,
    "deepface-emotion": of_deepface_emotion,
    "deepface-attributes": of_deepface_attributes,
    **{model.declaration.rater_id: partial(of_identity, model) for model in deepface_identity.MODELS},
}
