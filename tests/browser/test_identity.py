"""The page about identity in Chromium: the demo's faces, embedded by MobileFaceNet with its real weights."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core import cookies
from db import engine, researchers

pytestmark = pytest.mark.browser

PASSWORD = "three quiet brown horses"


@pytest.fixture(scope="module")
def desk(make_server, shared):
    """A server whose demo has embeddings, and intensities to draw them against."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACENORM_MODELS", str(shared / "models"))
        server = make_server()
        raters = "mobilefacenet,mini-xception-not-neutral"
        server.command("rate", "--study", "demo", "--raters", raters, "--detector", "yunet")
        yield server


@pytest.fixture(scope="module")
def login(desk):
    """The cookie of a researcher who is logged in."""
    opened = engine.connect(f"sqlite:///{desk.data / 'facenorm.db'}")
    with engine.writing(opened) as conn:
        first = researchers.set_one_time(conn, "ada")
    token = researchers.log_in(opened, "ada", first).token
    with engine.writing(opened) as conn:
        token = researchers.change_password(conn, token, PASSWORD).token
    opened.dispose()
    return {"name": cookies.LOGIN, "value": token, "url": desk.url}


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_faces_stand_side_by_side_and_nothing_scrolls_sideways(desk, login, visitor, width, scheme):
    """With FACENORM_PICTURES set to a folder, writes identity-WIDTH.png there."""
    page = visitor(width=width, height=900, color_scheme=scheme)
    page.context.add_cookies([login])
    page.set_default_timeout(60_000)
    page.goto(f"{desk.url}/identity")
    expect(page.get_by_text("Similarity and intensity")).to_be_visible(timeout=90_000)
    page.locator(".st-key-identity-intensity .points path").first.wait_for()
    faces = page.locator(".fi-card img")
    expect(faces).to_have_count(3 * 12)
    faces.first.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.fi-card img').naturalWidth > 0")
    left, middle, right = (faces.nth(at).bounding_box() for at in range(3))
    assert left["y"] == middle["y"] == right["y"]
    assert left["x"] < middle["x"] < right["x"]
    wider = page.get_by_test_id("stMain").evaluate("main => main.scrollWidth - main.clientWidth")
    assert wider <= 0
    if folder := os.environ.get("FACENORM_PICTURES"):
        height = page.get_by_test_id("stMain").evaluate("main => main.scrollHeight")
        page.set_viewport_size({"width": width, "height": height + 80})
        page.wait_for_timeout(2000)  # until the figures have settled
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"identity-{width}.png")
