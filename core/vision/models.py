"""What a run needs, loaded: one detector, the landmarker and the raters, and the keys of their results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import cast

from core.errors import ModelError
from core.records import RaterKey
from core.vision import mesh, registry, weights
from core.vision.detect import Detector
from core.vision.mesh import Landmarker
from core.vision.rater import Comparer, Compute, Declaration, Deriver, Rater

LANDMARKS = "face-landmarker"  # the file in models.toml


@dataclass(frozen=True)
class Spec:
    """What is to run: known without loading anything, and sent to other processes as it is.

    raters: with those on which others of them work; see `spec`.
    """

    raters: tuple[str, ...]
    detector: str
    folders: tuple[Path, ...]
    compute: Compute = field(default_factory=Compute)

    @cached_property
    def keys(self) -> Mapping[str, RaterKey]:
        """By rater: what decides its results beside the picture and the settings."""
        return {rater_id: self._key(registry.declaration(rater_id)) for rater_id in self.raters}

    def _key(self, declared: Declaration) -> RaterKey:
        sums = [weights.sha256_of(name, self.folders) for name in declared.weights]
        one = hashlib.sha256("".join(sums).encode()).hexdigest() if len(sums) > 1 else "".join(sums)
        return RaterKey(declared.rater_id, declared.version, one, self.detector)

    @cached_property
    def detector_version(self) -> str:
        """What another box would come from: library, weights and settings."""
        return registry.detector(self.detector, self.folders).version

    @cached_property
    def landmarker(self) -> Landmarker | None:
        """The landmarker, where a rater uses one and its file is here."""
        using = [registry.declaration(rater_id) for rater_id in self.raters]
        wanted = any(LANDMARKS in (*declared.weights, *declared.helpful) for declared in using)
        return (
            mesh.open_landmarker(self.folders) if wanted and weights.find(LANDMARKS, self.folders) else None
        )

    def settings(self, rater_id: str, reference_sha256: str | None) -> dict[str, str]:
        """What else decides a rater's result on a picture with this reference."""
        fixed = self._fixed[rater_id]
        given = {"reference": reference_sha256 or "none"} if "reference" in fixed else {}
        return {**fixed, **given}

    @cached_property
    def _fixed(self) -> Mapping[str, Mapping[str, str]]:
        """By rater: the settings of a picture without a reference; to ask for versions takes its time."""
        return {rater_id: self._without_reference(rater_id) for rater_id in self.raters}

    def _without_reference(self, rater_id: str) -> dict[str, str]:
        declared = registry.declaration(rater_id)
        found = {"detector_version": self.detector_version}
        if LANDMARKS in (*declared.weights, *declared.helpful):
            found["landmarks"] = self.landmarker.version if self.landmarker else "none"
        if registry.needs_reference(rater_id):
            found["reference"] = "none"
        if source := registry.source(rater_id):
            found["source"] = f"{self.keys[source]} {self._without_reference(source)}"
        return found

    def settings_hash(self, rater_id: str, reference_sha256: str | None) -> str:
        """The settings' SHA-256: with the rater's key and the picture it names one result."""
        content = json.dumps(self.settings(rater_id, reference_sha256), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def of_kind(self, *kinds: str) -> tuple[str, ...]:
        """The raters of these kinds: model, comparison, derived."""
        return tuple(rater_id for rater_id in self.raters if registry.RATERS[rater_id].kind in kinds)


def spec(
    raters: Sequence[str], detector: str, folders: Sequence[Path], compute: Compute | None = None
) -> Spec:
    """What is to run, with the raters on whose words others work.

    Raises ModelError for an unknown name, and for all weights that are missing at once.
    """
    wanted = dict.fromkeys(part for name in raters for part in (registry.source(name), name) if part)
    if not wanted:
        raise ModelError(f"no rater is named; there are {', '.join(registry.RATERS)}")
    if missing := registry.missing(tuple(wanted), detector, folders):
        raise ModelError("\n".join(missing))
    return Spec(tuple(wanted), detector, tuple(folders), compute or Compute())


@dataclass(frozen=True)
class Models:
    """The loaded models of a spec, with what each rater's results are known by."""

    keys: Mapping[str, RaterKey]
    detector: Detector
    raters: Mapping[str, Rater]
    comparers: Mapping[str, Comparer]
    landmarker: Landmarker | None


def load(given: Spec) -> Models:
    """Load what a spec names; ModelError when something is missing."""
    loaded = {name: _opened(given, name) for name in given.of_kind("model", "comparison")}
    comparing = given.of_kind("comparison")
    return Models(
        given.keys,
        registry.detector(given.detector, given.folders),
        {name: cast(Rater, rater) for name, rater in loaded.items() if name not in comparing},
        {name: cast(Comparer, rater) for name, rater in loaded.items() if name in comparing},
        given.landmarker,
    )


def _opened(given: Spec, name: str) -> Rater | Comparer | Deriver:
    try:
        return registry.rater(name, given.folders, given.compute)
    except (AssertionError, RuntimeError) as error:  # torch's words for a device that is not there
        if given.compute.device == "cpu":
            raise
        reason = " ".join(str(error).split())
        raise ModelError(
            f"{name} cannot compute on {given.compute.device} here ({reason}); rate with --device cpu"
        ) from error


def derivers(given: Spec) -> dict[str, Deriver]:
    """The spec's raters that work on what others said."""
    found = {name: registry.rater(name, given.folders, given.compute) for name in given.of_kind("derived")}
    return {name: cast(Deriver, rater) for name, rater in found.items()}
