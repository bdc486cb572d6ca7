"""The demo's folder: complete, small, the same for the same seed."""

import csv
import hashlib
from pathlib import Path

import pytest
from PIL import Image

from core.faces import demo, render

from .conftest import SEED


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_every_identity_shows_every_expression_once(written: Path) -> None:
    shown = [(row["identity"], row["intended_emotion"]) for row in rows(written)]
    assert len(shown) == len(set(shown)) == 48
    assert {emotion for _, emotion in shown} == set(demo.EMOTIONS)


def test_manifest_names_exactly_the_files(written: Path) -> None:
    files = {row["file"] for row in rows(written)}
    assert files == {path.name for path in written.iterdir()} - {"manifest.csv"}
    for row in rows(written):
        assert row["reference"] in files | {""}
        assert (row["reference"] == "") == (row["intended_emotion"] == "neutral")


def test_pictures_are_512_pixels_and_light_to_download(written: Path) -> None:
    for row in rows(written):
        path = written / row["file"]
        assert path.stat().st_size <= 60_000
        with Image.open(path) as picture:
            assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (512, 512))


def test_people_differ_in_gender_age_and_origin(written: Path) -> None:
    for column, least in (("gender", 2), ("age_group", 3), ("ethnicity", 5)):
        assert len({row[column] for row in rows(written)}) >= least


def test_same_seed_gives_the_same_bytes(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "_CAST", demo._CAST[:1])
    demo.write(tmp_path / "again", seed=SEED)
    again = digests(tmp_path / "again")
    del again["manifest.csv"]
    assert again.items() <= digests(written).items()
    assert len(again) == 6


def test_another_seed_gives_other_people() -> None:
    for mine, other in zip(demo.cast(1), demo.cast(2), strict=True):
        assert mine != other


def test_a_complete_demo_is_left_alone(written: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in written.iterdir()}
    demo.write(written, seed=SEED)
    assert {path.name: path.stat().st_mtime_ns for path in written.iterdir()} == before


def test_an_incomplete_demo_is_drawn_again_and_nothing_is_left_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "_CAST", demo._CAST[:1])
    folder = tmp_path / "demo"
    demo.write(folder, seed=2)
    (folder / "id01_happy.jpg").unlink()
    demo.write(folder, seed=2)
    assert (folder / "id01_happy.jpg").is_file()
    assert list(tmp_path.iterdir()) == [folder]


def test_a_failure_leaves_the_old_demo_untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_CAST", demo._CAST[:1])
    folder = tmp_path / "demo"
    demo.write(folder, seed=2)
    before = digests(folder)

    def full(*_: object, **__: object) -> render.Pixels:
        raise OSError("no space left")

    monkeypatch.setattr(render.Sitter, "portrait", full)
    with pytest.raises(OSError, match="no space left"):
        demo.write(folder, seed=3)
    assert digests(folder) == before
    assert list(tmp_path.iterdir()) == [folder]
