"""What the benchmarks share: servers on a core of their own, a study, and the words of the results."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from PIL import Image

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from core.cli.install import DEMO_PICTURES, DEMO_SEED
from core.faces import demo
from tests.browser.conftest import Server, free_port, variant

SERVER_CORE, OWN_CORE = 0, 1
_CORES = os.sched_getaffinity(0)
OPTIONS = ("angry", "sad", "happy", "disgust", "surprise", "fear", "neutral", "other")


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Let what is started inside run on one core of this machine, where it has several (Linux)."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core} & _CORES or _CORES)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_s(pid: int) -> float:
    """Processor time that a process has used so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> int:
    """Memory that a process holds now (Linux)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20


def facenorm(folder: Path, *changes: tuple[str, str], pictures: Path = DEMO_PICTURES) -> Server:
    """Start Facenorm on its own core with the demo, all scales on one screen, in the database of a folder."""
    demo.write(DEMO_PICTURES, seed=DEMO_SEED)
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(folder)
    server.command("study", "load", str(variant(folder, pictures, "demo", *changes)))
    server.command("study", "open", "demo")
    with on_core(SERVER_CORE):
        server.start()
    return server


@dataclass
class Plain:
    """A Streamlit page as one writes it without Facenorm, on the server's core."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://localhost:{self.port}"

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()


_PLAIN = """
import streamlit as st
from pathlib import Path
faces = sorted(Path({folder!r}).glob("*.jpg"))[:40]
at = st.session_state.setdefault("at", 0)
st.image(str(faces[at % len(faces)]), width=400)
with st.form("trial", clear_on_submit=True):
    st.radio("Which emotion?", {options!r}, index=None)
{sliders}
    if st.form_submit_button("Next"):
        st.session_state["at"] = at + 1
        st.rerun()
"""
_SLIDERS = """
    for scale in ("intensity", "valence", "arousal", "naturalness"):
        st.slider(scale, 0, 100, 50)
"""


def plain(folder: Path, *, sliders: bool, pictures: Path = DEMO_PICTURES) -> Plain:
    """Start the plain page: a form per face, a rerun per answer. It stores nothing, which flatters it."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "plain.py"
    text = _PLAIN.format(folder=str(pictures), options=list(OPTIONS), sliders=_SLIDERS if sliders else "")
    script.write_text(text, encoding="utf-8")
    port = free_port()
    # Outside of the project, whose settings (no full collection after each rerun) are part of Facenorm.
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    command.append("--server.address=localhost")
    quiet = ["--server.headless=true", "--browser.gatherUsageStats=false", "--server.fileWatcherType=none"]
    with on_core(SERVER_CORE), open(folder / "plain.log", "ab") as log:
        started = Plain(port, subprocess.Popen([*command, *quiet], cwd=folder, stdout=log, stderr=log))
    _await(f"{started.url}/_stcore/health")
    return started


def _await(url: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(url)


def heavy_pictures(folder: Path, *, bytes_each: int = 100_000) -> Path:
    """Write the demo's faces larger, each file of about so many bytes, with their manifest."""
    demo.write(DEMO_PICTURES, seed=DEMO_SEED)
    folder.mkdir(parents=True, exist_ok=True)
    for path in DEMO_PICTURES.iterdir():
        if path.suffix != ".jpg":
            (folder / path.name).write_bytes(path.read_bytes())
            continue
        with Image.open(path) as face:
            _save(face.resize((900, 900)).convert("RGB"), folder / path.name, bytes_each)
    return folder


def _save(face: Image.Image, path: Path, wanted: int) -> None:
    for quality in range(98, 20, -4):
        face.save(path, "JPEG", quality=quality)
        if path.stat().st_size <= wanted:
            return


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least so large a share of the values does not exceed; NaN of none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else math.nan


def machine() -> str:
    """One line on where the figures were measured."""
    name = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "unknown processor",
    )
    return f"{os.cpu_count()} cores of {name}; load before {os.getloadavg()[0]:.1f}"
