"""The `facenorm` command.

An entry point like app.py: it alone in core may import db, and heavy modules are
imported inside the commands, so that `facenorm --help` answers at once.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from core import settings
from core.errors import FacenormError, StudyError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.records import StudyVersion, Trial

T = TypeVar("T")

DEMO = settings.PROJECT / "assets" / "studies" / "demo.yaml"
DEMO_PICTURES = settings.PROJECT / "assets" / "demo"
DEMO_SEED = 20261121
DEFAULT_WEIGHTS = ("haar-frontalface", "mini-xception")
RESEARCHER = "researcher"


class Commands(click.Group):
    """A group whose commands end with one clear line and exit code 1 where a user can mend something."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a FacenormError is a message, not a traceback."""
        try:
            return super().invoke(ctx)
        except FacenormError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="facenorm")
def main() -> None:
    """Norm facial-expression stimuli: people rate faces, vision models rate the same faces.

    \b
    A study from its file to its tables:
      facenorm study check my-study.yaml    is the file right? names line and mend
      facenorm study load my-study.yaml     store it as a version
      facenorm study open my-study          let participants in (add --phase pilot to try)
      facenorm rate --study my-study        let the vision models rate the same stimuli
      facenorm export my-study --out DIR    norms, ratings and codebook as CSV

    Pictures without a study: facenorm rate FOLDER --out ai.csv

    Settings come from the environment: FACENORM_DATA (database, backups), FACENORM_DATABASE_URL
    (PostgreSQL instead of SQLite), FACENORM_MODELS (folders with weights).
    """  # noqa: D301  the \b keeps click from re-wrapping the list


def _engine() -> Engine:
    from db import engine

    configured = settings.load()
    configured.data.mkdir(parents=True, exist_ok=True)
    opened = engine.connect(configured.database_url)
    engine.migrate(opened, backup_to=configured.data / "backups")
    return opened


def _fail(message: str) -> NoReturn:
    raise click.ClickException(message)


# ---- installation


@main.command()
@click.option("--demo/--no-demo", default=True, help="Draw and load the demo study.  [default: demo]")
def init(demo: bool) -> None:
    """Prepare this installation: default weights, database, demo study. Safe to repeat."""
    from core.vision import weights
    from db import engine, studies

    folders = settings.load().model_folders
    for name in DEFAULT_WEIGHTS:
        if weights.find(name, folders) is None:
            click.echo(f"Fetching {name} ...")
            weights.fetch(name, folders)
    opened = _engine()
    if not demo:
        return
    from core.faces import demo as faces

    faces.write(DEMO_PICTURES, seed=DEMO_SEED)
    with engine.reading(opened) as conn:
        known = studies.latest(conn, "demo")
    if known is None:
        version = _load(opened, DEMO)
        with engine.writing(opened) as conn:
            studies.open_(conn, version.config_hash, phase="live")
        click.echo("Loaded and opened the demo study.")


@main.command()
@click.option("--port", default=8501, show_default=True)
@click.option("--address", default="localhost", show_default=True, help="0.0.0.0 lets other machines in.")
def serve(port: int, address: str) -> None:
    """Start the app; prints the participant's and the researcher's link."""
    from db import engine, researchers

    opened = _engine()
    with engine.writing(opened) as conn:
        password = researchers.set_one_time(conn, RESEARCHER)
    opened.dispose()
    here = f"http://{'localhost' if address == '0.0.0.0' else address}:{port}"  # noqa: S104  only compared
    click.echo(f"\n  Participant   {here}/?study=demo")
    click.echo(f"  Researcher    {here}/researcher   (name: {RESEARCHER})")
    if password:
        click.echo(f"  One-time password   {password}   (you choose your own after the first login)\n")
    sys.stdout.flush()
    env = os.environ | {"STREAMLIT_SERVER_COOKIE_SECRET": settings.secret(settings.load()).hex()}
    os.chdir(settings.PROJECT)  # where .streamlit/config.toml lies
    command = ["-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.address", address]
    os.execve(sys.executable, [sys.executable, *command], env)  # noqa: S606  no shell is involved


# ---- studies


@main.group()
def study() -> None:
    """Check, load, open and close studies."""


