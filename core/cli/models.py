"""Weights at the shell: list, fetch, verify."""

from __future__ import annotations

from pathlib import Path

import click

from core import settings
from core.errors import ModelError

DEFAULT = ("haar-frontalface", "mini-xception")


@click.group()
def models() -> None:
    """List, fetch and verify the weights of the vision models."""


@models.command("list")
def list_() -> None:
    """Say what is here, and sizes, licences, sources."""
    from core.vision import weights

    for entry in weights.entries():
        found = weights.find(entry.name, settings.load().model_folders)
        click.echo(f"{entry.name}  ({entry.title})")
        click.echo(f"    {found or 'missing: facenorm models fetch ' + entry.name}")
        click.echo(f"    {weights.size(entry)}, {entry.licence}, from {entry.origin}")
        click.echo(f"    {entry.notice}")


@models.command()
@click.argument("names", nargs=-1)
def fetch(names: tuple[str, ...]) -> None:
    """Download weights, resumed and verified.

    Without NAMES those of the default model.
    """
    for name in names or DEFAULT:
        click.echo(f"{name}: {fetch_with_bar(name)}")


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

    Exit code 1 if one is wrong.
    """
    from core.vision import weights

    wrong = 0
    for line, right in weights.verify(settings.load().model_folders):
        click.echo(line)
        wrong += not right
    if wrong:
        raise ModelError(f"{wrong} file(s) are not what they should be; delete them and fetch them again")
