"""Hair: sheets of strands between guide curves, a mass behind the head and one in front."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

import cv2
import numpy as np

from core.faces.canvas import CENTRE, SIDE, UNIT, Floats, Strands, along, ellipse, points, spline
from core.faces.identity import Identity

_ALONG = 14  # positions on a strand
_WHITE = np.array([0.58, 0.57, 0.56])
Pairs = tuple[tuple[float, float], ...]


class _Head:
    """One person's hair while it is being drawn: a layer behind the face and one in front."""

    def __init__(self, who: Identity) -> None:
        self.who = who
        self.rng = np.random.default_rng(who.seed + 23)
        self.back, self.front = Strands(), Strands()
        self.tone = np.asarray(who.colours.hair)

    def sheet(
        self,
        *guides: Pairs,
        count: int,
        layer: Strands | None = None,
        span: tuple[float, float] = (0.80, 1.0),
        stray: float = 0.010,
        wave: float = 0.0,
        fill: float = 0.62,
        mirror: bool = False,
    ) -> None:
        """Strands between guides (root to tip); each covers a share `span` of its guide.

        fill: brightness of the mass beneath (0 none); mirror: draw it on the other side instead.
        """
        layer = layer or self.front
        curves = np.stack([spline(points(*guide), _ALONG) for guide in guides])
        if mirror:
            curves = curves * np.array([-1, 1])
        if fill:
            self._mass(layer, curves[:, 1 : _ALONG - 1], fill)
        places = self.rng.uniform(0, 1, count)
        strands = self._strands(curves, places, span, stray, wave)
        self._lay(layer, strands, self.colours(count, places))

    def _mass(self, layer: Strands, curves: Floats, fill: float) -> None:
        edges = [curves[0], curves[1:-1, -1], curves[-1][::-1], curves[1:-1, 0][::-1]]
        layer.fill(np.concatenate(edges), self.aged(fill), 0.012)

    def _strands(
        self, curves: Floats, places: Floats, span: tuple[float, float], stray: float, wave: float
    ) -> Floats:
        padded = np.concatenate([2 * curves[:1] - curves[1:2], curves, 2 * curves[-1:] - curves[-2:-1]])
        # Locks: strands keep apart at the root and gather towards the tip.
        locks = np.round(places * 30 + self.rng.normal(0, 0.12, len(places))) / 30
        s = np.linspace(0, 1, _ALONG)
        whole = along(padded, places * (len(curves) - 1))
        gathered = along(padded, np.clip(locks, 0, 1) * (len(curves) - 1))
        whole = whole + (gathered - whole) * (0.6 * s**1.5)[None, :, None]
        strands: Floats = _parts(whole, *self._spans(len(places), span))
        phase = self.rng.uniform(-0.8, 0.8, (len(places), 2)) + locks[:, None] * 40
        loose = np.where(self.rng.uniform(0, 1, len(places)) < 0.03, 2.6, 1.0)
        drift = self.rng.normal(0, stray, (len(places), 1, 2)) * loose[:, None, None] * s[None, :, None]
        swing = wave * np.sin(s[None, :, None] * 11 + phase[:, None, :]) * s[None, :, None] ** 0.7
        return np.asarray(strands + drift + swing, np.float32)

    def _spans(self, count: int, span: tuple[float, float]) -> tuple[Floats, Floats]:
        length = self.rng.uniform(*span, count)
        start = self.rng.uniform(0, 1, count) * (1 - length)
        return start.astype(np.float32), (start + length).astype(np.float32)

    def _lay(self, layer: Strands, strands: Floats, colours: Floats) -> None:
        """Strands, darker where others cover them, brighter where the head turns to the light."""
        layer.draw(strands, colours)
        for share, gain in ((0.45, 0.74), (0.45, 1.20), (0.15, 1.42)):
            chosen = self.rng.permutation(len(strands))[: int(share * len(strands))]
            start, stop = self._spans(len(chosen), (0.12, 0.40))
            sheen = 0.04 * max(gain - 1, 0)
            layer.draw(_parts(strands[chosen], start, stop), colours[chosen] * gain + sheen)

    def colours(self, count: int, places: Floats | None = None) -> Floats:
        """A colour for each hair, with streaks that follow the locks."""
        streak = 0.0 if places is None else 0.12 * np.sin(places * 71) + 0.08 * np.sin(places * 173 + 1)
        light = np.clip(0.95 + streak + self.rng.normal(0, 0.14, count), 0.6, 1.4)[:, None]
        grey = self.who.looks.grey
        share = np.clip(self.rng.normal(grey, 0.22, (count, 1)), 0, 1) if grey else 0.0
        tones = (self.tone + (_WHITE - self.tone) * share) * light
        return np.asarray(np.clip(tones, 0, 1), np.float32)

    def aged(self, factor: float) -> Floats:
        """The mean colour of the hair at a brightness."""
        return np.asarray((self.tone + (_WHITE - self.tone) * self.who.looks.grey) * factor, np.float32)

    def curls(self, layer: Strands, centres: Floats, size: float) -> None:
        """Small ringlets at the given places."""
        count = len(centres)
        turn = np.linspace(0, 1, _ALONG)[None, :]
        begin = self.rng.uniform(0, 2 * np.pi, (count, 1))
        way = self.rng.choice([-1.0, 1.0], (count, 1))
        radius = size * self.rng.uniform(0.6, 1.3, (count, 1)) * (1 - 0.5 * turn)
        angle = begin + way * turn * self.rng.uniform(3.5, 6.5, (count, 1))
        loops = centres[:, None, :] + np.stack([np.cos(angle), np.sin(angle) * 0.9], -1) * radius[..., None]
        colours = self.colours(count)
        layer.draw(loops + points((0.006, 0.010)), colours * 0.45, 2)
        layer.draw(loops, colours * 1.15 + 0.008)
        # The upper left of each ringlet catches the light.
        lit = _parts(loops, *self._spans(count, (0.15, 0.3)))
        up = (lit.mean(1) - centres) @ np.array([-0.7, -0.7]) > 0.15 * size
        layer.draw(lit[up], colours[up] * 1.7 + 0.028)


