"""Encoded bytes -> RGB pixels, decoded once and safely."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import StimulusError

Pixels = NDArray[np.uint8]  # shape (height, width, 3), RGB

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
MAX_BYTES = 64_000_000
MAX_PIXELS = 50_000_000  # 150 MB decoded; a 45 megapixel camera fits
SURROUND = (128, 128, 128)  # what transparent pixels become: the default surround of a trial


def read(content: bytes) -> Pixels:
    """Decode the first frame as the viewer sees it: upright, opaque, 8 bits a channel.

    The EXIF orientation is applied; transparency lies over mid grey; grey, palette and CMYK
    become RGB; 16 bits are scaled to 8; colour profiles are ignored.
    Raises StimulusError in one line.
    """
    if len(content) > MAX_BYTES:
        raise too_long(len(content))
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            _check_size(picture)
            return np.asarray(_rgb(ImageOps.exif_transpose(picture)))
    except StimulusError:
        raise
    except UnidentifiedImageError as error:
        raise StimulusError(
            f"not a picture: {len(content)} bytes that are none of {', '.join(FORMATS)}"
        ) from error
    except Exception as error:
        # On damaged bytes the decoders raise nearly every class there is.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StimulusError(f"the picture is damaged: {reason}") from error


def too_long(size_bytes: int) -> StimulusError:
    """What to say of a file that is too long to be read at all."""
    return StimulusError(f"{size_bytes} bytes are too many; at most {MAX_BYTES} are read")


def _check_size(picture: Image.Image) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise StimulusError(
            f"{picture.width} x {picture.height} pixels are too many; "
            f"at most {MAX_PIXELS // 1_000_000} million are read"
        )


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in {"I", "F"}:
        raise StimulusError("32 bits a pixel have no known white; save the picture with 8 or 16 bits")
    if picture.mode.startswith("I;16"):
        return Image.fromarray(_eight_bits(picture)).convert("RGB")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, (*SURROUND, 255)), layer).convert("RGB")
    return picture.convert("RGB")


def _eight_bits(picture: Image.Image) -> NDArray[np.uint8]:
    # 257 maps 65535 to 255; Pillow's own conversion would clip everything above 255 to white.
    values: NDArray[np.uint16] = np.asarray(picture).astype(np.uint16)
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