@study.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def study_check(file: Path) -> None:
    """Say what is wrong with a study file and its stimuli, with line and mend. Exit code 1 if unusable."""
    from core import stimuli
    from core import study as studies

    parsed = studies.read(file)
    gathered = stimuli.gather(parsed, file.parent)
    _warn([*gathered.problems, *studies.warnings(parsed)])
    rated = sum(stimulus.rated for stimulus in gathered.stimuli)
    asked = ", ".join(name for name, _scale in studies.asked(parsed))
    click.echo(f"{file}: usable. {rated} stimuli to rate on {asked} in {', '.join(parsed.languages)}.")


@study.command("load")
@click.argument("file", type=click.Path(path_type=Path))
def study_load(file: Path) -> None:
    """Store a study file with its stimuli as a version; loading the same content again changes nothing."""
    version = _load(_engine(), file)
    name = f"{version.study_id} version {version.version} ({version.config_hash[:12]})"
    click.echo(f"{name} is {version.state}.")


def _load(opened: Engine, file: Path) -> StudyVersion:
    from core import stimuli
    from core import study as studies
    from db import audit, engine
    from db import pictures as blobs
    from db import studies as stored

    parsed = studies.read(file)
    gathered = stimuli.gather(parsed, file.parent)
    _warn([*gathered.problems, *studies.warnings(parsed)])
    if not any(stimulus.rated for stimulus in gathered.stimuli):
        raise StudyError(f"{file}: none of its stimuli can be used; mend the lines above and load it again")
    # Pictures are decoded outside of any transaction: participants of other studies go on rating.
    for batch in _batches(gathered.pictures(), 16):
        with engine.writing(opened) as conn:
            blobs.save(conn, batch)
    with engine.writing(opened) as conn:
        version = stored.load(
            conn,
            study_id=parsed.study,
            config_hash=studies.config_hash(parsed, gathered.stimuli),
            title=parsed.title[parsed.languages[0]],
            content=studies.to_json(parsed),
            source_yaml=file.read_text(encoding="utf-8"),
            stimuli=gathered.stimuli,
            pictures=(),
        )
        audit.write(conn, "shell", "study loaded", f"{version.study_id} version {version.version}")
    return version


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def _warn(lines: list[str]) -> None:
    for line in lines:
        click.echo(f"warning: {line}", err=True)


@study.command("list")
def study_list() -> None:
    """List every version of every study in the database."""
    from db import engine, studies

    with engine.reading(_engine()) as conn:
        versions = studies.listing(conn)
    for version in versions:
        click.echo(
            f"{version.study_id}\tversion {version.version}\t{version.state}\t{version.phase}"
            f"\t{version.config_hash[:12]}\t{version.title}"
        )


@study.command("open")
@click.argument("study_id")
@click.option("--phase", type=click.Choice(["pilot", "live"]), default="live", show_default=True)
def study_open(study_id: str, phase: Any) -> None:
    """Let participants into the newest version of a study; an older open version is closed."""
    from db import audit, engine, studies

    with engine.writing(_engine()) as conn:
        version = _version(conn, study_id)
        studies.open_(conn, version.config_hash, phase=phase)
        audit.write(conn, "shell", "study opened", f"{study_id} version {version.version}, {phase}")
    click.echo(f"{study_id} version {version.version} is open ({phase}).")


@study.command("close")
@click.argument("study_id")
def study_close(study_id: str) -> None:
    """Let nobody else begin; sessions under way may finish."""
    from db import audit, engine, studies

    with engine.writing(_engine()) as conn:
        version = studies.open_version(conn, study_id)
        if version is None:
            raise StudyError(f"{study_id} is not open, so there is nothing to close")
        studies.close(conn, version.config_hash)
        audit.write(conn, "shell", "study closed", f"{study_id} version {version.version}")
    click.echo(f"{study_id} version {version.version} is closed.")


def _version(conn: Any, study_id: str) -> StudyVersion:
    from db import studies

    version = studies.latest(conn, study_id)
    if version is None:
        known = ", ".join(sorted({each.study_id for each in studies.listing(conn)})) or "none"
        raise StudyError(
            f"no study {study_id!r} is loaded (loaded: {known}); load it with 'facenorm study load FILE'"
        )
    return version