def _parts(strands: Floats, start: Floats, stop: Floats) -> Floats:
    """Each strand from one share of its length to another, with the same number of positions."""
    s = np.linspace(0, 1, _ALONG)
    where = (start[:, None] + (stop - start)[:, None] * s) * (_ALONG - 1)
    low = np.clip(where.astype(int), 0, _ALONG - 2)
    rest = (where - low)[..., None]
    rows = np.arange(len(strands))[:, None]
    return np.asarray(strands[rows, low] * (1 - rest) + strands[rows, low + 1] * rest, np.float32)


def _temples(head: _Head, *, low: float, count: int = 1500, fill: float = 0.7, out: float = 1.04) -> None:
    """Short hair over both temples down to `low`."""
    for mirror in (False, True):
        head.sheet(
            ((0.66, -0.98), (0.80, -0.72), (0.865, -0.42), (0.90, low)),
            ((0.76, -1.10), (0.92, -0.80), (0.950, -0.42), (0.955, low - 0.02)),
            ((0.80, -1.24), (out - 0.04, -0.88), (out, -0.45), (out - 0.05, low - 0.14)),
            count=count,
            span=(0.12, 0.30),
            fill=fill,
            stray=0.014,
            mirror=mirror,
        )


def _short(head: _Head) -> None:
    _temples(head, low=0.02)
    head.sheet(
        ((-0.50, -0.97), (-0.64, -0.98), (-0.78, -0.80), (-0.86, -0.55)),
        ((-0.52, -1.22), (-0.76, -1.20), (-0.93, -0.94), (-0.97, -0.58)),
        ((-0.48, -1.52), (-0.76, -1.46), (-0.99, -1.10), (-1.04, -0.66)),
        count=1300,
    )
    head.sheet(
        ((-0.52, -0.96), (-0.22, -1.02), (0.24, -1.01), (0.68, -0.92), (0.84, -0.66)),
        ((-0.52, -1.10), (-0.18, -1.32), (0.36, -1.30), (0.80, -1.04), (0.93, -0.70)),
        ((-0.50, -1.32), (-0.12, -1.56), (0.46, -1.50), (0.88, -1.14), (0.99, -0.72)),
        ((-0.48, -1.54), (-0.04, -1.76), (0.58, -1.62), (0.94, -1.18), (1.04, -0.74)),
        count=2800,
        stray=0.014,
    )


