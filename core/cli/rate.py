"""AI ratings, of a study's stimuli or of any pictures."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from core import settings
from core.cli import database, rating
from core.cli import subjects as pictures
from core.cli.rating import Plan, Where
from core.errors import FacenormError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.ratings import Row
    from core.records import AiResult, Stimulus
    from core.vision.models import Spec
    from core.vision.sources import Source
    from core.vision.work import Subject

# glibc would return the memory of each convolution to the system and ask for it again: EmoNet took
# nearly three times as long. They act before a process starts only.
ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 34),
    "MALLOC_TOP_PAD_": str(1 << 28),
}
WITHOUT_RATING = 3  # the exit code of a run that is done, some of whose pictures got no rating


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--study", "study_id", help="Rate this study's stimuli and yardsticks, and store the results.")
@click.option(
    "--manifest", type=click.Path(path_type=Path), help="CSV: file, identity, intended_emotion, reference."
)
@click.option(
    "--raters",
    default="mini-xception,mini-xception-not-neutral",
    show_default=True,
    help="Raters, separated by commas.",
)
@click.option(
    "--detector",
    help="What finds the faces, for all raters: retinaface, yunet, mediapipe, haar, or deepface:NAME for "
    "any other of DeepFace's.  [default: the first of these four whose file is here]",
)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option(
    "--batch", type=click.IntRange(1, 1024), default=rating.BATCH, show_default=True, help="Pictures at once."
)
@click.option(
    "--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes on this machine."
)
@click.option("--scheduler", default="", help="A Dask scheduler, for instance tcp://host:8786.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="File for the ratings of PATHS: .csv or .parquet."
)
@click.option("--excel", is_flag=True, help="Begin the CSV with a byte-order mark.")
@click.option("--dry-run", is_flag=True, help="Say what would run and what is missing, and stop.")
@click.option("--who", default=settings.user, help="Who is noted as having started the run.", hidden=True)
def rate(  # noqa: PLR0913, PLR0917  one argument for each option
    paths: tuple[Path, ...],
    study_id: str | None,
    manifest: Path | None,
    raters: str,
    detector: str | None,
    device: Literal["cpu", "cuda"],
    batch: int,
    workers: int,
    scheduler: str,
    out: Path | None,
    excel: bool,
    dry_run: bool,
    who: str,
) -> None:
    """Let vision models rate a study or any pictures.

    PATHS are rated to a file, a study's stimuli and yardsticks into the database. In a folder, files
    without a picture's suffix are passed over. A picture that cannot be read or shows no face is a row with
    the reason. What was rated before, with the same weights and settings, is not rated again: a run that
    was stopped goes on where it stood. 'facenorm models list' names the files that raters need;
    docs/models.md the raters.

    Exit code 0: every picture is rated. 1: something to mend, said in one line. 2: misspelt. 3: done, but
    some pictures got no rating; their rows say why.
    """
    if bool(paths) == bool(study_id) or (paths and not (out or dry_run)) or (study_id and (out or manifest)):
        raise click.UsageError(
            "give either PATHS with --out FILE (and --manifest), or --study STUDY alone;\n"
            "for instance: facenorm rate faces/ --out ai.csv"
        )
    if scheduler and workers > 1:
        raise click.UsageError("give either --workers or --scheduler: a cluster has workers of its own")
    _start_anew()
    asked = tuple(dict.fromkeys(name.strip() for name in raters.split(",") if name.strip()))
    prepare = partial(_spec, asked, detector, device)
    where, opened = Where(batch, workers, scheduler), database.opened()
    if study_id is not None:
        statuses = _study(opened, study_id, prepare, asked, where, who, dry_run=dry_run)
    else:
        statuses = _files(
            opened, paths, manifest, prepare, asked, where, who, out, excel=excel, dry_run=dry_run
        )
    if set(statuses) - {"ok"}:
        sys.exit(WITHOUT_RATING)


def _start_anew() -> None:
    """Become the same command with the allocator's settings, unless it has them or is part of a program."""
    program = Path(sys.argv[0])
    ours = program.name == "facenorm" or program.parts[-3:] == ("core", "cli", "__main__.py")
    if ours and sys.platform == "linux" and not any(name in os.environ for name in ALLOCATOR):
        # As it was started: with -m a folder "core" of the user's, where the command is given, would be run.
        command = [sys.executable, *sys.orig_argv[1:]]
        os.execve(sys.executable, command, os.environ | ALLOCATOR)  # noqa: S606  ourselves, no shell


def _spec(asked: Sequence[str], detector: str | None, device: Literal["cpu", "cuda"]) -> Spec:
    from core.vision import models, registry
    from core.vision.rater import Compute

    folders = settings.load().model_folders
    return models.spec(asked, detector or registry.usable_detector(folders), folders, Compute(device))


def _carry_out(
    opened: Engine, spec: Spec, subjects: Sequence[Subject], where: Where, who: str, config_hash: str | None
) -> Counter[str]:
    from tqdm import tqdm

    todo = rating.plan(opened, spec, subjects)
    if not todo.total:
        return Counter()
    with tqdm(total=todo.total, unit="rating", disable=None) as bar:
        return rating.carry_out(
            opened, todo, config_hash=config_hash, who=who, where=where, progress=bar.update
        )


