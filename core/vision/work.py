"""What there is to do: pictures with their references, cut into chunks that any process can take."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from core.errors import StimulusError
from core.records import AiResult, Detection
from core.vision import image, models, registry, run
from core.vision.image import Pixels
from core.vision.models import Spec
from core.vision.rater import Deriver, Opinion
from core.vision.run import Task

Content = bytes | Pixels | StimulusError
Said = Callable[[str, str], AiResult | None]  # a rater's result on a picture: rater_id, sha256


@dataclass(frozen=True, slots=True)
class Subject:
    """One picture to rate; its content is read when its turn comes.

    sha256: of its bytes; empty where it could not be opened, and then `read` says why.
    reference: the picture that it was made from, itself where it is the reference of others.
    restricted: it must not be copied, so what raters draw over it is not stored either.
    """

    sha256: str
    read: Callable[[], Content]
    reference: Subject | None = None
    restricted: bool = False

    @property
    def reference_sha256(self) -> str | None:
        """The reference's hash; a picture that is its own reference names itself."""
        return self.reference.sha256 if self.reference else None


def opened(path: Path) -> Content:
    """A file's bytes, or why it cannot be opened."""
    try:
        # A pipe among the pictures would block the run for ever.
        if not path.is_file():
            return StimulusError("there is no such file any more, or it is no regular file")
        if (size := path.stat().st_size) > image.MAX_BYTES:
            return image.too_long(size)
        return path.read_bytes()
    except OSError as error:
        return StimulusError(f"the file cannot be opened: {error.strerror}")


def unchanged(path: Path, sha256: str) -> Content:
    """A file's bytes, or why it cannot be opened, or that they are no longer those of this hash."""
    content = opened(path)
    if isinstance(content, bytes) and hashlib.sha256(content).hexdigest() != sha256:
        return StimulusError("the file was changed during the run; run it again")
    return content


def hashed(path: Path) -> str:
    """The SHA-256 of a file's bytes; empty where it cannot be opened or is too long to be read."""
    content = opened(path)
    return hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else ""


def of_file(path: Path, reference: Subject | None = None) -> Subject:
    """A file as a subject: read once for its hash, and again when its turn comes."""
    sha256 = hashed(path)
    read = functools.partial(unchanged, path, sha256) if sha256 else functools.partial(opened, path)
    return Subject(sha256, read, reference)


def tasks(
    subjects: Iterable[Subject],
    wanted: Callable[[Subject], Sequence[str]],
    known: Mapping[str, Detection],
) -> Iterator[Task]:
    """One task for each picture that a rater has still to look at; reads contents one by one."""
    for subject in subjects:
        if raters := tuple(wanted(subject)):
            comparing = any(registry.RATERS[rater_id].kind == "comparison" for rater_id in raters)
            yield _task(subject, raters, known, with_reference=comparing)


def _task(
    subject: Subject, raters: tuple[str, ...], known: Mapping[str, Detection], *, with_reference: bool
) -> Task:
    detection = known.get(subject.sha256)
    blind = detection is not None and detection.face is None
    content: Content = b"" if blind else subject.read()
    reference = None
    if with_reference and subject.reference and not blind:
        reference = Task(
            subject.reference.sha256,
            content if subject.reference.sha256 == subject.sha256 else subject.reference.read(),
            (),
            known.get(subject.reference.sha256),
        )
    return Task(subject.sha256, content, raters, detection, reference)


def chunks(given: Iterable[Task], size: int) -> Iterator[tuple[Task, ...]]:
    """The tasks in groups of `size`, read no further ahead than that."""
    source = iter(given)
    while chunk := tuple(islice(source, size)):
        yield chunk


def derived(
    spec: Spec, subjects: Iterable[tuple[Subject, Collection[str]]], said: Said
) -> Iterator[tuple[Subject, AiResult]]:
    """What the raters without a model of their own say, from what their sources said.

    subjects: each with the derived raters that are wanted of it.
    """
    deriving = models.derivers(spec)
    for subject, wanted in subjects:
        for rater_id in wanted:
            if source := said(deriving[rater_id].source, subject.sha256):
                yield subject, _derived(spec, deriving[rater_id], subject, source, said)


def _derived(spec: Spec, deriver: Deriver, subject: Subject, source: AiResult, said: Said) -> AiResult:
    key = spec.keys[deriver.declaration.rater_id]
    seen = Detection(
        source.served_sha256, source.detector, spec.detector_version, source.status, "", source.face
    )
    if source.face is None:
        return run.result(key, replace(seen, reason=source.reason), None)
    there = _of_reference(deriver, subject.reference, said)
    return run.result(key, seen, deriver.derive(run.opinion(source), there))


def _of_reference(deriver: Deriver, reference: Subject | None, said: Said) -> Opinion | None:
    if not deriver.relative or reference is None:
        return None
    if there := said(deriver.source, reference.sha256):
        return run.opinion(there)
    content = b"" if reference.sha256 else reference.read()
    return Opinion(reason=str(content)) if isinstance(content, StimulusError) else None
