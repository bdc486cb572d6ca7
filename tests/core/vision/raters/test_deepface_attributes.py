"""DeepFace's age, gender and race networks as a rater, on generated weights of the right shape."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import ModelError
from core.vision import deep, deepface_crop
from core.vision.rater import Compute, Rater
from core.vision.raters import deepface_attributes as module
from core.vision.sight import Sight
from tests.core.vision import generated
from tests.core.vision.deepface_oracle import Oracle, oracle

FILES = {"age_model_weights.onnx": 101, "gender_model_weights.onnx": 2, "race_model_single_batch.onnx": 6}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deepface")
    (folder / ".deepface/weights").mkdir(parents=True)
    for file, outputs in FILES.items():
        generated.thin(folder / ".deepface/weights", file, size=224, outputs=outputs, softmax=True)
    return folder


@pytest.fixture(scope="module")
def rater(home: Path) -> Rater:
    return module.build([home / ".deepface/weights" / file for file in FILES], Compute())


@pytest.fixture(scope="module")
def deepface(home: Path) -> Iterator[Oracle]:
    with oracle(home) as opened:
        yield opened


def test_the_labels_are_the_package_s_own_in_its_order() -> None:
    theirs = deep.load("deepface.models.demography.DemographyUtils")
    assert list(module.GENDERS) == [label.lower() for label in theirs.GENDER_LABELS]
    assert list(module.RACES) == theirs.RACE_LABELS


@pytest.mark.parametrize("count", [1, 2, 3])
def test_with_generated_weights_a_batch_equals_deepface_analyze_on_the_same_crops(
    rater: Rater, deepface: Oracle, sights: list[Sight], count: int
) -> None:
    opinions = rater.rate([rater.prepare(sight) for sight in sights[:count]])
    ages = set()
    for sight, opinion in zip(sights[:count], opinions, strict=True):
        crop = deepface_crop.upright(sight.image, sight.face)
        expected = deepface.analyze(crop, None, "age", "gender", "race")
        age, gender, race = opinion.scores
        assert age.value is not None
        assert int(age.value + 1e-4) == expected["age"]  # DeepFace cuts the decimals off
        assert gender.label == expected["dominant_gender"].lower()
        assert race.label == expected["dominant_race"]
        ages.add(age.value)
    assert len(ages) == count


def test_with_generated_weights_ages_stay_within_their_scale(rater: Rater, sights: list[Sight]) -> None:
    black = np.zeros((224, 224, 3), np.float32)
    for opinion in rater.rate([*(rater.prepare(sight) for sight in sights), black, black + 1]):
        age = opinion.scores[0]
        assert age.value is not None
        assert 0 <= age.value <= 100
        assert (age.scale_min, age.scale_max) == (0, 100)


def test_it_warns_before_it_is_used() -> None:
    # The runner never takes a rater with a warning unless it is named.
    assert "neither who somebody is" in module.DECLARATION.warning
    assert "groups come from your manifest" in module.DECLARATION.warning


def test_without_its_weights_it_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="facenorm models fetch deepface-age"):
        module.load([tmp_path], Compute())
