"""A study's tables as CSV."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core import settings
from core.cli import database
from core.errors import ExportError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from core.export import Tables
    from core.ratings import Row
    from core.records import Participant, Phase, Picture, SessionKind, StudyVersion
    from core.study import Study


@click.command()
@click.argument("study_id")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder, or a .zip file.")
@click.option("--public/--private", default=True, help="What may be shared, or all.  [default: public]")
@click.option("--version", type=int, help="A version.  [default: the open one, else the newest]")
@click.option("--excel", is_flag=True, help="Byte-order marks, for Korean and Japanese.")
@click.option("--replace", is_flag=True, help="An earlier export in --out makes way.")
@click.option("--pictures", is_flag=True, help="Add the original pictures, unchanged.")
@click.option("--simulated", is_flag=True, help="Simulated participants instead of people.")
@click.option("--with-external-ids", is_flag=True, help="Ids of platforms such as Prolific; private only.")
@click.option("--pilot", is_flag=True, help="The pilot phase instead of the live one.")
@click.option("--who", default=settings.user, help="Who is noted as having exported.", hidden=True)
@click.option("--where", help="What is noted as the place of the copy.  [default: --out]", hidden=True)
def export(
    study_id: str,
    out: Path,
    public: bool,
    version: int | None,
    excel: bool,
    replace: bool,
    pictures: bool,
    simulated: bool,
    with_external_ids: bool,
    pilot: bool,
    who: str,
    where: str | None,
) -> None:
    """Write a study's tables and their codebook as CSV.

    ratings.csv, norms.csv, participants.csv, questionnaires.csv, stimuli.csv, ai_ratings.csv and
    codebook.csv. A public export has fresh random ids, no exact times, ages in bands and no small cells;
    only participants who agreed to public sharing are in it. docs/data.md says what it changes.
    """
    from db import copies, engine

    if public and with_external_ids:
        raise click.UsageError("--with-external-ids needs --private: a public export never holds them")
    opened = database.opened()
    kind: SessionKind = "simulated" if simulated else "human"
    phase: Phase = "pilot" if pilot else "live"
    with engine.writing(opened) as conn:
        wanted = database.numbered(conn, study_id, version) if version else database.current(conn, study_id)
        copies.note_export(
            conn, who, study_id=study_id, version=wanted.version, phase=phase, kind=kind, public=public,
            where=where or str(out.resolve()),
        )  # fmt: skip
    # One transaction for all tables: they show the same moment.
    with engine.reading(opened) as conn:
        tables = _tables(conn, wanted, kind, phase, pictures=pictures, external_ids=with_external_ids)
        if public:
            _require_sharing(tables.study)
        counts = _write(out, tables, public=public, excel=excel, replace=replace)
    if public:
        agreed, all_ = len(tables.sharing), len(list(tables.participants()))
        click.echo(f"{agreed} of {all_} participants agreed to public sharing; only theirs is in it.")
    click.echo(f"{out}: version {wanted.version}, " + ", ".join(f"{name} {n}" for name, n in counts.items()))


def _write(out: Path, tables: Tables, *, public: bool, excel: bool, replace: bool) -> dict[str, int]:
    from core import export as exports

    if out.suffix != ".zip":
        return exports.write(out, tables, public=public, excel=excel, replace=replace)
    with tempfile.TemporaryDirectory(prefix="facenorm-") as scratch:
        folder = Path(scratch) / out.stem
        counts = exports.write(folder, tables, public=public, excel=excel)
        exports.pack(folder, out)
    return counts


def _require_sharing(study: Study) -> None:
    if not any(item.shares for item in study.consent.items):
        raise ExportError(
            f"{study.study} asks nobody whether their answers may be shared; mark the consent item that "
            "asks with 'shares: true', or export --private"
        )


def _tables(
    conn: Connection,
    version: StudyVersion,
    kind: SessionKind,
    phase: Phase,
    *,
    pictures: bool,
    external_ids: bool,
) -> Tables:
    from core.export import Tables
    from core.study import from_json
    from db import pictures as blobs
    from db import tables

    study = from_json(version.content)
    study_id, config_hash, kinds, phases = version.study_id, version.config_hash, (kind,), (phase,)
    participants = list(
        tables.participants(conn, study_id, config_hash=config_hash, kinds=kinds, phases=phases)
    )

    def picture(stim_sha256: str) -> Picture | None:
        return blobs.get(conn, stim_sha256)

    return Tables(
        study=study,
        ratings=lambda: tables.ratings(conn, study_id, config_hash=config_hash, kinds=kinds, phases=phases),
        ai_ratings=lambda: _ai_rows(conn, version),
        participants=lambda: participants,
        questionnaires=lambda: tables.questionnaire_answers(
            conn, study_id, config_hash=config_hash, kinds=kinds, phases=phases
        ),
        stimuli=lambda: tables.stimuli(conn, study_id, config_hash=config_hash),
        sharing=_sharing(study, participants),
        picture=picture if pictures else None,
        external_ids=_external_ids(conn, study_id) if external_ids else None,
    )


def _sharing(study: Study, participants: Sequence[Participant]) -> Collection[str]:
    """Sessions that agreed to every consent item that is about public sharing."""
    asked = [item.id for item in study.consent.items if item.shares]
    return {one.session_id for one in participants if asked and all(map(one.consents.get, asked))}


def _external_ids(conn: Connection, study_id: str) -> dict[str, str]:
    from db import external

    return {session_id: one.external_id for session_id, one in external.by_session(conn, study_id).items()}


def _ai_rows(conn: Connection, version: StudyVersion) -> Iterator[Row]:
    from core import ratings
    from db import ai, studies

    return ratings.ai_rows(
        ai.results(conn, version.config_hash),
        {each.served_sha256: each for each in studies.stimuli(conn, version.config_hash)},
        study_id=version.study_id,
        study_version=version.version,
        config_hash=version.config_hash,
    )
