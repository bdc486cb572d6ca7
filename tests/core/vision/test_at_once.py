"""`from core.vision import rate`: arrays, paths and bytes in, typed records out."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import ModelError, StimulusError
from core.vision import image, rate, run, work

RATERS = ("mini-xception", "mini-xception-not-neutral")


def test_bytes_paths_and_arrays_are_rated_alike(
    faces: dict[str, bytes], folders: list[Path], shared: Path
) -> None:
    content = faces["img9.jpg"]
    given = [content, shared / "faces" / "img9.jpg", str(shared / "faces" / "img9.jpg"), image.read(content)]
    found = rate(given, RATERS, detector="yunet", folders=folders)
    assert [one.rater_id for one in found] == [*RATERS] * 4
    labels, intensities = found[::2], found[1::2]
    assert {one.scores[0].label for one in labels} == {"happy"}
    assert len({one.scores[0].value for one in intensities}) == 1
    assert len({one.served_sha256 for one in found}) == 2  # the file's bytes, and the pixels


def test_only_what_was_asked_for_comes_back(faces: dict[str, bytes], folders: list[Path]) -> None:
    (found,) = rate([faces["img9.jpg"]], RATERS[1:], detector="yunet", folders=folders)
    assert found.rater_id == "mini-xception-not-neutral"
    assert found.face is not None


def test_what_cannot_be_read_is_a_record(folders: list[Path], tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (99, 99, 3), np.uint8)
    found = rate([tmp_path / "gone.png", b"broken", noise], detector="yunet", folders=folders)
    assert [one.status for one in found] == ["unreadable", "unreadable", "no_face"]
    assert all(one.reason for one in found)


def test_an_array_of_another_shape_is_refused(folders: list[Path]) -> None:
    with pytest.raises(StimulusError, match=r"shape \(9, 9\) and type float64, needed RGB pixels"):
        rate([np.zeros((9, 9))], detector="yunet", folders=folders)


def test_references_must_be_as_many_as_pictures(folders: list[Path]) -> None:
    with pytest.raises(StimulusError, match="2 references for 1 pictures"):
        rate([b""], detector="yunet", folders=folders, references=[None, None])


def test_an_unknown_device_is_refused(folders: list[Path]) -> None:
    with pytest.raises(ModelError, match="'tpu', needed cpu or cuda"):
        rate([b""], detector="yunet", folders=folders, device="tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_said_in_one_line(folders: list[Path]) -> None:
    with pytest.raises(ModelError, match=r"^mini-xception cannot compute on cuda here .*--device cpu$"):
        rate([b""], detector="yunet", folders=folders, device="cuda")


def test_one_picture_alone_and_an_empty_batch_are_refused(folders: list[Path]) -> None:
    with pytest.raises(StimulusError, match="needed a list"):
        rate("face.png", detector="yunet", folders=folders)
    with pytest.raises(ModelError, match="batch of 0 pictures"):
        rate([b""], detector="yunet", folders=folders, batch=0)


def test_files_are_read_when_their_turn_comes(
    folders: list[Path], shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    opened = work.opened
    monkeypatch.setattr(work, "opened", lambda path: held.append(len(held)) or opened(path))
    rated: list[int] = []
    look = run.look
    monkeypatch.setattr(run, "look", lambda *given: rated.append(len(held)) or look(*given))
    rate([shared / "faces" / f"img{n}.jpg" for n in (3, 8, 9)], detector="yunet", folders=folders, batch=1)
    assert rated == [4, 5, 6]  # three to be hashed, then one at a time


def test_each_file_that_cannot_be_opened_has_its_own_reason(folders: list[Path], tmp_path: Path) -> None:
    with (tmp_path / "long.png").open("wb") as file:
        file.truncate(3_000_000_000)  # sparse: takes no space
    found = rate([tmp_path / "gone.png", tmp_path / "long.png"], RATERS, detector="yunet", folders=folders)
    gone, long = {one.reason for one in found[:2]}, {one.reason for one in found[2:]}
    assert gone == {"there is no such file any more, or it is no regular file"}
    assert len(long) == 1
    assert not gone & long


def test_without_a_detector_the_best_one_that_is_here_looks(
    faces: dict[str, bytes], folders: list[Path]
) -> None:
    (found,) = rate([faces["img9.jpg"]], folders=folders)
    assert found.detector == "yunet"
