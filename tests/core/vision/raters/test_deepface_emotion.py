"""DeepFace's emotion network as a rater; generated weights in its true architecture stand for the real."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import ModelError
from core.vision import deep, deepface_crop
from core.vision.rater import Compute, Rater
from core.vision.raters import deepface_emotion as module
from core.vision.sight import Sight
from tests.core.vision import generated
from tests.core.vision.deepface_oracle import Oracle, oracle


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deepface")
    (folder / ".deepface/weights").mkdir(parents=True)
    generated.true(folder / ".deepface/weights", "facial_expression_model_weights.onnx")
    return folder


@pytest.fixture(scope="module")
def rater(home: Path) -> Rater:
    return module.load([home / ".deepface/weights"], Compute())


@pytest.fixture(scope="module")
def deepface(home: Path) -> Iterator[Oracle]:
    with oracle(home) as opened:
        yield opened


def test_the_labels_are_the_package_s_own_in_its_order() -> None:
    assert list(module.LABELS) == deep.load("deepface.models.demography.DemographyUtils").EMOTION_LABELS


def test_with_generated_weights_a_batch_equals_deepface_analyze_on_the_same_crops(
    rater: Rater, deepface: Oracle, sights: list[Sight]
) -> None:
    opinions = rater.rate([rater.prepare(sight) for sight in sights])
    for sight, opinion in zip(sights, opinions, strict=True):
        crop = deepface_crop.upright(sight.image, sight.face)
        expected = deepface.analyze(crop, None, "emotion")
        assert opinion.scores[0].label == expected["dominant_emotion"]
        for code, probability in opinion.probabilities.items():
            assert probability == pytest.approx(expected["emotion"][code] / 100, abs=1e-5)


def test_with_generated_weights_it_equals_deepface_analyze_on_the_whole_picture_with_our_face(
    rater: Rater, deepface: Oracle, sights: list[Sight]
) -> None:
    for sight in sights:
        (opinion,) = rater.rate([rater.prepare(sight)])
        expected = deepface.analyze(sight.image, sight.face, "emotion")
        for code, probability in opinion.probabilities.items():
            assert probability == pytest.approx(expected["emotion"][code] / 100, abs=1e-3)


def test_with_generated_weights_probabilities_sum_to_one_and_differ_between_faces(
    rater: Rater, sights: list[Sight]
) -> None:
    first, second, _ = rater.rate([rater.prepare(sight) for sight in sights])
    assert sum(first.probabilities.values()) == pytest.approx(1, abs=1e-12)
    assert tuple(first.probabilities) == module.LABELS
    assert first.probabilities != second.probabilities
    assert first.scores[0].label == max(first.probabilities, key=lambda code: first.probabilities[code])


def test_a_face_is_one_forward_pass_whatever_the_batch(rater: Rater, sights: list[Sight]) -> None:
    calls = []
    inner = rater.client

    class Counting:
        def predict(self, images: np.ndarray) -> np.ndarray:
            calls.append(images.shape)
            return inner.predict(images)

    counted = module.Rater(Counting(), rater.weights_sha256)
    counted.rate([rater.prepare(sight) for sight in sights])
    assert calls == [(3, 224, 224, 3)]


def test_without_its_weights_it_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="facenorm models fetch deepface-emotion"):
        module.load([tmp_path], Compute())
