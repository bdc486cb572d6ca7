"""Coded pictures without their metadata: the pixels stay as they are coded, nothing is encoded again.

What is kept is what a decoder needs, and the colour profile, which is part of the look:
without it a browser shows the picture in other colours.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

from core.errors import StimulusError

_AFTER_SCAN = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP")
)
_WEBP_KEPT = frozenset((b"VP8X", b"ICCP", b"ALPH", b"VP8 ", b"VP8L"))
_WEBP_METADATA_FLAGS = 0x08 | 0x04  # Exif, XMP


def strip(content: bytes, media_type: str) -> bytes:
    """The picture without metadata and without anything after its end.

    Raises StimulusError when the file's structure is broken.
    """
    parts = {"image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp}[media_type]
    try:
        return b"".join(parts(content))
    except (struct.error, IndexError) as error:
        raise StimulusError(
            "found a broken or truncated file; needed a whole one; export it again"
        ) from error


def _jpeg(content: bytes) -> Iterator[bytes]:
    """Segments of ITU-T T.81, annex B, without APP and COM segments that no decoder needs."""
    yield content[:2]
    position = 2
    while True:
        while content[position + 1] == 0xFF:  # fill bytes
            position += 1
        prefix, marker = content[position : position + 2]
        if prefix != 0xFF:
            raise IndexError
        position += 2
        if marker == 0xD9:
            yield b"\xff\xd9"
            return
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            continue
        (length,) = struct.unpack_from(">H", content, position)
        body = content[position + 2 : position + length]
        position += length
        kept = _jpeg_segment(marker, body)
        if kept is not None:
            yield struct.pack(">BBH", 0xFF, marker, len(kept) + 2) + kept
        if marker == 0xDA:
            end = _AFTER_SCAN.search(content, position)
            if end is None:
                raise IndexError
            yield content[position : end.start()]
            position = end.start()


def _jpeg_segment(marker: int, body: bytes) -> bytes | None:
    if marker == 0xE0 and body.startswith(b"JFIF\0"):
        return body[:12] + b"\0\0"  # without its thumbnail, which may show another picture
    if marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"):
        return body
    if marker == 0xEE and body.startswith(b"Adobe"):
        return body[:12]  # says how colours are coded
    return None if 0xE0 <= marker <= 0xEF or marker == 0xFE else body


def _png(content: bytes) -> Iterator[bytes]:
    """Chunks of the PNG specification that give pixels and colours."""
    yield _PNG_START
    position, name = len(_PNG_START), b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", content, position)
        body = content[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, position + 8 + length)
        position += 12 + length
        if name not in _PNG_KEPT:
            continue
        if zlib.crc32(name + body) != checksum:
            raise StimulusError(
                f"found a damaged {name.decode()} chunk; needed a whole file; export it again"
            )
        if name == b"iCCP":
            body = b"icc" + body[body.index(b"\0") :]  # a profile's name is free text
        yield struct.pack(">I4s", len(body), name) + body + struct.pack(">I", zlib.crc32(name + body))


def _webp(content: bytes) -> Iterator[bytes]:
    """RIFF chunks that give pixels and colours; the flags in VP8X say what is there."""
    kept = b"".join(_webp_chunks(content))
    yield struct.pack("<4sI4s", b"RIFF", len(kept) + 4, b"WEBP") + kept


def _webp_chunks(content: bytes) -> Iterator[bytes]:
    (size,) = struct.unpack_from("<I", content, 4)
    position = 12
    while position + 8 <= min(len(content), size + 8):
        name, length = struct.unpack_from("<4sI", content, position)
        body = content[position + 8 : position + 8 + length]
        if len(body) < length:
            raise IndexError
        position += 8 + length + length % 2
        if name == b"VP8X":
            body = bytes([body[0] & ~_WEBP_METADATA_FLAGS]) + body[1:]
        if name in _WEBP_KEPT:
            yield struct.pack("<4sI", name, length) + body + b"\0" * (length % 2)
