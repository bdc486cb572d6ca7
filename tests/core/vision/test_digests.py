"""digests: large files are hashed once, and again as soon as anything about them changed."""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.vision import digests

LARGE = b"large" * (digests.KEPT_FROM_BYTES // 5 + 1)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are read to the end, in order."""
    seen: list[Path] = []
    fresh = digests.fresh
    monkeypatch.setattr(digests, "fresh", lambda path: seen.append(path) or fresh(path))
    return seen


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    digests._remembered.cache_clear()
    yield
    digests._remembered.cache_clear()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("content", [b"", b"short", LARGE])
def test_both_checksums_are_those_of_hashlib_and_of_git(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    git = subprocess.run(["git", "hash-object", path], capture_output=True, check=True, cwd="/")
    assert digests.fresh(path) == digests.Digests(sha256(content), git.stdout.decode().strip())


def test_this_process_reads_a_file_once(tmp_path: Path, read: list[Path]) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"short")
    assert digests.of(path, [tmp_path]) == digests.of(path, [tmp_path])
    assert read == [path]
    assert list(tmp_path.iterdir()) == [path]  # hashing it takes no longer than looking it up


def test_the_next_process_does_not_read_a_large_file_again(tmp_path: Path, read: list[Path]) -> None:
    path = tmp_path / "file"
    path.write_bytes(LARGE)
    before = digests.of(path, [tmp_path])
    digests._remembered.cache_clear()  # what the process knew ends with it
    assert digests.of(path, [tmp_path]) == before == digests.Digests(sha256(LARGE), before.git_sha1)
    assert read == [path]


def test_other_bytes_of_the_same_size_are_seen_even_with_the_old_time(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(LARGE)
    times = path.stat()
    assert digests.of(path, [tmp_path]).sha256 == sha256(LARGE)
    path.write_bytes(LARGE[::-1])
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert digests.of(path, [tmp_path]).sha256 == sha256(LARGE[::-1])


def test_what_is_kept_of_another_size_or_time_is_not_believed(tmp_path: Path) -> None:
    path, kept = tmp_path / "file", tmp_path / digests.FILE
    path.write_bytes(LARGE)
    digests.of(path, [tmp_path])
    right = json.loads(kept.read_text())
    for field in range(3):
        wrong = json.loads(kept.read_text())
        wrong[str(path)] |= {"sha256": "0" * 64, "state": list(right[str(path)]["state"])}
        wrong[str(path)]["state"][field] += 1
        kept.write_text(json.dumps(wrong))
        digests._remembered.cache_clear()
        assert digests.of(path, [tmp_path]).sha256 == sha256(LARGE)


@pytest.mark.parametrize("broken", ["", "{", "[1, 2]", "null"])
def test_a_broken_memory_is_made_anew(tmp_path: Path, broken: str) -> None:
    path, kept = tmp_path / "file", tmp_path / digests.FILE
    path.write_bytes(LARGE)
    kept.write_text(broken)
    assert digests.of(path, [tmp_path]).sha256 == sha256(LARGE)
    assert list(json.loads(kept.read_text())) == [str(path)]


def test_files_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for path in (first, second):
        path.write_bytes(LARGE)
    digests.of(first, [tmp_path])
    first.unlink()
    digests.of(second, [tmp_path])
    assert list(json.loads((tmp_path / digests.FILE).read_text())) == [str(second)]


def test_beside_a_closed_disk_the_user_s_cache_remembers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: list[Path]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lab = tmp_path / "lab"
    lab.mkdir()
    (lab / "file").write_bytes(LARGE)
    lab.chmod(0o555)
    digests.of(lab / "file", [lab])
    digests._remembered.cache_clear()
    digests.of(lab / "file", [lab])
    assert read == [lab / "file"]
    assert not (lab / digests.FILE).exists()
    assert (tmp_path / "cache" / "facenorm" / "models" / digests.FILE).exists()
