"""Commands that look after this installation: init, serve, researcher, backup, restore."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import click

from core import settings
from core.cli import database, study
from core.cli.models import DEFAULT, fetch_with_bar
from core.errors import FacenormError

DEMO = settings.PROJECT / "assets" / "studies" / "demo.yaml"
DEMO_PICTURES = settings.PROJECT / "assets" / "demo"
DEMO_SEED = 1
RESEARCHER = "researcher"


@click.command()
@click.option("--demo/--no-demo", default=True, help="Draw and load the demo study.  [default: demo]")
def init(demo: bool) -> None:
    """Fetch default weights, make database and demo study.

    Safe to repeat: what is there stays.
    """
    from core.vision import weights
    from db import engine, studies

    folders = settings.load().model_folders
    for name in DEFAULT:
        if weights.find(name, folders) is None:
            fetch_with_bar(name)
    opened = database.opened()
    with engine.reading(opened) as conn:
        known = studies.latest(conn, "demo")
    if demo and known is None:
        _load_demo()


def _load_demo() -> None:
    from core.faces import demo as faces
    from db import engine, studies

    click.echo("Drawing the faces of the demo study ...")
    faces.write(DEMO_PICTURES, seed=DEMO_SEED)
    version = study.load_file(DEMO, warn=False)  # its drafts and blanks are meant for copies of it
    with engine.writing(database.opened()) as conn:
        studies.open_(conn, version.config_hash, phase="live")
    click.echo("The demo study is loaded and open.")


@click.command()
@click.option("--port", default=8501, show_default=True)
@click.option("--address", default="localhost", show_default=True, help="0.0.0.0 lets other machines in.")
def serve(port: int, address: str) -> None:
    """Start the app and print its links."""
    from db import engine, researchers, studies

    _require_free(address, port)
    with engine.writing(database.opened()) as conn:
        password = None
        if not researchers.has_own_password(conn, RESEARCHER):
            password = researchers.set_one_time(conn, RESEARCHER)
        running = [version.study_id for version in studies.listing(conn) if version.state == "open"]
    here = f"http://{'localhost' if address in {'0.0.0.0', '::'} else address}:{port}"  # noqa: S104
    click.echo()
    for study_id in running or ["STUDY"]:
        click.echo(f"  Participant        {here}/?study={study_id}")
    click.echo(f"  Researcher         {here}/researcher")
    click.echo(f"  Name               {RESEARCHER}")
    click.echo(
        f"  One-time password  {password}\n"
        if password
        else f"  Password           your own (lost? facenorm researcher {RESEARCHER})\n"
    )
    sys.stdout.flush()
    env = os.environ | {"STREAMLIT_SERVER_COOKIE_SECRET": settings.secret(settings.load()).hex()}
    os.chdir(settings.PROJECT)  # where .streamlit/config.toml lies
    command = ["-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.address", address]
    os.execve(sys.executable, [sys.executable, *command], env)  # noqa: S606  no shell is involved


def _require_free(address: str, port: int) -> None:
    """Look before the one-time password changes: another Facenorm may be running there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise FacenormError(
                f"port {port} on {address} cannot be used ({error.strerror}); stop what runs there, or take "
                f"another: make run PORT={port + 1}"
            ) from error


@click.command()
@click.argument("name", default=RESEARCHER)
def researcher(name: str) -> None:
    """Print a new one-time password for a researcher.

    NAME is added where there is none; their other logins end.
    """
    from db import audit, engine, researchers

    with engine.writing(database.opened()) as conn:
        password = researchers.set_one_time(conn, name)
        audit.write(conn, "shell", "one-time password", name)
    click.echo(f"{name}: {password}   (logs in once; then they choose their own)")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy the database to FILE, pictures and all.

    Safe while the app runs. An older backup in FILE is replaced.
    """
    from db import backup as backups
    from db import copies, engine

    opened = database.opened()
    backups.backup(opened, file)
    with engine.writing(opened) as conn:
        copies.note_backup(conn, settings.user(), file)
    click.echo(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Put a backup in the database's place.

    The database that was there is kept beside it. Stop the app first.
    """
    from db import backup as backups

    aside = backups.restore(settings.load().database_url, file)
    click.echo(f"Restored from {file}." + (f" The database before lies in {aside}." if aside else ""))
