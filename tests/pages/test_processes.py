import json
import os
import subprocess
import sys
import time

import pytest

from pages.ui import processes

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


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


def claim(data, **started):
    (data / "logs").mkdir(exist_ok=True)
    (data / "logs" / "old.pid").write_text(json.dumps({"note": 3, **started}))


@pytest.fixture
def living():
    """The number of a process that lives."""
    process = subprocess.Popen(SLEEP)
    yield process.pid
    process.kill()
    process.wait()


def test_a_process_that_outlived_its_server_is_still_running(tmp_path, living):
    claim(tmp_path, pid=living, birth=processes.birth(living))
    assert processes.running("old") == 3


def test_a_number_that_another_process_has_now_is_not_running(tmp_path, living):
    claim(tmp_path, pid=living, birth=processes.birth(os.getpid()))
    assert processes.running("old") is None
    claim(tmp_path, pid=1, birth="Sun Nov 22 01:21:15 2026")
    assert processes.running("old") is None


@pytest.mark.parametrize(
    "started",
    [
        {"pid": 0, "birth": None},
        {"pid": -1, "birth": "1"},
        {"pid": 2**30, "birth": None},
        {"pid": os.getpid()},  # as an older version wrote it
        {"pid": None, "birth": "1"},
        {"pid": "self", "birth": "1"},
    ],
)
def test_what_names_no_process_is_not_running(tmp_path, started):
    claim(tmp_path, **started)
    assert processes.running("old") is None


@pytest.mark.parametrize("content", ["", "[]", "7", "{"])
def test_a_file_that_was_not_written_to_its_end_is_not_running(tmp_path, content):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "old.pid").write_text(content)
    assert processes.running("old") is None


@pytest.mark.parametrize("of", [processes._birth_on_linux, processes._birth_elsewhere])
def test_a_birth_is_the_same_each_time_and_another_process_s_is_another(of):
    if of is processes._birth_on_linux and sys.platform != "linux":
        pytest.skip("there is no /proc here")
    first = of(os.getpid())
    time.sleep(1.1)  # ps tells whole seconds
    with subprocess.Popen(SLEEP) as later:
        assert of(os.getpid()) == first
        assert first != of(later.pid) is not None
        later.kill()
    assert of(later.pid) is None
    assert of(0) is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_dead_child_that_nobody_collected_lives_only_for_its_parent():
    orphan = (
        "import subprocess, sys; p = subprocess.Popen(['true']); print(p.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", orphan], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        pid = int(parent.stdout.readline())
        for _ in range(200):
            if processes.birth(pid) is None:
                break
            time.sleep(0.05)
        assert processes.birth(pid) is None
        assert os.path.exists(f"/proc/{pid}")
        parent.stdin.close()