def _say_plan(todo: Plan, where: str) -> None:
    """What a run would do; nothing is changed."""
    n, besides = len(todo.subjects), {(one.sha256, None) for one in todo.also}
    for rater_id, missing in todo.todo.items():
        own = len(missing - besides)
        click.echo(f"{rater_id}: {own} of {n} to rate" if own else f"{rater_id}: nothing is missing")
    if also := len(frozenset[object]().union(*todo.todo.values()) & besides):
        click.echo(f"besides, {also} references that are not among the pictures")
    click.echo(f"{where}: {todo.total} ratings are missing; faces by {todo.spec.detector}")


def _said(statuses: Counter[str], where: str, spec: Spec) -> None:
    said = ", ".join(f"{n} {status.replace('_', ' ')}" for status, n in sorted(statuses.items()))
    click.echo(f"{where}: {said}; faces by {spec.detector}")


# ---- files


def _files(
    opened: Engine,
    paths: Sequence[Path],
    manifest: Path | None,
    prepare: Callable[[], Spec],
    asked: Sequence[str],
    where: Where,
    who: str,
    out: Path | None,
    *,
    excel: bool,
    dry_run: bool,
) -> Counter[str]:
    from core import export
    from core.vision import sources

    if out is not None:
        _check_out(out)
    found = sources.gather(paths, manifest)
    spec = prepare()
    subjects = pictures.of_files(found, manifest)
    usable = [subject for subject in subjects if subject.sha256]
    if dry_run or out is None:
        _say_plan(rating.plan(opened, spec, usable), f"{len(found)} files")
        return Counter()
    _carry_out(opened, spec, usable, where, who, None)
    statuses: Counter[str] = Counter()
    export.ai_sheet(out, _rows(opened, spec, found, subjects, asked, statuses), excel=excel)
    _said(statuses, str(out), spec)
    return statuses


def _check_out(out: Path) -> None:
    """Raise FacenormError where the file could not be written: hours later would be too late."""
    if out.suffix not in {".csv", ".parquet"}:
        raise FacenormError(f"{out}: found the ending {out.suffix!r}, needed .csv or .parquet; rename it")
    if out.is_dir():
        raise FacenormError(f"{out}: is a folder; give the name of a file")
    if not out.parent.is_dir():
        raise FacenormError(f"{out}: there is no folder {out.parent}; make it first")
    try:
        # Not its permissions: a full disk or one mounted to be read only shows when something is written.
        with tempfile.TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise FacenormError(
            f"{out}: {out.parent} cannot be written ({error.strerror}); give another folder"
        ) from error


def _rows(
    opened: Engine,
    spec: Spec,
    found: Sequence[Source],
    subjects: Sequence[Subject],
    asked: Sequence[str],
    statuses: Counter[str],
) -> Iterator[Row]:
    from core import ratings

    for place, result in rating.results(opened, spec, subjects, asked):
        statuses[result.status] += 1
        # Two files may hold the same bytes, so each result is joined to its own file.
        stimulus = _stimulus(found[place], result)
        yield from ratings.ai_rows([result], {result.served_sha256: stimulus})


def _stimulus(source: Source, result: AiResult) -> Stimulus:
    from core.records import Stimulus

    return Stimulus(
        stimulus_id="",
        stim_file=source.stim_file,
        stim_sha256=result.served_sha256,
        served_sha256=result.served_sha256,
        width_px=0,
        height_px=0,
        identity_id=source.identity_id or "",
        intended_emotion=source.intended_emotion,
    )


# ---- a study


def _study(
    opened: Engine,
    study_id: str,
    prepare: Callable[[], Spec],
    asked: Sequence[str],
    where: Where,
    who: str,
    *,
    dry_run: bool,
) -> Counter[str]:
    from db import engine, studies

    with engine.reading(opened) as conn:
        version = database.current(conn, study_id)  # said before any word about weights
        stimuli = studies.stimuli(conn, version.config_hash)
    spec, subjects = prepare(), pictures.of_study(opened, stimuli)
    name = f"{study_id} version {version.version}"
    yardsticks = pictures.of_yardsticks(opened, version.config_hash)
    left_out = _say_left_out(yardsticks)
    # A picture that is in both is the study's: the last of its kind counts.
    everything = [*(subject for one in yardsticks for subject in one.subjects), *subjects]
    if dry_run:
        also = "".join(f" and {len(one.subjects)} of {one.title}" for one in yardsticks)
        _say_plan(rating.plan(opened, spec, everything), f"{name}, {len(subjects)} pictures{also}")
        return Counter()
    new = _carry_out(opened, spec, everything, where, who, version.config_hash)
    statuses = Counter({"left_out": left_out}) if left_out else Counter()
    for one in yardsticks:
        statuses += _of(opened, spec, one.subjects, asked, f"{name}, yardstick {one.title}")
    said = f"{name}, {new.total()} new" if new else f"{name}, nothing was missing"
    return statuses + _of(opened, spec, subjects, asked, said)


def _say_left_out(yardsticks: Sequence[pictures.OfYardstick]) -> int:
    """Name the files that are gone or changed; how many."""
    lines = [f"yardstick {one.title}: {problem}" for one in yardsticks for problem in one.problems]
    for line in lines:
        click.echo(line, err=True)
    return len(lines)


def _of(
    opened: Engine, spec: Spec, subjects: Sequence[Subject], asked: Sequence[str], where: str
) -> Counter[str]:
    statuses = Counter[str](one.status for _, one in rating.results(opened, spec, subjects, asked))
    _said(statuses, where, spec)
    return statuses
