"""difference: SSIM against OpenCV's own, differences by arithmetic, maps that stay small."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from core.vision import difference, image


def grey(content: bytes) -> np.ndarray:
    return cv2.cvtColor(image.read(content), cv2.COLOR_RGB2GRAY)


@pytest.mark.parametrize("quality", [90, 40, 5])
def test_ssim_is_that_of_opencvs_quality_module(faces: dict[str, bytes], quality: int) -> None:
    # Oracle: cv2.quality.QualitySSIM, which cites the same paper; both blur float64 with the same window.
    one = grey(faces["img5.jpg"])
    coded = cv2.imencode(".jpg", one, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    other = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
    (mean, *_), expected = cv2.quality.QualitySSIM_compute(one, other)
    found = difference.ssim(one, other)
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert found.mean() == pytest.approx(mean, abs=1e-4)
    assert found.mean() < 0.999


def test_ssim_of_a_picture_with_itself_is_one_and_the_order_does_not_matter(faces: dict[str, bytes]) -> None:
    one = grey(faces["img12.jpg"])
    other = 255 - one
    np.testing.assert_allclose(difference.ssim(one, one), 1, atol=1e-9)
    np.testing.assert_allclose(difference.ssim(one, other), difference.ssim(other, one), atol=1e-12)
    assert difference.ssim(one, other).mean() < 0.5


def test_ssim_of_two_constants_is_the_luminance_term() -> None:
    # (2 x y + C1) / (x^2 + y^2 + C1): Wang et al. (2004), equation 6, for pictures without any structure.
    one, other = np.full((20, 20), 100.0), np.full((20, 20), 140.0)
    c1 = (0.01 * 255) ** 2
    expected = (2 * 100 * 140 + c1) / (100**2 + 140**2 + c1)
    np.testing.assert_allclose(difference.ssim(one, other), expected, atol=1e-9)


def test_absolute_is_the_mean_over_the_colours() -> None:
    one = np.zeros((2, 2, 3), np.uint8)
    other = np.array([[[30, 0, 0], [255, 255, 255]], [[0, 0, 0], [10, 20, 30]]], np.uint8)
    assert difference.absolute(one, other).tolist() == [[10, 255], [0, 20]]
    assert difference.absolute(other, one).tolist() == [[10, 255], [0, 20]]


def test_a_map_of_noise_stays_below_its_limit_and_shows_where_it_changed() -> None:
    rng = np.random.default_rng(1)
    reference = rng.integers(0, 256, (1200, 900, 3), dtype=np.uint8)
    inside = np.zeros((1200, 900), bool)
    inside[300:800, 300:600] = True
    noisy = difference.drawn(reference, rng.uniform(0, 255, (1200, 900)), inside)
    assert len(noisy) <= difference.MAP_BYTES
    with Image.open(io.BytesIO(noisy)) as picture:
        assert (picture.format, max(picture.size)) == ("WEBP", difference.MAP_PX)
    levels = np.zeros((1200, 900))
    levels[400:500, 400:500] = 200
    changed = np.asarray(Image.open(io.BytesIO(difference.drawn(reference // 2, levels, inside))), float)
    # In colour where something changed, grey where not.
    spread = changed.max(axis=2) - changed.min(axis=2)
    assert spread[180:205, 180:205].mean() > 60
    assert spread[400:, :].mean() < 15
