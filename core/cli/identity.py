"""Is an edited face still the same person? Similarities under identity models, as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from core import settings
from core.cli import database, rating
from core.cli import subjects as pictures
from core.cli.rating import Where
from core.errors import AgreementError, ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.identity.across import Robustness
    from core.identity.gallery import Gallery
    from core.identity.report import Report
    from core.identity.tables import Confidence, Problem
    from core.records import AiResult
    from core.vision.models import Spec
    from core.vision.sources import Source

    Embeddings = Mapping[str, NDArray[np.float32]]  # by model


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--manifest", required=True, type=click.Path(path_type=Path),
    help="CSV: file, identity, intended_emotion; reference, gender, ethnicity, age_group where known.",
)  # fmt: skip
@click.option(
    "--models", default="mobilefacenet", show_default=True, help="Identity models, separated by commas."
)
@click.option("--detector", default="yunet", show_default=True, help="What finds the faces, once for all.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the CSV files.")
@click.option(
    "--pairs", "which", type=click.Choice(["all", "within"]), default="all", show_default=True,
    help="Rows of pairs.csv: all pairs of pictures, or those of one identity.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, help="Of the intervals' resamples.")
def identity(
    paths: tuple[Path, ...],
    manifest: Path,
    models: str,
    detector: str,
    device: Literal["cpu", "cuda"],
    out: Path,
    which: Literal["all", "within"],
    seed: int,
) -> None:
    """Tell whether edited faces are still the same person.

    Writes identity.csv (each edit under each model), pairs.csv, summary.csv (d', AUC, EER), robustness.csv
    (do the models agree) and problems.csv (pictures without a face). Files of an earlier run in the folder
    are replaced, all or none. What was embedded before is not embedded again.

    10,000 pictures have 50 million pairs: '--pairs within' keeps pairs.csv small; nothing else changes.
    """
    from core.vision import sources

    asked = tuple(dict.fromkeys(name.strip() for name in models.split(",") if name.strip()))
    found = sources.gather(paths, manifest)
    spec = _spec(asked, detector, device)
    gallery = _gallery(found)
    embedded, problems = _gathered(found, asked, _results(found, manifest, spec, asked))
    reports, failed = _reports(gallery, embedded, seed)
    robustness, why_not = _robustness(reports, seed)
    rows = _write(out, gallery, embedded, reports, robustness, problems, which)
    for report in reports:
        _say(report)
    for line in (*failed, *why_not):
        click.echo(line)
    click.echo(f"{out}: " + ", ".join(f"{name} {n}" for name, n in rows.items()) + " rows")


def _spec(asked: Sequence[str], detector: str, device: Literal["cpu", "cuda"]) -> Spec:
    from core.vision import models, registry
    from core.vision.rater import Compute

    for name in asked:
        if not registry.declaration(name).dimensions:
            known = [one for one in registry.RATERS if registry.declaration(one).dimensions]
            raise ModelError(f"{name} gives no embedding; identity models are {', '.join(known)}")
    return models.spec(asked, detector, settings.load().model_folders, Compute(device))


def _gallery(found: Sequence[Source]) -> Gallery:
    from core.identity import gallery

    return gallery.build(
        [
            gallery.Picture(
                one.stim_file, one.identity_id, one.intended_emotion, one.reference, dict(one.traits)
            )
            for one in found
        ]
    )


def _results(
    found: Sequence[Source], manifest: Path, spec: Spec, asked: Sequence[str]
) -> Iterator[tuple[int, AiResult]]:
    """Embed what was not embedded before, and yield (position, result) for each picture and model."""
    from tqdm import tqdm

    opened = database.opened()
    subjects = pictures.of_files(found, manifest)
    todo = rating.plan(opened, spec, [one for one in subjects if one.sha256])
    if todo.total:
        with tqdm(total=todo.total, unit="face", disable=None) as bar:
            rating.carry_out(
                opened, todo, config_hash=None, who=settings.user(), where=Where(), progress=bar.update
            )
    return rating.results(opened, spec, subjects, asked)


def _gathered(
    found: Sequence[Source], asked: Sequence[str], results: Iterator[tuple[int, AiResult]]
) -> tuple[Embeddings, list[Problem]]:
    """The embeddings of each model, NaN where there is none, and why."""
    import numpy as np

    from core.identity.tables import Problem
    from core.vision import registry

    embedded = {
        name: np.full((len(found), registry.declaration(name).dimensions), np.nan, np.float32)
        for name in asked
    }
    problems = [
        Problem("", one.stim_file, "no_identity", "the manifest names no identity of this picture")
        for one in found
        if one.identity_id is None
    ]
    for place, result in results:
        if result.embedding is None:
            problem = Problem(result.rater_id, found[place].stim_file, result.status, result.reason)
            problems.append(problem)
        else:
            embedded[result.rater_id][place] = result.embedding
    return embedded, problems


def _reports(gallery: Gallery, embedded: Embeddings, seed: int) -> tuple[list[Report], list[str]]:
    from core.identity import report
    from core.vision import registry

    reports, failed = [], []
    for model, found in embedded.items():
        threshold = registry.declaration(model).threshold
        try:
            reports.append(report.compute(model, found, gallery, threshold=threshold, seed=seed))
        except AgreementError as error:
            failed.append(str(error))
    if not reports:
        raise AgreementError("\n".join(failed))
    return reports, failed


def _robustness(reports: Sequence[Report], seed: int) -> tuple[Robustness | None, list[str]]:
    import numpy as np

    from core.identity import across

    if len(reports) < across.MIN_MODELS:
        return None, []
    try:
        return across.of_reports(reports, rng=np.random.default_rng(seed)), []
    except AgreementError as error:
        return None, [f"robustness across models: {error}"]


def _write(
    out: Path,
    gallery: Gallery,
    embedded: Embeddings,
    reports: Sequence[Report],
    robustness: Robustness | None,
    problems: Sequence[Problem],
    which: Literal["all", "within"],
) -> dict[str, int]:
    """Write the files, all or none, and return their numbers of rows."""
    from core import ratings
    from core.export import folder, sheets
    from core.identity import tables

    pairs = sum(tables.n_pairs(gallery, found, which) for found in embedded.values())
    click.echo(f"pairs.csv will have {pairs:,} rows (--pairs {which})")
    chunks = {
        "identity.csv": ratings.chunks(
            tables.identity_rows(reports, _confidences(reports)), tuple(tables.IDENTITY)
        ),
        "pairs.csv": (
            chunk
            for model, found in embedded.items()
            for chunk in tables.pair_chunks(model, gallery, found, which)
        ),
        "summary.csv": ratings.chunks(tables.summary_rows(reports), tuple(tables.SUMMARY)),
        "robustness.csv": ratings.chunks(tables.robustness_rows(robustness), tuple(tables.ROBUSTNESS)),
        "problems.csv": ratings.chunks(tables.problem_rows(problems), tuple(tables.PROBLEMS)),
    }
    with ExitStack() as placed:
        # Each takes its place only when all are written.
        parts = {name: placed.enter_context(folder.placed_file(out / name)) for name in chunks}
        return {
            name: sheets.write(parts[name], tables.FILES[name], content, excel=False)
            for name, content in chunks.items()
        }


def _confidences(reports: Sequence[Report]) -> dict[str, Confidence]:
    from core.vision import deepface_confidence, registry

    found = {
        one.model: deepface_confidence.of(one.model, registry.declaration(one.model).threshold)
        for one in reports
    }
    return {model: confidence for model, confidence in found.items() if confidence}


def _say(report: Report) -> None:
    head = report.of("reference")
    known = [one.reference for one in report.images if one.reference]
    missed = sum(one.rank1 is False for one in known)
    click.echo(f"{report.model}: {len(known)} of {len(report.images)} edits compared with their reference")
    if head is not None:
        click.echo(
            f"  d' {head.d_prime.estimate:.2f}, AUC {head.auc.estimate:.3f}, EER {head.eer.estimate:.3f} "
            f"({head.n_within} within, {head.n_between} between, impostors: {head.impostors})"
        )
    click.echo(f"  {missed} nearer to another identity's neutral than to their own")
    for note in report.notes:
        click.echo(f"  {note}")
