"""How many people may rate at once: N participants against one server on one core.

Each participant holds a websocket on which Streamlit has run the page with the faces, fetches real pictures
over HTTP and answers every 3 s, give or take 1 s. An answer to Facenorm is a post; to a plain Streamlit page
it is a run of its script. Everybody is there before the clock starts. An answer's wait begins with the press
on Next. In Facenorm it ends with the acknowledgement, for which nobody waits: the next face is in the
browser already, and the next answer is given on time. On the plain page it ends with the run that draws the
next face, and the participant goes on from there, so that a slow server gets fewer answers.

Facenorm's database is read afterwards: an acknowledged answer that is not in it is lost, one that is in it
twice is doubled. The server has one core, this program another (Linux).

Run: python tests/benchmarks/bench_load.py [--people 50,200,500,1000] [--seconds 60] [--only facenorm]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import rig
from people import Person, Rater, Tally, Visitor, form
from sqlalchemy import Engine, func, select

from db import engine as db_engine
from db.schema import answer as answer_table
from db.schema import response as response_table

THINK_S, JITTER_S = 3.0, 1.0
TRIALS = 40
SCALES = 5
COMING_AT_ONCE = 6
LAST_S = 60.0  # how long after the end an answer is waited for
ROW = "{:<9}{:>7}{:>9}{:>8}{:>9}{:>9}{:>9}{:>9}{:>6}{:>8}{:>8}{:>9}{:>9}{:>7}"
HEAD = (
    *("page", "people", "sent", "/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "lost", "doubled", "errors"),
    *("server %", "client %", "MB"),
)


async def _come(people: list[Person]) -> None:
    """Let everybody open the page, a few at a time."""
    door = asyncio.Semaphore(COMING_AT_ONCE)

    async def one(person: Person) -> None:
        async with door:
            try:
                await person.come()
            except Exception as error:
                person.tally.errors.append(f"coming: {error!r}")

    await asyncio.gather(*(one(person) for person in people))


async def _rate(person: Person, start: float, end: float) -> None:
    """Answer until the clock stops; what is under way then is still waited for."""
    due = start + random.random() * THINK_S
    while due < end:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        person.tally.sent += 1
        try:
            await asyncio.wait_for(person.answer(), LAST_S)
        except Exception as error:
            person.tally.errors.append(repr(error))
            return
        person.tally.waits_ms.append(1000 * (person.answered_at - due))
        base = time.perf_counter() if person.waits else due
        due = base + random.uniform(THINK_S - JITTER_S, THINK_S + JITTER_S)


async def _level(people: list[Person], tally: Tally, pid: int, seconds: float) -> tuple[float, float]:
    """Run the clock once; the share of a core that the server and this program used."""
    await _come(people)
    if tally.errors:
        return 0.0, 0.0
    start = time.perf_counter() + 0.5
    await asyncio.sleep(0.5)
    server, own = rig.cpu_s(pid), time.process_time()
    await asyncio.gather(*(_rate(person, start, start + seconds) for person in people))
    lasted = time.perf_counter() - start
    used = (rig.cpu_s(pid) - server) / lasted, (time.process_time() - own) / lasted
    await asyncio.gather(*(person.leave() for person in people), return_exceptions=True)
    return used


def _stored(engine: Engine, tally: Tally) -> tuple[int, int]:
    """Count acknowledged answers that are lost, and rows beyond one per answer and scale."""
    with db_engine.reading(engine) as conn:
        rows = Counter((row.trial_id, row.revision) for row in conn.execute(select(answer_table)))
        responses = conn.scalar(select(func.count()).select_from(response_table)) or 0
    lost = sum(key not in rows for key in tally.acked)
    doubled = len(tally.acked) - len(set(tally.acked)) + responses - SCALES * len(rows)
    return lost, doubled


def _told(
    name: str, n: int, seconds: float, tally: Tally, used: tuple[float, float], pid: int
) -> list[object]:
    waits = [rig.quantile(tally.waits_ms, share) for share in (0.5, 0.95, 0.99, 1.0)]
    return [
        *(name, n, tally.sent, f"{tally.sent / seconds:.0f}", *(f"{wait:.1f}" for wait in waits)),
        *(f"{100 * used[0]:.0f}", f"{100 * used[1]:.0f}", rig.memory_mb(pid)),
    ]


def _facenorm(folder: Path, people: list[int], seconds: float) -> None:
    room = ("ratings_per_stimulus: 20", "ratings_per_stimulus: 100000")
    server = rig.facenorm(folder, ("per_participant: 6", f"per_participant: {TRIALS}"), room)
    engine = db_engine.connect(f"sqlite:///{server.data / 'facenorm.db'}")
    ticked, host = form(), f"localhost:{server.port}"
    assert server.process is not None
    pid = server.process.pid
    try:
        for n in people:
            tally = Tally()
            raters: list[Person] = [Rater(host, engine, tally, ticked) for _ in range(n)]
            used = asyncio.run(_level(raters, tally, pid, seconds))
            row = _told("Facenorm", n, seconds, tally, used, pid)
            _print(row, _stored(engine, tally), tally)
    finally:
        engine.dispose()
        server.stop()


def _plain(folder: Path, people: list[int], seconds: float) -> None:
    page = rig.plain(folder, sliders=True)
    pid = page.process.pid
    try:
        for n in people:
            tally = Tally()
            visitors: list[Person] = [Visitor(f"localhost:{page.port}", tally) for _ in range(n)]
            used = asyncio.run(_level(visitors, tally, pid, seconds))
            _print(_told("plain", n, seconds, tally, used, pid), ("-", "-"), tally)
    finally:
        page.stop()


def _print(row: list[object], stored: tuple[object, object], tally: Tally) -> None:
    print(ROW.format(*row[:8], *stored, len(tally.errors), *row[8:]), flush=True)
    for words, times in Counter(tally.errors).most_common(3):
        print(f"    {times} x {words[:150]}")


def main() -> None:
    """Measure both pages at each number of people."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--people", default="50,200,500,1000")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--only", choices=["facenorm", "plain"])
    given = parser.parse_args()
    people = [int(n) for n in given.people.split(",")]
    pages: dict[str, Callable[[Path, list[int], float], None]] = {"facenorm": _facenorm, "plain": _plain}
    print(f"{rig.machine()}\n{ROW.format(*HEAD)}", flush=True)
    with tempfile.TemporaryDirectory() as scratch, rig.on_core(rig.OWN_CORE):
        for name, run in pages.items():
            if given.only in {None, name}:
                run(Path(scratch) / name, people, given.seconds)


if __name__ == "__main__":
    main()
