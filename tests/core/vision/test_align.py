"""align: the square around a face."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.records import Face
from core.vision import align


def face(x: float, y: float, width: float, height: float) -> Face:
    return Face(x, y, width, height, None, (), "none", "0", "largest of 1", 1)


def ramp(height: int, width: int) -> np.ndarray:
    """Red is the column, green the row."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([columns, rows, 0 * rows], axis=-1).astype(np.uint8)


def test_a_crop_inside_the_picture_is_the_picture_itself() -> None:
    # 40 x 50 at (30, 20): centre (50, 45), side 60, so columns 20..79 and rows 15..74.
    crop = align.square(ramp(120, 120), face(30, 20, 40, 50), scale=1.2, size_px=60)
    assert np.array_equal(crop, ramp(120, 120)[15:75, 20:80])


def test_beyond_the_border_the_outermost_pixels_are_repeated() -> None:
    picture = ramp(100, 100)
    crop = align.square(picture, face(-10, 80, 20, 20), scale=2, size_px=40)
    # centre (0, 90), side 40: columns -20..19, rows 70..109
    columns, rows = np.clip(np.arange(-20, 20), 0, 99), np.clip(np.arange(70, 110), 0, 99)
    assert np.array_equal(crop, picture[np.ix_(rows, columns)])


@pytest.mark.parametrize("size_px", [16, 64, 200])
def test_resizing_keeps_a_linear_ramp_linear(size_px: int) -> None:
    crop = align.square(ramp(200, 200), face(50, 50, 80, 80), scale=1.25, size_px=size_px)
    places = 50 + (np.arange(size_px) + 0.5) * 100 / size_px - 0.5 - 10 + 0
    inner = slice(size_px // 8, -size_px // 8)  # enlarging repeats the crop's own border
    assert np.abs(crop[size_px // 2, inner, 0] - places[inner]).max() <= 1


@given(x=st.floats(-500, 500), y=st.floats(-500, 500), width=st.floats(0.1, 400), height=st.floats(0.1, 400))
def test_any_box_gives_a_square_of_the_wanted_size(x: float, y: float, width: float, height: float) -> None:
    crop = align.square(ramp(60, 90), face(x, y, width, height), scale=1.2, size_px=64)
    assert crop.shape == (64, 64, 3)
    assert crop.dtype == np.uint8


def test_a_bilinear_square_of_whole_pixels_is_the_picture_itself() -> None:
    crop = align.zero_bordered(ramp(120, 120), (50, 45), 60, size_px=60)
    assert np.array_equal(crop, ramp(120, 120)[15:75, 20:80])


def test_a_bilinear_square_agrees_with_opencv_resizing() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8)
    crop = align.zero_bordered(picture, (45, 45), 60, size_px=40)
    expected = cv2.resize(picture[15:75, 15:75], (40, 40), interpolation=cv2.INTER_LINEAR)
    assert np.abs(crop.astype(int) - expected).max() <= 5  # warping places samples on a grid of 1/32 pixel


def test_beyond_the_border_a_bilinear_square_is_black() -> None:
    crop = align.zero_bordered(np.full((50, 50, 3), 200, np.uint8), (50, 10), 40, size_px=40)
    assert (crop[11:, :20] == 200).all()  # columns 30..49 and rows 0.. of the picture
    assert (crop[:9] == 0).all()
    assert (crop[:, 21:] == 0).all()


def test_a_stretched_box_is_the_box_in_the_picture() -> None:
    picture = ramp(100, 100)
    assert np.array_equal(align.stretched(picture, face(20.4, 30, 40, 40), size_px=40), picture[30:70, 20:60])
    cut = align.stretched(picture, face(-20, 90, 60, 30), size_px=32)
    assert np.array_equal(cut, cv2.resize(picture[90:, :40], (32, 32)))


@given(x=st.floats(-500, 500), y=st.floats(-500, 500), width=st.floats(0.1, 400), height=st.floats(0.1, 400))
def test_any_box_can_be_stretched(x: float, y: float, width: float, height: float) -> None:
    crop = align.stretched(ramp(60, 90), face(x, y, width, height), size_px=32)
    assert crop.shape == (32, 32, 3)
