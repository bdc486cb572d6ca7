"""image: every picture becomes upright opaque RGB of 8 bits, or one clear line."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.errors import StimulusError
from core.vision import image

RNG = np.random.default_rng(1)
NOISE = RNG.integers(0, 256, (24, 32, 3), dtype=np.uint8)


def encoded(picture: Image.Image, format_: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format_, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp", ".tiff", ".jpg"])
def test_pixels_equal_those_that_opencv_decodes(suffix: str) -> None:
    content = cv2.imencode(suffix, cv2.cvtColor(NOISE, cv2.COLOR_RGB2BGR))[1].tobytes()
    oracle = cv2.cvtColor(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    read = image.read(content)
    assert read.shape == (24, 32, 3)
    assert read.dtype == np.uint8
    # Two JPEG or WebP decoders may differ in the last bits of the colour conversion.
    assert np.abs(read.astype(int) - oracle).max() <= (2 if suffix in {".jpg", ".webp"} else 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied_as_opencv_applies_it(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    smooth = cv2.GaussianBlur(NOISE, (0, 0), 3)
    content = encoded(Image.fromarray(smooth), "JPEG", exif=exif, quality=95)
    oracle = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(image.read(content).astype(int) - cv2.cvtColor(oracle, cv2.COLOR_BGR2RGB)).max() <= 2


def test_grey_becomes_three_equal_channels() -> None:
    read = image.read(encoded(Image.fromarray(NOISE[..., 0])))
    assert all(np.array_equal(read[..., channel], NOISE[..., 0]) for channel in range(3))


@pytest.mark.parametrize("colour", [True, False])
def test_sixteen_bits_are_scaled_not_clipped(colour: bool) -> None:
    deep = RNG.integers(0, 65536, (24, 32, 3) if colour else (24, 32), dtype=np.uint16)
    read = image.read(cv2.imencode(".png", deep[..., ::-1] if colour else deep)[1].tobytes())
    expected = deep / 257 if colour else np.stack([deep / 257] * 3, axis=-1)
    assert np.abs(read - expected).max() <= 1  # rounding, or the upper byte


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparent_pixels_lie_over_mid_grey(mode: str) -> None:
    picture = Image.new("RGBA", (2, 1), (200, 200, 200, 255))
    picture.putpixel((1, 0), (200, 200, 200, 0))
    if mode == "PA":
        picture = picture.quantize(4)
        content = encoded(picture)
    else:
        content = encoded(picture.convert(mode))
    assert image.read(content)[0].tolist() == [[200] * 3, [128] * 3]


def test_half_transparent_pixels_are_half_grey() -> None:
    read = image.read(encoded(Image.new("RGBA", (1, 1), (228, 28, 128, 128))))
    assert read[0, 0].tolist() == pytest.approx([178, 78, 128], abs=1)  # 128 +- 100/2


def test_cmyk_becomes_rgb() -> None:
    read = image.read(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95))
    assert read[4, 4].tolist() == pytest.approx([255, 0, 0], abs=6)  # JPEG's loss


@pytest.mark.parametrize("format_", ["WEBP", "PNG", "TIFF"])
def test_of_several_frames_the_first_is_read(format_: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    content = encoded(frames[0], format_, save_all=True, append_images=frames[1:])
    assert image.read(content)[4, 4].tolist() == pytest.approx([255, 0, 0], abs=4)


def huge_png(side: int) -> bytes:
    """A small file that says it holds side x side pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a picture: 0 bytes"),
        (b"just text", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (encoded(Image.fromarray(NOISE), "GIF"), "not a picture"),
        (encoded(Image.fromarray(NOISE), "JPEG")[:300], "damaged"),
        (encoded(Image.fromarray(NOISE))[:200], "damaged"),
        (huge_png(20_000), "damaged|too many"),
        (huge_png(8_000), "8000 x 8000 pixels are too many; at most 50 million"),
        (b"\0" * (image.MAX_BYTES + 1), "bytes are too many"),
        (encoded(Image.new("F", (4, 4), 0.5), "TIFF"), "32 bits a pixel"),
    ],
)
def test_what_cannot_be_read_gets_one_clear_line(content: bytes, said: str) -> None:
    with pytest.raises(StimulusError, match=said) as error:
        image.read(content)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
@given(data=st.data())
def test_damaged_bytes_give_pixels_or_one_line_and_never_another_error(
    format_: str, data: st.DataObject
) -> None:
    content = bytearray(encoded(Image.fromarray(NOISE), format_))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    said = ""
    try:
        assert image.read(bytes(content)).ndim == 3
    except StimulusError as error:
        said = str(error)
    assert "\n" not in said
