"""spread: the same results in this process, in several, and on a Dask cluster that loses a worker."""

import dataclasses
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import ModelError
from core.vision import models, spread, work
from core.vision.models import Spec
from core.vision.run import Looked, Task

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def spec(folders: list[Path]) -> Spec:
    return models.spec(["mini-xception"], "yunet", folders)


def tasks(faces: dict[str, bytes], copies: int = 1) -> Iterator[Task]:
    for number in range(copies):
        for name, content in faces.items():
            yield Task(f"{number} {name}", content, ("mini-xception",))


def values(chunks: list[tuple[Looked, ...]]) -> dict[str, np.ndarray]:
    found = [result for chunk in chunks for one in chunk for result in one.results]
    assert len({result.served_sha256 for result in found}) == len(found)  # nothing doubled
    return {result.served_sha256: np.array(list(result.probabilities.values())) for result in found}


@pytest.fixture(scope="module")
def here(spec: Spec, faces: dict[str, bytes]) -> dict[str, np.ndarray]:
    return values(list(spread.here(spec, work.chunks(tasks(faces), 4))))


def the_same(found: dict[str, np.ndarray], here: dict[str, np.ndarray]) -> bool:
    return all(np.allclose(found[name], here[f"0 {name.partition(' ')[2]}"], atol=1e-5) for name in found)


def test_several_processes_say_what_one_says(
    spec: Spec, faces: dict[str, bytes], here: dict[str, np.ndarray]
) -> None:
    found = values(list(spread.in_processes(spec, work.chunks(tasks(faces), 3), 2)))
    assert set(found) == set(here)
    assert the_same(found, here)


def test_a_process_that_is_ended_is_told_and_what_was_done_is_kept(
    spec: Spec, faces: dict[str, bytes]
) -> None:
    chunks = spread.in_processes(spec, work.chunks(tasks(faces, 30), 1), 2)
    assert len(next(chunks)) == 1
    victim, *_ = multiprocessing.active_children()
    victim.kill()
    with pytest.raises(ModelError, match=r"what is done is kept.*fewer workers"):
        list(chunks)


def test_a_scheduler_that_does_not_answer_is_named(spec: Spec) -> None:
    with pytest.raises(ModelError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        list(spread.on_cluster(spec, iter([()]), "tcp://127.0.0.1:9"))


def test_a_worker_with_other_weights_than_ours_is_refused(spec: Spec) -> None:
    ours = spread.what(spec)
    key, settings = ours["mini-xception"]
    for other in (
        (dataclasses.replace(key, weights_sha256="0" * 64), settings),
        (key, settings | {"detector_version": "opencv 1"}),
    ):
        with pytest.raises(ModelError, match=r"other versions or weights: of mini-xception found .*needed"):
            spread.looked(spec, {"mini-xception": other}, ())


def test_a_worker_whose_weights_lie_elsewhere_finds_them(
    faces: dict[str, bytes], spec: Spec, folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACENORM_MODELS", os.pathsep.join(map(str, folders)))
    there = dataclasses.replace(spec, folders=(tmp_path,))
    chunk = (Task("a", faces["img9.jpg"], ("mini-xception",)),)
    ((found,),) = [one.results for one in spread.looked(there, spread.what(spec), chunk)]
    assert found.status == "ok"


def test_who_stops_a_run_does_not_wait_for_the_chunks_that_have_not_begun(
    spec: Spec, faces: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "AHEAD", 1000)
    begun = time.monotonic()
    chunks = spread.in_processes(spec, work.chunks(tasks(faces, 100), 1), 1)
    next(chunks)
    first = time.monotonic() - begun
    chunks.close()
    assert time.monotonic() - begun < first + 5  # a thousand chunks take far longer


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two worker processes, as a lab starts them by hand."""
    address_file = tmp_path / "scheduler.json"
    env = os.environ | {"OMP_NUM_THREADS": "1", "DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]]
        with (tmp_path / "log").open("ab") as log:
            process = subprocess.Popen(command, cwd=PROJECT, env=env, stdout=log, stderr=log)
        started.append(process)
        return process

    start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
          "--scheduler-file", str(address_file))  # fmt: skip
    _until(address_file.exists)
    workers = [
        start("dask_worker", "--scheduler-file", str(address_file), "--no-nanny", "--nthreads", "1",
              "--no-dashboard", "--local-directory", str(tmp_path / f"worker-{number}"))
        for number in range(2)
    ]  # fmt: skip
    import json

    yield json.loads(address_file.read_text())["address"], workers
    for process in reversed(started):
        process.kill()
        process.wait()


def _until(true: object, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not start"
        time.sleep(0.05)


@pytest.mark.filterwarnings("default")  # distributed leaves sockets to the collector when a worker dies
def test_a_cluster_that_loses_a_worker_loses_and_doubles_nothing(
    cluster: tuple[str, list[subprocess.Popen[bytes]]],
    spec: Spec,
    faces: dict[str, bytes],
    here: dict[str, np.ndarray],
) -> None:
    scheduler, workers = cluster
    _until(lambda: _count(scheduler) == 2)
    chunks = spread.on_cluster(spec, work.chunks(tasks(faces, 20), 2), scheduler)
    done = [next(chunks), next(chunks)]
    workers[0].send_signal(signal.SIGKILL)
    found = values([*done, *chunks])
    assert len(found) == 20 * len(faces)
    assert the_same(found, here)
    assert workers[0].wait() == -signal.SIGKILL


def _count(scheduler: str) -> int:
    from distributed import Client

    with Client(scheduler, timeout="20s") as client:
        return len(client.scheduler_info()["workers"])
