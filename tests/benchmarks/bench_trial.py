"""From the press on Next to the next face painted, and the server's CPU time per answer.

Side by side in one run, in the same Chromium, on the same faces: Facenorm's trial element and a plain
Streamlit page with a form (one rerun per face). The moment of painting is the second animation frame
after the swap. CPU time is the server process's own, read from /proc (Linux).
Run: python tests/benchmarks/bench_trial.py
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from core.cli.install import DEMO_PICTURES, DEMO_SEED
from core.faces import demo
from tests.browser import walk
from tests.browser.conftest import CHROMIUM, FLAGS, Server, free_port, variant

TRIALS = 40
PLAIN = """
import streamlit as st
from pathlib import Path
faces = sorted(Path({folder!r}).glob("*.jpg"))
at = st.session_state.setdefault("at", 0)
st.image(str(faces[at % len(faces)]), width=400)
with st.form("trial", clear_on_submit=True):
    st.radio("Which emotion?", ["angry", "sad", "happy", "disgust", "surprise", "fear", "neutral", "other"])
    for scale in ("intensity", "valence", "arousal", "naturalness"):
        st.slider(scale, 0, 100, 50)
    if st.form_submit_button("Next"):
        st.session_state["at"] = at + 1
        st.rerun()
"""
WATCH = """
() => { const image = () => document.querySelector('[data-testid="stImage"] img');
  addEventListener('click', (event) => { const before = image().src; const pressed = event.timeStamp;
    const look = () => { const now = image();
      if (now && now.src !== before && now.complete)
        requestAnimationFrame((at) => requestAnimationFrame((painted) =>
          (window.waits ??= []).push(painted - pressed)));
      else requestAnimationFrame(look); };
    requestAnimationFrame(look); }, true); }
"""


def cpu_ms(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def facenorm(page: Page, folder: Path) -> tuple[list[float], float]:
    server = Server(folder)
    demo.write(DEMO_PICTURES, seed=DEMO_SEED)
    change = (f"per_participant: {6}", f"per_participant: {TRIALS}")
    server.command("study", "load", str(variant(folder, DEMO_PICTURES, "demo", change)))
    server.command("study", "open", "demo")
    server.start()
    try:
        walk.to_trials(page, server.url)
        assert server.process is not None
        before = cpu_ms(server.process.pid)
        for number in range(1, TRIALS + 1):
            walk.face(page, number)
            walk.rate_by_keyboard(page)
            if number < TRIALS:
                page.wait_for_timeout(250)
        walk.code(page)
        spent = cpu_ms(server.process.pid) - before
        waits = page.evaluate(
            """() => { const of = (name) => performance.getEntriesByName(`facenorm:${name}`)
                 .map((mark) => mark.startTime); const faces = of("face");
               return of("next").map((at) => faces.find((face) => face > at) - at)
                 .filter((wait) => !Number.isNaN(wait)); }"""
        )
    finally:
        server.stop()
    return waits, spent / TRIALS


def answers(url: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError(url)


def plain(page: Page, folder: Path) -> tuple[list[float], float]:
    script, port = folder / "plain.py", free_port()
    script.write_text(PLAIN.format(folder=str(DEMO_PICTURES)))
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    quiet = ["--server.headless=true", "--browser.gatherUsageStats=false"]
    process = subprocess.Popen([*command, *quiet], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        answers(f"http://localhost:{port}/_stcore/health")
        page.goto(f"http://localhost:{port}")
        page.locator('[data-testid="stImage"] img').wait_for()
        page.evaluate(WATCH)
        before = cpu_ms(process.pid)
        for number in range(1, TRIALS + 1):
            page.get_by_text("Next").click()
            page.wait_for_function("n => (window.waits ?? []).length >= n", arg=number)
            page.wait_for_timeout(250)
        spent = cpu_ms(process.pid) - before
        return page.evaluate("window.waits"), spent / TRIALS
    finally:
        process.terminate()
        process.wait()


def report(name: str, waits: list[float], cpu: float) -> None:
    p95 = statistics.quantiles(waits, n=20)[-1]
    print(
        f"{name:10} press to face painted: median {statistics.median(waits):6.1f} ms, p95 {p95:6.1f} ms "
        f"({len(waits)} presses); server CPU {cpu:5.1f} ms an answer"
    )


def main() -> None:
    def page(browser: Browser) -> Page:
        return browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US").new_page()

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        ours = facenorm(page(browser), Path(scratch))
        theirs = plain(page(browser), Path(scratch))
        browser.close()
    report("Facenorm", *ours)
    report("plain form", *theirs)
    ratio = statistics.median(theirs[0]) / statistics.median(ours[0])
    print(f"ratio of medians {ratio:.0f}, of CPU {theirs[1] / ours[1]:.1f}")


if __name__ == "__main__":
    main()
