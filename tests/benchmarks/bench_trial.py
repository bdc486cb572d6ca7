"""From the press on Next to the next face painted: Facenorm, jsPsych and a plain Streamlit page.

In one run, in the same Chromium, with the same 40 faces of 100 kB (900 x 900) and 60 presses each, in rounds
of ten whose order changes, so that whatever else the machine does befalls all alike. `--small` takes the
demo's own faces (512 x 512) instead, whose decoding costs little wherever it is done.

One definition for all. The press is the time stamp of the click that leads to the next face. Painted is what
Chromium's Element Timing says of the face's <img>: the moment at which the first frame that shows it was
handed to the screen, whatever the page itself believes or records. jsPsych therefore draws its pictures as
<img>, not on its canvas, which Element Timing does not see. Facenorm asks, like jsPsych's
image-button-response, which emotion a face shows, and once more with all five scales of the demo on the
screen. What Facenorm records as the onset is told apart: how much later than the paint it is.

jsPsych comes from the npm registry into a cache folder outside of the project; without npm it is left out.
Processor time is that of the server's process (Linux).

Run: python tests/benchmarks/bench_trial.py [--trials 60] [--small]
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import rig
from platformdirs import user_cache_path
from playwright.sync_api import Browser, Page, sync_playwright

from core.cli.install import DEMO_PICTURES
from tests.browser import walk
from tests.browser.conftest import CHROMIUM, FLAGS

ROUND, FACES = 10, 40
MORE = ROUND + 1  # faces beside those of the trials: the first round, and one after the last press
LOOK_MS = 350  # how long a face is looked at; the next ones are decoded meanwhile
PACKAGES = ("jspsych@8", "@jspsych/plugin-preload@2", "@jspsych/plugin-image-button-response@2")
WATCH = """
(() => {
  const seen = (window.__bench = { presses: [], paints: [] });
  const name = (image) => image.setAttribute("elementtiming", "face");
  addEventListener("click", ({ target, timeStamp, isTrusted }) => {
    if (isTrusted && target.closest?.(SELECTOR)) seen.presses.push(timeStamp);
  }, true);
  new PerformanceObserver((list) => {
    for (const { renderTime, naturalWidth } of list.getEntries())
      if (naturalWidth > 100) seen.paints.push(renderTime);
  }).observe({ type: "element", buffered: true });
  new MutationObserver((records) => {
    for (const { target, addedNodes } of records) {
      if (target.localName === "img") name(target);
      for (const node of addedNodes) {
        if (node.localName === "img") name(node);
        else node.querySelectorAll?.("img").forEach(name);
      }
    }
  }).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["src"] });
})();
"""
JSPSYCH = """<!doctype html><html><head><meta charset="utf-8">
<script src="node_modules/jspsych/dist/index.browser.min.js"></script>
<script src="node_modules/@jspsych/plugin-preload/dist/index.browser.min.js"></script>
<script src="node_modules/@jspsych/plugin-image-button-response/dist/index.browser.min.js"></script>
<link rel="stylesheet" href="node_modules/jspsych/css/jspsych.css"></head><body></body><script>
const jsPsych = initJsPsych();
const images = %(images)s;
jsPsych.run([
  { type: jsPsychPreload, images },
  { timeline: [{ type: jsPsychImageButtonResponse, stimulus: jsPsych.timelineVariable("image"),
      choices: %(options)s, stimulus_width: 400, render_on_canvas: false, prompt: "<p>Which emotion?</p>" }],
    timeline_variables: %(trials)s.map((index) => ({ image: images[index] })) },
]);
</script></html>
"""


@dataclass
class Site:
    """One of the compared pages, open in a window of its own."""

    name: str
    page: Page
    button: str  # whose click leads to the next face
    pid: int | None = None  # of the server
    answer: Callable[[Page], None] = lambda _: None  # what is done before that click
    cpu_s: float = 0.0
    presses: int = 0
    waits_ms: list[float] = field(default_factory=list)
    missed: int = 0

    def round(self, presses: int) -> None:
        """Press Next so many times, each when the face before it has been looked at."""
        self.page.bring_to_front()
        before = rig.cpu_s(self.pid) if self.pid else 0.0
        for _ in range(presses):
            self.page.wait_for_timeout(LOOK_MS + 40 * random.random())
            self.answer(self.page)
            self._press()
        self.cpu_s += rig.cpu_s(self.pid) - before if self.pid else 0.0

    def _press(self) -> None:
        paints = self.page.evaluate("__bench.paints.length")
        self.page.locator(self.button).first.click()
        self.presses += 1
        self.page.wait_for_function("n => __bench.paints.length > n", arg=paints, timeout=30_000)
        seen = self.page.evaluate("__bench")
        wait = seen["paints"][paints] - seen["presses"][-1]
        if len(seen["presses"]) == self.presses and wait > 0:
            self.waits_ms.append(wait)
        else:
            self.missed += 1


def opened(browser: Browser, button: str) -> Page:
    """Open a window that notes presses and paints."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.add_init_script(WATCH.replace("SELECTOR", json.dumps(button)))
    return page


def one_scale(page: Page) -> None:
    """Choose an emotion, once the face takes answers."""
    marks = "performance.getEntriesByName('facenorm:{}').length"
    page.wait_for_function(f"{marks.format('face')} > {marks.format('next')}")
    page.keyboard.press("Digit3")


def five_scales(page: Page) -> None:
    """Choose an emotion and set four lines."""
    one_scale(page)
    for key in ("ArrowRight", "Enter") * 3 + ("ArrowRight",):
        page.keyboard.press(key)


