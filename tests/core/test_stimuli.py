import hashlib
import io
import os
import random
import re
import struct
import tracemalloc
import unicodedata
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from core import manifest, served, stimuli, study
from core.errors import StimulusError, StudyError

DEMO = study.read(Path(__file__).resolve().parents[2] / "assets" / "studies" / "demo.yaml")
SECRET = b"happy-secret"
GREY = "#808080"


def picture(seed: int = 1, mode: str = "RGB", size: tuple[int, int] = (48, 40)) -> Image.Image:
    """Smooth colours that differ in every corner, so that JPEG keeps them and turning shows."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).convert(mode)


def coded(image: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010E] = SECRET.decode()
    return tags.tobytes()


def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def with_metadata(kind: str, orientation: int = 1, **options: object) -> bytes:
    """A picture with every kind of metadata that its format knows, and something after its end."""
    more: dict[str, object] = {"exif": exif(orientation), "icc_profile": profile(), "xmp": SECRET * 9}
    if kind == "JPEG":
        more |= {"comment": SECRET, "quality": 90}
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Title", SECRET.decode())
        text.add_text("Long", SECRET.decode() * 50, zip=True)
        text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
        more = {"exif": more["exif"], "icc_profile": more["icc_profile"], "pnginfo": text, "dpi": (72, 72)}
    if kind == "WEBP":
        more["lossless"] = True
    return coded(picture(), kind, **{**more, **options}) + SECRET


def decoded(content: bytes, *, turned: bool = False) -> np.ndarray:
    """OpenCV's reading: another decoder's plumbing, and it knows EXIF orientation by itself."""
    flag = cv2.IMREAD_COLOR if turned else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    return cv2.imdecode(np.frombuffer(content, np.uint8), flag)


def scan(jpeg: bytes) -> bytes:
    """The coded pixels of a JPEG with one scan."""
    return jpeg[jpeg.index(b"\xff\xda") : jpeg.rindex(b"\xff\xd9") + 2]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_served_copy_has_the_same_pixels_and_no_metadata(kind):
    original = with_metadata(kind)
    assert SECRET in original
    copies = served.copies(original, surround=GREY)
    copy = copies.served.content
    assert copies.original.content == original
    assert copies.served.sha256 == hashlib.sha256(copy).hexdigest()
    assert SECRET not in copy
    assert np.array_equal(decoded(copy), decoded(original))
    with Image.open(io.BytesIO(copy)) as image:
        image.load()
        assert not dict(image.getexif())
        assert not {"comment", "xmp", "Title", "Long", "exif"} & set(image.info)
        assert image.info["icc_profile"] == profile()
        assert image.get_format_mimetype() == copies.served.media_type
    assert (copies.width_px, copies.height_px) == (48, 40)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}]
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_keeps_its_coded_pixels(options, mode):
    original = coded(picture(mode=mode, size=(200, 120)), "JPEG", comment=SECRET, exif=exif(1), **options)
    copy = served.copies(original, surround=GREY).served.content
    assert scan(copy) == scan(original)
    assert len(copy) < len(original)


def test_a_jpeg_coded_as_rgb_keeps_the_marker_that_says_so():
    original = coded(picture(), "JPEG", keep_rgb=True, comment=SECRET)
    assert b"Adobe" in original
    copy = served.copies(original, surround=GREY).served.content
    assert np.array_equal(decoded(copy), decoded(original))


def test_a_thumbnail_in_a_jpeg_header_is_removed():
    plain = coded(picture(), "JPEG")
    (length,) = struct.unpack_from(">H", plain, 4)
    thumbnail = SECRET[:12]
    head = (
        plain[4:6].replace(plain[4:6], struct.pack(">H", length + 12)) + plain[6:18] + b"\x02\x02" + thumbnail
    )
    original = plain[:4] + head + plain[4 + length :]
    copy = served.copies(original, surround=GREY).served.content
    assert thumbnail in original
    assert copy == plain


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_copy_of_a_clean_file_is_the_file_itself_and_a_copy_of_a_copy_the_copy(kind):
    clean = coded(picture(), kind)
    assert served.copies(clean, surround=GREY).served.content == clean
    copy = served.copies(with_metadata(kind), surround=GREY).served.content
    assert served.copies(copy, surround=GREY).served.content == copy


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_orientation_is_applied_as_opencv_applies_it(kind, orientation):
    original = coded(picture(), "JPEG", exif=exif(orientation), quality=95)
    expected = decoded(original, turned=True)
    if kind != "JPEG":
        original = coded(Image.open(io.BytesIO(original)), kind, exif=exif(orientation), lossless=True)
    copies = served.copies(original, surround=GREY)
    copy = decoded(copies.served.content, turned=True)
    assert copy.shape == expected.shape == (copies.height_px, copies.width_px, 3)
    # Coded once more: off by a few of 255 levels at most. Without loss where the format allows it.
    tolerance = 8 if kind == "JPEG" and orientation > 1 else 0
    assert np.abs(copy.astype(int) - expected.astype(int)).max() <= tolerance
    assert SECRET not in copies.served.content


@pytest.mark.parametrize("orientation", [0, 9, 255])
def test_an_orientation_that_does_not_exist_is_none(orientation):
    original = coded(picture(), "JPEG", exif=exif(orientation))
    assert scan(served.copies(original, surround=GREY).served.content) == scan(original)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_is_laid_over_the_surround(kind):
    image = picture(mode="RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    original = coded(image, kind, lossless=True)
    copies = served.copies(original, surround="#2040c0")
    # The "over" operator of Porter & Duff (1984), in floating point.
    with Image.open(io.BytesIO(original)) as opened:
        rgba = np.asarray(opened.convert("RGBA"), float)
    alpha = rgba[..., 3:] / 255
    expected = rgba[..., :3] * alpha + np.array([0x20, 0x40, 0xC0]) * (1 - alpha)
    with Image.open(io.BytesIO(copies.served.content)) as copy:
        assert (copy.mode, copy.format) == ("RGB", "PNG")
        assert np.abs(np.asarray(copy, float) - expected).max() <= 1
    assert copies.original.media_type == f"image/{kind.lower()}"
    assert copies.served.media_type == "image/png"


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "LA", "RGBA"])
def test_modes_of_png_are_served_with_the_same_colours(mode):
    original = coded(picture(mode=mode), "PNG")
    copy = served.copies(original, surround=GREY).served.content
    with Image.open(io.BytesIO(original)) as before, Image.open(io.BytesIO(copy)) as after:
        assert before.mode == mode
        assert np.array_equal(np.asarray(before.convert("RGB")), np.asarray(after.convert("RGB")))
        assert not after.has_transparency_data


def test_the_palette_of_a_png_may_be_transparent():
    image = Image.new("P", (10, 10), 1)
    image.putpalette([255, 0, 0, 0, 255, 0])
    copy = served.copies(coded(image, "PNG", transparency=1), surround="#0000ff").served.content
    with Image.open(io.BytesIO(copy)) as opened:
        assert opened.convert("RGB").getpixel((5, 5)) == (0, 0, 255)


def test_a_telephones_jpeg_of_several_pictures_shows_the_first():
    first, second = picture(1), picture(2)
    original = coded(first, "MPO", save_all=True, append_images=[second])
    with Image.open(io.BytesIO(original)) as opened:
        assert opened.format == "MPO"
    copies = served.copies(original, surround=GREY)
    assert np.array_equal(decoded(copies.served.content), decoded(coded(first, "JPEG")))
    assert copies.original.media_type == "image/jpeg"
    assert copies.served.content.count(b"\xff\xd8\xff") == 1


def test_a_profile_name_of_a_png_is_replaced():
    plain = coded(picture(), "PNG", icc_profile=profile())
    start = plain.index(b"iCCP")
    (length,) = struct.unpack_from(">I", plain, start - 4)
    body = SECRET + plain[start + 4 : start + 4 + length].split(b"\0", 1)[1].join([b"\0", b""])
    chunk = struct.pack(">I", len(body)) + b"iCCP" + body + struct.pack(">I", zlib.crc32(b"iCCP" + body))
    original = plain[: start - 4] + chunk + plain[start + 8 + length :]
    copy = served.copies(original, surround=GREY).served.content
    assert SECRET in original
    assert SECRET not in copy
    with Image.open(io.BytesIO(copy)) as opened:
        assert opened.info["icc_profile"] == profile()


def moving(kind: str) -> bytes:
    return coded(picture(1), kind, save_all=True, append_images=[picture(2)], duration=100)


def deep_png(colour_type: int, channels: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = b"".join(b"\0" + bytes(8 * channels * 2) for _ in range(8))
    head = struct.pack(">IIBBBBB", 8, 8, 16, colour_type, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def bomb(width: int, height: int) -> bytes:
    image = bytearray(coded(picture(), "PNG"))
    image[16:24] = struct.pack(">II", width, height)
    image[29:33] = struct.pack(">I", zlib.crc32(bytes(image[12:29])))
    return bytes(image)


REFUSED = {
    "empty": (b"", "empty"),
    "text": (b"hello", "JPEG, PNG or WebP"),
    "gif": (coded(picture(), "GIF"), "JPEG, PNG or WebP"),
    "bmp": (coded(picture(), "BMP"), "JPEG, PNG or WebP"),
    "tiff": (coded(picture(), "TIFF"), "JPEG, PNG or WebP"),
    "cmyk": (coded(picture(mode="CMYK"), "JPEG"), "CMYK"),
    "16 bit grey": (deep_png(0, 1), "16 bits"),
    "16 bit rgb": (deep_png(2, 3), "16 bits"),
    "moving png": (moving("PNG"), "moving"),
    "moving webp": (moving("WEBP"), "moving"),
    "60 megapixels": (bomb(10_000, 6_000), "60 megapixels"),
    "400 megapixels": (bomb(20_000, 20_000), "megapixels"),
    "31 MB": (coded(picture(), "PNG") + bytes(served.MAX_BYTES), "30 MB"),
    **{
        f"half a {kind}": (coded(picture(size=(200, 200)), kind)[:-800], "broken")
        for kind in ("JPEG", "PNG", "WEBP")
    },
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_shown_alike_is_refused_with_a_mend(name):
    content, words = REFUSED[name]
    with pytest.raises(StimulusError, match=words) as caught:
        served.copies(content, surround=GREY)
    assert re.fullmatch(r"found .+; (needed .+; )?.+", str(caught.value))
    assert "\n" not in str(caught.value)


WHOLE = {kind: with_metadata(kind) for kind in ("JPEG", "PNG", "WEBP")}


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(list(WHOLE)), st.data())
def test_damaged_bytes_are_refused_or_served_decodable_without_metadata(kind, data):
    content = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content) - 1))
        content[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    try:
        copies = served.copies(bytes(content), surround=GREY)
    except StimulusError:
        return
    with Image.open(io.BytesIO(copies.served.content)) as image:
        image.load()
        assert image.size == (copies.width_px, copies.height_px)
        assert not {"comment", "xmp", "exif"} & set(image.info)


# Folders


def make(folder: Path, names: list[str], *, start: int = 0) -> None:
    for seed, name in enumerate(names, start):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(seed).save(path)


def with_source(**source: object) -> study.Study:
    emotions = DEMO.stimuli.emotions
    return DEMO.model_copy(
        update={"stimuli": study.StimuliSource(folder="faces", emotions=emotions, **source)}
    )


LISTED = with_source(manifest="manifest.csv")


def gathered(base: Path, *rows: str, encoding: str = "utf-8") -> stimuli.Gathered:
    (base / "faces").mkdir(exist_ok=True)
    (base / "faces" / "manifest.csv").write_text("\n".join(rows) + "\n", encoding=encoding)
    return stimuli.gather(LISTED, base)


HEADER = "file,identity,intended_emotion"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("header", [HEADER, "Stim_File, identity id ,Intended Emotion"])
def test_a_manifest_is_read_with_its_aliases(tmp_path, encoding, header):
    make(tmp_path / "faces", ["a.png", "sub/b.jpg", "c.webp", "unlisted.png"])
    rows = [f"{header},prompt,publishable,Camera", 'a.png,id1,happy,"smile, please",no,X100']
    rows += ["sub\\b.jpg,id1,sad,,yes,", "", "./c.webp,김,neutral"]
    found = gathered(tmp_path, *rows, encoding=encoding)
    assert found.problems == ()
    first, second, third = found.stimuli
    assert (first.stim_file, first.identity_id, first.intended_emotion) == ("a.png", "id1", "happy")
    assert (first.prompt, first.publishable, first.extra) == ("smile, please", False, {"camera": "X100"})
    assert (second.stim_file, second.prompt, second.publishable) == ("sub/b.jpg", None, True)
    assert (third.stim_file, third.identity_id, third.extra) == ("c.webp", "김", {"camera": ""})
    assert (first.width_px, first.height_px, first.rated, first.reference_file) == (48, 40, True, None)


def test_a_stimulus_is_known_by_its_hashes(tmp_path):
    make(tmp_path / "faces", ["a.png"])
    content = with_metadata("PNG")
    (tmp_path / "faces" / "b.png").write_bytes(content)
    found = gathered(tmp_path, HEADER, "a.png,id1,happy", "b.png,id2,sad")
    pictures = {each.sha256: each.content for each in found.pictures()}
    assert len(pictures) == 3  # a is clean: its copy is itself
    for stimulus in found.stimuli:
        original = (tmp_path / "faces" / stimulus.stim_file).read_bytes()
        assert hashlib.sha256(original).hexdigest() == stimulus.stim_sha256
        assert pictures[stimulus.stim_sha256] == original
        assert hashlib.sha256(pictures[stimulus.served_sha256]).hexdigest() == stimulus.served_sha256
        assert stimulus.stimulus_id == stimulus.served_sha256[:12]


def test_a_row_that_cannot_be_used_is_told_and_the_others_load(tmp_path):
    make(tmp_path / "faces", ["a.png", "b.png", "c.png", "d.png", "e.png"])
    (tmp_path / "faces" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nxx")
    found = gathered(
        tmp_path,
        HEADER + ",publishable",
        "a.png,id1,happy,",
        "b.png,id1,hapy,",
        "A.png,id1,sad,",
        "c.png,,sad,",
        ",id1,sad,",
        "a.png,id2,sad,",
        "d.png,id1,sad,maybe",
        "broken.png,id1,sad,",
        "e.png,id1,Sad,,more",
        "../../etc/passwd,id1,sad,",
    )
    assert [each.stim_file for each in found.stimuli] == ["a.png"]
    expected = [
        ("manifest.csv:3: ", "found the emotion 'hapy'", "did you mean 'happy'?"),
        ("manifest.csv:5: ", "no identity", "fill it in"),
        ("manifest.csv:6: ", "no file", "fill it in"),
        ("manifest.csv:8: ", "'maybe'", "yes or no"),
        ("manifest.csv:10: ", "5 cells", "quotes"),
        ("manifest.csv:4: ", "no file 'A.png'", "did you mean 'a.png'?"),
        ("manifest.csv:7: ", "'a.png' again", "manifest.csv:2"),
        ("manifest.csv:11: ", "no file '../../etc/passwd'", "add it"),
        ("manifest.csv:9: broken.png: ", "found", "needed"),
    ]
    for problem, (start, *words) in zip(found.problems, expected, strict=True):
        assert problem.startswith(start)
        assert all(word in problem for word in words), problem


def test_a_reference_without_a_row_is_kept_unrated(tmp_path):
    make(tmp_path / "faces", ["src/1.png", "a.png", "b.png", "n.png", "c.png"])
    found = gathered(
        tmp_path,
        HEADER + ",reference,publishable",
        "a.png,id1,happy,src/1.png,yes",
        "b.png,id1,sad,src/1.png,no",
        "n.png,id2,neutral,,yes",
        "c.png,id2,sad,n.png,yes",
    )
    assert found.problems == ()
    by_file = {each.stim_file: each for each in found.stimuli}
    source = by_file["src/1.png"]
    assert (source.rated, source.intended_emotion, source.identity_id) == (False, None, "id1")
    assert not source.publishable
    assert by_file["a.png"].reference_file == "src/1.png"
    assert by_file["n.png"].rated
    assert len(by_file) == 5


def test_a_reference_that_cannot_be_used_takes_its_edits_with_it(tmp_path):
    make(tmp_path / "faces", [f"{name}.png" for name in "abcdefg"])
    (tmp_path / "faces" / "broken.png").write_bytes(b"x")
    found = gathered(
        tmp_path,
        HEADER + ",reference",
        "a.png,id1,happy,broken.png",
        "b.png,id1,sad,a.png",
        "c.png,id1,sad,",
        "d.png,id1,sad,none.png",
        "e.png,id1,sad,e.png",
        "f.png,id2,sad,c.png",
    )
    assert [each.stim_file for each in found.stimuli] == ["c.png"]
    told = "\n".join(found.problems)
    for words in ("broken.png: found", "a.png: found its reference", "b.png: found its reference"):
        assert words in told
    for words in ("no file 'none.png'", "as its own reference", "of identity 'id1'"):
        assert words in told
    assert len(found.problems) == 6


def test_the_same_picture_twice_is_refused_with_both_names(tmp_path):
    make(tmp_path / "faces", ["a.jpg"])
    Image.open(tmp_path / "faces" / "a.jpg").save(tmp_path / "faces" / "b.png")
    plain = (tmp_path / "faces" / "a.jpg").read_bytes()
    comment = b"\xff\xfe" + struct.pack(">H", len(SECRET) + 2) + SECRET
    (tmp_path / "faces" / "c.jpg").write_bytes(plain[:2] + comment + plain[2:])
    found = gathered(tmp_path, HEADER, "a.jpg,id1,happy", "b.png,id1,sad", "c.jpg,id1,angry")
    # The same pixels in another format are other bytes: only metadata makes no difference.
    assert [each.stim_file for each in found.stimuli] == ["a.jpg", "b.png"]
    (problem,) = found.problems
    assert "c.jpg" in problem
    assert "a.jpg" in problem


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_in_any_script_and_unicode_form_are_found(tmp_path, form):
    make(tmp_path / "faces", [unicodedata.normalize(form, "얼굴/기쁨 が.png")])
    found = gathered(tmp_path, HEADER, "얼굴/기쁨 が.png,id1,happy")
    assert [each.stim_file for each in found.stimuli] == ["얼굴/기쁨 が.png"]
    assert len(list(found.pictures())) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "needed 'file'"),
        (b"file;identity;intended_emotion\n", "semicolons"),
        (b"file,identity\n", "needed 'intended_emotion'; add it"),
        (b"file,identity,intended_emotoin\n", "rename 'intended_emotoin'"),
        (b"file,stim_file,identity,intended_emotion\n", "'file' twice"),
        ("file,identity,intended_emotion\n기쁨.png,a,happy".encode("cp949"), "UTF-8"),
        (b'file,identity,intended_emotion\n"a.png"x,b,happy\n', ":2: "),
        (b"file,identity,intended_emotion\n" + b"x" * 200_000, ":2: "),
    ],
)
def test_a_manifest_that_cannot_be_used_is_an_error(tmp_path, content, words):
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "manifest.csv").write_bytes(content)
    with pytest.raises(StudyError, match=re.escape(words)):
        stimuli.gather(LISTED, tmp_path)


def test_what_is_too_large_is_not_even_read_and_a_pipe_is_no_file(tmp_path):
    make(tmp_path / "faces", ["a.png"])
    with (tmp_path / "faces" / "b.png").open("wb") as file:
        file.truncate(10**12)  # a sparse terabyte
    os.mkfifo(tmp_path / "faces" / "c.png")
    found = gathered(tmp_path, HEADER, "a.png,id1,happy", "b.png,id1,sad", "c.png,id1,angry")
    assert [each.stim_file for each in found.stimuli] == ["a.png"]
    told = "\n".join(found.problems)
    assert "more than 30 MB" in told
    assert "no file 'c.png'" in told


def test_a_missing_folder_or_manifest_is_an_error(tmp_path):
    with pytest.raises(StudyError, match="no such folder"):
        stimuli.gather(LISTED, tmp_path)
    (tmp_path / "faces").mkdir()
    with pytest.raises(StudyError, match="no such manifest"):
        stimuli.gather(LISTED, tmp_path)


def test_a_further_column_that_looks_like_a_known_one_is_told(tmp_path):
    make(tmp_path / "faces", ["a.png"])
    found = gathered(tmp_path, HEADER + ",publishible", "a.png,id1,happy,no")
    (problem,) = found.problems
    assert "did you mean 'publishable'?" in problem
    assert len(found.stimuli) == 1


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("{identity}_{emotion}.png", "id_01_happy.png", ("id_01", "happy", None)),
        ("{identity}_{emotion}_{variant}.png", "id1_sad_v2.png", ("id1", "sad", "v2")),
        ("{emotion}/{identity}.png", "sad/김.png", ("김", "sad", None)),
        ("{identity}_{emotion}", "id1_neutral.JPG", ("id1", "neutral", None)),
        ("face({identity}+{emotion}).png", "face(a.b+angry).png", ("a.b", "angry", None)),
        ("{identity}_{emotion}.png", "happy_1_sad.png", ("happy_1", "sad", None)),
    ],
)
def test_names_are_read_by_a_pattern(pattern, name, expected):
    rows, problems = manifest.from_names([name], pattern, DEMO.stimuli.emotions)
    assert problems == []
    assert [(row.identity, row.emotion, row.variant) for row in rows] == [expected]


def test_a_folder_is_read_by_a_pattern(tmp_path):
    make(
        tmp_path / "faces", ["id1_happy.png", "id1_sad.png", "id1_hapy.png", "portrait.png", "._id1_sad.png"]
    )
    (tmp_path / "faces" / "id1_angry.gif").write_bytes(b"GIF89a")
    (tmp_path / "faces" / "notes.txt").write_text("x", encoding="utf-8")
    found = stimuli.gather(with_source(pattern="{identity}_{emotion}.png"), tmp_path)
    assert [(each.identity_id, each.intended_emotion) for each in found.stimuli] == [
        ("id1", "happy"),
        ("id1", "sad"),
    ]
    told = "\n".join(found.problems)
    assert len(found.problems) == 3
    for words in ("id1_angry.gif: ", "id1_hapy.png: found the emotion 'hapy'", "portrait.png: found a name"):
        assert words in told


def test_a_file_that_changed_meanwhile_is_an_error(tmp_path):
    make(tmp_path / "faces", ["a.png"])
    found = gathered(tmp_path, HEADER, "a.png,id1,happy")
    picture(99).save(tmp_path / "faces" / "a.png")
    with pytest.raises(StimulusError, match=r"a\.png: found other bytes"):
        list(found.pictures())
    (tmp_path / "faces" / "a.png").unlink()
    with pytest.raises(StimulusError, match="readable"):
        list(found.pictures())


def test_pictures_are_read_one_at_a_time(tmp_path):
    (tmp_path / "faces").mkdir()
    rng = random.Random(1)
    size = (300, 300)
    for n in range(40):
        Image.frombytes("RGB", size, rng.randbytes(270_000)).save(tmp_path / "faces" / f"{n}.png")
    rows = [f"{n}.png,id{n},happy" for n in range(40)]
    tracemalloc.start()
    found = gathered(tmp_path, HEADER, *rows)
    total = sum(len(each.content) for each in found.pictures())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total > 40 * 270_000
    assert peak < total / 4  # a few pictures with their copies, not all forty


def test_real_portraits_are_gathered(tmp_path, shared):
    (tmp_path / "faces").symlink_to(shared / "faces")
    study_file = with_source(pattern="{identity}_{emotion}.png")
    found = stimuli.gather(study_file, tmp_path)
    assert found.stimuli == ()
    assert found.problems
    for path in sorted((shared / "faces").iterdir()):
        content = path.read_bytes()
        copies = served.copies(content, surround=GREY)
        copy = decoded(copies.served.content, turned=True)
        assert np.array_equal(copy, decoded(content, turned=True)), path.name


def test_the_documentation_has_a_row_for_each_column_of_a_manifest():
    text = (Path(__file__).resolve().parents[2] / "docs" / "studies.md").read_text(encoding="utf-8")
    table = text.split("### The manifest")[1].split("\n### ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (yes|no) \|", table, flags=re.MULTILINE))
    assert rows == {**dict.fromkeys(manifest.REQUIRED, "yes"), **dict.fromkeys(manifest.OPTIONAL, "no")}
