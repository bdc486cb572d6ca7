"""The pictures that a command rates: files, or a study's stimuli, each with the one it was made from."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from core.errors import StimulusError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.records import Stimulus
    from core.vision.sources import Source
    from core.vision.work import Content, Subject
    from db.yardsticks import Yardstick


@dataclass(frozen=True, slots=True)
class OfYardstick:
    """What of a set of real faces can be rated, and a line for each picture that cannot."""

    title: str
    subjects: tuple[Subject, ...]
    problems: tuple[str, ...]


def of_files(found: Sequence[Source], manifest: Path | None) -> list[Subject]:
    """The files in their order, each with the file that it was made from; all are read once for their hashes.

    A file that cannot be opened is a subject without a hash.
    """
    from core.vision import work

    alone = functools.cache(work.of_file)
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


def of_yardsticks(opened: Engine, config_hash: str) -> list[OfYardstick]:
    """The pictures of each set of real faces that the study names, each with the one that it was made from.

    Whose file is gone, or no longer the one that was loaded, is left out: what is stored of it stays.
    """
    from db import engine, yardsticks

    with engine.reading(opened) as conn:
        sets = yardsticks.listing(conn, config_hash)
    return [_of_yardstick(one) for one in sets]


def _of_yardstick(one: Yardstick) -> OfYardstick:
    problems = {each.stim_file: _problem(one.paths[each.stim_file], each) for each in one.stimuli}
    usable = [each for each in one.stimuli if not problems[each.stim_file]]
    alone = {each.stim_file: _alone(one.paths[each.stim_file], each) for each in usable}
    named = {each.reference_file for each in usable}
    # A picture that others were made from is its own reference, as in a study.
    own = [each.stim_file if each.stim_file in named else each.reference_file for each in usable]
    subjects = [
        replace(alone[each.stim_file], reference=alone.get(reference or ""))
        for each, reference in zip(usable, own, strict=True)
    ]
    return OfYardstick(one.title, tuple(subjects), tuple(filter(None, problems.values())))


def _alone(path: Path, picture: Stimulus) -> Subject:
    from core.vision import work
    from core.vision.work import Subject

    sha256 = picture.served_sha256
    return Subject(sha256, functools.partial(work.unchanged, path, sha256), restricted=True)


def _problem(path: Path, picture: Stimulus) -> str:
    from core.vision import work

    content = work.opened(path)
    if isinstance(content, StimulusError):
        return f"{path}: {content}; put it back, or load the study again without its row"
    if hashlib.sha256(cast(bytes, content)).hexdigest() == picture.served_sha256:
        return ""
    return f"{path}: found other bytes than when the study was loaded; put that file back, or load it again"


def _picture(opened: Engine, sha256: str) -> Content:
    from db import engine, pictures

    with engine.reading(opened) as conn:
        picture = pictures.get(conn, sha256)
    return picture.content if picture else StimulusError("the database holds no picture of this stimulus")
