"""How long a participant waits on the way in: on Begin, and on Start until the first face is painted.

In Chromium, on this machine and over a simulated 3G connection (1.6 Mbit/s, 150 ms for a round trip), with
pictures of 100 kB, alone and while 200 others rate. Each participant is new: a window without a cache opens
the welcome page, presses Begin, leaves the questions about themselves open, reads the instructions for some
seconds and presses Start. Told are the times

- open: from the address to the consent form on the screen, with nothing cached;
- begin: from the press on Begin to the next page on the screen;
- start: from the press on Start to the first face painted (Element Timing).

On the screen means: the animation frame after the part is in the document and has a size.

Run: python tests/benchmarks/bench_first_face.py [--times 5] [--others 200] [--only localhost]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import rig
from people import Rater, Tally, form
from playwright.sync_api import Browser, Page, sync_playwright

from db import engine as db_engine
from tests.browser import walk
from tests.browser.conftest import CHROMIUM, FLAGS, Server

READ_MS = 5000  # the least that anybody takes for the instructions; the first faces are fetched meanwhile
NETWORKS = {
    "localhost": None,
    "3G": {"latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8},
}
GOALS_MS = {"localhost": 1000, "3G": 3000}
# Times go on over the change of pages: they are those of the clock.
WATCH = """
(() => {
  const at = (stamp) => performance.timeOrigin + stamp;
  const times = JSON.parse(sessionStorage.getItem("bench") ?? "{}");
  const note = (name, time) => {
    times[name] ??= time;
    sessionStorage.setItem("bench", JSON.stringify(times));
  };
  const parts = { form: "form .tick", next: ".questions .continue", ready: ".st-key-start button" };
  const presses = { begin: "form button.main", start: ".st-key-start button" };
  note("open", at(0));
  addEventListener("click", ({ target, timeStamp }) => {
    for (const [name, part] of Object.entries(presses)) if (target.closest?.(part)) note(name, at(timeStamp));
  }, true);
  const look = (stamp) => {
    for (const [name, part] of Object.entries(parts))
      if (!(name in times) && document.querySelector(part)?.getClientRects().length) note(name, at(stamp));
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  new PerformanceObserver((list) => {
    for (const { renderTime, identifier } of list.getEntries())
      if (identifier === "face") note("face", at(renderTime));
  }).observe({ type: "element", buffered: true });
})();
"""


def visit(browser: Browser, server: Server, network: dict[str, float] | None) -> dict[str, float]:
    """Let one new participant come as far as the first face; how long they waited, in ms."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.add_init_script(WATCH)
    if network:
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.send("Network.emulateNetworkConditions", {"offline": False, **network})
    walk.welcome(page, server.url)
    walk.consent(page)
    page.locator(".questions .continue").click()
    page.locator(".st-key-start button").wait_for()
    page.wait_for_timeout(READ_MS)
    page.locator(".st-key-start button").click()
    times = _times(page)
    context.close()
    return {
        "open": times["form"] - times["open"],
        "begin": times["next"] - times["begin"],
        "start": times["face"] - times["start"],
    }


def _times(page: Page) -> dict[str, float]:
    page.wait_for_function("'face' in JSON.parse(sessionStorage.getItem('bench'))")
    times: dict[str, float] = page.evaluate("JSON.parse(sessionStorage.getItem('bench'))")
    return times


@contextmanager
def others(server: Server, n: int) -> Iterator[None]:
    """Let n others rate, from a process of their own."""
    context = multiprocessing.get_context("spawn")
    there, enough = context.Event(), context.Event()
    arguments = (f"localhost:{server.port}", str(server.data / "facenorm.db"), n, there, enough)
    crowd = context.Process(target=_crowd, args=arguments)
    with rig.on_core(rig.OWN_CORE):
        crowd.start()
    while not there.wait(1):
        if not crowd.is_alive():
            raise RuntimeError("the others did not come")
    try:
        yield
    finally:
        enough.set()
        crowd.join()


def _crowd(host: str, database: str, n: int, there: Event, enough: Event) -> None:
    asyncio.run(_rating(host, database, n, there, enough))


async def _rating(host: str, database: str, n: int, there: Event, enough: Event) -> None:
    engine, tally, ticked = db_engine.connect(f"sqlite:///{database}"), Tally(), form()
    raters = [Rater(host, engine, tally, ticked) for _ in range(n)]
    for rater in raters:
        await rater.come()
    there.set()

    async def rate(rater: Rater, number: int) -> None:
        await asyncio.sleep(3 * number / n)
        while not enough.is_set():
            await rater.answer()
            await asyncio.sleep(3)

    await asyncio.gather(*(rate(rater, number) for number, rater in enumerate(raters)))
    await asyncio.gather(*(rater.leave() for rater in raters))


def report(network: str, company: str, visits: list[dict[str, float]]) -> None:
    """Print the medians and the longest waits."""
    told = f"{network:<11}{company:<12}"
    for name in ("open", "begin", "start"):
        waits = [each[name] for each in visits]
        told += f"{name}: median {statistics.median(waits):6.0f} ms, longest {max(waits):6.0f}   "
    longest = max(each["start"] for each in visits)
    print(told + ("" if longest < GOALS_MS[network] else f"  over {GOALS_MS[network]} ms"), flush=True)


def main() -> None:
    """Measure each network, alone and in company."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--others", type=int, default=200)
    parser.add_argument("--only", choices=list(NETWORKS))
    given = parser.parse_args()
    print(rig.machine())

    def measure(name: str, company: str) -> None:
        report(name, company, [visit(browser, server, NETWORKS[name]) for _ in range(given.times)])

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pictures = rig.heavy_pictures(folder / "pictures")
        plenty = ("ratings_per_stimulus: 20", "ratings_per_stimulus: 100000")
        many = ("per_participant: 6", "per_participant: 40")
        server = rig.facenorm(folder / "data", many, plenty, pictures=pictures)
        with rig.on_core(rig.OWN_CORE):
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            for name in [given.only] if given.only else NETWORKS:
                measure(name, "alone")
                if given.others:
                    with others(server, given.others):  # each has trials for two minutes
                        measure(name, f"with {given.others}")
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
