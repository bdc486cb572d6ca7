"""Studies at the shell: check, plan, load, list, open, close."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli import database
from core.errors import StudyError

if TYPE_CHECKING:
    from core.loading import Loaded
    from core.records import Phase, StudyVersion


@click.group()
def study() -> None:
    """Check, plan, load, open and close studies."""


@study.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def study_check(file: Path) -> None:
    """Say what is wrong with a study file, and where.

    Checks the stimuli, too. Exit code 1 when the file cannot be used.
    """
    from core import planning
    from core import study as studies
    from core.cli import plan_text

    loaded = _usable(file)
    asked = ", ".join(name for name, _scale in studies.asked(loaded.study))
    click.echo(
        f"{file}: usable. {loaded.n_rated} stimuli to rate on {asked} in {', '.join(loaded.study.languages)}."
    )
    click.echo(plan_text.short(planning.forecast(loaded.study, loaded.stimuli)))
    for one in loaded.yardsticks:
        click.echo(f"Yardstick {one.yardstick_id}: {len(one.stimuli)} pictures named by {one.manifest}.")


@study.command("plan")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--sd",
    type=click.FloatRange(0, 1, min_open=True),
    help="Standard deviation of a picture's ratings, as a share of the scale's length.  [default: 0.2]",
)
@click.option("--json", "as_json", is_flag=True, help="Print it for other programs.")
def study_plan(file: Path, sd: float | None, as_json: bool) -> None:
    """Say what a study will take.

    Minutes, breaks and trials of a participant; how many participants; how wide the intervals will be; and
    the cost. All of it rests on assumptions, which are printed too.
    """
    from core import planning
    from core.cli import plan_text

    loaded = _usable(file, warn=not as_json)
    sd_share = planning.SD_SHARE if sd is None else sd
    found = planning.forecast(loaded.study, loaded.stimuli, sd_share=sd_share)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(found), indent=2))
    else:
        click.echo(plan_text.full(loaded.study, found, sd_share=sd_share))


@study.command("load")
@click.argument("file", type=click.Path(path_type=Path))
def study_load(file: Path) -> None:
    """Store a study file and its stimuli as a version.

    Loading the same content again changes nothing; yardsticks are those of the newest loading.
    """
    version = load_file(file)
    name = f"{version.study_id} version {version.version} ({version.config_hash[:12]})"
    click.echo(f"{name} is {version.state}.")


def load_file(file: Path, *, warn: bool = True) -> StudyVersion:
    """Store a study file with its stimuli as a version, with its warnings on stderr if wanted."""
    from core import study as studies
    from db import studies as stored
    from db import yardsticks

    opened = database.opened()
    loaded = _usable(file, warn=warn)
    version = stored.store(
        opened,
        study_id=loaded.study.study,
        config_hash=studies.config_hash(loaded.study, loaded.stimuli),
        title=loaded.title,
        content=studies.to_json(loaded.study),
        source_yaml=loaded.source_yaml,
        stimuli=loaded.stimuli,
        pictures=loaded.pictures(),
        who="shell",
    )
    sets = [
        yardsticks.Yardstick(one.yardstick_id, one.title, str(one.manifest), one.stimuli, one.paths)
        for one in loaded.yardsticks
    ]
    yardsticks.store(opened, version.config_hash, sets, who="shell")
    return version


def _usable(file: Path, *, warn: bool = True) -> Loaded:
    """Read a study file and its stimuli; warnings go to stderr, what makes it useless is a StudyError."""
    from core import loading

    loaded = loading.read(file)
    for line in loaded.warnings if warn else ():
        click.echo(f"warning: {line}", err=True)
    return loaded


@study.command("list")
def study_list() -> None:
    """List every version of every study in the database."""
    from db import engine, studies

    with engine.reading(database.opened()) as conn:
        versions = studies.listing(conn)
    for version in versions:
        click.echo(
            f"{version.study_id}\tversion {version.version}\t{version.state}\t{version.phase}"
            f"\t{version.config_hash[:12]}\t{version.title}"
        )


@study.command("open")
@click.argument("study_id")
@click.option("--phase", type=click.Choice(["pilot", "live"]), default="live", show_default=True)
def study_open(study_id: str, phase: Phase) -> None:
    """Let participants into a study's newest version.

    An older open version is closed; its sessions may finish.
    """
    from db import audit, engine, sessions, studies

    with engine.writing(database.opened()) as conn:
        version = database.newest(conn, study_id)
        studies.open_(conn, version.config_hash, phase=phase)
        of_all = sessions.flow(conn, study_id, phase=phase)
        of_this = sessions.flow(conn, study_id, config_hash=version.config_hash, phase=phase)
        audit.write(conn, "shell", "study opened", f"{study_id} version {version.version}, {phase}")
    click.echo(f"{study_id} version {version.version} is open ({phase}).")
    if before := of_all.began - of_this.began:
        click.echo(
            f"note: sessions that began in other versions: {before}. Versions count apart: their "
            "ratings fill no place of this one, and an export holds one version.",
            err=True,
        )


@study.command("close")
@click.argument("study_id")
def study_close(study_id: str) -> None:
    """Let nobody else begin; sessions under way may finish."""
    from db import audit, engine, studies

    with engine.writing(database.opened()) as conn:
        version = studies.open_version(conn, study_id)
        if version is None:
            raise StudyError(f"{study_id} is not open, so there is nothing to close")
        studies.close(conn, version.config_hash)
        audit.write(conn, "shell", "study closed", f"{study_id} version {version.version}")
    click.echo(f"{study_id} version {version.version} is closed.")
