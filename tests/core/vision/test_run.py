"""run: one detection for all raters, a result for every picture, bounded reading."""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from core.records import AiResult, Score
from core.vision import run, sources
from core.vision.detect import Box, Detector
from core.vision.image import Pixels
from core.vision.rater import Declaration, Gives, Opinion, Rater
from core.vision.raters import mini_xception as module
from core.vision.sight import Sight
from tests.core.vision.test_image import NOISE, encoded


@dataclass
class Brightness:
    """A rater whose answer is known: the mean of the crop."""

    rater_id: str = "brightness"
    batches: list[int] = field(default_factory=list)
    weights_sha256: str = "0" * 64

    @property
    def declaration(self) -> Declaration:
        gives = (Gives("brightness", "number", units="grey levels", low=0, high=255, zero=0),)
        return replace(module.DECLARATION, rater_id=self.rater_id, gives=gives, weights=())

    def prepare(self, sight: Sight) -> Pixels:
        face = sight.face
        x, y = int(face.x), int(face.y)
        return sight.image[y : y + int(face.height), x : x + int(face.width)]

    def rate(self, crops: Sequence[Pixels]) -> tuple[Opinion, ...]:
        self.batches.append(len(crops))
        return tuple(Opinion((Score("brightness", float(crop.mean())),)) for crop in crops)


@dataclass
class Everything:
    """A detector that takes the whole picture for a face unless it is black, and counts."""

    calls: int = 0
    detector: str = "everything"
    version: str = "1"

    def detect(self, image: Pixels) -> Sequence[Box]:
        self.calls += 1
        return [Box(0, 0, image.shape[1], image.shape[0])] if image.any() else []


def picture(level: int) -> bytes:
    from PIL import Image

    return encoded(Image.new("RGB", (8, 8), (level,) * 3))


def items(count: int) -> list[tuple[str, bytes]]:
    return [(f"{level:064x}", picture(level)) for level in range(1, count + 1)]


def test_results_come_in_the_order_of_pictures_and_raters() -> None:
    raters = [Brightness("one"), Brightness("two")]
    results = list(run.rate(items(7), raters, Everything(), batch=3))
    assert [(result.served_sha256, result.rater_id) for result in results] == [
        (sha256, rater) for sha256, _ in items(7) for rater in ("one", "two")
    ]
    assert [result.scores[0].value for result in results] == [level for level in range(1, 8) for _ in "12"]


def test_each_picture_is_detected_once_for_all_raters() -> None:
    detector, raters = Everything(), [Brightness("one"), Brightness("two")]
    list(run.rate(items(7), raters, detector, batch=3))
    assert detector.calls == 7
    assert raters[0].batches == raters[1].batches == [3, 3, 1]


def test_a_broken_picture_and_an_empty_one_are_results_and_stop_nothing() -> None:
    given = [("a", picture(5)), ("b", b"broken"), ("c", picture(0)), ("d", picture(6)), ("e", b"")]
    results = list(run.rate(given, [Brightness()], Everything()))
    assert [(r.served_sha256, r.status) for r in results] == [
        ("a", "ok"),
        ("b", "unreadable"),
        ("c", "no_face"),
        ("d", "ok"),
        ("e", "unreadable"),
    ]
    assert all(bool(r.reason) == (r.status != "ok") == (r.scores == ()) == (r.face is None) for r in results)
    assert results[2].reason == "everything found no face"


def test_a_batch_without_any_face_calls_no_rater() -> None:
    rater = Brightness()
    assert len(list(run.rate([("a", b""), ("b", b"")], [rater], Everything()))) == 2
    assert rater.batches == []


def test_only_one_batch_is_read_ahead() -> None:
    read = []

    def lazily() -> Iterator[tuple[str, bytes]]:
        for item in items(100):
            read.append(item[0])
            yield item

    results = run.rate(lazily(), [Brightness()], Everything(), batch=4)
    assert read == []
    next(results)
    assert len(read) == 4


def test_nothing_to_rate_gives_no_results() -> None:
    assert list(run.rate([], [Brightness()], Everything())) == []


@pytest.fixture(scope="module")
def results(shared: Path, mini_xception: Rater, yunet: Detector) -> list[AiResult]:
    found = run.rate_files(sources.gather([shared / "faces"]), [mini_xception], yunet)
    return [result for _, result in found]


def test_real_files_give_results_that_can_be_traced(
    shared: Path, results: list[AiResult], yunet: Detector
) -> None:
    files = sorted((shared / "faces").iterdir())
    for path, result in zip(files, results, strict=True):
        assert result.served_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (result.status, result.detector) == ("ok", "yunet")
        assert result.reason == ("largest of 2" if path.name == "couple.jpg" else "")
        assert result.weights_sha256.startswith("59534287")
        assert result.face is not None
        assert result.face.detector_version == yunet.version
        assert result.face.rule == f"largest of {result.face.n_faces}"


def values(results: Sequence[AiResult]) -> np.ndarray:
    return np.array([list(result.probabilities.values()) for result in results])


@pytest.mark.parametrize("batch", [1, 3])
def test_the_size_of_the_batch_changes_no_result(
    shared: Path, mini_xception: Rater, yunet: Detector, results: list[AiResult], batch: int
) -> None:
    found = run.rate_files(sources.gather([shared / "faces"]), [mini_xception], yunet, batch=batch)
    again = [result for _, result in found]
    np.testing.assert_allclose(values(again), values(results), atol=1e-5, rtol=0)
    assert [result.face for result in again] == [result.face for result in results]


def test_a_second_run_gives_the_very_same_results(
    shared: Path, mini_xception: Rater, yunet: Detector, results: list[AiResult]
) -> None:
    found = run.rate_files(sources.gather([shared / "faces"]), [mini_xception], yunet)
    assert [result for _, result in found] == results


def test_reading_files_or_bytes_gives_the_same_results(
    faces: dict[str, bytes], mini_xception: Rater, yunet: Detector, results: list[AiResult]
) -> None:
    given = [(hashlib.sha256(content).hexdigest(), content) for content in faces.values()]
    assert list(run.rate(given, [mini_xception], yunet)) == results


def test_a_file_that_vanished_is_a_result(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(picture(9))
    found = sources.gather([tmp_path])
    (tmp_path / "a.png").unlink()
    (_, gone), (source, there) = run.rate_files(found, [Brightness()], Everything())
    assert (gone.status, gone.served_sha256) == ("unreadable", "")
    assert "no such file" in gone.reason
    assert (source.stim_file, there.status) == ("b.png", "ok")


def test_a_pipe_named_like_a_picture_does_not_block(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "real.png").write_bytes(picture(9))
    found: list[str] = []
    thread = threading.Thread(
        target=lambda: found.extend(
            result.status
            for _, result in run.rate_files(sources.gather([tmp_path]), [Brightness()], Everything())
        ),
        daemon=True,
    )
    thread.start()
    thread.join(20)
    assert found == ["unreadable", "ok"]


def test_a_file_too_long_to_read_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "long.png").open("wb") as file:
        file.truncate(3_000_000_000)  # sparse: takes no space
    ((_, result),) = run.rate_files(sources.gather([tmp_path]), [Brightness()], Everything())
    assert "3000000000 bytes are too many" in result.reason


def test_a_picture_of_noise_shows_no_face_to_a_real_detector(yunet: Detector, mini_xception: Rater) -> None:
    from PIL import Image

    (result,) = run.rate([("a", encoded(Image.fromarray(NOISE)))], [mini_xception], yunet)
    assert (result.status, result.reason) == ("no_face", "yunet found no face")
