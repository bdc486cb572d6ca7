"""Reliability, norms and recognition of ratings that were collected anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from core.errors import AgreementError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.agreement.krippendorff import Level
    from core.analysing.asked import Asked, Columns

    Names = Mapping[str, str | None]


@click.command()
@click.argument("ratings", type=click.Path(path_type=Path))
@click.option("--rater", required=True, metavar="COL", help="Who rated.")
@click.option("--stimulus", required=True, metavar="COL", help="What was rated.")
@click.option("--scales", metavar="COL,...", help="Wide file: one column per scale.")
@click.option("--scale", metavar="COL", help="Long file: which scale a row is about; with --value.")
@click.option("--value", metavar="COL", help="Long file: the rating.")
@click.option("--emotion", metavar="COL", help="The perceived emotion: a column, or a scale of a long file.")
@click.option("--intended", metavar="COL", help="The emotion that the stimulus shows.")
@click.option("--identity", metavar="COL", help="Whose face it is.")
@click.option("--rater-type", metavar="COL", help="'human' or 'model' in each row.")
@click.option("--levels", metavar="SCALE=LEVEL,...", help="nominal, ordinal, interval (default) or ratio.")
@click.option("--range", "ranges", metavar="SCALE=LO:HI", multiple=True, help="The full scale; repeatable.")
@click.option("--by", metavar="COL,...", help="Columns by whose values each table is also split.")
@click.option(
    "--resamples", type=click.IntRange(min=0), default=1000, show_default=True, help="0: no bootstrap."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder.")
def analyse(
    ratings: Path, levels: str | None, ranges: tuple[str, ...], resamples: int, out: Path, **names: str | None
) -> None:
    """Compute reliability, norms and recognition of a rating file from any study.

    RATINGS is a CSV or Parquet file, one row per rater and stimulus (--scales) or per rating (--scale and
    --value). Writes reliability.csv, norms.csv, and where the file allows it the confusion of intended and
    perceived emotions, hit rates and people against models; warnings.txt says what to know before reading
    them. docs/analyse.md explains every column.
    """
    from core.analysing.asked import Asked

    if not _named(names):
        raise click.UsageError(
            "name the ratings: --scales a,b for a wide file, --scale and --value for a long one"
        )
    _run(ratings, Asked(_columns(names), _levels(levels), _ranges(ranges), resamples), out)


def _named(names: Names) -> bool:
    """Whether the options say where the ratings are, and in one way."""
    long = bool(names["scale"])
    if long != bool(names["value"]) or (long and names["scales"]):
        return False
    return bool(long or names["scales"] or names["emotion"])


def _columns(names: Names) -> Columns:
    from core.analysing.asked import Columns

    return Columns(
        rater=names["rater"] or "",
        stimulus=names["stimulus"] or "",
        scales=_listed(names["scales"]),
        scale=names["scale"],
        value=names["value"],
        emotion=names["emotion"],
        intended=names["intended"],
        identity=names["identity"],
        rater_type=names["rater_type"],
        by=_listed(names["by"]),
    )


def _run(path: Path, asked: Asked, out: Path) -> None:
    from core.analysing import ratings as long
    from core.analysing import reading, tables, writing

    writing.check(out)
    found, warnings = long.ratings(reading.columns(path, asked.columns), asked)
    analysis = tables.analyse(found, asked, warnings)
    writing.write(analysis, out)
    for warning in analysis.warnings:
        click.echo(f"Warning: {warning}", err=True)
    click.echo(f"{out}: {', '.join(analysis.tables)}, {writing.WARNINGS} ({len(analysis.warnings)} warnings)")


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _levels(text: str | None) -> Mapping[str, Level]:
    from core.agreement.krippendorff import Level

    known: tuple[Level, ...] = get_args(Level)
    found = {}
    for part in _listed(text):
        name, _, level = part.rpartition("=")
        if not name or level not in known:
            raise AgreementError(f"--levels {part!r} is not SCALE=LEVEL; levels are {', '.join(known)}")
        found[name.strip()] = next(one for one in known if one == level)
    return found


def _ranges(texts: tuple[str, ...]) -> Mapping[str, tuple[float, float]]:
    found = {}
    for part in (one for text in texts for one in _listed(text)):
        name, _, ends = part.rpartition("=")
        try:
            low, high = (float(end) for end in ends.split(":"))
        except ValueError:
            low = high = 0.0
        if not name or low >= high:
            raise AgreementError(
                f"--range {part!r} is not SCALE=LO:HI with LO below HI, for instance valence=1:9"
            )
        found[name.strip()] = (low, high)
    return found
