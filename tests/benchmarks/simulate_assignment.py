"""Participants who arrive at once, drop out at random and are followed by others until nobody is needed.

Least filled first: 200 at once, 30 % of whom stop somewhere, 600 pictures, 60 for each participant, 20
ratings wanted. Least precise first: 60 pictures, every other one with a spread three times as wide.
Everything goes through the database's own functions.
Run: python tests/benchmarks/simulate_assignment.py
"""

import random
import secrets
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scipy import stats
from sqlalchemy import Engine, select, update

from core import plan, study, tasks
from core.records import Answer, Evidence, Picture, Response, Stimulus
from core.scales import canonical
from db import answers, engine, places, sessions, studies
from db.schema import response, session
from db.statements import now
from tests import variants

EMOTIONS = ("neutral", "angry", "sad", "happy", "disgust", "surprise")
DROPOUT = 0.3
THREADS = 16  # that press Begin at the same moment; the others are next
NARROW, WIDE = 7.5, 22.5  # standard deviations in points of a line from 0 to 100
ONE_LINE = (
    ("ask: [emotion, intensity, valence, arousal, naturalness]", "ask: [valence]"),
    ("scales: [emotion, intensity, valence, arousal, naturalness]", "scales: [valence]"),
)


class FullError(Exception):
    """Nobody new is needed."""


@dataclass
class Figures:
    """What happened."""

    begun: int = 0
    dropped: int = 0
    refused: int = 0
    ratings: dict[str, list[int]] = field(default_factory=dict)  # by task set, of each picture
    begin_ms: list[float] = field(default_factory=list)


def pictures(n):
    """N stimuli of n / 6 identities."""
    for at in range(n):
        name = f"{at:064x}"
        yield Stimulus(f"s{at:04}", f"{at}.png", name, name, 9, 9, f"id{at // 6:03}", EMOTIONS[at % 6])


class World:
    """A study in a database, and the people who come."""

    def __init__(self, database: Engine, text: str, n_stimuli: int, seed: int = 1) -> None:
        self.database, self.rng = database, random.Random(seed)
        self.study = study.parse(text, path="simulated.yaml")
        self.stimuli = tuple(pictures(n_stimuli))
        plan.check(self.study, self.stimuli)
        self.figures = Figures()
        with engine.writing(database) as conn:
            self.version = studies.load(
                conn,
                study_id=self.study.study,
                config_hash=study.config_hash(self.study, self.stimuli),
                title="simulated",
                content=study.to_json(self.study),
                source_yaml=text,
                stimuli=self.stimuli,
                pictures=(Picture(one.served_sha256, "image/png", b"") for one in self.stimuli),
            )
            studies.open_(conn, self.version.config_hash, phase="live")
            self.version = studies.get(conn, self.version.config_hash)

    def arrive(self, n):
        """N people press Begin at once; gives the sessions of those who are let in."""
        with ThreadPoolExecutor(min(n, THREADS)) as pool:
            found = list(pool.map(self._begin, range(n)))
        self.figures.refused += found.count(None)
        let_in = [one for one in found if one]
        self.figures.begun += len(let_in)
        return let_in

    def _begin(self, _number):
        rng, counting = random.Random(secrets.token_hex(8)), plan.counting(self.study)

        def draw(taken):
            if plan.is_full(self.study, self.stimuli, taken):
                raise FullError
            return plan.build(self.study, self.stimuli, taken, rng=rng)

        with engine.reading(self.database) as conn:
            scope = places.Scope(self.version, "human", "live", "en")
            counted = places.count(conn, scope, counting)
        try:
            with engine.writing(self.database) as conn:
                began = time.perf_counter()
                begun, _token = sessions.begin(
                    conn,
                    config_hash=self.version.config_hash,
                    kind="human",
                    phase="live",
                    language="en",
                    nonce=secrets.token_hex(16),
                    consents=[],
                    draw=draw,
                    option_order={},
                    utc_offset_min=0,
                    counting=counted,
                )
                self.figures.begin_ms.append(1000 * (time.perf_counter() - began))
        except FullError:
            return None
        return begun

    def take_part(self, begun):
        """Answer all trials, or drop out before one of them, each as likely as the next."""
        with engine.reading(self.database) as conn:
            trials = sessions.trials(conn, begun.session_id)
        drops = self.rng.random() < DROPOUT
        done = trials[: self.rng.randrange(len(trials))] if drops else trials
        with engine.writing(self.database) as conn:
            where = answers.places(conn, [one.trial_id for one in done]) if done else {}
            given = [self._answer(one) for one in done]
            accepted = [answers.judge(one, where[one.trial_id], back=False) for one in given]
            answers.save(conn, [one for one in accepted if one])
            if drops:
                self.figures.dropped += 1
            else:
                sessions.complete(conn, begun.session_id)

    def _answer(self, trial):
        target = next(shown.stimulus_id for shown in trial.shown if shown.role == "target")
        given = []
        for scale_id, scale in tasks.asked_in(self.study, trial):
            if scale.kind == "choice":
                given.append(Response(scale_id, "answered", label=self.rng.choice(list(scale.options))))
            else:
                high = scale.points or 100
                value = min(max(round(self.rng.gauss(50, spread(target))), 1), high)
                given.append(Response(scale_id, "answered", value=float(value)))
        return Answer(trial.trial_id, 1, tuple(given), Evidence(onset_ok=True))

    def wait(self):
        """Let so much time pass that the places of all who dropped out return; say if there were any."""
        long_ago = now() - timedelta(minutes=self.study.trials.places_return_min + 1)
        silent = session.c.outcome.is_(None) & (session.c.last_seen_at > long_ago)
        with engine.writing(self.database) as conn:
            return conn.execute(update(session).where(silent).values(last_seen_at=long_ago)).rowcount > 0

    def until_full(self, first, later):
        """So many at once, then others in groups until nobody is let in and no place can return."""
        for begun in self.arrive(first):
            self.take_part(begun)
        while True:
            let_in = self.arrive(later)
            for begun in let_in:
                self.take_part(begun)
            if not let_in and not self.wait():
                break
        for task in tasks.sets(self.study):
            self.figures.ratings[task.id] = self.ratings(task.scales[0])
        return self.figures

    def values(self, scale_id):
        """All values that were given of each picture, read without the functions under test."""
        found = {one.stimulus_id: [] for one in self.stimuli}
        chosen = select(response.c.stimulus_id, response.c.value).where(response.c.scale_id == scale_id)
        with engine.reading(self.database) as conn:
            for stimulus_id, value in conn.execute(chosen.where(response.c.is_main)):
                found[stimulus_id].append(value)
        return found

    def ratings(self, scale_id):
        """How many ratings each picture has."""
        return [len(values) for values in self.values(scale_id).values()]

    def half_widths(self, scale_id):
        """The half-width of each picture's interval in canonical units, as scipy computes it."""
        found = {}
        for name, values in self.values(scale_id).items():
            units = [canonical(value, self.study.scales[scale_id]) for value in values]
            low, high = stats.t.interval(0.95, len(units) - 1, loc=0, scale=stats.sem(units))
            found[name] = (high - low) / 2
        return found