def _quiff(head: _Head) -> None:
    _temples(head, low=-0.02, fill=0.6, out=1.0)
    head.sheet(
        ((-0.80, -0.74), (-0.91, -0.98), (-0.94, -1.18), (-0.82, -1.38)),
        ((-0.62, -0.92), (-0.76, -1.24), (-0.72, -1.48), (-0.50, -1.64)),
        ((-0.28, -0.98), (-0.44, -1.36), (-0.32, -1.70), (0.02, -1.80)),
        ((0.12, -0.98), (0.02, -1.42), (0.20, -1.76), (0.50, -1.74)),
        ((0.50, -0.95), (0.50, -1.32), (0.62, -1.56), (0.80, -1.48)),
        ((0.80, -0.74), (0.90, -1.00), (0.95, -1.18), (0.90, -1.30)),
        count=3400,
        stray=0.018,
    )


def _crop(head: _Head) -> None:
    _temples(head, low=0.0, count=2400, fill=0.8, out=0.995)
    head.sheet(
        ((-0.80, -0.72), (-0.90, -0.95), (-0.90, -1.14), (-0.80, -1.28)),
        ((-0.62, -0.88), (-0.70, -1.14), (-0.66, -1.36), (-0.52, -1.50)),
        ((-0.22, -0.95), (-0.26, -1.26), (-0.22, -1.48), (-0.14, -1.635)),
        ((0.22, -0.95), (0.26, -1.26), (0.22, -1.48), (0.14, -1.635)),
        ((0.62, -0.88), (0.70, -1.14), (0.66, -1.36), (0.52, -1.50)),
        ((0.80, -0.72), (0.90, -0.95), (0.90, -1.14), (0.80, -1.28)),
        count=7000,
        span=(0.06, 0.12),
        stray=0.016,
        fill=0.8,
    )


def _receding(head: _Head) -> None:
    for mirror in (False, True):
        head.sheet(
            ((0.80, -0.92), (0.86, -0.62), (0.90, -0.30), (0.91, 0.04)),
            ((0.87, -1.08), (0.97, -0.74), (1.00, -0.34), (0.97, 0.02)),
            ((0.84, -1.20), (1.05, -0.86), (1.09, -0.38), (1.02, -0.06)),
            count=1500,
            span=(0.25, 0.55),
            stray=0.016,
            mirror=mirror,
        )
    head.sheet(
        ((-0.80, -1.16), (-0.46, -1.44), (0.20, -1.50), (0.76, -1.22)),
        ((-0.74, -1.28), (-0.30, -1.61), (0.24, -1.63), (0.74, -1.30)),
        count=260,
        span=(0.3, 0.8),
        stray=0.02,
        fill=0,
    )


def _bald(head: _Head) -> None:
    for mirror in (False, True):
        head.sheet(
            ((0.86, -0.80), (0.90, -0.50), (0.92, -0.25), (0.92, 0.02)),
            ((0.92, -0.90), (0.97, -0.55), (0.98, -0.28), (0.96, 0.0)),
            count=700,
            span=(0.06, 0.12),
            fill=0,
            mirror=mirror,
        )


