"""Leaving sessions and stimuli out of every table, with a reason, and taking that back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from core import settings
from core.cli import database
from core.errors import StudyError

if TYPE_CHECKING:
    from sqlalchemy import Connection


@click.command()
@click.argument("study_id")
@click.argument("kind", type=click.Choice(["session", "stimulus"]), required=False)
@click.argument("target", required=False)
@click.option("--reason", help="Why; it goes into the private export.")
@click.option("--undo", type=int, metavar="NUMBER", help="Take back the exclusion of this number.")
def exclude(
    study_id: str,
    kind: Literal["session", "stimulus"] | None,
    target: str | None,
    reason: str | None,
    undo: int | None,
) -> None:
    """Leave a session or stimulus out, or list who is.

    \b
      facenorm exclude my-study                                   list what is left out
      facenorm exclude my-study session ID --reason "fell asleep"
      facenorm exclude my-study --undo 3 --reason "wrong person"

    Nothing is deleted: exports mark the rows, norms and the dashboard pass them over. Ids of sessions
    are in a private export, ids of stimuli in every export.
    """  # noqa: D301  the \b keeps click from re-wrapping the list
    from db import engine, exclusions

    opened = database.opened()
    if undo is None and kind is None and reason is None:
        with engine.reading(opened) as conn:
            database.newest(conn, study_id)
            for one in exclusions.active(conn, study_id):
                click.echo(f"{one.exclusion_id}\t{one.target_kind} {one.target_id}\t{one.reason}\t{one.who}")
        return
    if (undo is None) == (target is None):
        raise click.UsageError("name a session or stimulus by its id, or an exclusion with --undo")
    if not reason:
        raise click.UsageError("say why with --reason")
    with engine.writing(opened) as conn:
        if undo is not None:
            database.newest(conn, study_id)
            exclusions.reverse(conn, study_id, undo, reason=reason, who=settings.user())
            click.echo(f"Exclusion {undo} is taken back.")
        elif kind and target:
            _require(conn, study_id, kind, target)
            number = exclusions.add(conn, study_id, kind, target, reason=reason, who=settings.user())
            click.echo(f"Exclusion {number}: {kind} {target} is left out.")


def _require(conn: Connection, study_id: str, kind: str, target: str) -> None:
    from db import sessions, tables

    database.newest(conn, study_id)
    if kind == "session":
        session = sessions.get(conn, target)
        known = session is not None and session.study_id == study_id
    else:
        known = any(one.stimulus.stimulus_id == target for one in tables.stimuli(conn, study_id))
    if not known:
        raise StudyError(f"{study_id} has no {kind} {target!r}; take its id from a private export")
