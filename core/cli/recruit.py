"""Recruitment at the shell: a study's link, completion codes, and the ids that platforms gave."""

from __future__ import annotations

import csv
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core import settings
from core.cli import database, study
from core.errors import SessionError, StudyError

if TYPE_CHECKING:
    from core.study import Study
    from core.study_design import Recruitment
    from db.external import Claim

_CLAIM = (
    "external_id",
    "session_id",
    "phase",
    "language",
    "began_at",
    "ended_at",
    "outcome",
    "code",
    "paid_at",
)


@study.study.command("link")
@click.argument("study_id")
@click.option(
    "--base", default="http://localhost:8501", show_default=True, help="Where participants reach it."
)
def study_link(study_id: str, base: str) -> None:
    """Print what is pasted into the recruitment platform.

    A link with the platform's placeholders; for MTurk the layout of a project.
    """
    from core import recruitment

    found = _study(study_id)
    if not base.startswith(("http://", "https://")):
        raise click.UsageError("--base needs an address such as https://faces.example.org")
    paste = recruitment.hit if found.recruitment.route == "mturk" else recruitment.link
    click.echo(paste(found, base))
    if "[" in (printed := paste(found, base)):
        click.echo(f"Put the platform's own placeholders in the place of {_brackets(printed)}.", err=True)


@click.group()
def codes() -> None:
    """Completion codes that a platform gave."""


@codes.command("load")
@click.argument("study_id")
@click.argument("file", type=click.Path(path_type=Path))
def codes_load(study_id: str, file: Path) -> None:
    """Add the codes of FILE, one a line, to a study's pool.

    All of them or none: what is empty, there twice or in the pool already is told with its line.
    """
    from db import audit, engine
    from db import codes as pool

    found = _study(study_id)
    if found.recruitment.code != "pool":
        raise StudyError(f"{study_id} takes no codes from a pool; write 'code: pool' under 'recruitment:'")
    lines = _lines(file)
    with engine.writing(database.opened()) as conn:
        try:
            n = pool.load(conn, study_id, lines)
        except StudyError as error:
            raise StudyError(f"{file}: {error}") from error
        audit.write(conn, settings.user(), "completion codes loaded", f"{study_id}: {n}")
        left = pool.left(conn, study_id)
    click.echo(f"Codes added: {n}; free: {left}.")


@codes.command("list")
@click.argument("study_id")
def codes_list(study_id: str) -> None:
    """List a study's pool: each code, and when and to which session it was given."""
    from db import codes as pool
    from db import engine

    with engine.reading(database.opened()) as conn:
        database.newest(conn, study_id)
        for one in pool.listing(conn, study_id):
            given = f"{one.given_at:%Y-%m-%d %H:%M} UTC\t{one.session_id}" if one.given_at else "free\t"
            click.echo(f"{one.code}\t{given}".rstrip())


@click.group()
def external() -> None:
    """The ids of participants on the platform that sent them."""


@external.command("list")
@click.argument("study_id")
def external_list(study_id: str) -> None:
    """Print ids with outcome and code as CSV, to approve payments by."""
    from core.export.cells import escape
    from db import audit, engine, studies
    from db import external as ids

    with engine.writing(database.opened()) as conn:
        database.newest(conn, study_id)
        chosen = {
            version.config_hash: _parsed(version.content).recruitment
            for version in studies.listing(conn, study_id)
        }
        found = ids.claims(conn, study_id)
        audit.write(conn, settings.user(), "external ids listed", f"{study_id}: {len(found)}")
    more = sorted({name for claim in found for name in claim.parameters})
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow([*_CLAIM, *more])
    for claim in found:
        kept = (claim.parameters.get(name, "") for name in more)
        out.writerow(escape(value) for value in (*_values(claim, chosen[claim.config_hash]), *kept))


@external.command("paid")
@click.argument("study_id")
@click.option("--session", "session_id", help="The one session that was paid; its id is in the list.")
@click.option("--all-complete", is_flag=True, help="Every complete session was paid.")
def external_paid(study_id: str, session_id: str | None, all_complete: bool) -> None:
    """Note who was paid now; from then on the days run until the ids are destroyed."""
    from db import audit, engine
    from db import external as ids

    if all_complete == bool(session_id):
        raise click.UsageError("say who was paid: --session ID or --all-complete")
    with engine.writing(database.opened()) as conn:
        database.newest(conn, study_id)
        n = ids.mark_paid(conn, study_id, session_id)
        if session_id and not n:
            raise SessionError(
                f"{study_id} has no unpaid session {session_id!r} with an external id; "
                f"'facenorm external list {study_id}' shows them"
            )
        audit.write(conn, settings.user(), "sessions paid", f"{study_id}: {session_id or n}")
    click.echo(f"Noted as paid: {n}.")


@external.command("forget")
def external_forget() -> None:
    """Destroy the ids that were paid long enough ago; the app does it by itself, once a day.

    How long is each study's 'recruitment: forget_ids_after_days'.
    """
    from db import audit, engine, scrub, studies
    from db import external as ids

    opened = database.opened()
    with engine.writing(opened) as conn:
        days = {
            version.config_hash: _parsed(version.content).recruitment.forget_ids_after_days
            for version in studies.listing(conn)
        }
        gone = ids.forget(conn, days)
        for study_id, n in gone.items():
            audit.write(conn, settings.user(), "external ids destroyed", f"{study_id}: {n}")
    for study_id, n in gone.items():
        click.echo(f"{study_id}: ids destroyed: {n}.")
    if not gone:
        click.echo("No id is due.")
    elif not scrub.run(opened):
        click.echo(
            "A reader of an older state keeps traces in the file; the app overwrites them later.", err=True
        )


def _study(study_id: str) -> Study:
    from db import engine

    with engine.reading(database.opened()) as conn:
        return _parsed(database.current(conn, study_id).content)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise StudyError(
            f"{file}: found {error.strerror}; needed a file of codes; correct the path"
        ) from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{file}: found no UTF-8 text; needed one code a line; save it as UTF-8") from error


def _parsed(content: str) -> Study:
    from core.study import from_json

    return from_json(content)


def _values(claim: Claim, chosen: Recruitment) -> list[str]:
    shown = claim.outcome == "complete"
    own = claim.pool_code or chosen.fixed_code or claim.completion_code
    return [
        claim.external_id,
        claim.session_id,
        claim.phase,
        claim.language,
        _time(claim.began_at),
        _time(claim.ended_at),
        claim.outcome or "",
        own if shown else "",
        _time(claim.paid_at),
    ]


def _time(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment else ""


def _brackets(printed: str) -> str:
    return " and ".join(re.findall(r"\[[^\]]*\]", printed))
