"""The real server on a free port with a data folder of its own, and Chromium."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from core.cli.install import DEMO_PICTURES, DEMO_SEED
from core.faces import demo as faces
from tests import variants
from tests.browser.proxy import Proxy

PROJECT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("FACENORM_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    # Each window has an address bar in a renderer of its own, which nobody sees: a third of a core at work.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",
]
TRIALS = 6

expect.set_options(timeout=20_000)  # a machine that runs two browsers beside two servers is slow


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try a failed browser test twice more, and say so: a busy machine stops a browser for seconds."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=2))


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@dataclass
class Server:
    """`streamlit run app.py` as people start it, with its own database."""

    data: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        return os.environ | {"FACENORM_DATA": str(self.data), "FACENORM_DATABASE_URL": ""}

    def command(self, *arguments: str, folder: Path = PROJECT) -> str:
        """Run `facenorm ARGUMENTS` of the program in a folder on this server's database; what it prints."""
        program = "from core.cli import main; main(prog_name='facenorm')"
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=folder, env=self.env, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *, folder: Path = PROJECT) -> None:
        """Start the program that lies in a folder."""
        with open(self.data / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)],
                cwd=folder, env=self.env, stdout=log, stderr=log,
            )  # fmt: skip
        self.wait()

    def wait(self) -> None:
        for _ in range(300):
            try:
                if httpx.get(f"{self.url}/api/health", timeout=2).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise TimeoutError((self.data / "server.log").read_text()[-3000:])

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.kill()

    def rows(self, query: str, *parameters: object) -> list[tuple[object, ...]]:
        """Read this server's database from outside, as a judge of what is stored."""
        with sqlite3.connect(f"file:{self.data / 'facenorm.db'}?mode=ro", uri=True, timeout=10) as conn:
            found = conn.execute(query, parameters).fetchall()
        conn.close()
        return found


def variant(folder: Path, pictures: Path, study_id: str, *changes: tuple[str, str]) -> Path:
    """Write the demo study with few trials, under a name of its own."""
    usual = [
        ("study: demo", f"study: {study_id}"),
        ("per_participant: 24", f"per_participant: {TRIALS}"),
        ("folder: ../demo", f"folder: {pictures}"),
    ]
    path = folder / f"{study_id}.yaml"
    path.write_text(variants.one_block(*usual, *changes), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def pictures() -> Path:
    """The demo's faces where an installation keeps them: drawing them takes most of a minute."""
    faces.write(DEMO_PICTURES, seed=DEMO_SEED)
    return DEMO_PICTURES


@pytest.fixture(scope="session")
def make_server(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[Callable[[], Server]]:
    """Make servers that hold the demo, short; all are stopped in the end."""
    made: list[Server] = []

    def make(*changes: tuple[str, str]) -> Server:
        server = Server(tmp_path_factory.mktemp("data"))
        made.append(server)
        server.command("study", "load", str(variant(server.data, pictures, "demo", *changes)))
        server.command("study", "open", "demo")
        server.start()
        return server

    yield make
    for server in made:
        server.stop()


@pytest.fixture(scope="session")
def server(make_server: Callable[[], Server]) -> Server:
    """One server that tests share; each test is another participant."""
    return make_server()


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """A proxy in front of a module's server."""
    with Proxy(server.port) as between:
        yield between


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is missing: apt-get install chromium, or set FACENORM_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages as people who have never been here: each with cookies and storage of their own."""
    contexts = []

    def open_page(*, width: int = 1280, height: int = 800, **options: object) -> Page:
        usual = {"viewport": {"width": width, "height": height}, "locale": "en-US"}
        contexts.append(chromium.new_context(**(usual | options)))
        contexts[-1].set_default_timeout(20_000)
        return contexts[-1].new_page()

    yield open_page
    for context in contexts:
        context.close()
