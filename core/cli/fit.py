"""Raters fitted in a study: what people said of some identities, told of the others from embeddings."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from core import settings
from core.cli import database
from core.errors import AgreementError, FacenormError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine

    from core.fitted import Fitted
    from core.records import AiResult, Stimulus, StudyVersion
    from core.study import Scale, Study

VERSION = "1"
SEED = 1


@click.command()
@click.argument("study_id")
@click.option("--scales", default="naturalness,realism", show_default=True, help="Separated by commas.")
@click.option("--embedding", default="mobilefacenet", show_default=True, help="The identity rater to fit on.")
@click.option("--detector", help="Whose faces it embedded; needed where there are several.")
@click.option("--simulated", is_flag=True, help="Fit on simulated participants, too, to try it out.")
@click.option("--who", default=settings.user, hidden=True)
def fit(study_id: str, scales: str, embedding: str, detector: str | None, simulated: bool, who: str) -> None:
    """Fit a rater of naturalness, realism or another scale to this study's own ratings.

    Ridge regression from the embeddings of an identity rater to people's mean ratings, cross-validated by
    identity. Stored as the rater fitted-SCALE-EMBEDDING are only out-of-fold predictions: each from a model
    that saw no picture of that person. Answers that come later change nothing until it is fitted again.
    """
    from db import engine

    opened = database.opened()
    with engine.reading(opened) as conn:
        version = database.current(conn, study_id)
        study = _study(version)
        stimuli, found, detected = _embedded(conn, version, embedding, detector)
        asked = [name.strip() for name in scales.split(",") if name.strip() in study.scales]
        if not asked:
            raise FacenormError(
                f"{study_id} has none of the scales {scales}; it has {', '.join(study.scales)}: name them "
                "with --scales"
            )
        means = {name: _means(conn, version, name, study.scales[name], simulated=simulated) for name in asked}
    for name, people in means.items():
        fitted, reason = _fitted(stimuli, found, people, embedding, name)
        rater_id = f"fitted-{name}-{embedding}"
        results = _results(stimuli, found, fitted, reason, rater_id, detected, name, study)
        _save(opened, version, results, _fingerprint(embedding, detected, people), who)
        click.echo(f"{rater_id}: {reason}")


def _study(version: StudyVersion) -> Study:
    from core import study as files

    return files.from_json(version.content)


def _embedded(
    conn: Connection, version: StudyVersion, embedding: str, detector: str | None
) -> tuple[Sequence[Stimulus], Mapping[str, AiResult], str]:
    """The rated stimuli, and the results with embeddings by served_sha256."""
    from db import ai, studies

    stimuli = [one for one in studies.stimuli(conn, version.config_hash) if one.rated]
    results = [one for one in ai.results(conn, version.config_hash, rater_id=embedding) if one.status == "ok"]
    detectors = sorted({one.detector for one in results})
    if not results or (detector and detector not in detectors):
        raise FacenormError(
            f"{embedding} has not embedded this study's faces yet; run: facenorm rate --study "
            f"{version.study_id} --raters {embedding} --detector {detector or 'yunet'}"
        )
    if not detector and len(detectors) > 1:
        raise FacenormError(
            f"{embedding} has embedded faces found by {', '.join(detectors)}; choose one with --detector"
        )
    chosen = detector or detectors[0]
    vectors = {
        sha256: vector
        for sha256, rater_id, by, vector in ai.embeddings(conn, version.config_hash)
        if rater_id == embedding and by == chosen
    }
    found = {
        one.served_sha256: replace(one, embedding=vectors[one.served_sha256])
        for one in results
        if one.detector == chosen and one.served_sha256 in vectors
    }
    if not found:
        raise FacenormError(
            f"{embedding} gives no embeddings of this study's faces; name an identity rater with --embedding"
        )
    return stimuli, found, chosen


def _means(
    conn: Connection, version: StudyVersion, scale_id: str, scale: Scale, *, simulated: bool
) -> dict[str, tuple[float, int]]:
    """By stimulus_id: people's mean in canonical units, and of how many answers."""
    from core import scales
    from db import tables

    kinds: tuple[str, ...] = ("human", "simulated") if simulated else ("human",)
    sums: dict[str, tuple[float, int]] = {}
    for one in tables.counts(conn, version.config_hash, kinds=kinds):  # type: ignore[arg-type]
        if one.scale_id == scale_id and one.status == "answered" and one.value is not None:
            total, n = sums.get(one.stimulus_id, (0.0, 0))
            sums[one.stimulus_id] = (total + scales.canonical(one.value, scale) * one.n, n + one.n)
    return {stimulus_id: (total / n, n) for stimulus_id, (total, n) in sums.items()}


