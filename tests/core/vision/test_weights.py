"""weights: files are known by their checksum, whatever they are called."""

import dataclasses
import hashlib
import importlib.util
import json
import re
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.cli.models import models
from core.errors import ModelError
from core.vision import catalogue, consent, digests, weights
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


# ---- licences that are asked for


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Weights:
    """A non-commercial entry, as the catalogue's."""
    entry = made(b"right bytes", consent=True, licence="CC BY-NC-ND 4.0", notice="Not for sale.")
    monkeypatch.setattr(weights, "entry", lambda _name: entry)
    return entry


def test_non_commercial_weights_are_not_read_before_somebody_agreed(closed: Weights, tmp_path: Path) -> None:
    (tmp_path / "made.bin").write_bytes(b"right bytes")
    assert weights.find("made", [tmp_path]) is None
    with pytest.raises(ModelError) as error:
        weights.need("made", [tmp_path])
    for part in (
        str(tmp_path / "made.bin"),
        "CC BY-NC-ND 4.0",
        "Not for sale.",
        "facenorm models fetch made",
    ):
        assert part in str(error.value)
    consent.agree(closed, [tmp_path], who="Ada")
    assert weights.need("made", [tmp_path]) == tmp_path / "made.bin"


def test_an_agreement_says_who_when_and_to_what(closed: Weights, tmp_path: Path) -> None:
    path = consent.agree(closed, [tmp_path], who='Ada "the" first\\é')
    assert path == tmp_path / "agreements.toml"
    row = tomllib.loads(path.read_text(encoding="utf-8"))["made"]
    assert (row["who"], row["licence"]) == ('Ada "the" first\\é', "CC BY-NC-ND 4.0")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(row["at"])) < timedelta(minutes=1)


def test_an_agreement_holds_for_its_licence_only_and_for_no_other_file(
    closed: Weights, tmp_path: Path
) -> None:
    consent.agree(closed, [tmp_path], who="Ada")
    assert not consent.agreed(dataclasses.replace(closed, licence="CC BY-NC 5.0"), [tmp_path])
    assert not consent.agreed(dataclasses.replace(closed, name="other"), [tmp_path])


def test_the_agreement_beside_a_lab_s_shared_models_holds_for_all(closed: Weights, tmp_path: Path) -> None:
    lab, mine = tmp_path / "lab", tmp_path / "mine"
    consent.agree(closed, [lab], who="Ada")
    lab.chmod(0o555)
    assert consent.agreed(closed, [mine, lab])
    assert not consent.agreed(closed, [mine])


# ---- upstream publishes no checksum


@pytest.fixture
def unknown(monkeypatch: pytest.MonkeyPatch) -> Weights:
    entry = made(b"", sha256="", size_bytes=None, size_mb=1.0)
    monkeypatch.setattr(weights, "entry", lambda _name: entry)
    return entry


def test_the_first_file_found_under_its_name_is_recorded_and_held_to(
    unknown: Weights, tmp_path: Path
) -> None:
    path = tmp_path / "made.bin"
    path.write_bytes(b"the first")
    sha256 = hashlib.sha256(b"the first").hexdigest()
    assert weights.sha256_of("made", [tmp_path]) == sha256
    row = tomllib.loads((tmp_path / "first-seen.toml").read_text(encoding="utf-8"))["made"]
    assert (row["sha256"], row["source"]) == (sha256, f"found as {path}")

    path.write_bytes(b"the other")
    with pytest.raises(ModelError) as error:
        weights.need("made", [tmp_path])
    for part in (str(path), sha256, "another file than before", "delete the table [made] from"):
        assert part in str(error.value)
    path.unlink()
    (tmp_path / "under any name").write_bytes(b"the first")
    assert weights.need("made", [tmp_path]) == tmp_path / "under any name"


def test_looking_records_nothing(unknown: Weights, tmp_path: Path) -> None:
    (tmp_path / "made.bin").write_bytes(b"the first")
    assert weights.find("made", [tmp_path]) == tmp_path / "made.bin"
    assert not (tmp_path / "first-seen.toml").exists()


def test_the_record_of_a_file_on_a_closed_disk_goes_where_one_can_write(
    unknown: Weights, tmp_path: Path
) -> None:
    lab, mine = tmp_path / "lab", tmp_path / "mine"
    lab.mkdir()
    (lab / "made.bin").write_bytes(b"the first")
    lab.chmod(0o555)
    assert weights.need("made", [lab, mine]) == lab / "made.bin"
    assert (mine / "first-seen.toml").exists()
    assert not (lab / "first-seen.toml").exists()


def test_a_record_that_was_broken_by_hand_is_said_with_its_place(unknown: Weights, tmp_path: Path) -> None:
    (tmp_path / "made.bin").write_bytes(b"the first")
    record = tmp_path / "first-seen.toml"
    record.write_text("[made\n")
    with pytest.raises(
        ModelError, match=r"first-seen\.toml cannot be read: .*line 1.* mend it, or move it away"
    ):
        weights.need("made", [tmp_path])
    record.write_text("[made]\nsize_bytes = 9\n")
    with pytest.raises(ModelError, match=r"\[made\] lacks 'sha256'; add it, or delete the table"):
        weights.need("made", [tmp_path])


def test_records_that_are_written_at_once_are_all_kept(tmp_path: Path) -> None:
    entries = [made(b"", name=f"made-{number}", consent=True) for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda entry: consent.agree(entry, [tmp_path], who="Ada"), entries))
    assert [entry.name for entry in entries if not consent.agreed(entry, [tmp_path])] == []


# ---- the catalogue


def test_the_files_of_deepface_are_those_that_it_reads_and_come_from_where_it_gets_them() -> None:
    # Oracle: the addresses in the sources of the installed deepface and retina-face, for its ONNX engine.
    found = [
        importlib.util.find_spec(name).submodule_search_locations[0] for name in ("deepface", "retinaface")
    ]
    texts = [
        path.read_text(encoding="utf-8") for folder in found for path in Path(folder).rglob("*onnx*/*.py")
    ]
    texts += [
        path.read_text(encoding="utf-8") for folder in found for path in Path(folder).rglob("*onnx*.py")
    ]
    theirs = set(re.findall(r'"(https://[^"]+\.onnx)"', "\n".join(texts)))
    ours = [entry for entry in weights.entries() if entry.name.startswith("deepface-")]
    assert len(ours) == 11
    for entry in ours:
        assert entry.sources[0].url in theirs, entry.name
        assert {source.url.rsplit("/")[-1] for source in entry.sources if source.url} == {entry.file}
        if entry.first_seen:
            assert {source.url for source in entry.sources} <= theirs


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"sha256": "a", "git_sha1": "b", "size_mb": 1}, "two checksums"),
        ({"sha256": "a"}, "no size"),
        ({"size_mb": 1, "sources": []}, "no sources"),
        ({"size_mb": 1, "colour": "red"}, "colour"),
        ({"size_mb": 1, "sources": [{"link": "x"}]}, "link"),
    ],
)
def test_a_wrong_table_of_the_catalogue_is_said(tmp_path: Path, table: dict[str, object], said: str) -> None:
    texts = ("title", "file", "licence", "citation", "notice")
    rows = dict.fromkeys(texts, "x") | {"sources": [{"url": "https://example.org/x"}]} | table
    path = tmp_path / "models.toml"
    path.write_text("[made]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in rows.items()))
    with pytest.raises(ModelError, match=rf"models\.toml: \[made\] .*{said}"):
        catalogue.entries(path)


def toml(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)
