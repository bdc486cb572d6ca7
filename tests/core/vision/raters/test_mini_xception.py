"""mini-Xception as a rater: codes, probabilities, batches, real portraits."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core import codes
from core.vision import detect, image
from core.vision.detect import Detector
from core.vision.rater import Opinion, Rater
from core.vision.raters import mini_xception as module
from core.vision.sight import Sight

CROPS = arrays.arrays(np.uint8, (64, 64, 3))


def values(opinions: Sequence[Opinion]) -> np.ndarray:
    return np.array([[*one.probabilities.values()] for one in opinions])


def test_the_declaration_agrees_with_the_project_codes() -> None:
    (emotion,) = module.DECLARATION.gives
    assert set(emotion.labels) <= set(codes.EMOTIONS)
    assert len(emotion.labels) == 7


@settings(deadline=None, max_examples=25)
@given(crops=st.lists(CROPS, min_size=1, max_size=4))
def test_every_crop_gets_one_consistent_opinion(mini_xception: Rater, crops: list[np.ndarray]) -> None:
    opinions = mini_xception.rate(crops)
    assert len(opinions) == len(crops)
    for opinion in opinions:
        (emotion,) = opinion.scores
        assert tuple(opinion.probabilities) == module.LABELS
        assert sum(opinion.probabilities.values()) == pytest.approx(1, abs=1e-12)
        assert all(0 <= value <= 1 for value in opinion.probabilities.values())
        assert emotion.scale_id == "emotion"
        assert opinion.probabilities[str(emotion.label)] == max(opinion.probabilities.values())


@settings(deadline=None, max_examples=25)
@given(crops=st.lists(CROPS, min_size=2, max_size=6), data=st.data())
def test_permuting_a_batch_permutes_its_opinions(
    mini_xception: Rater, crops: list[np.ndarray], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(crops))))
    permuted = mini_xception.rate([crops[place] for place in order])
    expected = values(mini_xception.rate(crops))[list(order)]
    np.testing.assert_allclose(values(permuted), expected, atol=1e-5, rtol=0)


@settings(deadline=None, max_examples=25)
@given(crops=st.lists(CROPS, min_size=2, max_size=6))
def test_a_batch_says_what_single_crops_say(mini_xception: Rater, crops: list[np.ndarray]) -> None:
    single = [mini_xception.rate([crop])[0] for crop in crops]
    np.testing.assert_allclose(values(mini_xception.rate(crops)), values(single), atol=1e-5, rtol=0)


def test_inputs_are_grey_by_the_luma_weights_and_within_one(rng: np.random.Generator) -> None:
    crop = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    found = module.inputs([crop, crop // 2])
    luma = crop @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as OpenCV documents
    assert found.shape == (2, 1, 64, 64)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0, 0], (luma / 255 - 0.5) * 2, atol=1.01 / 255)  # rounded to a byte


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.mark.parametrize(("name", "at_least"), [("yunet", 6), ("haar", 6)])
def test_real_portraits_of_smiling_people_come_out_happy(
    request: pytest.FixtureRequest, mini_xception: Rater, faces: dict[str, bytes], name: str, at_least: int
) -> None:
    detector: Detector = request.getfixturevalue(name)
    crops = []
    for file, content in faces.items():
        if file != "couple.jpg":
            pixels = image.read(content)
            face = detect.face(pixels, detector)
            assert face is not None, file
            crops.append(mini_xception.prepare(Sight(pixels, face)))
    labels = [opinion.scores[0].label for opinion in mini_xception.rate(crops)]
    assert len(labels) == 9
    assert labels.count("happy") >= at_least, labels


def test_a_crop_without_a_mouth_is_less_happy(
    mini_xception: Rater, yunet: Detector, faces: dict[str, bytes]
) -> None:
    # What the crop shows reaches the network the right way up: covering the smile must matter.
    pixels = image.read(faces["img9.jpg"])
    face = detect.face(pixels, yunet)
    assert face is not None
    crop = mini_xception.prepare(Sight(pixels, face))
    covered = crop.copy()
    covered[38:] = cv2.mean(crop)[0]
    whole, without = mini_xception.rate([crop, covered])
    assert without.probabilities["happy"] < whole.probabilities["happy"] - 0.2
