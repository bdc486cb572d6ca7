"""Work that outlives the page that started it: a `facenorm` command as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from core.settings import PROJECT
from pages.ui import resources

_TAIL_BYTES = 4000
_DONE = {0, 3}  # 3: done, and some pictures got no rating, as their rows say


def start(name: str, *arguments: str, note: int = 0) -> None:
    """Run `facenorm ARGUMENTS` detached from this server, unless that name is running already.

    note: a number that `running` gives back, for instance where a count began.
    """
    if running(name) is not None:
        return
    log_path = _file(name, "log")
    log_path.parent.mkdir(parents=True, exist_ok=True)
    _file(name, "failed").unlink(missing_ok=True)
    with log_path.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  a list of arguments, no shell
            [sys.executable, "-m", "core.cli", *arguments],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started = {"pid": process.pid, "birth": birth(process.pid), "note": note}
    _file(name, "pid").write_text(json.dumps(started))
    # Somebody has to collect the exit status, or a finished process stays in the table for ever.
    threading.Thread(target=_wait, args=(process, name), daemon=True).start()


def _wait(process: subprocess.Popen[bytes], name: str) -> None:
    if process.wait() not in _DONE:
        _file(name, "failed").touch()
    _file(name, "pid").unlink(missing_ok=True)


def running(name: str) -> int | None:
    """Return the note of a process of that name that is still at work, else None."""
    try:
        started = json.loads(_file(name, "pid").read_text())
        # The system gives a number again to somebody else's process, above all after it has started anew.
        same = started["birth"] is not None and started["birth"] == birth(started["pid"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return int(started["note"]) if same else None


def birth(pid: int) -> str | None:
    """Say when a process began, in its system's own words; None where none of that number lives."""
    return _birth_on_linux(int(pid)) if Path("/proc/self/stat").exists() else _birth_elsewhere(int(pid))


def _birth_on_linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # proc(5): state, parent and, as field 22, the start; a name, field 2, may hold blanks and parentheses.
    state, parent, *rest = stat.rpartition(b")")[2].split()
    # An orphan in a container may stay a zombie for ever; a child of ours is collected in a moment.
    return None if state == b"Z" and int(parent) != os.getpid() else rest[17].decode()


def _birth_elsewhere(pid: int) -> str | None:
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    env = os.environ | {"LC_ALL": "C", "TZ": "UTC"}  # the same words whoever asks
    found = subprocess.run(command, capture_output=True, check=False, text=True, env=env)  # noqa: S603
    return found.stdout.strip() or None


def failure(name: str) -> str | None:
    """Return the last lines of a process that ended with an error, or None."""
    if not _file(name, "failed").exists():
        return None
    return "\n".join(_lines(name)[-8:]) or "It ended with an error and printed nothing."


def last_line(name: str) -> str:
    """Return the last line that a process of that name printed, empty where there is none."""
    return (_lines(name) or [""])[-1]


def _lines(name: str) -> list[str]:
    try:
        with _file(name, "log").open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return log.read().decode(errors="replace").replace("\r", "\n").strip().splitlines()
    except FileNotFoundError:
        return []


def _file(name: str, suffix: str) -> Path:
    return resources.configuration().data / "logs" / f"{name}.{suffix}"
