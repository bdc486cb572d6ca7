"""A researcher in Chromium: log in, add simulated participants, let a model rate, look, export."""

import io
import os
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests import variants

pytestmark = pytest.mark.browser

PASSWORD = "three quiet brown horses"
SLOW_MS = 240_000  # thirty participants, or the first load of a model's libraries


@pytest.fixture(scope="module")
def desk(make_server, pictures, shared):
    """A server with the real weights, and the demo open with 8 faces per participant."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACENORM_MODELS", str(shared / "models"))
        server = make_server()
        text = variants.one_block()
        file = server.data / "longer.yaml"
        shorter = re.sub(r"per_participant: \d+", "per_participant: 8", text)
        file.write_text(shorter.replace("folder: ../demo", f"folder: {pictures}"), encoding="utf-8")
        server.command("study", "load", str(file))
        server.command("study", "open", "demo")
        yield server


@pytest.fixture(scope="module")
def login(desk, chromium):
    """What a browser keeps after the first login, made through the pages."""
    one_time = desk.command("researcher", "ada").split()[1]
    context = chromium.new_context(locale="en-US")
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(f"{desk.url}/dashboard")
    expect(page.get_by_role("heading", name="Researcher login")).to_be_visible(timeout=60_000)
    log_in(page, "ada", "not the password")
    expect(page.get_by_text("The name or the password is wrong")).to_be_visible(timeout=60_000)
    log_in(page, "ada", one_time)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same once more").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("heading", name="Studies")).to_be_visible(timeout=60_000)
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture(scope="module")
def rated(desk, login, chromium):
    """The demo with 30 simulated participants and AI ratings, both started from their pages."""
    context = chromium.new_context(storage_state=login)
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(f"{desk.url}/studies")
    page.get_by_role("button", name="Add 30 simulated participants").click()
    expect(page.get_by_text("of 30 have finished")).to_be_visible(timeout=60_000)
    # The process goes on without the page.
    page.goto(f"{desk.url}/ai_ratings")
    page.get_by_text("yunet", exact=True).first.click()
    page.get_by_role("button", name="Start rating").click()
    expect(page.get_by_text("96 of 96 rated in")).to_be_visible(timeout=SLOW_MS)
    page.goto(f"{desk.url}/studies")
    expect(page.get_by_role("button", name="Add 30 simulated participants")).to_be_enabled(timeout=SLOW_MS)
    context.close()
    return desk


def log_in(page, name, password):
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def dashboard(rated, page):
    page.set_default_timeout(60_000)
    page.goto(f"{rated.url}/dashboard?simulated=true")
    page.locator(".st-key-human-ai .points path").first.wait_for()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=60_000)
    return page


def test_the_pages_left_their_marks_in_the_database(rated):
    whole = rated.rows("SELECT count(*) FROM session WHERE kind = 'simulated' AND completed_at IS NOT NULL")
    assert whole == [(30,)]
    assert rated.rows("SELECT count(*), sum(status = 'ok') FROM ai_result") == [(96, 96)]
    assert rated.rows("SELECT who, what FROM audit ORDER BY entry_id DESC LIMIT 2") == [
        ("ada", "AI rating started"),
        ("ada", "simulation started"),
    ]


def test_dashboard_shows_three_matrices_and_the_face_under_the_pointer(rated, login, visitor):
    """With FACENORM_PICTURES set to a folder, writes dashboard.png there."""
    page = dashboard(rated, visitor(width=1280, height=1400, storage_state=login))
    expect(page.locator(".js-plotly-plot .heatmaplayer image, .js-plotly-plot .hm")).not_to_have_count(0)
    expect(page.get_by_text("Simulated data.")).to_be_visible()
    if folder := os.environ.get("FACENORM_PICTURES"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.wait_for_timeout(1000)  # until the last figure has settled
        page.screenshot(path=Path(folder) / "dashboard.png")
    point = page.locator(".st-key-human-ai .points path").nth(5)
    face = page.locator(".facenorm-hover img")
    for _ in range(20):  # the page below is still being drawn, and the point may move away
        point.scroll_into_view_if_needed()
        point.hover(force=True)
        page.wait_for_timeout(500)
        if face.is_visible():
            break
        page.mouse.move(0, 0)
    expect(face).to_be_visible()
    page.wait_for_function("document.querySelector('.facenorm-hover img').naturalWidth > 0")
    assert "/api/stimuli/" in face.get_attribute("src")


def test_on_a_phone_the_dashboard_does_not_scroll_sideways(rated, login, visitor):
    page = dashboard(rated, visitor(width=375, height=800, storage_state=login))
    wider = page.get_by_test_id("stMain").evaluate("main => main.scrollWidth - main.clientWidth")
    assert wider <= 0


def test_the_filter_stays_in_the_address(rated, login, visitor):
    page = dashboard(rated, visitor(storage_state=login))
    page.get_by_text("pilot", exact=True).click()
    page.wait_for_url("**phase=pilot**")
    assert "simulated=true" in page.url


def test_export_is_a_zip_of_tables_for_who_is_logged_in(rated, login, visitor):
    page = visitor(storage_state=login)
    page.set_default_timeout(60_000)
    page.goto(f"{rated.url}/export")
    link = page.get_by_role("link", name="Download public export").get_attribute("href")
    answer = page.request.get(f"{rated.url}{link}" if link.startswith("/") else link, timeout=60_000)
    assert answer.ok, answer.text()
    names = {Path(name).name for name in zipfile.ZipFile(io.BytesIO(answer.body())).namelist()}
    assert {"ratings.csv", "norms.csv", "stimuli.csv", "ai_ratings.csv", "codebook.csv"} <= names


def test_a_stranger_gets_neither_page_nor_picture_nor_export(rated, visitor):
    page = visitor()
    page.set_default_timeout(60_000)
    page.goto(f"{rated.url}/dashboard?simulated=true")
    expect(page.get_by_role("heading", name="Researcher login")).to_be_visible(timeout=60_000)
    assert page.locator(".js-plotly-plot").count() == 0
    [(served,)] = rated.rows("SELECT served_sha256 FROM stimulus LIMIT 1")
    assert page.request.get(f"{rated.url}/api/stimuli/{served}").status == 404
    assert page.request.get(f"{rated.url}/api/export/demo").status == 401
