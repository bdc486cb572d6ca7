import time

import pytest

from pages.ui import processes


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("FACENORM_DATA", str(tmp_path))
    monkeypatch.setenv("FACENORM_DATABASE_URL", "")


def ended(name):
    for _ in range(600):
        if processes.running(name) is None:
            return
        time.sleep(0.05)
    raise TimeoutError(name)


def test_a_command_runs_beside_the_page_and_says_how_it_ended():
    processes.start("version", "--version", note=7)
    assert processes.running("version") == 7
    ended("version")
    assert processes.failure("version") is None
    assert "version" in processes.last_line("version")


def test_a_command_that_fails_leaves_its_words():
    processes.start("broken", "study", "open", "nowhere")
    ended("broken")
    assert "nowhere" in processes.failure("broken")


def test_starting_again_clears_the_old_failure():
    processes.start("again", "no-such-command")
    ended("again")
    assert processes.failure("again")
    processes.start("again", "--version")
    ended("again")
    assert processes.failure("again") is None


def test_a_name_that_never_ran_is_neither_running_nor_failed():
    assert processes.running("never") is None
    assert processes.failure("never") is None
    assert processes.last_line("never") == ""
