"""What the page "Studies" says of participants who deleted their answers."""

import pytest
from streamlit.testing.v1 import AppTest

from db import copies, engine, erasure
from pages.api import store
from tests.db.conftest import Lab


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setenv("FACENORM_DATA", str(tmp_path))
    monkeypatch.setenv("FACENORM_DATABASE_URL", "")
    store.engine.cache_clear()
    store.migrate()
    yield Lab(store.engine())
    store.engine().dispose()
    store.engine.cache_clear()


def page():
    from pages.ui import erasures

    erasures.show("demo")


def shown():
    at = AppTest.from_function(page, default_timeout=30).run()
    assert not at.exception
    return at


def erase(lab, version, *, exported=False, backed_up=None):
    begun, _ = lab.begin(version)
    with engine.writing(lab.engine) as conn:
        if exported:
            copies.note_export(
                conn,
                "ann",
                study_id="demo",
                version=1,
                phase="live",
                kind="human",
                public=False,
                where="/out",
            )
        if backed_up:
            copies.note_backup(conn, "ann", backed_up)
        erasure.erase(conn, begun.session_id, who=erasure.BY_PARTICIPANT)
    return begun.session_id


def test_nothing_is_said_where_nobody_deleted(lab):
    lab.begin(lab.open())
    at = shown()
    assert not at.info
    assert not at.expander


def test_without_copies_the_number_is_said(lab):
    version = lab.open()
    erase(lab, version)
    assert shown().info[0].value.startswith("The answers of 1 participant were deleted")
    erase(lab, version)
    assert shown().info[0].value.startswith("The answers of 2 participants were deleted")
    assert "No export and no backup" in shown().info[0].value


def test_copies_that_still_hold_answers_are_listed_without_ids(lab, tmp_path):
    backup = tmp_path / "kept.db"
    backup.touch()
    version = lab.open()
    gone = erase(lab, version, exported=True, backed_up=backup)
    at = shown()
    assert "The answers of 1 participant were deleted" in at.expander[0].label
    listed = at.dataframe[0].value
    assert list(listed["what"]) == ["private export", "backup"]
    assert list(listed["where"]) == ["/out", str(backup)]
    assert gone not in str(listed)
    backup.unlink()
    assert list(shown().dataframe[0].value["what"]) == ["private export"]
