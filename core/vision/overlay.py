"""The landmarks drawn on the face, over those of its neutral, and beneath it what moved."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.records import Face
from core.vision import align
from core.vision.action_units import BY_NUMBER, UNITS
from core.vision.image import Pixels
from core.vision.mesh import Mesh, hull

Curve = NDArray[np.float64]  # shape (points, 2), in pixels of the drawing
Colour = tuple[int, int, int]

SIDE_PX = 750  # of the square picture: twice a small phone's width
MARGIN = 1.3  # of the square over the landmarks' longer side
ROW_PX, TEXT_PX, PAD_PX = 46, 28, 20  # at a phone's width letters stand 14 px high
ROWS = 6  # the most units that are named
LEAST = 0.1  # change from which a unit is named
NOW, BEFORE, PANEL, TEXT = (255, 176, 32), (96, 190, 255), (22, 24, 28), (245, 245, 245)
# Corners of the eyes, bridge and sides of the head: expressions hardly move them.
STEADY = (33, 133, 362, 263, 168, 6, 127, 356, 234, 454)


def overlay(image: Pixels, mesh: Mesh, neutral: Mesh | None, changes: Mapping[int, float]) -> bytes:
    """A WebP picture, 750 pixels wide: the face with its landmarks, and a line for each unit that moved.

    neutral: the landmarks of the picture that was edited; they are laid over the face by what
    expressions leave in place. changes: of the units' proxies, by number.
    The words stand below the picture, never on the face.
    """
    box = hull(mesh)
    face = Face(box.x, box.y, box.width, box.height, None, (), "", "", "", 1)
    corner_x, corner_y, side = align.window(face, scale=MARGIN)
    here = (mesh.points[:, :2] - (corner_x, corner_y)) * (SIDE_PX / side)
    there = None if neutral is None else laid(neutral.points[:, :2], here)
    drawn = _mesh(align.square(image, face, scale=MARGIN, size_px=SIDE_PX), here, there)
    return _encoded(_titled(drawn, moved(changes), has_neutral=there is not None))


def moved(changes: Mapping[int, float]) -> list[tuple[int, float]]:
    """The units that changed enough to be named, most first; of those with one proxy the first."""
    named = [
        (number, change)
        for number, change in changes.items()
        if abs(change) >= LEAST and number == _alike(number)[0]
    ]
    return sorted(named, key=lambda one: -abs(one[1]))


def _alike(number: int) -> list[int]:
    """The units that have this one's proxy."""
    return [unit.number for unit in UNITS if unit.shapes == BY_NUMBER[number].shapes]


def _name(number: int) -> str:
    alike = _alike(number)
    return f"AU{'/'.join(map(str, alike))} {' or '.join(BY_NUMBER[one].name for one in alike)}"


def laid(points: Curve, onto: Curve) -> Curve:
    """The points turned, scaled and shifted so that the steady ones lie on those of `onto`."""
    steady, target = (_complex(one[list(STEADY)]) for one in (points, onto))
    sides = np.stack([steady, np.ones_like(steady)], axis=1)
    (turn, shift), *_ = np.linalg.lstsq(sides, target, rcond=None)
    found = _complex(points) * turn + shift
    return np.stack([found.real, found.imag], axis=1)


def _complex(points: Curve) -> NDArray[np.complex128]:
    return np.asarray(points[:, 0] + 1j * points[:, 1], np.complex128)


def _mesh(picture: Pixels, here: Curve, there: Curve | None) -> Pixels:
    """All edges faintly, the contours of features strongly, the neutral's beneath."""
    from mediapipe.tasks.python.vision.face_landmarker import FaceLandmarksConnections as Known

    faint = _lines(picture, here, Known.FACE_LANDMARKS_TESSELATION, (255, 255, 255), 1)
    picture = np.asarray(cv2.addWeighted(faint, 0.28, picture, 0.72, 0), np.uint8)
    contours = Known.FACE_LANDMARKS_CONTOURS
    if there is not None:
        picture = _lines(picture, there, contours, BEFORE, 2)
    return _lines(picture, here, contours, NOW, 2)


def _lines(picture: Pixels, points: Curve, edges: Sequence[object], colour: Colour, width_px: int) -> Pixels:
    drawn, fixed = picture.copy(), np.round(points * 16).astype(int)
    for edge in edges:
        start, end = (fixed[getattr(edge, name)].tolist() for name in ("start", "end"))
        cv2.line(drawn, start, end, colour, width_px, cv2.LINE_AA, 4)
    return drawn


def _titled(drawn: Pixels, found: Sequence[tuple[int, float]], *, has_neutral: bool) -> Image.Image:
    """The picture with its panel of words beneath."""
    shown, left_out = found[:ROWS], len(found[ROWS:])
    rows = 1 + max(len(shown), 1) + bool(left_out)
    whole = Image.new("RGB", (SIDE_PX, SIDE_PX + rows * ROW_PX + PAD_PX), PANEL)
    whole.paste(Image.fromarray(drawn), (0, 0))
    pen, tops = ImageDraw.Draw(whole), range(SIDE_PX + PAD_PX // 2, whole.height, ROW_PX)
    _legend(pen, tops[0], has_neutral=has_neutral)
    for top, (number, change) in zip(tops[1:], shown, strict=False):
        _row(pen, top, _name(number), change)
    if not shown:
        _write(pen, (PAD_PX, tops[1]), f"no unit moved by {LEAST:.2f} or more")
    if left_out:
        _write(pen, (PAD_PX, tops[1 + len(shown)]), f"and {left_out} more")
    return whole


def _legend(pen: ImageDraw.ImageDraw, top: int, *, has_neutral: bool) -> None:
    keys = [("this picture", NOW), *([("neutral", BEFORE)] if has_neutral else [])]
    places = (PAD_PX, SIDE_PX // 3, SIDE_PX - PAD_PX)
    for left, (word, colour) in zip(places, keys, strict=False):
        pen.line([(left, top + ROW_PX // 2), (left + 30, top + ROW_PX // 2)], colour, 6)
        _write(pen, (left + 40, top), word)
    _write(pen, (SIDE_PX - PAD_PX, top), "change of proxies", right=True)


def _row(pen: ImageDraw.ImageDraw, top: int, name: str, change: float) -> None:
    """A unit's name and change, over a bar whose length is the change."""
    colour = NOW if change > 0 else BEFORE
    end = PAD_PX + round(abs(change) * (SIDE_PX - 2 * PAD_PX))
    pen.line([(PAD_PX, top + ROW_PX - 5), (end, top + ROW_PX - 5)], colour, 4)
    _write(pen, (PAD_PX, top), name)
    _write(pen, (SIDE_PX - PAD_PX, top), f"{change:+.2f}", right=True)


def _write(pen: ImageDraw.ImageDraw, place: tuple[int, int], words: str, *, right: bool = False) -> None:
    font = ImageFont.load_default(TEXT_PX)
    pen.text((place[0], place[1] + ROW_PX // 2 - 2), words, TEXT, font, anchor="rm" if right else "lm")


def _encoded(whole: Image.Image) -> bytes:
    content = io.BytesIO()
    whole.save(content, "WEBP", quality=82, method=4)
    return content.getvalue()