def facenorm(
    browser: Browser, folder: Path, pictures: Path, trials: int, *, scales: int
) -> tuple[Site, Callable[[], None]]:
    """Facenorm's trial element, with the first scale alone or all five."""
    every = "[emotion, intensity, valence, arousal, naturalness]"
    one = [(f"ask: {every}", "ask: [emotion]"), (f"scales: {every}", "scales: [emotion]")]
    share = max(0, trials + MORE - FACES) / FACES
    server = rig.facenorm(
        folder,
        ("per_participant: 6", f"per_participant: {FACES}\n  break_every: 0"),
        ("repeats: {share: 0}", f"repeats: {{share: {share}, gap: 2}}"),
        *(one if scales == 1 else []),
        pictures=pictures,
    )
    assert server.process is not None
    page = opened(browser, ".fn-next")
    walk.to_trials(page, server.url)
    name, answer = ("Facenorm", one_scale) if scales == 1 else ("Facenorm, 5 scales", five_scales)
    return Site(name, page, ".fn-next", server.process.pid, answer), server.stop


def plain(browser: Browser, folder: Path, pictures: Path) -> tuple[Site, Callable[[], None]]:
    """A plain Streamlit page: one run of its script per face."""
    server = rig.plain(folder, sliders=False, pictures=pictures)
    page = opened(browser, '[data-testid="stFormSubmitButton"] button')
    page.goto(server.url)
    page.locator('[data-testid="stImage"] img').wait_for()
    return Site("plain Streamlit", page, '[data-testid="stFormSubmitButton"] button', server.process.pid), (
        server.stop
    )


def jspsych(
    browser: Browser, folder: Path, pictures: Path, trials: int
) -> tuple[Site, Callable[[], None]] | None:
    """The same trial in jsPsych with its preload and image plugins; None without npm."""
    library = fetched()
    if library is None:
        return None
    shutil.copytree(library, folder, dirs_exist_ok=True)
    names = [f"faces/{path.name}" for path in sorted(pictures.glob("*.jpg"))[:FACES]]
    shutil.copytree(pictures, folder / "faces")
    words = {
        "images": json.dumps(names),
        "options": json.dumps(rig.OPTIONS),
        "trials": json.dumps([number % FACES for number in range(trials + MORE)]),
    }
    (folder / "index.html").write_text(JSPSYCH % words, encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = opened(browser, ".jspsych-btn")
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    page.locator(".jspsych-btn").first.wait_for()
    return Site("jsPsych", page, ".jspsych-btn"), server.shutdown


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def fetched() -> Path | None:
    """The folder that holds jsPsych's files, fetched with npm where they are not there yet."""
    npm = shutil.which("npm")
    folder = user_cache_path("facenorm") / "benchmarks" / "jspsych"
    if (folder / "node_modules" / "jspsych").is_dir():
        return folder
    if npm is None:
        print("npm is missing: jsPsych is left out of the comparison")
        return None
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run([*command, *PACKAGES], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"npm could not fetch jsPsych, which is left out: {done.stderr.strip()[-200:]}")
        return None
    return folder


def measure(sites: list[Site], trials: int) -> None:
    """Let each site have its rounds, in an order that changes; the first round warms up and is not kept."""
    for number in range(trials // ROUND + 1):
        for site in sites[number % len(sites) :] + sites[: number % len(sites)]:
            site.round(ROUND)
        if number == 0:
            for site in sites:
                site.waits_ms.clear()
                site.cpu_s, site.missed = 0.0, 0


def recorded_later(page: Page) -> list[float]:
    """How much later than the paint the onset is that Facenorm records, per face."""
    paints = page.evaluate("__bench.paints")
    faces = page.evaluate("performance.getEntriesByName('facenorm:face').map(mark => mark.startTime)")
    return [min((face - paint for paint in paints), key=abs) for face in faces[1:]]


def report(sites: list[Site], trials: int) -> None:
    """Print a line per site, and the ratios."""
    print(f"{'page':<20}{'presses':>8}{'median ms':>11}{'p95 ms':>9}{'sd ms':>8}{'server CPU ms':>15}")
    for site in sites:
        cpu = f"{1000 * site.cpu_s / trials:.1f}" if site.pid else "-"
        print(
            f"{site.name:<20}{len(site.waits_ms):>8}{statistics.median(site.waits_ms):>11.1f}"
            f"{rig.quantile(site.waits_ms, 0.95):>9.1f}{statistics.stdev(site.waits_ms):>8.1f}{cpu:>15}"
            + (f"   {site.missed} not seen" if site.missed else "")
        )
    ours = sites[0].waits_ms
    for site in sites[1:]:
        median = statistics.median(ours) / statistics.median(site.waits_ms)
        p95 = rig.quantile(ours, 0.95) / rig.quantile(site.waits_ms, 0.95)
        print(f"Facenorm / {site.name}: median {median:.2f}, p95 {p95:.2f}")
    later = recorded_later(sites[0].page)
    print(
        f"The onset that Facenorm records is {statistics.median(later):.1f} ms after the paint "
        f"(median; sd {statistics.stdev(later):.1f})"
    )


def main() -> None:
    """Compare the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--small", action="store_true")
    given = parser.parse_args()
    trials = given.trials
    print(rig.machine())
    ends: list[Callable[[], None]] = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pictures = DEMO_PICTURES if given.small else rig.heavy_pictures(folder / "pictures")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            sites = []
            for start in (
                lambda: facenorm(browser, folder / "one", pictures, trials, scales=1),
                lambda: jspsych(browser, folder / "jspsych", pictures, trials),
                lambda: plain(browser, folder / "plain", pictures),
                lambda: facenorm(browser, folder / "five", pictures, trials, scales=5),
            ):
                if found := start():
                    sites.append(found[0])
                    ends.append(found[1])
            measure(sites, trials)
            report(sites, trials)
        finally:
            browser.close()
            for end in ends:
                end()


if __name__ == "__main__":
    main()
