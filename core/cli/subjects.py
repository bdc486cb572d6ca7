"""The pictures that a command rates: files, or a study's stimuli, each with the one it was made from."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import StimulusError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.records import Stimulus
    from core.vision.sources import Source
    from core.vision.work import Content, Subject


def of_files(found: Sequence[Source], manifest: Path | None) -> list[Subject]:
    """The files in their order, each with the file that it was made from; all are read once for their hashes.

    A file that cannot be opened is a subject without a hash.
    """
    from core.vision import work
    from core.vision.work import Subject

    @functools.cache
    def alone(path: Path) -> Subject:
        return Subject(work.hashed(path), functools.partial(work.opened, path))

    places = {source.stim_file: source.path for source in found}
    base = manifest.parent if manifest else Path()
    named = {source.reference for source in found if source.reference}
    subjects = []
    for source in found:
        # A picture that others were made from is its own reference: its change is zero.
        reference = source.stim_file if source.stim_file in named else source.reference
        path = places.get(reference, base / reference) if reference else None
        subjects.append(replace(alone(source.path), reference=alone(path) if path else None))
    return subjects


def of_study(opened: Engine, stimuli: Sequence[Stimulus]) -> list[Subject]:
    """The stimuli in their order, as participants see them, each with the one that it was made from."""
    from core.identity import references
    from core.vision.work import Subject

    alone = {
        one.stim_file: Subject(one.served_sha256, functools.partial(_picture, opened, one.served_sha256))
        for one in stimuli
    }
    found = references.fill(
        [one.stim_file for one in stimuli],
        [one.identity_id for one in stimuli],
        [one.intended_emotion for one in stimuli],
        [one.reference_file for one in stimuli],
    )
    named = set(found)
    own = [
        one.stim_file if one.stim_file in named else reference
        for one, reference in zip(stimuli, found, strict=True)
    ]
    return [
        replace(alone[one.stim_file], reference=alone.get(reference or ""))
        for one, reference in zip(stimuli, own, strict=True)
    ]


def _picture(opened: Engine, sha256: str) -> Content:
    from db import engine, pictures

    with engine.reading(opened) as conn:
        picture = pictures.get(conn, sha256)
    return picture.content if picture else StimulusError("the database holds no picture of this stimulus")
