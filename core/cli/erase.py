"""Deleting a participant's session for good, and what still holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core import settings
from core.cli import database
from core.errors import SessionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy import Connection

    from core.records import Session
    from db.copies import Copy
    from db.erasure import Report


@click.command()
@click.argument("study_id")
@click.option("--code", help="The participant's personal code; its form does not matter.")
@click.option("--external", help="The id that the platform gave them.")
@click.option("--session", "session_id", help="The session's id in a private export.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(study_id: str, code: str | None, external: str | None, session_id: str | None, yes: bool) -> None:
    """Delete a participant's answers for good.

    \b
      facenorm erase my-study --code 7KQM-2XWD-9FTA
      facenorm erase my-study --external 5f3e9a1b2c4d6e7f8a9b0c1d
      facenorm erase my-study --session 0b5c...

    Everything that tells of the session is deleted, here and at once, also after the study's
    erasure.days; a count is all that stays. Prints which exports and backups still hold it. With
    --external every session that came with this id is meant, previews too.
    """  # noqa: D301  the \b keeps click from re-wrapping the list
    from db import engine, erasure

    if sum(given is not None for given in (code, external, session_id)) != 1:
        raise click.UsageError("name the participant by one of --code, --external and --session")
    opened = database.opened()
    with engine.reading(opened) as conn:
        database.newest(conn, study_id)
        found = _found(conn, study_id, code=code, external=external, session_id=session_id)
        for one in found:
            click.echo(_about(conn, one))
    if not yes:
        click.confirm("Delete all of it for good?", abort=True)
    with engine.writing(opened) as conn:
        reports = [_erase(conn, one) for one in found]
    settled = erasure.settle(opened)
    click.echo(f"Deleted. The count of deleted sessions grows by {len(found)}; nothing else is kept.")
    _tell(reports)
    if not settled:
        click.echo(
            "Somebody is reading an older state of the database, so that traces are still in its file; "
            "they are overwritten when the app runs, or by the next 'facenorm erase'."
        )


def _found(
    conn: Connection, study_id: str, *, code: str | None, external: str | None, session_id: str | None
) -> Sequence[Session]:
    from db import erase_codes, sessions

    if code is not None:
        named = erase_codes.find(conn, study_id, code)
        found = [named[0]] if named else []
    else:
        ids = [session_id or ""] if external is None else _with_external(conn, study_id, external)
        each = (sessions.get(conn, one) for one in ids)
        found = [one for one in each if one is not None and one.study_id == study_id]
        found.sort(key=lambda one: one.kind != "human")
    if not found:
        raise SessionError(
            f"{study_id} has no such session; compare what you typed, or take the session's id from a "
            "private export (ids of platforms are destroyed some time after payment)"
        )
    return found


def _with_external(conn: Connection, study_id: str, typed: str) -> Iterator[str]:
    """The ids of all sessions that came with an id, which each version of the study reads in its way."""
    from core import recruitment
    from core.study import from_json
    from db import erasure, studies

    for version in studies.listing(conn, study_id):
        external_id = recruitment.read_id(from_json(version.content), typed)
        yield from erasure.by_external(conn, version.config_hash, external_id)


def _about(conn: Connection, found: Session) -> str:
    from db import erasure

    held = erasure.contents(conn, found.session_id)
    begun = f"begun {found.began_at:%Y-%m-%d %H:%M} UTC"
    return (
        f"Session {found.session_id} ({found.kind}, {found.phase}), {begun}, "
        f"{found.outcome or 'not ended'}: {held.pictures} answers to pictures, {held.questions} to questions."
    )


def _erase(conn: Connection, found: Session) -> Report:
    from core import leaving
    from core.study import from_json
    from db import erasure, sessions, studies

    version = studies.get(conn, found.config_hash)
    consents = sessions.consents(conn, found.session_id)
    shared = version is None or leaving.shared(from_json(version.content), consents)
    folder = settings.load().data / "backups"
    return erasure.erase(conn, found.session_id, who=settings.user(), shared=shared, backups=folder)


def _tell(reports: Sequence[Report]) -> None:
    exports = dict.fromkeys(copy for report in reports for copy in report.exports)
    backups = dict.fromkeys(copy for report in reports for copy in report.backups)
    _list("These exports were made while it was there and may hold it:", exports)
    _list("These backups hold it, and would bring it back:", backups)
    if not exports and not backups:
        click.echo("No export and no backup is known that holds it.")


def _list(title: str, found: Collection[Copy]) -> None:
    if found:
        click.echo(title)
    for one in found:
        click.echo(f"  {one.at:%Y-%m-%d %H:%M} UTC  {one.what}  {one.where}".rstrip())
