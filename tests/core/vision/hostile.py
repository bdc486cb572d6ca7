"""A hundred files that a folder of stimuli may hold and that no rater should stumble over."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

GOOD = "ok"  # what becomes of a file: rated, without a face, or unreadable
BLIND = "no_face"
BAD = "unreadable"
Case = tuple[str, bytes, str]


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def cases(portrait: bytes) -> Iterator[Case]:
    """(file name, content, what must become of it) of every case; portrait: a JPEG with one face."""
    yield from _damaged(portrait)
    yield from _false_names(portrait)
    yield from _bombs()
    yield from _modes(portrait)
    yield from _small_and_thin()
    yield from _names(portrait)


def _damaged(portrait: bytes) -> Iterator[Case]:
    png = encoded(Image.open(io.BytesIO(portrait)))
    for share in range(0, 60, 4):
        yield f"cut-{share:02d}.jpg", portrait[: len(portrait) * share // 100], BAD
    for share in range(0, 96, 8):
        yield f"cut-{share:02d}.png", png[: len(png) * share // 100], BAD
    for number in range(5):
        yield f"zeros-{number}.png", bytes(10**number), BAD
    yield "zeros-after-header.jpg", portrait[:20] + bytes(5000), BAD
    yield "zeros-after-header.png", png[:40] + bytes(5000), BAD
    yield "wrong-crc.png", png[:29] + b"\0\0\0\0" + png[33:], BAD


def _false_names(portrait: bytes) -> Iterator[Case]:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    texts = {
        "text": b"not a picture",
        "html": b"<!doctype html><h1>404</h1>",
        "svg": svg,
        "pdf": b"%PDF-1.7\n%%EOF",
        "script": b"#!/bin/sh\nexit 1\n",
        "pickle": b"\x80\x04\x95",
        "elf": b"\x7fELF" + bytes(100),
        "email": b"From: ada@example.org\r\n\r\nsee the picture attached",
        "utf16": "picture".encode("utf-16"),
    }
    for name, content in texts.items():
        yield f"{name}.jpg", content, BAD
        yield f"{name}.png", content, BAD
    yield "jpeg-named.png", portrait, GOOD  # what it is counts, not its name
    yield "jpeg-named.tiff", portrait, GOOD
    yield "JPEG-NAMED.JPG", portrait, GOOD


def _bombs() -> Iterator[Case]:
    yield "bomb-20000.png", bomb(20_000, 20_000), BAD
    yield "bomb-60000.png", bomb(60_000, 60_000), BAD
    yield "bomb-text.png", _with_text(encoded(Image.new("RGB", (8, 8)))), BAD
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(50_000_000))
    yield "zip.png", buffer.getvalue(), BAD
    yield "zip.jpg", buffer.getvalue(), BAD


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it has so many pixels, and has them: one colour compresses to nothing."""
    row = bytes(1 + width // 8)
    squeeze = zlib.compressobj(9)
    data = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _with_text(png: bytes) -> bytes:
    """A picture with a comment that unpacks to 200 MB."""
    text = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200_000_000), 9))
    return png[:33] + text + png[33:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _modes(portrait: bytes) -> Iterator[Case]:
    face = Image.open(io.BytesIO(portrait)).convert("RGB")
    deep = (np.asarray(face.convert("L"), np.uint16) * 257).astype(np.uint16)
    animated = io.BytesIO()
    face.save(animated, "PNG", save_all=True, append_images=[Image.new("RGB", face.size)], duration=100)
    turned = face.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    yield "grey.png", encoded(face.convert("L")), GOOD
    yield "grey-alpha.png", encoded(face.convert("LA")), GOOD
    yield "palette.png", encoded(face.convert("P")), GOOD
    yield "rgba.png", encoded(face.convert("RGBA")), GOOD
    yield "transparent.png", encoded(Image.new("RGBA", (300, 300), (0, 0, 0, 0))), BLIND
    yield "cmyk.jpg", encoded(face.convert("CMYK"), "JPEG"), GOOD
    yield "cmyk.tif", encoded(face.convert("CMYK"), "TIFF"), GOOD
    yield "16-bit.png", encoded(Image.fromarray(deep)), GOOD
    yield "16-bit.tif", encoded(Image.fromarray(deep), "TIFF"), GOOD
    yield "float.tif", encoded(Image.fromarray(deep.astype(np.float32)), "TIFF"), BAD
    yield "one-bit.png", encoded(Image.new("1", (300, 300))), BLIND
    yield "animated.png", animated.getvalue(), GOOD
    yield "exif-turned.jpg", encoded(turned, "JPEG", exif=exif), GOOD
    yield "photo.webp", encoded(face, "WEBP"), GOOD
    yield "photo.bmp", encoded(face, "BMP"), GOOD
    yield "progressive.jpg", encoded(face, "JPEG", progressive=True), GOOD


def _small_and_thin() -> Iterator[Case]:
    sizes = ((1, 1), (2, 1), (1, 2), (3, 3), (15, 15), (1, 3000), (3000, 1), (5, 2000), (16, 16), (31, 1000))
    for width, height in sizes:
        yield f"size-{width}x{height}.png", encoded(Image.new("RGB", (width, height), (90, 120, 60))), BLIND


def _names(portrait: bytes) -> Iterator[Case]:
    names = (
        "얼굴 01.jpg",
        "顔＿怒り.jpg",
        "visage-fâché.jpg",
        "😡.jpg",
        "a" * 240 + ".jpg",
        "with space and, comma.jpg",
        'quote"quote.jpg',
        "new\nline.jpg",
        "=1+1.jpg",
        "%20..jpg",
        "-rf.jpg",
        "https:looks like one.jpg",
    )
    for name in names:
        yield name, portrait, GOOD


def write(folder: Path, portrait: bytes, *, keep: Callable[[str], bool] = lambda _: True) -> dict[str, str]:
    """Write the cases into a folder; what must become of each file."""
    expected = {}
    for name, content, fate in cases(portrait):
        if keep(name):
            (folder / name).write_bytes(content)
            expected[name] = fate
    return expected