def _framed(
    head: _Head, *, part: float, low: float, out: float, tuck: float, wave: float, mirror: bool, count: int
) -> None:
    """Hair that falls from a parting past one cheek to `low`; `tuck` draws its tips inwards."""
    p, mid, tip = (-part if mirror else part), 0.45 * low, out - 0.02 - tuck
    head.sheet(
        ((p, -0.96), (p + 0.34, -0.99), (0.74, -0.76), (0.89, -0.22), (0.93, mid), (0.86 - tuck, low - 0.10)),
        ((p, -1.14), (p + 0.42, -1.24), (0.90, -0.90), (1.03, -0.24), (1.06, mid), (0.98 - tuck, low)),
        (
            (p, -1.38),
            (p + 0.46, -1.50),
            (0.99, -1.05),
            (out - 0.06, -0.25),
            (out - 0.02, mid),
            (tip - 0.10, low),
        ),
        ((p, -1.60), (p + 0.40, -1.69), (1.00, -1.28), (out, -0.40), (out + 0.05, mid), (tip, low - 0.05)),
        count=count,
        wave=wave,
        mirror=mirror,
    )


def _behind(head: _Head, *, low: float, out: float) -> None:
    head.sheet(
        ((-0.50, -1.40), (-out + 0.08, -0.8), (-out, 0.2), (-out * 0.90, low)),
        ((0.0, -1.45), (-0.2, -0.8), (-0.2, 0.2), (-0.25, low + 0.04)),
        ((0.0, -1.45), (0.2, -0.8), (0.2, 0.2), (0.25, low + 0.04)),
        ((0.50, -1.40), (out - 0.08, -0.8), (out, 0.2), (out * 0.90, low)),
        count=1100,
        layer=head.back,
        span=(0.95, 1.0),
        fill=0.42,
    )


def _bob(head: _Head) -> None:
    _behind(head, low=1.08, out=1.10)
    for mirror in (True, False):
        _framed(head, part=-0.22, low=1.20, out=1.19, tuck=0.14, wave=0.004, mirror=mirror, count=2600)


def _long(head: _Head) -> None:
    _behind(head, low=2.9, out=1.12)
    for mirror in (False, True):
        _framed(head, part=0.12, low=2.80, out=1.19, tuck=0.06, wave=0.030, mirror=mirror, count=2800)


def _waves(head: _Head) -> None:
    _behind(head, low=0.75, out=1.10)
    for mirror in (True, False):
        _framed(head, part=-0.30, low=0.72, out=1.22, tuck=0.10, wave=0.045, mirror=mirror, count=2600)


def _bun(head: _Head) -> None:
    _knot(head, (0.04, -1.72), 0.33)
    head.sheet(
        ((-0.90, -0.25), (-1.00, -0.72), (-0.88, -1.16), (-0.30, -1.56)),
        ((-0.82, -0.66), (-0.87, -1.00), (-0.64, -1.34), (-0.16, -1.58)),
        ((-0.52, -0.92), (-0.52, -1.18), (-0.34, -1.44), (-0.06, -1.60)),
        ((-0.05, -0.97), (-0.05, -1.22), (0.0, -1.46), (0.04, -1.61)),
        ((0.46, -0.93), (0.48, -1.18), (0.34, -1.44), (0.12, -1.60)),
        ((0.82, -0.66), (0.87, -1.00), (0.66, -1.34), (0.24, -1.58)),
        ((0.90, -0.25), (1.00, -0.72), (0.88, -1.16), (0.36, -1.56)),
        count=4200,
        stray=0.007,
    )


def _knot(head: _Head, centre: tuple[float, float], size: float) -> None:
    """A bun: loops of hair wound across a ball."""
    head.back.fill(ellipse(centre, (size * 1.05, size * 0.88)), head.aged(0.55), 0.01)
    count = 1300
    tilt = head.rng.choice([-0.6, 0.15, 0.9], count) + head.rng.normal(0, 0.18, count)
    bow = head.rng.uniform(-1, 1, count)
    s = np.linspace(-1, 1, _ALONG)[None, :]
    a = s * np.sqrt(1 - (0.9 * bow[:, None]) ** 2)
    b = 0.95 * bow[:, None] * (1 - 0.35 * s**2)
    turned = np.stack(
        [
            a * np.cos(tilt)[:, None] - b * np.sin(tilt)[:, None],
            a * np.sin(tilt)[:, None] + b * np.cos(tilt)[:, None],
        ],
        -1,
    )
    strands = turned * (size * 1.05, size * 0.88) + centre
    head._lay(head.back, strands.astype(np.float32), head.colours(count, bow))


