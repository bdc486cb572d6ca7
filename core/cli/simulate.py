"""Simulated participants, sent through the running app."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import click

from core.cli import database
from core.errors import StudyError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from core.records import StudyVersion


@click.command()
@click.argument("study_id")
@click.option("--participants", "-n", type=click.IntRange(1, 10_000), default=30, show_default=True)
@click.option("--seed", "-s", type=int, help="The same seed adds nobody twice.  [default: others each time]")
@click.option("--dropout", type=click.FloatRange(0, 1), default=0, help="Share who leave at a random point.")
@click.option("--url", default="http://localhost:8501", show_default=True, help="Where the app runs.")
def simulate(study_id: str, participants: int, seed: int | None, dropout: float, url: str) -> None:
    """Send simulated participants through the app.

    They begin, answer trials and fill questionnaires over HTTP as a browser does, with known bias and
    noise, and are marked as simulated: tables, exports and the dashboard leave them out unless asked.
    What a page decides between two requests (whether the practice is passed, that a session is complete)
    this command decides by the page's own functions, in the database that it shares with the app.
    """
    from tqdm import tqdm

    from core import simulate as simulated
    from core import simulated_client
    from core import study as studies
    from core.cli.participant import Participant
    from db import engine
    from db import studies as stored

    opened = database.opened()
    with engine.writing(opened) as conn:
        version = stored.open_version(conn, study_id)
        if version is None:
            database.newest(conn, study_id)
            raise StudyError(f"{study_id} is not open; open it with 'facenorm study open {study_id}'")
        link = stored.make_link(conn, study_id, "simulated")
        if seed is None:
            seed = 1 + _begun(conn, version)
        stimuli = {each.stimulus_id: each for each in stored.stimuli(conn, version.config_hash)}
    study = studies.from_json(version.content)
    for number, rater in enumerate(
        tqdm(simulated.raters(participants, seed=seed, study=study), unit="participant", disable=None)
    ):
        one = Participant(opened, study, stimuli, rater, f"{seed}:{number}")
        nonce, rng = _nonce(version, seed, number), random.Random(one.name)
        with simulated_client.begin(study, link, nonce=nonce, url=url, rng=rng) as client:
            one.take_part(client, dropout=dropout)
    with engine.reading(opened) as conn:
        total = _begun(conn, version)
    click.echo(f"{study_id} version {version.version} ({version.phase}) has {total} simulated participants.")


def _begun(conn: Connection, version: StudyVersion) -> int:
    from db import sessions

    flow = sessions.flow(
        conn, version.study_id, config_hash=version.config_hash, kind="simulated", phase=version.phase
    )
    return flow.began


def _nonce(version: StudyVersion, seed: int, number: int) -> str:
    """Name one simulated participant: repeating a command that was cut off goes on where it stood."""
    name = f"{version.config_hash}:{version.phase}:{seed}:{number}"
    return hashlib.sha256(name.encode()).hexdigest()
