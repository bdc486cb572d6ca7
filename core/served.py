"""The copy of a picture that participants and models see.

JPEG, PNG and WebP with 8 bits a channel, grey or RGB. The copy has the coded pixels of
the original and no metadata, but
- a picture that EXIF says is turned is turned: a JPEG is coded again (quality 95, full
  chroma), others become PNG without loss;
- a picture with transparency is laid over the study's surround and becomes PNG.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import StimulusError
from core.records import Picture
from core.strip import strip

MAX_BYTES = 30_000_000
MAX_PIXELS = 50_000_000
TOO_LARGE = f"found more than {MAX_BYTES // 10**6} MB; needed at most that; make it smaller"
_MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # a JPEG followed by more, as telephones write it: the first is the picture
    "PNG": "image/png",
    "WEBP": "image/webp",
}
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX")
_ORIENTATION = 0x0112
_BROKEN = "found a broken or truncated file; needed a whole one; export it again"


@dataclass(frozen=True, slots=True)
class Copies:
    """The original and the served copy, and the size of the latter."""

    original: Picture
    served: Picture
    width_px: int
    height_px: int


def copies(content: bytes, *, surround: str) -> Copies:
    """Check a picture and make the copy that is served.

    surround: the colour `#rrggbb` that shows through transparent pixels.
    Raises StimulusError (found, needed, mend) for what cannot be shown to everybody alike.
    """
    _check_bytes(content)
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as image:
            _check(image, content)
            media_type = _MEDIA_TYPES[image.format or ""]
            served_type, served = _served(image, content, media_type, surround)
        with Image.open(io.BytesIO(served), formats=("JPEG", "PNG", "WEBP")) as copy:
            copy.load()
            size = copy.size
    except StimulusError:
        raise
    except UnidentifiedImageError as error:
        text = "found no readable JPEG, PNG or WebP picture; needed one of these; save it as PNG"
        raise StimulusError(text) from error
    except Image.DecompressionBombError as error:
        raise StimulusError(_too_many("more than 178")) from error
    except MemoryError as error:
        raise StimulusError("found too large a picture for this machine's memory; make it smaller") from error
    except Exception as error:
        # Pillow's decoders raise many kinds, from struct.error to SyntaxError, on damaged files.
        raise StimulusError(_BROKEN) from error
    return Copies(_picture(media_type, content), _picture(served_type, served), *size)


def _check_bytes(content: bytes) -> None:
    if not content:
        raise StimulusError("found an empty file; needed a picture; export it again")
    if len(content) > MAX_BYTES:
        raise StimulusError(TOO_LARGE)


def _check(image: Image.Image, content: bytes) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise StimulusError(_too_many(f"{image.width * image.height / 1e6:.0f}"))
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise StimulusError("found a moving picture; needed a still one; save one frame of it")
    # Pillow shortens 16 bits to 8 in silence; the PNG header says how many there were.
    deep = image.format == "PNG" and content[24] == 16
    if deep or image.mode not in _MODES:
        found = "16 bits a channel" if deep else f"the colour mode {image.mode}"
        raise StimulusError(
            f"found {found}; needed 8-bit RGB or grey; convert it, since colours would change"
        )


def _served(image: Image.Image, content: bytes, media_type: str, surround: str) -> tuple[str, bytes]:
    turned = image.getexif().get(_ORIENTATION, 1) in range(2, 9)
    if not turned and not image.has_transparency_data:
        return media_type, strip(content, media_type)
    profile = image.info.get("icc_profile")
    copy = ImageOps.exif_transpose(image)
    if copy.has_transparency_data:
        copy = _flat(copy.convert("RGBA"), surround)
    copy.info.clear()  # comments would be written again
    target = io.BytesIO()
    if media_type == "image/jpeg":
        copy.save(target, "JPEG", quality=95, subsampling=0, icc_profile=profile)
        return media_type, target.getvalue()
    copy.save(target, "PNG", icc_profile=profile)
    return "image/png", target.getvalue()


def _flat(image: Image.Image, surround: str) -> Image.Image:
    ground = Image.new("RGBA", image.size, surround)
    return Image.alpha_composite(ground, image).convert("RGB")


def _picture(media_type: str, content: bytes) -> Picture:
    return Picture(hashlib.sha256(content).hexdigest(), media_type, content)


def _too_many(megapixels: str) -> str:
    return f"found {megapixels} megapixels; needed at most {MAX_PIXELS // 10**6}; make it smaller"
