"""anti-spoof: the crops and the verdict of deepface's own code on the same weights, real portraits."""

from pathlib import Path

import numpy as np
import pytest
import torch
from deepface.models.spoofing import FasNetUtils
from deepface.models.spoofing.pytorch import FasNetBackbone
from hypothesis import given
from hypothesis import strategies as st

from core.records import Face
from core.vision import detect, image, weights
from core.vision.detect import Detector
from core.vision.rater import Compute
from core.vision.raters import anti_spoof
from core.vision.sight import Sight

SHARE = st.floats(-0.3, 1.1)
NOISE = np.random.default_rng(2).integers(0, 256, (90, 120, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def rater(folders: list[Path]) -> anti_spoof.Rater:
    return anti_spoof.load(folders, Compute())


@pytest.fixture(scope="module")
def sights(faces: dict[str, bytes], yunet: Detector) -> dict[str, Sight]:
    found = {}
    for name, content in faces.items():
        pixels = image.read(content)
        face = detect.face(pixels, yunet)
        assert face is not None, name
        found[name] = Sight(pixels, face)
    return found


def boxed(x: float, y: float, width: float, height: float) -> Face:
    return Face(x, y, width, height, None, (), "none", "", "largest of 1", 1)


@given(x=SHARE, y=SHARE, width=st.floats(0.02, 1.5), height=st.floats(0.02, 1.5))
@pytest.mark.parametrize("scale", anti_spoof.SCALES)
def test_every_crop_is_that_of_the_authors_code(
    scale: float, x: float, y: float, width: float, height: float
) -> None:
    # Oracle: the authors' crop function as deepface carries it. A box may reach beyond the picture.
    box = (x * 120, y * 90, width * 120, height * 90)
    expected = FasNetUtils.crop(NOISE, box, scale, 80, 80)
    np.testing.assert_array_equal(anti_spoof.crop(NOISE, boxed(*box), scale=scale), expected)


def test_probabilities_are_those_of_deepfaces_pair_of_networks(
    rater: anti_spoof.Rater, sights: dict[str, Sight], folders: list[Path]
) -> None:
    builders = (FasNetBackbone.MiniFASNetV2, FasNetBackbone.MiniFASNetV1SE)
    expected = np.zeros((len(sights), 3))
    for name, build, scale in zip(anti_spoof.NAMES, builders, anti_spoof.SCALES, strict=True):
        network = build(conv6_kernel=(5, 5))
        state = torch.load(weights.need(name, folders), map_location="cpu", weights_only=True)
        network.load_state_dict({key.removeprefix("module."): value for key, value in state.items()})
        network.eval()
        for row, sight in enumerate(sights.values()):
            face, bgr = sight.face, np.ascontiguousarray(sight.image[..., ::-1])
            crop = FasNetUtils.crop(bgr, (face.x, face.y, face.width, face.height), scale, 80, 80)
            with torch.inference_mode():
                logits = network(torch.from_numpy(crop.transpose(2, 0, 1)).float()[None])
            expected[row] += torch.softmax(logits, dim=1).numpy()[0] / 2
    prepared = [rater.prepare(sight) for sight in sights.values()]
    found = rater.probabilities(prepared)
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)
    assert np.ptp(found[:, 1]) > 0.2  # the portraits are not all alike to it
    values = [opinion.scores[0].value for opinion in rater.rate(prepared)]
    np.testing.assert_allclose(values, found[:, 1], atol=1e-12)


def test_a_batch_says_what_single_crops_say(rater: anti_spoof.Rater, sights: dict[str, Sight]) -> None:
    prepared = [rater.prepare(sight) for sight in list(sights.values())[:4]]
    single = np.concatenate([rater.probabilities([one]) for one in prepared])
    np.testing.assert_allclose(rater.probabilities(prepared), single, atol=1e-5, rtol=0)


def test_its_checksum_stands_for_both_files(rater: anti_spoof.Rater) -> None:
    assert len(rater.weights_sha256) == 64
    assert rater.weights_sha256 not in {weights.entry(name).sha256 for name in anti_spoof.NAMES}


def test_it_gives_realism_and_says_that_it_is_a_proxy() -> None:
    (gives,) = anti_spoof.DECLARATION.gives
    assert (gives.scale_id, gives.units, gives.low, gives.high) == ("realism", "P(real)", 0, 1)
    assert "proxy" in anti_spoof.DECLARATION.limits
