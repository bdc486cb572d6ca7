"""Simulated participants for the load: one of Facenorm, one of a plain Streamlit page."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

import rig
from sqlalchemy import Engine
from streamlit.proto.BackMsg_pb2 import BackMsg
from tab import Line, Tab

from core import cookies, study
from db import engine as db_engine
from db import sessions
from tests import variants

AHEAD = 4  # pictures that the trial element holds ready


@dataclass
class Tally:
    """What happened while the clock ran."""

    sent: int = 0
    waits_ms: list[float] = field(default_factory=list)
    acked: list[tuple[str, int]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Person(Protocol):
    """Whoever answers."""

    waits: bool  # must an answer be acknowledged before the person can look at the next face?
    tally: Tally
    answered_at: float  # perf_counter() when the last answer was acknowledged

    async def come(self) -> None:
        """Open the page with the faces."""

    async def answer(self) -> None:
        """Give one answer and fetch a picture."""

    async def leave(self) -> None:
        """Close the page."""


def form() -> dict[str, str]:
    """The consent form of the demo with every box ticked."""
    items = study.parse(variants.one_block(), path="demo.yaml").consent.items
    ticked = {f"consent.{item.id}": "on" for item in items}
    return {"study": "demo", "language": "en", "age": "on", **ticked}


@dataclass
class Rater:
    """One participant of Facenorm."""

    host: str
    engine: Engine
    tally: Tally
    form: dict[str, str]
    waits = False
    answered_at: float = 0.0
    tab: Tab | None = None
    line: Line = field(init=False)
    data: dict[str, Any] = field(default_factory=dict)
    position: int = 0

    def __post_init__(self) -> None:
        self.line = Line(self.host)

    async def come(self) -> None:
        """Begin a session, and open the page with the faces."""
        body = urlencode({**self.form, "nonce": secrets.token_hex(16)}).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        _, headers, said = await self.line.post("/api/begin", body, **kind)
        name = cookies.participant("demo")
        token = headers.get("set-cookie", "").partition(f"{name}=")[2].partition(";")[0]
        if not token:
            raise ConnectionError(f"Begin led to {headers.get('location')} {said[:200]!r}")
        await asyncio.to_thread(self._read_instructions, token)
        self.line.cookie = f"{name}={token}"
        self.tab = Tab(self.host, "study=demo", self.line.cookie)
        await self.tab.open()
        self.data = self.tab.data("facenorm_trial")

    def _read_instructions(self, token: str) -> None:
        """Note in the database that the session has come as far as the faces."""
        with db_engine.writing(self.engine) as conn:
            session = sessions.by_token(conn, token)
            assert session is not None
            sessions.mark_instructions(conn, session.session_id)

    async def answer(self) -> None:
        """Post the answer, then fetch the picture that is shown a few trials later."""
        trials = self.data["trials"]
        trial = trials[self.position % len(trials)]
        later = trials[(self.position + AHEAD) % len(trials)]
        self.position += 1
        body = json.dumps({"answers": [self._answer(trial)]}).encode()
        headers = {"Content-Type": "application/json", "X-Facenorm-Token": self.data["token"]}
        status, _, said = await self.line.post(self.data["url"], body, **headers)
        self.answered_at = time.perf_counter()
        if status != 200:
            raise ConnectionError(f"answer: {status} {said[:200]!r}")
        self.tally.acked += [(trial_id, revision) for trial_id, revision in json.loads(said)["acked"]]
        await self.fetch(later)

    async def fetch(self, trial: dict[str, Any]) -> None:
        """Fetch a trial's pictures."""
        for stimulus in trial["stimuli"]:
            status, _, _ = await self.line.get(stimulus["src"])
            if status != 200:
                raise ConnectionError(f"picture: {status}")

    def _answer(self, trial: dict[str, Any]) -> dict[str, Any]:
        scales = [self.data["scales"][name] for name in self.data["tasks"][trial["task"]]["scales"]]
        evidence = {"onset_ok": True, "decode_ms": 3.5, "input_device": "mouse", "viewport": "1280x800@1"}
        responses = [self._response(scale) for scale in scales]
        return {"trial_id": trial["id"], "revision": 1, "evidence": evidence, "responses": responses}

    def _response(self, scale: dict[str, Any]) -> dict[str, Any]:
        timed = {"rt_first_ms": 900.5, "rt_submit_ms": 2900.0, "n_changes": 1}
        given = {"scale_id": scale["id"], "status": "answered", **timed}
        if scale["kind"] == "choice":
            return {**given, "label": "sad"}
        return {**given, "value": random.randint(1, scale["points"] or 100)}

    async def leave(self) -> None:
        """Close the page."""
        self.line.close()
        if self.tab:
            await self.tab.close()


@dataclass
class Visitor:
    """One visitor of the plain page."""

    host: str
    tally: Tally
    waits = True
    answered_at: float = 0.0
    tab: Tab = field(init=False)
    line: Line = field(init=False)

    def __post_init__(self) -> None:
        self.tab, self.line = Tab(self.host), Line(self.host)

    async def come(self) -> None:
        """Open the page."""
        await self.tab.open()

    async def answer(self) -> None:
        """Submit the form, wait until the page has run again, and fetch the next face."""
        message, shown = BackMsg(), self.tab.elements
        states = message.rerun_script.widget_states.widgets
        states.add(id=shown["radio"][0].id, string_value=random.choice(rig.OPTIONS))
        for slider in shown.get("slider", []):
            states.add(id=slider.id).double_array_value.data.append(random.randint(0, 100))
        states.add(id=shown["button"][0].id, trigger_value=True)
        await self.tab.run(message)
        self.answered_at = time.perf_counter()
        self.tally.acked.append(("", 1))
        await self.line.get(self.tab.elements["imgs"][0].imgs[0].url)

    async def leave(self) -> None:
        """Close the page."""
        self.line.close()
        await self.tab.close()
