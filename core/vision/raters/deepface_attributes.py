"""DeepFace's age, gender and race networks; off unless named, and never used to define groups."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.records import Score
from core.vision import deep, deepface_crop, weights
from core.vision.deep import Client
from core.vision.deepface_crop import Scaled
from core.vision.rater import Compute, Declaration, Entry, Gives, Opinion
from core.vision.sight import Sight

GENDERS = ("woman", "man")  # in the networks' order
RACES = ("asian", "indian", "black", "white", "middle eastern", "latino hispanic")
NAMES = ("deepface-age", "deepface-gender", "deepface-race")
CLIENTS = (("Age", "ApparentAgeClient"), ("Gender", "GenderClient"), ("Race", "RaceClient"))
SIZE_PX = 224
OLDEST = 100.0

DECLARATION = Declaration(
    rater_id="deepface-attributes",
    title="DeepFace's age, gender and race networks (Serengil & Özpınar, 2021)",
    version="1",
    gives=(
        Gives("age", "number", units="apparent years", low=0.0, high=OLDEST),
        Gives("gender", "choice", units="probability", labels=GENDERS),
        Gives("race", "choice", units="probability", labels=RACES),
    ),
    weights=NAMES,
    licence=weights.entry(NAMES[0]).licence,
    citation=weights.entry(NAMES[0]).citation,
    trained_on=(
        "IMDB-WIKI (age, gender): photographs of celebrities with what the web says of them; FairFace "
        "(race): photographs labelled by crowd workers from how people looked to them"
    ),
    limits=(
        "Its author reports a mean error of 4.65 years for age and 97 % right for gender, on data of the "
        "same kind; errors differ between groups of people. It knows two genders and six classes."
    ),
    warning=(
        "These are guesses from appearance, in the classes of the training data. They say neither who "
        "somebody is nor what they would call themselves, and are wrong more often for some groups than for "
        "others. Facenorm never sorts people or pictures by them: groups come from your manifest alone."
    ),
)


class Rater:
    """The three networks on upright faces."""

    declaration = DECLARATION

    def __init__(self, clients: Sequence[Client], weights_sha256: str) -> None:
        self.clients, self.weights_sha256 = tuple(clients), weights_sha256

    def prepare(self, sight: Sight) -> Scaled:
        """The box with its eyes levelled, 224 x 224 with black bars, as DeepFace.analyze makes it."""
        return deepface_crop.scaled(sight.upright, size_px=SIZE_PX)

    def rate(self, crops: Sequence[Scaled]) -> tuple[Opinion, ...]:
        """The apparent age, and the most probable gender and race, of each face."""
        faces = np.stack(crops)
        # Of a single face DeepFace gives a bare number, or a bare row.
        ages, genders, races = (
            np.reshape(client.predict(faces), (len(crops), -1)) for client in self.clients
        )
        return tuple(
            Opinion(
                (
                    Score("age", float(age), scale_min=0.0, scale_max=OLDEST),
                    Score("gender", label=GENDERS[int(gender.argmax())]),
                    Score("race", label=RACES[int(race.argmax())]),
                )
            )
            for (age,), gender, race in zip(ages, genders, races, strict=True)
        )


def load(folders: Sequence[Path], compute: Compute) -> Rater:
    """Read the weights; ModelError says how to get them."""
    paths = [weights.need(name, folders) for name in NAMES]
    return build(paths, compute, [weights.sha256_of(name, folders) for name in NAMES])


def build(paths: Sequence[Path], compute: Compute, sums: Sequence[str] = ()) -> Rater:
    """The rater on the networks in these files (age, gender, race) and their checksums."""
    clients = [
        deep.client(f"demography.onnx.{module}", name, path, compute)
        for path, (module, name) in zip(paths, CLIENTS, strict=True)
    ]
    joined = "".join(sums or [weights.checksum(path) for path in paths])
    return Rater(clients, hashlib.sha256(joined.encode()).hexdigest())


ENTRIES = (Entry(DECLARATION, load),)
