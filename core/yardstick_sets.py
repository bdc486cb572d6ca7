"""The sets of real faces that a study names: which pictures there are, and where they lie.

They may be photographs that must not leave the lab, so they are read for their hashes and not copied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import StudyError
from core.records import Stimulus
from core.stimuli import ID_LENGTH
from core.study_design import Yardstick
from core.vision import image, sources
from core.vision.sources import Source


@dataclass(frozen=True, slots=True)
class YardstickSet:
    """The usable pictures of one set, where each lies, and a line for each that is not usable.

    Pictures are not decoded, so that their sizes are unknown (0); an unknown identity is empty.
    """

    yardstick_id: str
    title: str
    manifest: Path
    stimuli: tuple[Stimulus, ...]
    paths: Mapping[str, Path]  # stim_file -> where it lies
    problems: tuple[str, ...]


def gather(named: Yardstick, base: Path, *, language: str) -> YardstickSet:
    """Read a set's manifest, relative to `base`, and hash its pictures.

    Raises StudyError when the manifest cannot be used or none of its pictures is there.
    """
    manifest = (base / named.manifest).absolute()
    if not manifest.is_file():
        raise StudyError(f"found no such manifest: {manifest}; needed a CSV file; correct 'manifest:'")
    found = sources.named(manifest)
    first: dict[str, str] = {}  # sha256 -> stim_file
    problems = [problem for source in found if (problem := _noted(source, first))]
    hashes = {stim_file: sha256 for sha256, stim_file in first.items()}
    if not hashes:
        raise StudyError(
            f"found none of the {len(found)} pictures of {manifest} (the first is {found[0].stim_file!r}); "
            "needed files relative to the manifest; correct its column 'file' or move it"
        )
    usable = [source for source in found if source.stim_file in hashes]
    return YardstickSet(
        yardstick_id=named.id,
        title=named.title[language] if named.title else named.id,
        manifest=manifest,
        stimuli=tuple(_stimulus(source, hashes[source.stim_file]) for source in usable),
        paths={source.stim_file: source.path for source in usable},
        problems=tuple(f"{manifest.name}: {problem}" for problem in (*problems, *_lost(usable))),
    )


def _noted(source: Source, first: dict[str, str]) -> str | None:
    """Note the hash of a picture, or say why it is left out."""
    try:
        if not source.path.is_file():
            return f"found no file {source.stim_file!r}; needed it; add it or remove its row"
        if (size := source.path.stat().st_size) > image.MAX_BYTES:
            return f"{source.stim_file}: {image.too_long(size)}"
        with source.path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"{source.stim_file}: found {error.strerror}; needed a readable file"
    twin = first.setdefault(sha256, source.stim_file)
    if twin == source.stim_file:
        return None
    text = f"found {source.stim_file!r}, the same picture as {twin!r}; needed each once"
    return f"{text}; remove one of the two"


def _lost(usable: Sequence[Source]) -> list[str]:
    """Say which pictures cannot be compared with their reference."""
    there = {one.stim_file for one in usable}
    return [
        f"{one.stim_file}: found no usable reference {one.reference!r}; needed it to compare the two; "
        "add it or correct the row"
        for one in usable
        if one.reference and one.reference not in there
    ]


def _stimulus(source: Source, sha256: str) -> Stimulus:
    return Stimulus(
        stimulus_id=sha256[:ID_LENGTH],
        stim_file=source.stim_file,
        stim_sha256=sha256,
        served_sha256=sha256,
        width_px=0,
        height_px=0,
        identity_id=source.identity_id or "",
        intended_emotion=source.intended_emotion,
        reference_file=source.reference,
        extra=dict(source.traits),
    )
