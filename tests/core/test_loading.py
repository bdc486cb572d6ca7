"""A study file with its pictures, read once for the page and the command."""

from pathlib import Path

import pytest
from PIL import Image

from core import loading
from core.errors import StudyError
from tests import variants


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The demo study on three pictures, with one trial."""
    (tmp_path / "faces").mkdir()
    for number, emotion in enumerate(("happy", "sad", "angry")):
        Image.new("RGB", (64, 64), (90 * number, 0, 0)).save(tmp_path / "faces" / f"a_{emotion}.png")
    text = variants.one_block(
        ("folder: ../demo", "folder: faces"),
        ("manifest: manifest.csv", 'pattern: "{identity}_{emotion}.png"'),
        ("per_participant: 24", "per_participant: 1"),
    )
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def changed(file: Path, old: str, new: str) -> Path:
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return file


def test_a_study_comes_with_its_stimuli_pictures_and_warnings(file):
    (file.parent / "faces" / "a_neutral.png").write_bytes(b"no picture")
    found = loading.read(file)
    assert (found.study.study, found.title) == ("demo", found.study.title["en"])
    assert found.source_yaml == file.read_text(encoding="utf-8")
    assert found.n_rated == len(found.stimuli) == len({one.sha256 for one in found.pictures()})
    assert "a_neutral.png" in found.warnings[0]
    assert any("draft" in line for line in found.warnings[1:])


def test_the_same_bytes_are_the_same_study_wherever_they_come_from(file):
    uploaded = loading.parse(file.read_bytes(), name="study.yaml", base=file.parent)
    assert uploaded == loading.read(file)


def test_a_mark_of_byte_order_is_no_part_of_the_source(file):
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert loading.read(file).source_yaml.startswith(variants.DEMO.read_text(encoding="utf-8")[:10])


def test_too_few_stimuli_are_refused_with_what_is_wrong_with_the_others(file):
    (file.parent / "faces" / "a_neutral.png").write_bytes(b"no picture")
    with pytest.raises(StudyError) as refused:
        loading.read(changed(file, "per_participant: 1", "per_participant: 9"))
    first, *others = str(refused.value).splitlines()
    assert first.startswith(f"{file}: trials.per_participant: found 9")
    assert any("a_neutral.png" in line for line in others)


def test_a_reference_that_no_picture_has_is_refused_before_anybody_begins(file):
    with pytest.raises(StudyError, match="found 'reference'"):
        loading.read(changed(file, "per_participant: 1", "per_participant: 1\n  show: [reference, target]"))


@pytest.mark.parametrize(("content", "words"), [(None, "found No such file"), (b"\xff\xfe", "not UTF-8")])
def test_a_file_that_cannot_be_read_is_said_in_words(tmp_path, content, words):
    file = tmp_path / "study.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StudyError, match=words):
        loading.read(file)
