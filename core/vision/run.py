"""Rates many pictures: each decoded once, its face found once, all raters in batches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from core.errors import StimulusError
from core.records import AiResult, AiStatus, Face
from core.vision import detect, image
from core.vision.detect import Detector
from core.vision.image import Pixels
from core.vision.rater import Opinion, Rater
from core.vision.sight import Sight
from core.vision.sources import Source

Key = TypeVar("Key")

BATCH = 16


@dataclass(frozen=True, slots=True)
class Seen(Generic[Key]):
    """One picture after detection: a crop for each rater, or the reason why there is none."""

    key: Key
    served_sha256: str
    status: AiStatus
    reason: str = ""
    face: Face | None = None
    crops: tuple[Pixels, ...] = ()


def rate(
    items: Iterable[tuple[str, bytes]], raters: Sequence[Rater], detector: Detector, *, batch: int = BATCH
) -> Iterator[AiResult]:
    """Rate the pictures (served_sha256, bytes), one result for each picture and rater, in order.

    Reads `batch` pictures ahead and keeps only their crops. A picture that cannot be read, or
    shows no face, is a result with that status and the reason; the run goes on.
    """
    keyed = ((None, sha256, content) for sha256, content in items)
    return (result for _, result in _rate(keyed, raters, detector, batch))


def rate_files(
    sources: Iterable[Source], raters: Sequence[Rater], detector: Detector, *, batch: int = BATCH
) -> Iterator[tuple[Source, AiResult]]:
    """Rate files as they lie; each result comes with its source.

    served_sha256 is that of the file's bytes, and empty when the file cannot be opened.
    """
    return _rate(map(_opened, sources), raters, detector, batch)


def _opened(source: Source) -> tuple[Source, str, bytes | StimulusError]:
    try:
        # A pipe among the pictures would block the run for ever.
        if not source.path.is_file():
            return source, "", StimulusError("there is no such file any more, or it is no regular file")
        if (size := source.path.stat().st_size) > image.MAX_BYTES:
            return source, "", image.too_long(size)
        content = source.path.read_bytes()
    except OSError as error:
        return source, "", StimulusError(f"the file cannot be opened: {error.strerror}")
    return source, hashlib.sha256(content).hexdigest(), content


def _rate(
    items: Iterable[tuple[Key, str, bytes | StimulusError]],
    raters: Sequence[Rater],
    detector: Detector,
    batch: int,
) -> Iterator[tuple[Key, AiResult]]:
    seen = (_see(*item, raters, detector) for item in items)
    while chunk := list(islice(seen, batch)):
        shown = [one for one in chunk if one.crops]
        opinions = [iter(_opinions(rater, number, shown)) for number, rater in enumerate(raters)]
        for one in chunk:
            for rater, given in zip(raters, opinions, strict=True):
                yield one.key, _result(one, rater, detector, next(given) if one.crops else None)


def _see(
    key: Key, sha256: str, content: bytes | StimulusError, raters: Sequence[Rater], detector: Detector
) -> Seen[Key]:
    """Decode, detect, cut the crops; the decoded picture is dropped here."""
    try:
        if isinstance(content, StimulusError):
            raise content
        pixels = image.read(content)
    except StimulusError as error:
        return Seen(key, sha256, "unreadable", str(error))
    face = detect.face(pixels, detector)
    if face is None:
        return Seen(key, sha256, "no_face", f"{detector.detector} found no face")
    sight = Sight(pixels, face)
    crops = tuple(rater.prepare(sight) for rater in raters)
    return Seen(key, sha256, "ok", face.rule if face.n_faces > 1 else "", face, crops)


def _opinions(rater: Rater, number: int, shown: Sequence[Seen[Key]]) -> tuple[Opinion, ...]:
    return rater.rate([one.crops[number] for one in shown]) if shown else ()


def _result(seen: Seen[Key], rater: Rater, detector: Detector, opinion: Opinion | None) -> AiResult:
    return AiResult(
        served_sha256=seen.served_sha256,
        rater_id=rater.declaration.rater_id,
        rater_version=rater.declaration.version,
        weights_sha256=rater.weights_sha256,
        detector=detector.detector,
        status=seen.status,
        reason=seen.reason,
        scores=opinion.scores if opinion else (),
        probabilities=opinion.probabilities if opinion else {},
        face=seen.face,
        embedding=opinion.embedding if opinion else None,
        pictures=opinion.pictures if opinion else {},
    )
