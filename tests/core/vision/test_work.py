"""work: files as they are opened, tasks read one by one, and what is derived from what was said."""

import hashlib
import os
import threading
from pathlib import Path

import pytest

from core.errors import StimulusError
from core.records import AiResult, Detection, Face, Score
from core.vision import models, work
from core.vision.work import Subject

FACE = Face(1, 2, 3, 4, None, (), "yunet", "1", "largest of 1", 1)


def subject(name: str, reads: list[str], reference: Subject | None = None) -> Subject:
    def read() -> bytes:
        reads.append(name)
        return name.encode()

    return Subject(name, read, reference)


def test_a_file_that_vanished_says_so(tmp_path: Path) -> None:
    content = work.opened(tmp_path / "gone.png")
    assert isinstance(content, StimulusError)
    assert "no such file" in str(content)
    assert work.hashed(tmp_path / "gone.png") == ""


def test_a_file_s_hash_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"bytes")
    assert work.hashed(tmp_path / "a.png") == hashlib.sha256(b"bytes").hexdigest()


def test_a_file_that_was_changed_since_it_was_hashed_is_not_taken_for_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"bytes")
    found = work.of_file(path)
    assert found.read() == b"bytes"
    path.write_bytes(b"others")
    assert "changed during the run" in str(found.read())


def test_a_pipe_named_like_a_picture_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(work.opened(tmp_path / "pipe.png")), daemon=True)
    thread.start()
    thread.join(20)
    assert len(found) == 1
    assert isinstance(found[0], StimulusError)


def test_a_file_too_long_to_read_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "long.png").open("wb") as file:
        file.truncate(3_000_000_000)  # sparse: takes no space
    assert "3000000000 bytes are too many" in str(work.opened(tmp_path / "long.png"))


def test_only_one_chunk_is_read_ahead() -> None:
    reads: list[str] = []
    subjects = [subject(f"{number}", reads) for number in range(100)]
    chunks = work.chunks(work.tasks(subjects, lambda _: ["mini-xception"], {}), 4)
    assert reads == []
    next(chunks)
    assert len(reads) == 4


def test_a_picture_that_nobody_wants_or_that_shows_no_face_is_not_read() -> None:
    reads: list[str] = []
    subjects = [subject("seen", reads), subject("blind", reads), subject("done", reads)]
    known = {"blind": Detection("blind", "yunet", "1", "no_face", "no face")}
    found = list(work.tasks(subjects, lambda one: [] if one.sha256 == "done" else ["mini-xception"], known))
    assert [task.sha256 for task in found] == ["seen", "blind"]
    assert reads == ["seen"]


def result(rater_id: str, sha256: str, face: Face | None = FACE, **given: object) -> AiResult:
    return AiResult(sha256, rater_id, "2", "", "yunet", "ok" if face else "no_face", "", face=face, **given)


@pytest.fixture(scope="module")
def spec(folders: list[Path]) -> models.Spec:
    return models.spec(["mini-xception-not-neutral"], "yunet", folders)


def test_a_derived_rater_brings_its_source_along(spec: models.Spec) -> None:
    assert spec.raters == ("mini-xception", "mini-xception-not-neutral")


def test_what_is_derived_has_the_source_s_face_and_the_rater_s_own_key(spec: models.Spec) -> None:
    said = {
        ("mini-xception", "a"): result("mini-xception", "a", probabilities={"neutral": 0.25, "sad": 0.75})
    }
    given = [(Subject("a", bytes), ["mini-xception-not-neutral"])]
    ((_, found),) = work.derived(spec, given, lambda *key: said.get(key))
    assert found.scores == (Score("intensity", 0.75, scale_min=0, scale_max=1),)
    assert (found.rater_id, found.face, found.status) == ("mini-xception-not-neutral", FACE, "ok")


def test_a_picture_without_a_face_stays_without_one(spec: models.Spec) -> None:
    said = {("mini-xception", "a"): result("mini-xception", "a", face=None)}
    given = [(Subject("a", bytes), ["mini-xception-not-neutral"])]
    ((_, found),) = work.derived(spec, given, lambda *key: said.get(key))
    assert found.status == "no_face"


def test_settings_of_another_detector_another_reference_or_another_source_are_others(
    spec: models.Spec, folders: list[Path]
) -> None:
    one = spec.settings_hash("mini-xception", None)
    assert one == models.spec(["mini-xception"], "yunet", folders).settings_hash("mini-xception", "any")
    assert one != spec.settings_hash("mini-xception-not-neutral", None)
