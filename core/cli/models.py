"""Weights at the shell: list, fetch, verify, where."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core import settings
from core.errors import ModelError

if TYPE_CHECKING:
    from core.vision.weights import Weights

DEFAULT = ("haar-frontalface", "mini-xception")


@click.group()
def models() -> None:
    """List, fetch and verify the weights of the vision models."""


@models.command("list")
def list_() -> None:
    """Say what is here, and sizes, licences, sources."""
    from core.vision import weights

    folders = settings.load().model_folders
    for entry in weights.entries():
        click.echo(f"{entry.name}  ({entry.title})")
        click.echo(f"    {_state(entry, folders)}")
        click.echo(f"    {weights.size(entry)}, {entry.licence}, from {entry.origin}")
        click.echo(f"    {entry.check}")
        click.echo(f"    {entry.notice}")


def _state(entry: Weights, folders: Sequence[Path]) -> str:
    from core.vision import consent, weights

    path = weights.present(entry, folders)
    if path and not consent.agreed(entry, folders):
        return f"{path}, but nobody has agreed to its licence yet: facenorm models fetch {entry.name}"
    return str(path) if path else f"missing: facenorm models fetch {entry.name}"


@models.command()
@click.argument("names", nargs=-1)
@click.option("--agree", is_flag=True, help="Agree to the licences of NAMES without being asked.")
def fetch(names: tuple[str, ...], agree: bool) -> None:
    """Download weights, resumed and verified.

    Without NAMES those of the default model. The licence of non-commercial weights is shown and asked
    for once; the agreement is recorded beside them.
    """
    for name in names:
        _settle(name, agree=agree)  # before the first of them is downloaded
    for name in names or DEFAULT:
        click.echo(f"{name}: {fetch_with_bar(name)}")


def _settle(name: str, *, agree: bool) -> None:
    """Show the licence and ask, unless somebody has agreed to it before."""
    from core.vision import consent, weights

    entry, folders = weights.entry(name), settings.load().model_folders
    if consent.agreed(entry, folders):
        return
    if not (agree or sys.stdin.isatty()):
        consent.require(entry, folders)
    click.echo(consent.terms(entry))
    if not (agree or click.confirm("Do you agree to these terms?")):
        raise ModelError(f"nothing was fetched: {name} may be used only under these terms")
    recorded = consent.agree(entry, folders, who=settings.user())
    click.echo(f"Your agreement is recorded in {recorded}")


def fetch_with_bar(name: str) -> Path:
    """Fetch one file, with a progress bar where there is a terminal."""
    from tqdm import tqdm

    from core.vision import weights

    with tqdm(desc=f"Fetching {name}", unit="B", unit_scale=True, disable=None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return weights.fetch(name, settings.load().model_folders, progress=show)


@models.command()
def verify() -> None:
    """Check the checksums of what is here.

    Every file is read anew. Exit code 1 if one is wrong.
    """
    from core.vision import weights

    wrong = 0
    for line, right in weights.verify(settings.load().model_folders):
        click.echo(line)
        wrong += not right
    if wrong:
        raise ModelError(f"{wrong} file(s) are not what they should be; delete them and fetch them again")


@models.command()
@click.argument("name", required=False)
def where(name: str | None) -> None:
    """Print the path of NAME, or the folders.

    For scripts: exit code 1 if NAME is missing, or its licence is not agreed to.
    """
    from core.vision import weights

    folders = settings.load().model_folders
    if name is None:
        click.echo("\n".join(map(str, folders)))
    elif path := weights.find(name, folders):
        click.echo(path)
    else:
        raise ModelError(weights.missing(weights.entry(name), folders))
