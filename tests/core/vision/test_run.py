"""run: one detection for all raters, a result for every picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.errors import StimulusError
from core.records import AiResult, Detection, RaterKey, Score
from core.vision import run
from core.vision.detect import Box, Detector
from core.vision.image import Pixels
from core.vision.models import Models
from core.vision.rater import Declaration, Gives, Opinion
from core.vision.raters import mini_xception as module
from core.vision.run import Task
from core.vision.sight import Sight
from tests.core.vision.test_image import NOISE, encoded


@dataclass
class Brightness:
    """A rater whose answer is known: the mean of the crop."""

    rater_id: str = "brightness"
    batches: list[int] = field(default_factory=list)
    weights_sha256: str = "0" * 64
    refuses: int = -1

    @property
    def declaration(self) -> Declaration:
        gives = (Gives("brightness", "number", units="grey levels", low=0, high=255, zero=0),)
        return replace(module.DECLARATION, rater_id=self.rater_id, gives=gives, weights=())

    def prepare(self, sight: Sight) -> Pixels:
        if sight.image.max() == self.refuses:
            raise StimulusError("too bright\nfor me")
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


@dataclass
class Brighter:
    """A rater that compares, whose answer is known: how much brighter the picture is than its reference."""

    weights_sha256: str = ""
    compared: int = 0

    @property
    def declaration(self) -> Declaration:
        return replace(module.DECLARATION, rater_id="brighter", weights=())

    def compare(self, sight: Sight, reference: Sight) -> Opinion:
        self.compared += 1
        return Opinion((Score("brighter", float(sight.image.mean() - reference.image.mean())),))


def models(detector: Detector, *raters: Any) -> Models:
    by_id: Mapping[str, Any] = {rater.declaration.rater_id: rater for rater in raters}
    keys = {name: RaterKey(name, "1", rater.weights_sha256, "everything") for name, rater in by_id.items()}
    comparing = {name: rater for name, rater in by_id.items() if hasattr(rater, "compare")}
    looking = {name: rater for name, rater in by_id.items() if name not in comparing}
    return Models(keys, detector, looking, comparing, None)


def task(level: int, *raters: str, **given: Any) -> Task:
    return Task(f"{level:064x}", picture(level), raters or ("brightness",), **given)


def look(tasks: Sequence[Task], *raters: Any, detector: Any = None) -> list[AiResult]:
    looked = run.look(models(detector or Everything(), *(raters or (Brightness(),))), tasks)
    return [result for one in looked for result in one.results]


def test_results_come_in_the_order_of_pictures_and_raters() -> None:
    tasks = [task(level, "two", "one") for level in range(1, 8)]
    results = look(tasks, Brightness("one"), Brightness("two"))
    assert [(result.served_sha256, result.rater_id) for result in results] == [
        (one.sha256, rater) for one in tasks for rater in ("two", "one")
    ]
    assert [result.scores[0].value for result in results] == [level for level in range(1, 8) for _ in "12"]


def test_each_picture_is_detected_once_for_all_raters_which_get_one_batch() -> None:
    detector, raters = Everything(), [Brightness("one"), Brightness("two")]
    look([task(level, "one", "two") for level in range(1, 8)], *raters, detector=detector)
    assert detector.calls == 7
    assert raters[0].batches == raters[1].batches == [7]


def test_a_rater_sees_only_the_pictures_that_it_is_wanted_for() -> None:
    one, two = Brightness("one"), Brightness("two")
    results = look([task(1, "one"), task(2, "one", "two"), task(3, "one")], one, two)
    assert [result.rater_id for result in results] == ["one", "one", "two", "one"]
    assert (one.batches, two.batches) == ([3], [1])


def test_a_known_face_is_not_looked_for_again() -> None:
    detector = Everything()
    (first,) = run.look(models(detector, Brightness()), [task(5)])
    (again,) = run.look(models(detector, Brightness()), [task(5, detection=first.detections[0])])
    assert again == first
    assert detector.calls == 1


def test_a_picture_known_to_show_no_face_is_not_even_decoded() -> None:
    known = Detection("a", "everything", "1", "no_face", "everything found no face")
    (result,) = look([Task("a", b"not decoded", ("brightness",), known)])
    assert (result.status, result.reason) == ("no_face", "everything found no face")


def test_a_broken_picture_and_an_empty_one_are_results_and_stop_nothing() -> None:
    missing = StimulusError("there is no such file any more")
    contents = {"a": picture(5), "b": b"broken", "c": picture(0), "d": picture(6), "e": b"", "f": missing}
    results = look([Task(name, content, ("brightness",)) for name, content in contents.items()])
    assert [(r.served_sha256, r.status) for r in results] == [
        *(("a", "ok"), ("b", "unreadable"), ("c", "no_face")),
        *(("d", "ok"), ("e", "unreadable"), ("f", "unreadable")),
    ]
    assert all(bool(r.reason) == (r.status != "ok") == (r.scores == ()) == (r.face is None) for r in results)


def test_a_rater_that_refuses_one_picture_abstains_with_its_reason_in_one_line() -> None:
    results = look([task(1), task(2), task(3)], Brightness(refuses=2))
    assert [result.status for result in results] == ["ok", "abstained", "ok"]
    assert results[1].reason == "too bright for me"
    assert results[1].face is not None


def test_a_batch_without_any_face_calls_no_rater() -> None:
    rater = Brightness()
    assert len(look([task(0), task(0)], rater)) == 2
    assert rater.batches == []


def test_a_picture_is_compared_with_its_reference_which_is_looked_at_once() -> None:
    detector, brighter = Everything(), Brighter()
    neutral = task(10)
    results = look(
        [task(level, "brighter", reference=neutral) for level in (13, 17, 20)], brighter, detector=detector
    )
    assert [result.scores[0].value for result in results] == [3, 7, 10]
    assert (detector.calls, brighter.compared) == (4, 3)


def test_a_comparison_without_a_usable_reference_says_so() -> None:
    alone, blind = look([task(9, "brighter"), task(9, "brighter", reference=task(0))], Brighter())
    assert (alone.status, blind.status) == ("abstained", "abstained")
    assert alone.reason.startswith("no reference is known")
    assert blind.reason == "the reference cannot be used: everything found no face"


def test_a_face_that_the_border_cuts_is_told() -> None:
    @dataclass
    class Beyond(Everything):
        def detect(self, image: Pixels) -> Sequence[Box]:
            return [Box(-2, 0, 6, 12), Box(1, 1, 2, 2)]

    (result,) = look([task(9, "brighter")], Brighter(), detector=Beyond())
    result = replace(result, reason=result.reason.split("; no reference")[0])
    assert result.reason == "largest of 2; cut by the picture's left and bottom border"


def test_a_result_goes_back_into_the_opinion_it_came_from() -> None:
    given = Opinion((Score("x", 0.5),), {"happy": 1.0})
    key = RaterKey("one", "1", "", "everything")
    (looked,) = run.look(models(Everything(), Brightness()), [task(5)])
    assert run.opinion(run.result(key, looked.detections[0], given)) == given


def test_a_picture_of_noise_shows_no_face_to_a_real_detector(yunet: Detector) -> None:
    from PIL import Image

    noise = Task("a", encoded(Image.fromarray(NOISE)), ("brightness",))
    (result,) = look([noise], detector=yunet)
    assert (result.status, result.reason) == ("no_face", "yunet found no face")
