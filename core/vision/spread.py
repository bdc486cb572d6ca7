"""Where chunks of pictures are looked at: in this process, in several, or on a Dask cluster."""

from __future__ import annotations

import functools
import multiprocessing
import os
import platform
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from itertools import islice
from typing import Any

from core import settings
from core.errors import ModelError
from core.records import RaterKey
from core.vision import models, run
from core.vision.models import Models, Spec
from core.vision.run import Looked, Task

Chunk = tuple[Task, ...]
What = Mapping[str, tuple[RaterKey, Mapping[str, str]]]
AHEAD = 2  # chunks that wait for each worker: enough to keep it busy, few enough to keep in memory
RETRIES = 3  # a chunk whose worker died goes to another one

_one_at_a_time = threading.Lock()  # models share scratch space, and the cores are all taken by one chunk


def here(spec: Spec, chunks: Iterable[Chunk]) -> Iterator[tuple[Looked, ...]]:
    """Look at the chunks in this process, in their order."""
    loaded = models.load(spec)
    for chunk in chunks:
        yield run.look(loaded, chunk)


def in_processes(spec: Spec, chunks: Iterable[Chunk], workers: int) -> Iterator[tuple[Looked, ...]]:
    """Look at the chunks in processes of this machine, in the order in which they are done.

    Raises ModelError when a process ended by itself; what was yielded before is good.
    """
    share = max(1, (os.cpu_count() or 1) // workers)
    spawning = multiprocessing.get_context("spawn")  # a fork would copy locks of the libraries' threads
    sent, expected = replace(spec), what(spec)
    with ProcessPoolExecutor(workers, spawning, _begin, (share,)) as pool:

        def submit(chunk: Chunk) -> Future[tuple[Looked, ...]]:
            return pool.submit(looked, sent, expected, chunk)

        try:
            yield from _in_flight(submit, chunks, workers * AHEAD, _first_done)
        except BrokenProcessPool as error:
            raise ModelError(
                "a worker process was ended, as a system does to one that takes too much memory; what is "
                "done is kept: run it again, with fewer workers or a smaller batch"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # who presses Ctrl-C waits for no further chunk


def on_cluster(spec: Spec, chunks: Iterable[Chunk], scheduler: str) -> Iterator[tuple[Looked, ...]]:
    """Look at the chunks on the workers of a Dask scheduler, in the order in which they are done.

    A chunk whose worker is lost goes to another one. Each worker needs Facenorm and the weights.
    Raises ModelError when dask.distributed is missing or no scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ModelError("--scheduler needs Dask: pip install 'facenorm[cluster]'") from error
    try:
        client = Client(scheduler, timeout="10s")  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError) as error:
        raise ModelError(
            f"no Dask scheduler answers at {scheduler} ({error}); start one, or see its address"
        ) from error
    with client:
        if not (workers := len(client.scheduler_info()["workers"])):
            client.wait_for_workers(1)
        submit = functools.partial(
            client.submit, looked, replace(spec), what(spec), pure=False, retries=RETRIES
        )
        yield from _in_flight(submit, chunks, max(1, workers) * AHEAD, _first_done_there)


def _in_flight(
    submit: Callable[[Chunk], Any],
    chunks: Iterable[Chunk],
    most: int,
    first: Callable[[set[Any]], set[Any]],
) -> Iterator[tuple[Looked, ...]]:
    """Keep so many chunks on the way; a new one leaves for each that comes back."""
    source = iter(chunks)
    waiting = {submit(chunk) for chunk in islice(source, most)}
    while waiting:
        done = first(waiting)
        waiting -= done
        for future in done:
            yield future.result()
            waiting |= {submit(chunk) for chunk in islice(source, 1)}


def _first_done(waiting: set[Future[tuple[Looked, ...]]]) -> set[Future[tuple[Looked, ...]]]:
    return wait(waiting, return_when=FIRST_COMPLETED).done


def _first_done_there(waiting: set[Any]) -> set[Any]:
    from distributed import wait as wait_there

    done: set[Any] = wait_there(  # type: ignore[no-untyped-call]
        list(waiting), return_when="FIRST_COMPLETED"
    ).done
    return done


def what(spec: Spec) -> What:
    """What the results are known by: versions and weights as they are on this machine."""
    return {name: (spec.keys[name], spec.settings(name, None)) for name in spec.raters}


def looked(spec: Spec, expected: What, chunk: Chunk) -> tuple[Looked, ...]:
    """One chunk in a worker, which loads the models once.

    Raises ModelError where the worker's weights or versions are others than those that the results
    would be stored under.
    """
    with _one_at_a_time:
        here, loaded = _loaded(spec)
        if other := next((name for name in spec.raters if here[name] != expected[name]), None):
            raise ModelError(
                f"the worker on {platform.node()} has other versions or weights: of {other} found "
                f"{here[other]}, needed {expected[other]}; install the same Facenorm, libraries and weights"
            )
        return run.look(loaded, chunk)


@functools.lru_cache(maxsize=1)
def _loaded(spec: Spec) -> tuple[What, Models]:
    # On another machine the weights may lie elsewhere.
    mine = replace(spec, folders=tuple(dict.fromkeys((*spec.folders, *settings.load().model_folders))))
    return what(mine), models.load(mine)


def _begin(threads: int) -> None:
    """Prepare a process of this machine."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that began us: it says what is done
    import cv2
    import torch

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