# ---- models


@main.group()
def models() -> None:
    """List, fetch and verify the weights of the vision models."""


@models.command("list")
def models_list() -> None:
    """Say of each file whether it is here, its size, licence and where it comes from."""
    from core.vision import weights

    folders = settings.load().model_folders
    for entry in weights.entries():
        found = weights.find(entry.name, folders)
        size = f"{entry.size_bytes / 1e6:.1f} MB"
        click.echo(f"{entry.name}\t{found or 'missing'}\t{size}\t{entry.licence}\t{entry.origin}")


@models.command("fetch")
@click.argument("names", nargs=-1)
def models_fetch(names: tuple[str, ...]) -> None:
    """Download weights (the embedded default's without NAMES), resumed and verified by checksum."""
    from tqdm import tqdm

    from core.vision import weights

    folders = settings.load().model_folders
    for name in names or DEFAULT_WEIGHTS:
        with tqdm(desc=name, unit="B", unit_scale=True, disable=None) as bar:

            def shown(done: int, total: int, bar: Any = bar) -> None:
                bar.total = total
                bar.update(done - bar.n)

            path = weights.fetch(name, folders, progress=shown)
        click.echo(f"{name}: {path}")


@models.command("verify")
def models_verify() -> None:
    """Check the checksum of every file that is here. Exit code 1 if one is wrong."""
    from core.vision import weights

    bad = 0
    for line, ok in weights.verify(settings.load().model_folders):
        click.echo(line)
        bad += not ok
    if bad:
        _fail(f"{bad} file(s) are not what they should be; delete them and fetch them again")


# ---- backup


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy the database, pictures and all, to FILE; safe while the app runs."""
    from db import backup as backups

    backups.backup(_engine(), file)
    click.echo(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Put a backup in the database's place; the database that was there is kept beside it."""
    from db import backup as backups

    aside = backups.restore(settings.load().database_url, file)
    click.echo(f"Restored from {file}." + (f" The database before lies in {aside}." if aside else ""))


# ---- simulation


@main.command()
@click.argument("study_id")
@click.option("--participants", "-n", type=click.IntRange(1, 10_000), default=30, show_default=True)
@click.option("--seed", "-s", type=int, default=1, show_default=True)
@click.option("--url", default="http://localhost:8501", show_default=True, help="Where the app runs.")
def simulate(study_id: str, participants: int, seed: int, url: str) -> None:
    """Send simulated participants through the app, marked as simulated.

    They begin and answer over HTTP as a browser does, with known bias and noise. Tables and the
    dashboard leave them out unless asked.
    """
    from tqdm import tqdm

    from core import simulate as simulated
    from core import simulated_client
    from core import study as studies
    from db import engine
    from db import studies as stored

    opened = _engine()
    with engine.writing(opened) as conn:
        version = stored.open_version(conn, study_id)
        if version is None:
            _version(conn, study_id)
            raise StudyError(f"{study_id} is not open; open it with 'facenorm study open {study_id}'")
        link = stored.make_link(conn, study_id, "simulated")
        stimuli = {each.stimulus_id: each for each in stored.stimuli(conn, version.config_hash)}
    parsed = studies.from_json(version.content)
    raters = simulated.raters(participants, seed=seed, study=parsed)
    for number, rater in enumerate(tqdm(raters, unit="participant", disable=None)):
        rng = random.Random(f"{seed}:{number}")
        with simulated_client.begin(parsed, link, url=url, rng=rng) as client:
            for trial in _trials(opened, client.cookie):
                client.send(simulated.respond(rater, parsed, trial, stimuli, rng=rng))
    click.echo(f"{participants} simulated participants have rated {study_id}.")


def _trials(opened: Engine, cookie: str) -> tuple[Trial, ...]:
    from db import engine, sessions

    with engine.reading(opened) as conn:
        session = sessions.by_token(conn, cookie)
        if session is None:
            _fail("the app that answers uses another database; name its --url, or its FACENORM_DATA here")
        return sessions.trials(conn, session.session_id)
