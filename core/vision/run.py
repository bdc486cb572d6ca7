"""Looks at pictures in chunks: each decoded once, its face found once, all raters in one batch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2

from core.errors import StimulusError
from core.records import AiResult, AiStatus, Detection, RaterKey
from core.vision import detect, image
from core.vision.detect import Detector
from core.vision.image import Pixels
from core.vision.models import Models
from core.vision.rater import Comparer, Opinion
from core.vision.sight import Sight

BATCH = 16
REFERENCES = 2  # decoded references that are kept: a manifest lists a person's pictures together


@dataclass(frozen=True, slots=True)
class Task:
    """One picture, and which raters look at it.

    content: the encoded bytes or the pixels; an error where it could not be opened.
    detection: what the detector said of it before, so that it is not asked again.
    reference: the picture that it was made from, for the raters that compare.
    """

    sha256: str
    content: bytes | Pixels | StimulusError
    raters: tuple[str, ...]
    detection: Detection | None = None
    reference: Task | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of one task: its face, and a result for each of its raters, in their order."""

    detections: tuple[Detection, ...]  # of the picture, and of its reference where that was looked at
    results: tuple[AiResult, ...]
    reference_sha256: str | None = None
    passing: frozenset[str] = frozenset()  # raters whose result is about a file that could not be opened


@dataclass
class _Seen:
    """One picture of the chunk while its raters are at work."""

    task: Task
    detections: list[Detection]
    prepared: dict[str, Any]
    opinions: dict[str, Opinion]


def look(models: Models, tasks: Sequence[Task]) -> tuple[Looked, ...]:
    """Rate one chunk of pictures; as many results as tasks, in their order.

    Keeps only what the raters prepared of each picture. A picture that cannot be read, or shows no
    face, gets results with that status and the reason; the others go on.
    """
    eyes = _Eyes(models)
    seen = [_see(eyes, task) for task in tasks]
    for rater_id, rater in models.raters.items():
        ready = [one for one in seen if rater_id in one.prepared]
        if ready:
            opinions = rater.rate([one.prepared.pop(rater_id) for one in ready])
            for one, opinion in zip(ready, opinions, strict=True):
                one.opinions[rater_id] = opinion
    return tuple(_looked(models, one) for one in seen)


class _Eyes:
    """Decodes pictures and finds their faces; keeps the last references, which several edits share."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.references: OrderedDict[str, tuple[Detection, Sight | None]] = OrderedDict()

    def sight(self, task: Task) -> tuple[Detection, Sight | None]:
        if task.detection is not None and task.detection.face is None:
            return task.detection, None
        try:
            pixels = _pixels(task)
        except StimulusError as error:
            return _undetected(self.models.detector, task.sha256, "unreadable", str(error)), None
        detection = task.detection or detection_of(pixels, task.sha256, self.models.detector)
        if detection.face is None:
            return detection, None
        return detection, Sight(pixels, detection.face, self.models.landmarker)

    def reference(self, task: Task) -> tuple[Detection, Sight | None]:
        if task.sha256 not in self.references:
            self.references[task.sha256] = self.sight(task)
            if len(self.references) > REFERENCES:
                self.references.popitem(last=False)
        return self.references[task.sha256]


def _pixels(task: Task) -> Pixels:
    if isinstance(task.content, StimulusError):
        raise task.content
    return image.read(task.content) if isinstance(task.content, bytes) else task.content


def detection_of(pixels: Pixels, sha256: str, detector: Detector) -> Detection:
    """The face of a decoded picture that is rated, with what is to be known of it."""
    face = detect.face(pixels, detector)
    if face is None:
        return _undetected(detector, sha256, "no_face", f"{detector.detector} found no face")
    height, width = pixels.shape[:2]
    reason = detect.remark(face, width_px=width, height_px=height)
    return Detection(sha256, detector.detector, detector.version, "ok", reason, face)


def _undetected(detector: Detector, sha256: str, status: AiStatus, reason: str) -> Detection:
    return Detection(sha256, detector.detector, detector.version, status, reason)


def _see(eyes: _Eyes, task: Task) -> _Seen:
    """Decode, detect, prepare for each rater, compare; the decoded picture is dropped here."""
    detection, sight = eyes.sight(task)
    seen = _Seen(task, [detection], {}, {})
    if sight is None:
        return seen
    for rater_id in task.raters:
        try:
            if rater := eyes.models.raters.get(rater_id):
                seen.prepared[rater_id] = rater.prepare(sight)
            elif comparer := eyes.models.comparers.get(rater_id):
                seen.opinions[rater_id] = _compared(eyes, seen, sight, comparer)
        except (StimulusError, cv2.error) as error:
            seen.opinions[rater_id] = Opinion(reason=" ".join(str(error).split()))
    return seen


def _compared(eyes: _Eyes, seen: _Seen, sight: Sight, comparer: Comparer) -> Opinion:
    if seen.task.reference is None:
        return Opinion(
            reason="no reference is known: the manifest names none, and no neutral of the identity"
        )
    detection, reference = eyes.reference(seen.task.reference)
    seen.detections[1:] = [detection]
    if reference is None:
        return Opinion(reason=f"the reference cannot be used: {detection.reason}")
    return comparer.compare(sight, reference)


def _looked(models: Models, seen: _Seen) -> Looked:
    reference = seen.task.reference
    asked = (seen.task, reference)
    return Looked(
        tuple(found for found, task in zip(seen.detections, asked, strict=False) if _was_read(task)),
        tuple(_result(models, rater_id, seen) for rater_id in seen.task.raters),
        reference.sha256 if reference else None,
        frozenset(_passing(models, seen)),
    )


def _was_read(task: Task | None) -> bool:
    """Whether its bytes are known: why a file could not be opened says nothing of them."""
    return task is not None and not isinstance(task.content, StimulusError)


def _passing(models: Models, seen: _Seen) -> Iterator[str]:
    if not _was_read(seen.task):
        yield from seen.task.raters
    elif (reference := seen.task.reference) and reference.sha256 and not _was_read(reference):
        yield from (rater_id for rater_id in seen.task.raters if rater_id in models.comparers)


def _result(models: Models, rater_id: str, seen: _Seen) -> AiResult:
    return result(models.keys[rater_id], seen.detections[0], seen.opinions.get(rater_id))


def result(key: RaterKey, detection: Detection, opinion: Opinion | None) -> AiResult:
    """A rater's result from what the detector and the rater said; no opinion where there is no face."""
    bare = AiResult(
        served_sha256=detection.served_sha256,
        rater_id=key.rater_id,
        rater_version=key.rater_version,
        weights_sha256=key.weights_sha256,
        detector=key.detector,
        status=detection.status,
        reason=detection.reason,
        face=detection.face,
    )
    if opinion is None:
        return bare
    return replace(
        bare,
        status="abstained" if opinion.abstains else "ok",
        reason="; ".join(part for part in (detection.reason, opinion.reason) if part),
        scores=opinion.scores,
        probabilities=opinion.probabilities,
        embedding=opinion.embedding,
        pictures=opinion.pictures,
    )


def opinion(given: AiResult) -> Opinion:
    """What a rater said, back from its stored result."""
    return Opinion(given.scores, given.probabilities, given.embedding, reason=given.reason)
