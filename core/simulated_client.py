"""A participant's browser without a screen: begins a session, sends answers and fills pages over HTTP."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from core import cookies
from core.errors import SessionError
from core.records import Answer
from core.study import Study

TIMEOUT_S = 30
AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Client:
    """One begun session."""

    http: httpx.Client
    key: str

    @property
    def cookie(self) -> str:
        """The secret that names this session."""
        return self.http.cookies[cookies.participant(self.key)]

    def send(self, answers: Sequence[Answer]) -> None:
        """Post answers, some at once, as a browser does that had to wait.

        Raises SessionError unless the app takes all of them.
        """
        for start in range(0, len(answers), AT_ONCE):
            some = answers[start : start + AT_ONCE]
            self._post("/api/answers", {"answers": [dataclasses.asdict(answer) for answer in some]})

    def fill(self, page: str | None, answers: Mapping[str, str | None]) -> None:
        """Answer a questionnaire, or the questions about the participant (None), and press Continue.

        Raises SessionError unless the app lets the participant go on.
        """
        found = self._post("/api/questionnaire", {"page": page, "answers": dict(answers), "leave": True})
        if not found["left"]:
            raise SessionError(f"the app did not leave the page {page or 'about you'}: {found}")

    def _post(self, path: str, body: Mapping[str, object]) -> Mapping[str, object]:
        response = self.http.post(
            path,
            params={"at": self.key},
            headers={"X-Facenorm-Token": cookies.post_token(self.cookie)},
            json=body,
        )
        if response.status_code != 200:
            raise SessionError(f"the app refused an answer: {response.status_code} {response.text}")
        found: Mapping[str, object] = response.json()
        return found


@contextmanager
def begin(study: Study, link: str, *, nonce: str, url: str, rng: random.Random) -> Iterator[Client]:
    """Agree to everything and press Begin through a `simulated` link; a nonce begins one session.

    Raises SessionError when the app at url does not answer or lets nobody begin.
    """
    form = {
        "study": study.study,
        "link": link,
        "language": rng.choice(study.languages),
        "nonce": nonce,
        "utc_offset": "0",
        "age": "on",
        **{f"consent.{item.id}": "on" for item in study.consent.items},
    }
    client = Client(
        httpx.Client(base_url=url, timeout=TIMEOUT_S), cookies.session_key(study.study, "simulated")
    )
    try:
        with client.http:
            response = client.http.post("/api/begin", data=form)
            if cookies.participant(client.key) not in client.http.cookies:
                said = response.headers.get("location") or response.text
                raise SessionError(f"the app at {url} began no session: {response.status_code} {said}")
            yield client
    except httpx.TransportError as error:
        raise SessionError(
            f"{url} does not answer ({error}); start the app with 'make run', or name its --url"
        ) from error
