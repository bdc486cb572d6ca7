"""AI ratings, of a study's stimuli or of any pictures."""

from __future__ import annotations

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from core import settings
from core.cli import database
from core.errors import FacenormError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.ratings import Row
    from core.records import AiResult
    from core.vision.detect import Detector
    from core.vision.rater import Rater
    from core.vision.sources import Source

SAVED_AT_ONCE = 16


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--study", "study_id", help="Rate this study's stimuli and store the results with it.")
@click.option("--manifest", type=click.Path(path_type=Path), help="CSV: file, identity, intended_emotion.")
@click.option("--raters", default="mini-xception", show_default=True, help="Raters, separated by commas.")
@click.option(
    "--detector", default="haar", show_default=True, help="haar or yunet (better, but a download of its own)."
)
@click.option("--out", type=click.Path(path_type=Path), help="CSV file for the ratings of PATHS.")
@click.option("--excel", is_flag=True, help="Begin the CSV with a byte-order mark.")
@click.option("--who", default=settings.user, help="Who is noted as having started the run.", hidden=True)
def rate(
    paths: tuple[Path, ...],
    study_id: str | None,
    manifest: Path | None,
    raters: str,
    detector: str,
    out: Path | None,
    excel: bool,
    who: str,
) -> None:
    """Let vision models rate a study or any pictures.

    PATHS are rated to a CSV file, a study's stimuli into the database. In a folder, files without a
    picture's suffix are passed over. A picture that cannot be read or shows no face is a row with the
    reason. With --study only what is missing runs: a run that was stopped goes on where it stood.
    """
    from db import engine

    if bool(paths) == bool(study_id) or (paths and out is None) or (study_id and (out or manifest)):
        raise click.UsageError(
            "give either PATHS with --out FILE (and --manifest), or --study STUDY alone;\n"
            "for instance: facenorm rate faces/ --out ai.csv"
        )
    if study_id is not None:
        with engine.reading(database.opened()) as conn:
            database.current(conn, study_id)  # said before any word about weights
    loaded, finder = _models(raters.split(","), detector)
    if out is not None:
        _rate_files(paths, manifest, loaded, finder, out, excel=excel)
    elif study_id is not None:
        _rate_study(study_id, loaded, finder, who)


def _models(names: Sequence[str], detector: str) -> tuple[list[Rater], Detector]:
    from core.vision import registry

    folders = settings.load().model_folders
    wanted = [name.strip() for name in names if name.strip()]
    if missing := registry.missing(wanted, detector, folders):
        raise FacenormError("\n".join(missing))
    loaded = [registry.rater(name, folders) for name in wanted]
    return cast(list["Rater"], loaded), registry.detector(detector, folders)


def _summary(statuses: Counter[str], where: str) -> None:
    said = ", ".join(f"{n} {status.replace('_', ' ')}" for status, n in sorted(statuses.items()))
    click.echo(f"{where}: {said or 'nothing was missing'}")


# ---- files


def _rate_files(
    paths: Sequence[Path],
    manifest: Path | None,
    raters: Sequence[Rater],
    detector: Detector,
    out: Path,
    *,
    excel: bool,
) -> None:
    from tqdm import tqdm

    from core import export
    from core.vision import run, sources

    found = sources.gather(paths, manifest)
    statuses: Counter[str] = Counter()
    results = run.rate_files(found, raters, detector)
    watched = tqdm(results, total=len(found) * len(raters), unit="face", disable=None)
    export.ai_sheet(out, _rows(watched, statuses), excel=excel)
    _summary(statuses, str(out))


def _rows(rated: Iterable[tuple[Source, AiResult]], statuses: Counter[str]) -> Iterator[Row]:
    from core import ratings
    from core.records import Stimulus

    for source, result in rated:
        statuses[result.status] += 1
        # Two files may hold the same bytes, so each result is joined to its own file.
        stimulus = Stimulus(
            stimulus_id="",
            stim_file=source.stim_file,
            stim_sha256=result.served_sha256,
            served_sha256=result.served_sha256,
            width_px=0,
            height_px=0,
            identity_id=source.identity_id or "",
            intended_emotion=source.intended_emotion,
        )
        yield from ratings.ai_rows([result], {result.served_sha256: stimulus})


# ---- a study


def _rate_study(study_id: str, raters: Sequence[Rater], detector: Detector, who: str) -> None:
    from tqdm import tqdm

    from core.vision import run
    from db import ai, engine, studies

    opened = database.opened()
    key = _settings_hash(detector)
    with engine.reading(opened) as conn:
        version = database.current(conn, study_id)
        served = [stimulus.served_sha256 for stimulus in studies.stimuli(conn, version.config_hash)]
        todo = {
            rater.declaration.rater_id: frozenset(
                ai.missing(
                    conn,
                    served,
                    rater_id=rater.declaration.rater_id,
                    rater_version=rater.declaration.version,
                    weights_sha256=rater.weights_sha256,
                    detector=detector.detector,
                    settings_hash=key,
                )
            )
            for rater in raters
        }
    total = sum(map(len, todo.values()))
    if not total:
        click.echo(f"{study_id} version {version.version}: every stimulus is rated already.")
        return
    with engine.writing(opened) as conn:
        run_id = ai.begin_run(
            conn,
            config_hash=version.config_hash,
            raters=list(todo),
            detector=detector.detector,
            settings_hash=key,
            total=total,
            who=who,
            host=platform.node(),
        )
    anything = [sha256 for sha256 in served if any(sha256 in missing for missing in todo.values())]
    results = (
        result
        for result in run.rate(_pictures(opened, anything), raters, detector)
        if result.served_sha256 in todo[result.rater_id]
    )
    watched = tqdm(results, total=total, unit="face", disable=None)
    try:
        statuses = _save(opened, run_id, watched, key)
    except BaseException as error:
        with engine.writing(opened) as conn:
            ai.finish_run(conn, run_id, problem=str(error) or type(error).__name__)
        raise
    with engine.writing(opened) as conn:
        ai.finish_run(conn, run_id)
    _summary(statuses, f"{study_id} version {version.version}")


def _save(opened: Engine, run_id: int, results: Iterable[AiResult], key: str) -> Counter[str]:
    from db import ai, engine

    statuses: Counter[str] = Counter()
    for batch in _batches(results, SAVED_AT_ONCE):
        statuses.update(result.status for result in batch)
        with engine.writing(opened) as conn:
            for result in batch:
                ai.save(conn, run_id, result, settings_hash=key)
            ai.progress(conn, run_id, done=statuses.total())
    return statuses


def _batches(results: Iterable[AiResult], size: int) -> Iterator[list[AiResult]]:
    source = iter(results)
    while batch := list(islice(source, size)):
        yield batch


def _pictures(opened: Engine, served: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    from db import engine, pictures

    for sha256 in served:
        with engine.reading(opened) as conn:
            picture = pictures.get(conn, sha256)
        yield sha256, picture.content if picture else b""


def _settings_hash(detector: Detector) -> str:
    """Hash what else decides a result: another detector's version gives other crops."""
    content = json.dumps({"detector_version": detector.version}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