def _curly(head: _Head) -> None:
    reach, middle = np.array([1.36, 1.10]), np.array([0.0, -0.74])
    head.back.fill(ellipse((0, -0.74), (1.33, 1.07)), head.aged(0.42), 0.03)
    spread = head.rng.uniform(-1, 1, (4600, 2))
    head.curls(head.back, (spread[(spread**2).sum(1) < 1.0] * reach + middle).astype(np.float32), 0.062)
    turn = np.linspace(np.pi * 0.98, np.pi * 2.02, 50)
    around = np.stack([np.cos(turn), np.sin(turn)], 1)
    brim = around * (0.90, 0.70) + (0, -0.30)
    crown = around * (1.22, 0.98) + (0, -0.70)
    head.front.fill(np.concatenate([brim, crown[::-1]]), head.aged(0.42), 0.03)
    count = 3400
    place, depth = head.rng.uniform(0, 49, count), head.rng.uniform(0, 1, (count, 1))
    low = np.stack([np.interp(place, range(50), brim[:, i]) for i in (0, 1)], 1)
    high = np.stack([np.interp(place, range(50), crown[:, i]) for i in (0, 1)], 1)
    head.curls(head.front, (low + (high - low) * depth).astype(np.float32), 0.055)


STYLES: Mapping[str, Callable[[_Head], None]] = MappingProxyType(
    {
        "short": _short,
        "quiff": _quiff,
        "crop": _crop,
        "receding": _receding,
        "bald": _bald,
        "bob": _bob,
        "long": _long,
        "waves": _waves,
        "bun": _bun,
        "curly": _curly,
    }
)


def build(who: Identity) -> tuple[Strands, Strands]:
    """The hair behind and in front of the face."""
    head = _Head(who)
    STYLES[who.looks.hair_style](head)
    return head.back, head.front


@cache
def light() -> Floats:
    """How the key light falls over a head of hair, (SIDE, SIDE)."""
    u = (np.arange(SIDE, dtype=np.float32)[None, :] - CENTRE[0]) / UNIT
    v = (np.arange(SIDE, dtype=np.float32)[:, None] - CENTRE[1]) / UNIT
    key = 0.27 * np.exp(-(((u + 0.50) / 0.95) ** 2)) * np.exp(-(((v + 1.15) / 0.75) ** 2))
    round_ = np.hypot(u / 1.02, (v + 0.30) / 1.30)
    band = 0.34 * np.exp(-(((round_ - 0.80) / 0.16) ** 2)) * np.clip(0.62 - 0.55 * u - 0.9 * v, 0, 1)
    edge = 0.20 * np.clip((np.hypot(u / 1.3, (v + 0.3) / 1.6) - 0.72) / 0.35, 0, 1)
    low = 0.06 * np.clip((v - 0.2) / 1.2, 0, 1)
    falls = np.asarray(0.90 + key + band - edge - low - 0.08 * u, np.float32)
    falls.setflags(write=False)
    return falls


def shadow(front: Strands) -> Floats:
    """Where the front hair keeps light from the skin, 0..1."""
    alpha = front.layer[..., 3].astype(np.float32) / 255
    soft = cv2.GaussianBlur(alpha, (0, 0), 0.05 * UNIT)
    move = np.array([[1, 0, 0.035 * UNIT], [0, 1, 0.050 * UNIT]], np.float32)
    return np.asarray(cv2.warpAffine(soft, move, (SIDE, SIDE)), np.float32)