def spread(stimulus_id):
    """The planted standard deviation of a picture's ratings."""
    return WIDE if int(stimulus_id[1:]) % 2 else NARROW


def least_filled(*changes):
    """The demo with 60 pictures for each participant and 20 ratings wanted."""
    return variants.changed(
        variants.DEMO.read_text(encoding="utf-8"), ("per_participant: 24", "per_participant: 60"), *changes
    )


def least_precise():
    """One line, and pictures that are rated until their interval is narrow enough."""
    how = "per_participant: 20\n  assignment: least-precise\n  half_width: 0.15"
    wanted = ("ratings_per_stimulus: 20", "ratings_per_stimulus: 10")
    return variants.one_block(("per_participant: 24", how), wanted, *ONE_LINE)


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name, text, n_stimuli, groups in (
            ("least filled", least_filled(), 600, (200, 10)),
            ("least precise", least_precise(), 60, (10, 5)),
        ):
            database = engine.connect(f"sqlite:///{folder}/{name.split()[1]}.db")
            engine.migrate(database, backup_to=None)
            world = World(database, text, n_stimuli)
            report(name, world, world.until_full(*groups))


def report(name, world, found):
    print(f"{name}: {found.begun} began, {found.dropped} dropped out, {found.refused} were not needed")
    held = sorted(found.begin_ms)
    print(f"  Begin held the lock for {statistics.median(held):.0f} ms, at most {held[-1]:.0f} ms")
    for task, counts in found.ratings.items():
        print(f"  {task}: {min(counts)} to {max(counts)} ratings of each picture")
    if world.study.trials.assignment == "least-precise":
        widths = world.half_widths("valence")
        print(f"  widest interval +-{max(widths.values()):.3f}, wanted {world.study.trials.half_width}")
        for sd in (NARROW, WIDE):
            counts = [len(v) for name, v in world.values("valence").items() if spread(name) == sd]
            print(f"  SD {sd}: {statistics.mean(counts):.1f} ratings on average")


if __name__ == "__main__":
    main()
