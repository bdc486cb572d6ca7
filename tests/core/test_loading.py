"""A study file with its pictures, read once for the page and the command."""

import hashlib
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


def with_yardstick(file: Path, rows: str) -> Path:
    """The study with a set of two pictures in another folder, and this manifest."""
    real = file.parent / "real"
    (real / "p1").mkdir(parents=True)
    for number, name in enumerate(("p1/a.jpg", "p1/b.jpg")):
        Image.new("RGB", (64, 64), (0, 0, 60 + 90 * number)).save(real / name)
    (real / "manifest.csv").write_text(rows, encoding="utf-8")
    text = file.read_text(encoding="utf-8")
    title = "{en: Portraits, ko: 초상, ja: 肖像}"
    named = f"yardsticks:\n  - id: real\n    title: {title}\n    manifest: real/manifest.csv\n"
    file.write_text(f"{text}\n{named}", encoding="utf-8")
    return file


ROWS = "file,identity,intended_emotion,reference,gender\np1/b.jpg,p1,happy,p1/a.jpg,f\n"


def test_a_yardstick_comes_with_hashes_places_and_the_references_without_a_row(file):
    (found,) = loading.read(with_yardstick(file, ROWS)).yardsticks
    assert (found.yardstick_id, found.title, found.problems) == ("real", "Portraits", ())
    edit, reference = found.stimuli
    assert (edit.stim_file, edit.identity_id, edit.intended_emotion) == ("p1/b.jpg", "p1", "happy")
    assert (edit.reference_file, edit.extra) == ("p1/a.jpg", {"gender": "f"})
    assert (reference.stim_file, reference.identity_id, reference.intended_emotion) == (
        "p1/a.jpg",
        "p1",
        None,
    )
    for one in found.stimuli:
        place = found.paths[one.stim_file]
        assert place.is_absolute()
        # Oracle: hashlib over all bytes at once.
        assert one.served_sha256 == hashlib.sha256(place.read_bytes()).hexdigest()


def test_a_yardstick_s_missing_doubled_and_lost_pictures_are_named_and_the_others_load(file):
    with_yardstick(file, ROWS + "gone.jpg,p2,sad,,m\np1/c.jpg,p1,sad,,f\n")
    (file.parent / "real" / "p1" / "c.jpg").write_bytes((file.parent / "real" / "p1" / "b.jpg").read_bytes())
    (file.parent / "real" / "p1" / "a.jpg").unlink()
    found = loading.read(file)
    assert [one.stim_file for one in found.yardsticks[0].stimuli] == ["p1/b.jpg"]
    for words in ("no file 'gone.jpg'", "no file 'p1/a.jpg'", "the same picture as 'p1/b.jpg'",
                  "no usable reference 'p1/a.jpg'"):  # fmt: skip
        assert sum(words in line for line in found.warnings) == 1


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (None, "found no such manifest: .*manifest.csv; needed a CSV file; correct 'manifest:'"),
        ("file\n", "manifest.csv: found no row"),
        ("picture\np1/a.jpg\n", "found no column 'file'"),
        ("file,intended_emotion\np1/a.jpg,hapy\n", "manifest.csv:2: .*did you mean 'happy'"),
        ("file\nx.jpg\n", "found none of the 1 pictures .*'x.jpg'.*relative to the manifest"),
    ],
)
def test_a_yardstick_that_cannot_be_used_is_refused_with_the_study_s_line(file, rows, words):
    with_yardstick(file, rows or "")
    if rows is None:
        (file.parent / "real" / "manifest.csv").unlink()
    lines = file.read_text(encoding="utf-8").splitlines()
    line = lines.index("    manifest: real/manifest.csv") + 1
    with pytest.raises(StudyError, match=rf"study.yaml:{line}: .*{words}"):
        loading.read(file)
