"""sources: which files a command rates, and what the manifest adds."""

from pathlib import Path

import pytest

from core.errors import StimulusError, StudyError
from core.vision import sources


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of pictures, subfolders and other things."""
    for name in ("b.PNG", "a.jpg", "notes.txt", ".hidden.jpg", "sub/얼굴.webp", "sub/Thumbs.db"):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "pictures"


def names(found: tuple[sources.Source, ...]) -> list[str]:
    return [source.stim_file for source in found]


def test_a_folder_gives_its_pictures_in_order_and_passes_over_the_rest(folder: Path) -> None:
    assert names(sources.gather([folder])) == ["a.jpg", "b.PNG", "sub/얼굴.webp"]


def test_a_named_file_is_tried_whatever_its_suffix(folder: Path) -> None:
    assert names(sources.gather([folder / "notes.txt"])) == ["notes.txt"]


def test_a_file_given_twice_is_rated_once_under_its_first_name(folder: Path) -> None:
    found = sources.gather([folder, folder / "a.jpg", folder / "sub"])
    assert names(found) == ["a.jpg", "b.PNG", "sub/얼굴.webp"]


@pytest.mark.parametrize(
    ("path", "said"), [("absent", "no such file or folder"), ("pictures/empty", "no picture found")]
)
def test_nothing_to_rate_is_an_error_that_names_the_path(folder: Path, path: str, said: str) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(StimulusError, match=f"{path}: .*{said}"):
        sources.gather([folder.parent / path])


@pytest.mark.parametrize("header", ["file,identity", "stim_file,identity_id"])
def test_a_manifest_adds_identity_and_intention(folder: Path, header: str) -> None:
    manifest = folder / "manifest.csv"
    rows = f"{header},intended_emotion,prompt\na.jpg,id1,happy,x\nsub/얼굴.webp,id2,,y\nlater.png,id3,sad,z\n"
    manifest.write_text(rows, encoding="utf-8-sig")
    found = {source.stim_file: source for source in sources.gather([folder], manifest)}
    assert (found["a.jpg"].identity_id, found["a.jpg"].intended_emotion) == ("id1", "happy")
    assert (found["sub/얼굴.webp"].identity_id, found["sub/얼굴.webp"].intended_emotion) == ("id2", None)
    assert (found["b.PNG"].identity_id, found["b.PNG"].intended_emotion) == (None, None)


def test_files_of_a_manifest_may_be_relative_to_it(folder: Path) -> None:
    manifest = folder.parent / "manifest.csv"
    manifest.write_text("file,identity\npictures/a.jpg,id1\n")
    (found,) = sources.gather([folder / "a.jpg"], manifest)
    assert found.identity_id == "id1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "found no column 'file'"),
        ("picture\na.jpg\n", "found no column 'file'"),
        ("file,intended_emotion\na.jpg,hapy\n", "manifest.csv:2: found intended_emotion 'hapy'.*'happy'"),
        ("file\na.jpg\nb.PNG\na.jpg\n", "manifest.csv:4: a.jpg stands here twice"),
        ("file,identity\nc.jpg,id1\n", "none of its 1 rows names a given picture .*c.jpg"),
        ("file,identity\n", "none of its 0 rows"),
    ],
)
def test_an_unusable_manifest_names_the_line_and_the_mend(folder: Path, text: str, said: str) -> None:
    manifest = folder / "manifest.csv"
    manifest.write_text(text)
    with pytest.raises(StudyError, match=said):
        sources.gather([folder], manifest)


def test_a_manifest_that_is_no_text_is_said(folder: Path) -> None:
    manifest = folder / "manifest.csv"
    manifest.write_bytes(b"file\n\xff\xfe\n")
    with pytest.raises(StudyError, match="cannot be read as UTF-8 CSV"):
        sources.gather([folder], manifest)
    with pytest.raises(StudyError, match="cannot be read"):
        sources.gather([folder], folder / "absent.csv")


def given(folder: Path, *names: str) -> dict[str, Path]:
    """Empty picture files of these names."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return {name: folder / name for name in names}


def joined(folder: Path, text: str) -> dict[str, sources.Source]:
    """The folder's pictures by name, joined to a manifest with this text."""
    manifest = folder / "manifest.csv"
    manifest.write_text(text, encoding="utf-8")
    return {source.stim_file: source for source in sources.gather([folder], manifest)}


def test_further_columns_are_kept_as_traits(tmp_path: Path) -> None:
    given(tmp_path, "a.png", "b.png")
    text = "file,identity,Age group,prompt\na.png,id1,adult,smile\nb.png,id1,,\n"
    found = joined(tmp_path, text)
    assert found["a.png"].traits == {"age_group": "adult", "prompt": "smile"}
    assert found["b.png"].traits == {}


def test_a_picture_is_made_from_the_reference_that_the_manifest_names(tmp_path: Path) -> None:
    given(tmp_path, "n.png", "e.png", "sub/f.png")
    text = "file,identity,intended_emotion,reference\nn.png,id1,neutral,\ne.png,id1,neutral,n.png\n"
    found = joined(tmp_path, text + "sub/f.png,id1,happy,e.png\n")
    assert {name: one.reference for name, one in found.items()} == {
        "n.png": None, "e.png": "n.png", "sub/f.png": "e.png",
    }  # fmt: skip


def test_without_a_reference_column_a_picture_is_made_from_its_identitys_neutral(tmp_path: Path) -> None:
    given(tmp_path, "1n.png", "1h.png", "2n.png", "2m.png", "2h.png", "x.png")
    rows = "1n.png,id1,neutral\n1h.png,id1,happy\n2n.png,id2,neutral\n2m.png,id2,neutral\n2h.png,id2,happy\n"
    found = joined(tmp_path, f"file,identity,intended_emotion\n{rows}")
    assert {name: one.reference for name, one in found.items() if one.reference} == {"1h.png": "1n.png"}


def test_a_reference_without_a_row_belongs_to_who_was_made_from_it(tmp_path: Path) -> None:
    given(tmp_path, "faces/h.png", "faces/source.png")
    (tmp_path / "m.csv").write_text("file,identity,reference\nfaces/h.png,id1,faces/source.png\n")
    found = {s.stim_file: s for s in sources.gather([tmp_path / "faces"], tmp_path / "m.csv")}
    assert found["h.png"].reference == "source.png"  # the manifest's place, as the folder's names have it
    assert (found["source.png"].identity_id, found["source.png"].reference) == ("id1", None)


def test_a_reference_that_was_not_given_keeps_its_name(tmp_path: Path) -> None:
    given(tmp_path, "h.png")
    assert joined(tmp_path, "file,reference\nh.png,lost.png\n")["h.png"].reference == "lost.png"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("h.png,id1,n.png\nn.png,id2,\n", "h.png is n.png, which shows 'id2' and not 'id1'"),
        ("h.png,id1,h.png\n", "manifest.csv:2: h.png is its own reference"),
    ],
)
def test_a_reference_that_cannot_be_is_said(tmp_path: Path, rows: str, said: str) -> None:
    given(tmp_path, "h.png", "n.png")
    with pytest.raises(StudyError, match=said):
        joined(tmp_path, f"file,identity,reference\n{rows}")
