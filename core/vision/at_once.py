"""Rates pictures in memory, for `from core.vision import rate`."""

from __future__ import annotations

import hashlib
from collections import ChainMap
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from core import settings
from core.errors import ModelError, StimulusError
from core.records import AiResult
from core.vision import models, registry, spread, work
from core.vision.image import Pixels
from core.vision.models import Spec
from core.vision.rater import Compute
from core.vision.work import Subject

Given = Path | str | bytes | Pixels


def rate(
    pictures: Iterable[Given],
    raters: Sequence[str],
    detector: str | None,
    references: Sequence[Given | None],
    folders: Sequence[Path],
    device: str,
    batch: int,
) -> list[AiResult]:
    """See core.vision.rate."""
    if device not in {"cpu", "cuda"}:
        raise ModelError(f"found the device {device!r}, needed cpu or cuda")
    if isinstance(pictures, Path | str | bytes):
        raise StimulusError("found one picture, needed a list of them; put it in brackets")
    if batch < 1:
        raise ModelError(f"found a batch of {batch} pictures, needed at least 1")
    given = list(pictures)
    if references and len(references) != len(given):
        raise StimulusError(
            f"found {len(references)} references for {len(given)} pictures; give one for each, "
            "None where there is none"
        )
    compute = Compute("cuda" if device == "cuda" else "cpu")
    places = folders or settings.load().model_folders
    spec = models.spec(raters, detector or registry.usable_detector(places), places, compute)
    subjects = [
        _subject(one, reference)
        for one, reference in zip(given, references or [None] * len(given), strict=True)
    ]
    return _results(spec, subjects, raters, batch)


def _results(spec: Spec, subjects: Sequence[Subject], asked: Sequence[str], batch: int) -> list[AiResult]:
    looking, deriving = spec.of_kind("model", "comparison"), spec.of_kind("derived")
    also = _only_references(subjects)
    sources = [registry.source(name) for name in deriving if registry.needs_reference(name)]
    todo = work.tasks([*subjects, *also], lambda one: sources if one in also else looking, {})
    rows = [one.results for chunk in spread.here(spec, work.chunks(todo, batch)) for one in chunk]
    said = {(one.rater_id, one.served_sha256): one for results in rows for one in results}
    found: list[AiResult] = []
    for subject, results in zip(subjects, rows, strict=False):  # the references' come last
        # Its own first: all files that cannot be opened have the same empty hash.
        here = ChainMap({(one.rater_id, subject.sha256): one for one in results}, said)
        derived = work.derived(spec, [(subject, deriving)], lambda *key, here=here: here.get(key))
        of_picture = {one.rater_id: one for one in (*results, *(one for _, one in derived))}
        found += [of_picture[rater_id] for rater_id in dict.fromkeys(asked)]
    return found


def _only_references(subjects: Sequence[Subject]) -> list[Subject]:
    """The references that are not among the pictures, each once."""
    given = {subject.sha256 for subject in subjects}
    references = {one.reference.sha256: one.reference for one in subjects if one.reference}
    return [reference for sha256, reference in references.items() if sha256 not in given]


def _subject(given: Given, reference: Given | None = None) -> Subject:
    of = _subject(reference) if reference is not None else None
    if isinstance(given, Path | str):
        return work.of_file(Path(given), of)  # read when its turn comes: thousands would fill the memory
    return Subject(_sha256(given), lambda: given, of)


def _sha256(content: bytes | Pixels) -> str:
    """Of the encoded bytes; of an array its pixels and shape."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    if content.ndim != 3 or content.shape[2] != 3 or content.dtype != np.uint8:
        raise StimulusError(
            f"found an array of shape {content.shape} and type {content.dtype}, needed RGB pixels of shape "
            "(height, width, 3) and type uint8"
        )
    return hashlib.sha256(f"{content.shape}".encode() + content.tobytes()).hexdigest()
