"""Pictures of every participant page, to be looked at: `python -m tests.browser.pictures FOLDER`.

One file for each page, language, width and colour scheme.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from core.cli.install import DEMO_PICTURES, DEMO_SEED
from core.faces import demo as faces
from core.study_rules import LANGUAGES
from tests.browser import tour
from tests.browser.conftest import CHROMIUM, FLAGS, Server

SIZES = {375: 667, 1280: 800}
SCHEMES = ("light", "dark")


def take(page: Page, folder: Path, name: str) -> None:
    """Take the pictures of one page; a page of text is as long as it is, a trial fills the window."""
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        long = page.evaluate("document.querySelector('[data-testid=stMain]')?.scrollHeight ?? 0")
        if not page.locator(".fn-trial").count():
            page.set_viewport_size({"width": width, "height": max(height, long)})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(300)
            page.screenshot(path=folder / f"{name}-{width}-{scheme}.png")


def walk_through(browser: Browser, url: str, language: str, folder: Path) -> None:
    """Take the pictures of all pages in one language."""
    number = 0
    for part in tour.EVERYWHERE:
        context = browser.new_context()
        page = context.new_page()
        for title in part(page, url, language):
            number += 1
            name = re.sub(r"\W+", "-", title.lower()).strip("-")
            take(page, folder, f"{language}-{number:02}-{name}")
        context.close()


def main(folder: Path, languages: tuple[str, ...]) -> None:
    """Serve the studies of the tour and go through them."""
    folder.mkdir(parents=True, exist_ok=True)
    faces.write(DEMO_PICTURES, seed=DEMO_SEED)
    with tempfile.TemporaryDirectory() as data:
        server = Server(Path(data))
        tour.load(server, DEMO_PICTURES)
        server.start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                for language in languages:
                    walk_through(browser, server.url, language, folder)
        finally:
            server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), tuple(sys.argv[2:]) or LANGUAGES)