def _fitted(
    stimuli: Sequence[Stimulus],
    found: Mapping[str, AiResult],
    people: Mapping[str, tuple[float, int]],
    embedding: str,
    scale_id: str,
) -> tuple[Fitted, str]:
    import numpy as np

    from core import fitted

    size = max(len(one.embedding) for one in found.values() if one.embedding is not None)
    x = np.full((len(stimuli), size), np.nan)
    for place, one in enumerate(stimuli):
        if (result := found.get(one.served_sha256)) is not None and result.embedding is not None:
            x[place] = result.embedding
    means = [people.get(one.stimulus_id, (np.nan, 0)) for one in stimuli]
    y, weights = (np.array(column, float) for column in zip(*means, strict=True))
    try:
        fit = fitted.fit(
            x, y, [one.identity_id for one in stimuli], weights=weights, rng=np.random.default_rng(SEED)
        )
    except AgreementError as error:
        raise FacenormError(f"{scale_id}: {error}") from error
    between = f" [{fit.low:.2f}, {fit.high:.2f}]" if fit.low is not None else ""
    return fit, (
        f"out-of-fold R2 {fit.r2:.2f}{between} on {fit.n} stimuli of {fit.n_identities} identities, "
        f"ridge on {embedding}"
    )


def _results(
    stimuli: Sequence[Stimulus],
    found: Mapping[str, AiResult],
    fitted: Fitted,
    reason: str,
    rater_id: str,
    detector: str,
    scale_id: str,
    study: Study,
) -> list[AiResult]:
    import math

    from core import scales
    from core.records import AiResult, Score

    low, high = scales.canonical_bounds(study.scales[scale_id])
    results = []
    for one, value in zip(stimuli, fitted.predictions, strict=True):
        if math.isnan(value):
            continue
        source = found[one.served_sha256]
        results.append(
            AiResult(
                served_sha256=one.served_sha256,
                rater_id=rater_id,
                rater_version=VERSION,
                weights_sha256=source.weights_sha256,
                detector=detector,
                status="ok",
                reason=reason,
                scores=(Score(scale_id, float(value), scale_min=low, scale_max=high),),
                face=source.face,
            )
        )
    return results


def _fingerprint(embedding: str, detector: str, people: Mapping[str, tuple[float, int]]) -> str:
    """Another set of answers gives another rater."""
    content = f"{VERSION} {SEED} {embedding} {detector} {sorted(people.items())}"
    return hashlib.sha256(content.encode()).hexdigest()


def _save(
    opened: Engine, version: StudyVersion, results: Sequence[AiResult], fingerprint: str, who: str
) -> None:
    from db import ai, ai_runs, engine

    with engine.writing(opened) as conn:
        run_id = ai_runs.begin(
            conn,
            config_hash=version.config_hash,
            raters=sorted({one.rater_id for one in results}),
            detector=results[0].detector,
            settings={"seed": str(SEED)},
            versions={"answers": fingerprint[:12]},
            total=len(results),
            who=who,
            host=platform.node(),
        )
        ai.save_all(conn, run_id, ((result, fingerprint) for result in results))
        ai_runs.progress(conn, run_id, done=len(results))
        ai_runs.finish(conn, run_id)
