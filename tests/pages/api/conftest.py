"""The routes on a real database, without Streamlit around them."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core import cookies, study
from core.records import Picture, Stimulus, StudyVersion, Trial
from core.study import Study
from db import engine, sessions, studies
from pages import api
from pages.api import store
from pages.api.stimuli import at_hand
from tests import variants

PROJECT = Path(__file__).resolve().parents[3]
EMOTIONS = ("neutral", "angry", "sad", "happy", "disgust", "surprise")


def picture(seed: int) -> Picture:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (seed, 2 * seed % 256, 90)).save(buffer, "PNG")
    return Picture(sha256(buffer.getvalue()).hexdigest(), "image/png", buffer.getvalue())


def stimulus(shown: Picture, number: int) -> Stimulus:
    emotion = EMOTIONS[number % 6]
    return Stimulus(
        stimulus_id=shown.sha256[:12],
        stim_file=f"id{number // 6:02d}_{emotion}.png",
        stim_sha256=shown.sha256,
        served_sha256=shown.sha256,
        width_px=8,
        height_px=8,
        identity_id=f"id{number // 6:02d}",
        intended_emotion=emotion,
    )


@dataclass(frozen=True)
class App:
    """The routes, and the study that they serve."""

    asgi: Starlette
    study: Study
    version: StudyVersion
    stimuli: tuple[Stimulus, ...]

    def browser(self) -> TestClient:
        return TestClient(self.asgi, follow_redirects=False)

    def form(self, **changed: str) -> dict[str, str]:
        consents = {f"consent.{item.id}": "on" for item in self.study.consent.items}
        return {"study": "demo", "language": "en", "nonce": "n" * 32, "age": "on", **consents, **changed}

    def trials(self, browser: TestClient, key: str = "demo") -> tuple[Trial, ...]:
        with engine.reading(store.engine()) as conn:
            session = sessions.by_token(conn, browser.cookies[cookies.participant(key)])
            assert session is not None
            return sessions.trials(conn, session.session_id)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[App]:
    monkeypatch.setenv("FACENORM_DATA", str(tmp_path))
    monkeypatch.delenv("FACENORM_DATABASE_URL", raising=False)
    store.engine.cache_clear()
    at_hand.cache_clear()
    api.migrate()
    parsed = study.parse(variants.one_block(*getattr(request, "param", ())), path="demo.yaml")
    pictures = [picture(number) for number in range(48)]
    stimuli = tuple(stimulus(shown, number) for number, shown in enumerate(pictures))
    with engine.writing(store.engine()) as conn:
        version = studies.load(
            conn,
            study_id="demo",
            config_hash=study.config_hash(parsed, stimuli),
            title="Demo",
            content=study.to_json(parsed),
            source_yaml="",
            stimuli=stimuli,
            pictures=pictures,
        )
        version = studies.open_(conn, version.config_hash, phase="live")
    yield App(Starlette(routes=api.ROUTES), parsed, version, stimuli)
    store.engine().dispose()
    store.engine.cache_clear()
