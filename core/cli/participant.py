"""One simulated participant on the way through a session."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core import questions, simulate
from core.errors import SessionError
from core.records import Answer, Session, Stimulus, Trial
from core.simulate import Rater
from core.simulated_client import Client
from core.study import Study
from core.study_design import Question

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True, slots=True)
class Participant:
    """A simulated person before the app.

    name: all chance follows from it, so that repeating a command that was cut off goes on where it stood.
    """

    opened: Engine
    study: Study
    stimuli: Mapping[str, Stimulus]
    rater: Rater
    name: str

    def take_part(self, client: Client, *, dropout: float) -> None:
        """Do what is left of a session in the order of its pages, up to the end or to a random trial.

        dropout: the probability of leaving at such a trial, without a word.
        Raises SessionError when the app refuses something, or uses another database.
        """
        session, left = self._standing(client)
        if session.outcome is None:
            self._fill(client, self._before())
        last = self._last(session, dropout)
        while left:
            reached = [trial for trial in left if last is None or trial.trial_index < last]
            client.send([self._answer(trial) for trial in reached])
            if len(reached) < len(left):
                return
            self._decide(session)
            session, left = self._standing(client)
        if session.outcome is None:
            self._fill(client, self._after())
            self._complete(session)

    def _standing(self, client: Client) -> tuple[Session, Sequence[Trial]]:
        """The session, and which of its trials come next."""
        from db import engine, sessions

        with engine.reading(self.opened) as conn:
            session = sessions.by_token(conn, client.cookie)
            if session is None:
                raise SessionError(
                    "the app that answers uses another database; name its --url, or its FACENORM_DATA here"
                )
            if session.outcome is not None:
                return session, ()
            done = sessions.answered(conn, session.session_id)
            trials = [each for each in sessions.trials(conn, session.session_id) if each.trial_id not in done]
        # What comes after the practice is for those who passed it.
        return session, [each for each in trials if each.is_practice] or trials

    def _last(self, session: Session, dropout: float) -> int | None:
        """The index of the trial before which this participant leaves; None for one who stays."""
        from db import engine, sessions

        rng = random.Random(f"{self.name}:leaving")
        if rng.random() >= dropout:
            return None
        with engine.reading(self.opened) as conn:
            return rng.choice(sessions.trials(conn, session.session_id)).trial_index

    def _answer(self, trial: Trial) -> Answer:
        rng = random.Random(f"{self.name}:{trial.trial_id}")
        return simulate.respond(self.rater, self.study, trial, self.stimuli, rng=rng)

    def _decide(self, session: Session) -> None:
        from db import engine, practice

        share = self.study.practice.pass_share
        if share is not None:
            rule = practice.Rule(share, self.study.practice.attempts)
            with engine.writing(self.opened) as conn:
                practice.decide(conn, session.session_id, rule)

    def _before(self) -> Iterator[tuple[str | None, Sequence[Question]]]:
        yield None, self.study.about_you
        yield from ((page.id, page.questions) for page in self.study.questionnaires if page.when == "before")

    def _after(self) -> Iterator[tuple[str | None, Sequence[Question]]]:
        yield from ((page.id, page.questions) for page in self.study.questionnaires if page.when == "after")

    def _fill(self, client: Client, pages: Iterator[tuple[str | None, Sequence[Question]]]) -> None:
        for page, of_page in pages:
            # The box about sensitive questions was ticked, as all were.
            asked = questions.asked(of_page, sensitive=True)
            if asked:
                rng = random.Random(f"{self.name}:page {page}")
                client.fill(page, simulate.said(asked, rng=rng))

    def _complete(self, session: Session) -> None:
        from db import engine, sessions

        with engine.writing(self.opened) as conn:
            sessions.complete(conn, session.session_id)
