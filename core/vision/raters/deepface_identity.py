"""The identity models that DeepFace offers: an embedding of each face, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from core.vision import deep, deepface_crop, embedding, weights
from core.vision.deep import Client
from core.vision.deepface_crop import Scaled
from core.vision.rater import Compute, Declaration, Entry, Opinion
from core.vision.sight import Sight

UNTURNED = "the detector gives no points, so the face was not turned upright"


@dataclass(frozen=True, slots=True)
class Model:
    """One of DeepFace's identity models: the declaration, its class in the package and the crop's size."""

    declaration: Declaration
    module: str  # below deepface.models.facial_recognition.onnx
    client: str
    size_px: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A face as the model wants it, and what was done otherwise than DeepFace does."""

    face: Scaled
    reason: str


class Rater:
    """One of the models on upright faces."""

    def __init__(self, model: Model, client: Client, weights_sha256: str) -> None:
        self.declaration, self.size_px = model.declaration, model.size_px
        self.client, self.weights_sha256 = client, weights_sha256

    def prepare(self, sight: Sight) -> Prepared:
        """The box with its eyes levelled, in a square with black bars, as DeepFace.represent makes it."""
        face = deepface_crop.scaled(sight.upright, size_px=self.size_px)
        return Prepared(face, "" if sight.face.points else UNTURNED)

    def rate(self, prepared: Sequence[Prepared]) -> tuple[Opinion, ...]:
        """The embedding of each face, of length 1, from one forward pass."""
        rows = self.client.predict(np.stack([one.face for one in prepared]))
        return tuple(embedding.opinion(row, one.reason) for row, one in zip(rows, prepared, strict=True))


def _model(
    name: str,
    title: str,
    client: tuple[str, str],
    size_px: int,
    dimensions: int,
    threshold: float,
    *,
    trained_on: str,
    limits: str,
) -> Model:
    rater_id = f"deepface-{name}"
    declaration = Declaration(
        rater_id=rater_id,
        title=title,
        version="1",
        gives=(),
        weights=(rater_id,),
        licence=weights.entry(rater_id).licence,
        citation=weights.entry(rater_id).citation,
        dimensions=dimensions,
        threshold=threshold,
        trained_on=trained_on,
        limits=limits,
    )
    return Model(declaration, *client, size_px)


TUNED = "The threshold is DeepFace's, tuned on other data than yours; "
MODELS = (
    _model(
        "vgg-face",
        "VGG-Face (Parkhi et al., 2015) through DeepFace",
        ("VGGFace", "VggFaceClient"),
        224,
        4096,
        0.68,
        trained_on="VGG Face: 2.6 million photographs of 2,622 celebrities from a web search",
        limits=TUNED + "trained to tell 2,622 people apart, without a loss made for comparing new ones.",
    ),
    _model(
        "facenet",
        "FaceNet, 128 dimensions (Schroff et al., 2015) through DeepFace",
        ("Facenet", "FaceNet128dClient"),
        160,
        128,
        0.40,
        trained_on="MS-Celeb-1M: photographs of celebrities from the web (withdrawn by its makers in 2019)",
        limits=TUNED + "its own normalisation of the pixels is not DeepFace's default, which is used here.",
    ),
    _model(
        "facenet512",
        "FaceNet, 512 dimensions (Schroff et al., 2015) through DeepFace",
        ("Facenet", "FaceNet512dClient"),
        160,
        512,
        0.30,
        trained_on="VGGFace2: 3.3 million photographs of 9,131 people from a web search",
        limits=TUNED + "its own normalisation of the pixels is not DeepFace's default, which is used here.",
    ),
    _model(
        "arcface",
        "ArcFace, ResNet-34 (Deng et al., 2019) through DeepFace",
        ("ArcFace", "ArcFaceClient"),
        112,
        512,
        0.68,
        trained_on="not said with the weights; its authors train on MS-Celeb-1M",
        limits=TUNED + "trained on faces brought to five points, while DeepFace only levels the eyes.",
    ),
    _model(
        "sface",
        "SFace (Zhong et al., 2021) through DeepFace",
        ("SFace", "SFaceClient"),
        112,
        128,
        0.593,
        trained_on="CASIA-WebFace, VGGFace2 or MS-Celeb-1M by its paper; the file does not say which",
        limits=TUNED + "trained on faces brought to five points, while DeepFace only levels the eyes.",
    ),
    _model(
        "ghostfacenet",
        "GhostFaceNet V1 (Alansari et al., 2023) through DeepFace",
        ("GhostFaceNet", "GhostFaceNetClient"),
        112,
        512,
        0.65,
        trained_on="MS1MV3, a cleaned MS-Celeb-1M",
        limits=TUNED + "trained on faces brought to five points, while DeepFace only levels the eyes.",
    ),
)


def load(model: Model, folders: Sequence[Path], compute: Compute) -> Rater:
    """Read the weights; ModelError says how to get them."""
    (name,) = model.declaration.weights
    return build(model, weights.need(name, folders), compute, weights.sha256_of(name, folders))


def build(model: Model, path: Path, compute: Compute, sha256: str = "") -> Rater:
    """The rater on the network in that file; its checksum is worked out where it is not given."""
    client = deep.client(f"facial_recognition.onnx.{model.module}", model.client, path, compute)
    return Rater(model, client, sha256 or weights.checksum(path))


ENTRIES = tuple(Entry(model.declaration, partial(load, model)) for model in MODELS)
