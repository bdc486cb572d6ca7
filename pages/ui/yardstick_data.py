"""A study's own faces and the sets of real ones that it names, with what models said: no Streamlit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from core import yardstick
from core.errors import AgreementError
from core.identity import gallery
from core.identity.gallery import Gallery, Picture
from core.identity.report import Report
from core.records import AiResult, Stimulus
from core.vision import registry
from core.yardstick import Judged, Recognition
from db import ai, studies, yardsticks
from pages.ui import identity_data, results
from pages.ui.identity_data import Embedded
from pages.ui.results import Model

OWN = "this study"


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """One set and what raters said of it: the study's own, or a yardstick."""

    title: str
    stimuli: tuple[Stimulus, ...]
    results: tuple[AiResult, ...]
    fingerprint: str = ""  # the same for the same pictures and embeddings, however often they are read


@dataclass(frozen=True, slots=True)
class Line:
    """One rater on one set: its numbers, or why there are none."""

    rater: str
    title: str
    found: Recognition | str


@dataclass(frozen=True, slots=True)
class Compared:
    """Every rater on every set, and again over the emotions that all sets have, where they differ."""

    n_sets: int
    lines: tuple[Line, ...]
    labels: tuple[str, ...]
    over_labels: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """One identity model on one set."""

    title: str
    report: Report | str


# ---- emotion


def compared(sets: Sequence[Faces]) -> Compared:
    """Judge every rater on every set."""
    labels = common(sets)
    again = lines(sets, labels=labels) if labels else ()
    return Compared(len(sets), tuple(lines(sets)), labels, tuple(again))


def answering(conn: Connection, config_hash: str) -> tuple[Faces, ...]:
    """The study's own rated faces and each yardstick, with the results of raters that name an emotion."""
    own = tuple(ai.results(conn, config_hash, scales=(results.EMOTION,)))
    known = [name for name in registry.RATERS if _gives_emotion(name)]
    raters = {*known, *(one.rater_id for one in own)}
    rated = tuple(one for one in studies.stimuli(conn, config_hash) if one.rated)
    sets = [
        Faces(
            one.title,
            one.stimuli,
            tuple(yardsticks.results(conn, config_hash, one.yardstick_id, raters=raters)),
        )
        for one in yardsticks.listing(conn, config_hash)
    ]
    return (Faces(OWN, rated, own), *sets)


def _gives_emotion(rater_id: str) -> bool:
    return any(one.scale_id == results.EMOTION for one in registry.declaration(rater_id).gives)


def common(sets: Sequence[Faces]) -> tuple[str, ...]:
    """The intended emotions that all sets have; empty where they have the same anyway."""
    intended = [{one.intended_emotion for one in each.stimuli if one.intended_emotion} for each in sets]
    shared = set.intersection(*intended)
    return () if all(one == shared for one in intended) else tuple(sorted(shared))


def lines(sets: Sequence[Faces], *, labels: Sequence[str] | None = None) -> list[Line]:
    """Every rater on every set, the study's own first; labels: the emotions that count, all by default."""
    found = results.models([result for each in sets for result in each.results])
    return [
        Line(model.name, each.title, _recognition(model, each, labels)) for model in found for each in sets
    ]


def _recognition(model: Model, each: Faces, labels: Sequence[str] | None) -> Recognition | str:
    judged = [
        Judged(one.identity_id or None, one.intended_emotion, model.results.get(one.served_sha256))
        for one in each.stimuli
    ]
    options = _options(model)
    if labels is not None:
        labels = [code for code in labels if code in options]
    try:
        return yardstick.recognition(judged, options, labels=labels)
    except AgreementError as error:
        return str(error)


def _options(model: Model) -> tuple[str, ...]:
    """What a rater can answer: as it declares, else what it was seen to answer."""
    seen = {code for one in model.results.values() for code in one.probabilities}
    seen |= {label for one in model.results.values() if (label := results.label_of(one))}
    entry = registry.RATERS.get(model.rater_id)
    gives = entry.declaration.gives if entry else ()
    declared = next((one.labels for one in gives if one.scale_id == results.EMOTION), ())
    return (*declared, *sorted(seen - set(declared)))


# ---- identity


def embedded(conn: Connection, config_hash: str, raters: Sequence[str]) -> tuple[Faces, ...]:
    """Each yardstick with the results of these identity models."""
    sets = []
    for one in yardsticks.listing(conn, config_hash):
        found = tuple(yardsticks.results(conn, config_hash, one.yardstick_id, raters=raters))
        sets.append(Faces(one.title, one.stimuli, found, _fingerprint(one.stimuli, found)))
    return tuple(sets)


def _fingerprint(stimuli: Sequence[Stimulus], found: Sequence[AiResult]) -> str:
    made = hashlib.sha256(repr(stimuli).encode())
    for one in found:
        made.update(f"{one.served_sha256} {one.rater_id} {one.detector}".encode())
        made.update(b"" if one.embedding is None else one.embedding.tobytes())
    return made.hexdigest()


def told(each: Faces, model: Embedded) -> Told:
    """What one of the study's identity models says of a yardstick."""
    stored = [row for row in _stored(each) if row[1:3] == (model.rater_id, model.detector)]
    if not stored:
        return Told(
            each.title, "no picture of it has been embedded yet; rate the study again with this model"
        )
    (found,) = identity_data.models(stored, each.stimuli)
    return Told(each.title, identity_data.reported(found, _gallery(each.stimuli), needs_edits=False))


def _stored(each: Faces) -> Iterator[tuple[str, str, str, NDArray[np.float32]]]:
    for one in each.results:
        if one.embedding is not None:
            yield one.served_sha256, one.rater_id, one.detector, one.embedding


def _gallery(stimuli: Sequence[Stimulus]) -> Gallery:
    # References were filled in when the set was loaded.
    return gallery.build(
        [
            Picture(
                one.stim_file,
                one.identity_id or None,
                one.intended_emotion,
                one.reference_file,
                dict(one.extra),
            )
            for one in stimuli
        ]
    )
