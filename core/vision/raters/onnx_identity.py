"""Identity models in ONNX files, each described by a table in a TOML file: ours, and a lab's own."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ModelError
from core.records import Score
from core.settings import PROJECT
from core.vision import align, arcface_crop, digests, embedding, onnx, weights
from core.vision.image import Pixels
from core.vision.onnx import Network
from core.vision.rater import Compute, Declaration, Entry, Gives, Opinion
from core.vision.sight import Sight

OURS = PROJECT / "assets" / "identity_models.toml"
VARIABLE = "FACENORM_IDENTITY_MODELS"
LANDMARKS = "face-landmarker"

Three = tuple[float, float, float]


class Model(BaseModel):
    """One table: the file, what its network wants and gives, and what to know of it.

    mean, std: of pixels from 0 to 1, in the order of `colour`.
    alignment: five points brought to ArcFace's places, or the square around the box, `scale` times it.
    norm_is_quality: the embedding's length before it is made 1 is a score of its own (MagFace).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    weights: str = ""  # a name in models.toml
    file: str = ""  # or a file's name in the model folders, with its checksum
    sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$")
    size_px: int = Field(default=112, gt=0)
    colour: Literal["rgb", "bgr"]
    mean: Three
    std: Three
    alignment: Literal["arcface-5", "box"]
    scale: float = Field(default=1.0, gt=0)
    dimensions: int = Field(gt=0)
    threshold: float | None = None
    norm_is_quality: bool = False
    licence: str
    citation: str
    trained_on: str
    limits: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A face as the network wants it, before its pixels are scaled; None with the reason."""

    face: Pixels | None
    reason: str


class Rater:
    """One of the networks."""

    def __init__(self, declaration: Declaration, model: Model, network: Network, weights_sha256: str) -> None:
        self.declaration, self.model = declaration, model
        self.network, self.weights_sha256 = network, weights_sha256

    def prepare(self, sight: Sight) -> Prepared:
        """The face at the network's size; with five points where it wants them."""
        size_px = self.model.size_px
        if self.model.alignment == "box":
            face = align.square(sight.image, sight.face, scale=self.model.scale, size_px=size_px)
            return Prepared(face, "")
        points, reason = arcface_crop.five_points(sight)
        if points is None:
            return Prepared(None, reason)
        return Prepared(arcface_crop.crop(sight.image, points, size_px=size_px), reason)

    def rate(self, prepared: Sequence[Prepared]) -> tuple[Opinion, ...]:
        """The embedding of each face, of length 1."""
        faces = [one.face for one in prepared if one.face is not None]
        rows = iter(self.network(inputs(faces, self.model))[0] if faces else ())
        return tuple(
            Opinion(reason=one.reason) if one.face is None else self._opinion(next(rows), one.reason)
            for one in prepared
        )

    def _opinion(self, row: NDArray[np.float32], reason: str) -> Opinion:
        opinion = embedding.opinion(row, reason)
        if opinion.abstains or not self.model.norm_is_quality:
            return opinion
        return replace(opinion, scores=(Score("quality", embedding.length(row), scale_min=0.0),))


def inputs(faces: Sequence[Pixels], model: Model) -> NDArray[np.float32]:
    """Faces as the network wants them, shape (n, 3, size, size)."""
    pixels = np.stack(faces)[..., :: 1 if model.colour == "rgb" else -1].astype(np.float32) / np.float32(255)
    scaled = (pixels - np.array(model.mean, np.float32)) / np.array(model.std, np.float32)
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2), np.float32)


def models(path: Path) -> Mapping[str, Model]:
    """The tables of a file by their names; ModelError names the table and the line that is wrong."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read as TOML: {error}") from error
    return {name: _model(path, name, table) for name, table in tables.items()}


def _model(path: Path, name: str, table: Any) -> Model:
    try:
        model = Model.model_validate(table)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ModelError(f"{path}: [{name}] is no identity model: {wrong}") from error
    if bool(model.weights) == bool(model.file and model.sha256):
        raise ModelError(
            f"{path}: [{name}] needs either 'weights', a name in models.toml, or both 'file' and 'sha256'"
        )
    return model


def declaration(name: str, model: Model) -> Declaration:
    """What the rater of a table is."""
    quality = Gives("quality", "number", units="length of the embedding", low=0.0)
    return Declaration(
        rater_id=name,
        title=model.title,
        version=f"1 {model.sha256[:12]}".strip(),
        gives=(quality,) if model.norm_is_quality else (),
        weights=(model.weights,) if model.weights else (),
        licence=model.licence,
        citation=model.citation,
        trained_on=model.trained_on,
        limits=model.limits,
        helpful=(LANDMARKS,) if model.alignment == "arcface-5" else (),
        dimensions=model.dimensions,
        threshold=model.threshold,
    )


def load(name: str, model: Model, folders: Sequence[Path], compute: Compute) -> Rater:
    """Read the weights; ModelError says how to get them, or what does not fit."""
    path = weights.need(model.weights, folders) if model.weights else _own(name, model, folders)
    network = onnx.session(path, compute)
    blank = np.zeros((model.size_px, model.size_px, 3), np.uint8)
    if (shape := network(inputs([blank], model))[0].shape) != (1, model.dimensions):
        raise ModelError(
            f"{path} gives an output of shape {shape}, and {name} should give {model.dimensions}"
        )
    return Rater(declaration(name, model), model, network, digests.of(path, folders).sha256)


def _own(name: str, model: Model, folders: Sequence[Path]) -> Path:
    """A lab's own file, by its name and checksum."""
    paths = [folder / model.file for folder in folders if (folder / model.file).is_file()]
    if not paths:
        raise ModelError(
            f"{name} needs the file {model.file}, which is not in {', '.join(map(str, folders))}"
        )
    found = [digests.of(path, folders).sha256 for path in paths]
    if model.sha256 not in found:
        raise ModelError(f"{paths[0]} is not {name}: found sha256 {found[0]}, needed {model.sha256}")
    return paths[found.index(model.sha256)]


def entries(own: str | None) -> tuple[Entry, ...]:
    """Our models and, where there is a file of one's own, its models; ModelError where a name is taken."""
    ours, theirs = models(OURS), models(Path(own).expanduser()) if own else {}
    if taken := sorted(set(ours) & set(theirs)):
        raise ModelError(f"{own}: {', '.join(taken)} is there already; give your model another name")
    return tuple(
        Entry(declaration(name, model), partial(load, name, model))
        for name, model in {**ours, **theirs}.items()
    )


ENTRIES = entries(os.environ.get(VARIABLE))
