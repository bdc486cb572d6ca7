"""Hair: sheets of strands between guide curves, a mass behind the head and one in front."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import cv2
import numpy as np

from core.faces.canvas import CENTRE, SIDE, UNIT, Floats, Strands, along, ellipse, points, spline
from core.faces.identity import Identity

_ALONG = 18  # positions on a strand
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
        span: tuple[float, float] = (0.85, 1.0),
        stray: float = 0.012,
        wave: float = 0.0,
        fill: float = 0.55,
        mirror: bool = False,
    ) -> None:
        """Strands between guides (root to tip); each covers a share `span` of its guide.

        fill: darkness of the mass beneath (0 none); mirror: draw it on the other side instead.
        """
        layer = layer or self.front
        curves = np.stack([spline(points(*guide), _ALONG) for guide in guides])
        if mirror:
            curves = curves * np.array([-1, 1])
        if fill:
            self._mass(layer, curves, fill)
        strands, places = self._strands(curves, count, span, stray, wave)
        layer.draw(strands, self.colours(count, places), 2)
        self._highlights(layer, strands, places)

    def _mass(self, layer: Strands, curves: Floats, fill: float) -> None:
        edges = [curves[0], curves[1:-1, -1], curves[-1][::-1], curves[1:-1, 0][::-1]]
        layer.fill(np.concatenate(edges), self.aged(fill))

    def _strands(
        self, curves: Floats, count: int, span: tuple[float, float], stray: float, wave: float
    ) -> tuple[Floats, Floats]:
        places = self.rng.uniform(0, 1, count)
        padded = np.concatenate([2 * curves[:1] - curves[1:2], curves, 2 * curves[-1:] - curves[-2:-1]])
        # Locks: strands keep apart at the root and gather towards the tip.
        locks = np.round(places * 26) / 26
        s = np.linspace(0, 1, _ALONG)
        whole = along(padded, places * (len(curves) - 1))
        whole += (along(padded, locks * (len(curves) - 1)) - whole) * (0.55 * s**1.5)[None, :, None]
        length = self.rng.uniform(*span, count)
        start = self.rng.uniform(0, 1, count) * (1 - length)
        where = (start[:, None] + length[:, None] * s) * (_ALONG - 1)
        low = np.clip(where.astype(int), 0, _ALONG - 2)
        rest = (where - low)[..., None]
        rows = np.arange(count)[:, None]
        strands = whole[rows, low] * (1 - rest) + whole[rows, low + 1] * rest
        phase = self.rng.uniform(0, 2 * np.pi, (count, 2)) * 0.35 + locks[:, None] * 40
        drift = self.rng.normal(0, stray, (count, 1, 2)) * s[None, :, None]
        swing = wave * np.sin(s[None, :, None] * 11 + phase[:, None, :]) * s[None, :, None] ** 0.7
        return (strands + drift + swing).astype(np.float32), places.astype(np.float32)

    def colours(self, count: int, places: Floats | None = None) -> Floats:
        """A colour for each hair, with streaks that follow the locks."""
        streak = 0.0 if places is None else 0.13 * np.sin(places * 71) + 0.08 * np.sin(places * 173 + 1)
        light = np.clip(0.95 + streak + self.rng.normal(0, 0.16, count), 0.5, 1.6)
        hair = self.tone * light[:, None] + 0.01
        white = np.array([0.80, 0.79, 0.77]) * np.clip(light, 0.75, 1.15)[:, None]
        aged = self.rng.uniform(0, 1, count) < self.who.looks.grey
        return np.clip(np.where(aged[:, None], white, hair), 0, 1).astype(np.float32)

    def aged(self, factor: float) -> Floats:
        """The mean colour of the hair at a brightness."""
        white = np.array([0.72, 0.71, 0.69])
        return np.asarray((self.tone + (white - self.tone) * 0.8 * self.who.looks.grey) * factor, np.float32)

    def _highlights(self, layer: Strands, strands: Floats, places: Floats) -> None:
        """A sheen where the head turns towards the light."""
        chosen = self.rng.permutation(len(strands))[: len(strands) // 5]
        middle = int(_ALONG * 0.30)
        reach = self.rng.integers(2, 5)
        bright = strands[chosen, middle - reach : middle + reach + 1]
        base = self.aged(1.0)
        shine = np.clip(base * 1.35 + 0.085, 0, 1)
        layer.draw(bright, np.broadcast_to(shine, (len(chosen), 3)), 1)

    def curls(self, layer: Strands, centres: Floats, size: float) -> None:
        """Small ringlets at the given places."""
        count = len(centres)
        turn = np.linspace(0, 1, _ALONG)[None, :]
        begin = self.rng.uniform(0, 2 * np.pi, (count, 1))
        way = self.rng.choice([-1.0, 1.0], (count, 1))
        radius = size * self.rng.uniform(0.6, 1.3, (count, 1)) * (1 - 0.55 * turn)
        angle = begin + way * turn * self.rng.uniform(4, 8, (count, 1))
        loops = np.stack([np.cos(angle), np.sin(angle) * 0.9], -1) * radius[..., None]
        layer.draw(centres[:, None, :] + loops, self.colours(count), 2)


def _temples(head: _Head, *, low: float, count: int = 500, fill: float = 0.6, out: float = 1.05) -> None:
    """Short hair over both temples down to `low`."""
    for mirror in (False, True):
        head.sheet(
            ((0.60, -1.02), (0.79, -0.72), (0.865, -0.42), (0.90, low)),
            ((0.72, -1.20), (0.92, -0.80), (0.955, -0.42), (0.965, low - 0.02)),
            ((0.78, -1.36), (out - 0.03, -0.90), (out, -0.45), (out - 0.05, low - 0.16)),
            count=count,
            span=(0.12, 0.35),
            fill=fill,
            mirror=mirror,
        )


def _short(head: _Head) -> None:
    _temples(head, low=0.02)
    head.sheet(
        ((-0.52, -1.00), (-0.68, -0.97), (-0.80, -0.76), (-0.87, -0.50)),
        ((-0.54, -1.25), (-0.80, -1.18), (-0.96, -0.92), (-0.99, -0.55)),
        ((-0.50, -1.56), (-0.80, -1.44), (-1.02, -1.10), (-1.06, -0.62)),
        count=420,
    )
    head.sheet(
        ((-0.54, -0.98), (-0.20, -1.10), (0.30, -1.08), (0.82, -0.80)),
        ((-0.54, -1.12), (-0.15, -1.38), (0.45, -1.32), (0.92, -0.86)),
        ((-0.52, -1.34), (-0.10, -1.62), (0.52, -1.52), (1.00, -0.88)),
        ((-0.50, -1.58), (0.00, -1.80), (0.66, -1.60), (1.06, -0.84)),
        count=1100,
    )


def _quiff(head: _Head) -> None:
    _temples(head, low=-0.02, fill=0.5)
    head.sheet(
        ((-0.80, -0.72), (-0.96, -1.00), (-1.02, -1.24), (-0.86, -1.46)),
        ((-0.60, -0.95), (-0.76, -1.28), (-0.70, -1.56), (-0.44, -1.70)),
        ((-0.26, -1.02), (-0.40, -1.42), (-0.24, -1.78), (0.08, -1.86)),
        ((0.12, -1.03), (0.06, -1.46), (0.24, -1.80), (0.50, -1.80)),
        ((0.50, -1.00), (0.52, -1.36), (0.66, -1.60), (0.84, -1.54)),
        ((0.82, -0.72), (0.94, -1.02), (1.02, -1.22), (0.98, -1.34)),
        count=1500,
        stray=0.018,
    )


def _crop(head: _Head) -> None:
    _temples(head, low=0.0, count=900, fill=0.62, out=1.01)
    head.sheet(
        ((-0.82, -0.68), (-0.95, -0.95), (-0.98, -1.20), (-0.84, -1.40)),
        ((-0.62, -0.92), (-0.72, -1.20), (-0.66, -1.46), (-0.48, -1.60)),
        ((-0.22, -1.00), (-0.26, -1.30), (-0.20, -1.56), (-0.10, -1.68)),
        ((0.22, -1.00), (0.26, -1.30), (0.20, -1.56), (0.10, -1.68)),
        ((0.62, -0.92), (0.72, -1.20), (0.66, -1.46), (0.48, -1.60)),
        ((0.82, -0.68), (0.95, -0.95), (0.98, -1.20), (0.84, -1.40)),
        count=3200,
        span=(0.10, 0.20),
        stray=0.02,
        fill=0.66,
    )


def _receding(head: _Head) -> None:
    for mirror in (False, True):
        head.sheet(
            ((0.80, -0.98), (0.86, -0.62), (0.90, -0.30), (0.91, 0.04)),
            ((0.86, -1.16), (0.98, -0.74), (1.01, -0.34), (0.98, 0.02)),
            ((0.82, -1.34), (1.08, -0.86), (1.12, -0.38), (1.05, -0.06)),
            count=520,
            span=(0.25, 0.55),
            stray=0.02,
            mirror=mirror,
        )
    head.sheet(
        ((-0.74, -1.26), (-0.40, -1.52), (0.20, -1.55), (0.72, -1.30)),
        ((-0.70, -1.34), (-0.30, -1.64), (0.24, -1.66), (0.72, -1.38)),
        count=70,
        span=(0.5, 0.95),
        fill=0,
    )


def _bald(head: _Head) -> None:
    for mirror in (False, True):
        head.sheet(
            ((0.86, -0.80), (0.90, -0.50), (0.92, -0.25), (0.92, 0.02)),
            ((0.92, -0.90), (0.98, -0.55), (0.99, -0.28), (0.97, 0.0)),
            count=260,
            span=(0.08, 0.18),
            fill=0,
            mirror=mirror,
        )


def _framed(
    head: _Head, *, part: float, low: float, out: float, tuck: float, wave: float, mirror: bool, count: int
) -> None:
    """Hair that falls from a parting past one cheek to `low`; `tuck` draws its tips inwards."""
    p = -part if mirror else part
    head.sheet(
        ((p, -1.02), (p + 0.32, -1.04), (0.76, -0.76), (0.905, -0.20), (0.93, 0.45), (0.93 - tuck, low)),
        (
            (p, -1.20),
            (p + 0.42, -1.26),
            (0.92, -0.90),
            (1.06, -0.22),
            (1.08, 0.45),
            (1.05 - tuck, low + 0.04),
        ),
        (
            (p, -1.42),
            (p + 0.46, -1.50),
            (1.02, -1.05),
            (out - 0.06, -0.25),
            (out - 0.02, 0.45),
            (out - 0.06 - tuck * 0.8, low + 0.03),
        ),
        (
            (p, -1.60),
            (p + 0.46, -1.74),
            (1.06, -1.28),
            (out + 0.02, -0.36),
            (out + 0.04, 0.45),
            (out + 0.02 - tuck * 0.7, low - 0.06),
        ),
        count=count,
        wave=wave,
        mirror=mirror,
    )


def _behind(head: _Head, *, low: float, out: float) -> None:
    head.sheet(
        ((-0.50, -1.45), (-out + 0.05, -0.8), (-out, 0.2), (-out * 0.96, low)),
        ((0.0, -1.5), (-0.2, -0.8), (-0.2, 0.2), (-0.25, low + 0.06)),
        ((0.0, -1.5), (0.2, -0.8), (0.2, 0.2), (0.25, low + 0.06)),
        ((0.50, -1.45), (out - 0.05, -0.8), (out, 0.2), (out * 0.96, low)),
        count=700,
        layer=head.back,
        fill=0.38,
    )


def _bob(head: _Head) -> None:
    _behind(head, low=1.16, out=1.16)
    for mirror in (True, False):
        _framed(head, part=-0.20, low=1.14, out=1.20, tuck=0.13, wave=0.0, mirror=mirror, count=1050)


def _long(head: _Head) -> None:
    _behind(head, low=2.3, out=1.18)
    for mirror in (False, True):
        _framed(head, part=0.10, low=2.35, out=1.20, tuck=-0.05, wave=0.022, mirror=mirror, count=1150)


def _waves(head: _Head) -> None:
    _behind(head, low=0.75, out=1.14)
    for mirror in (True, False):
        _framed(head, part=-0.32, low=0.66, out=1.24, tuck=0.10, wave=0.040, mirror=mirror, count=1000)


def _bun(head: _Head) -> None:
    top = head.front
    knot = (0.06, -1.80)
    head.back.fill(ellipse(knot, (0.36, 0.30)), head.aged(0.5))
    turn = head.rng.uniform(0, 2 * np.pi, (420, 1)) + np.linspace(0, 1.5, _ALONG)[None]
    ring = np.sqrt(head.rng.uniform(0.05, 1, (420, 1)))
    loops = np.stack([knot[0] + 0.37 * ring * np.cos(turn), knot[1] + 0.31 * ring * np.sin(turn)], -1)
    head.back.draw(loops, head.colours(420), 2)
    head.sheet(
        ((-0.90, -0.20), (-1.02, -0.70), (-0.92, -1.18), (-0.30, -1.62)),
        ((-0.84, -0.62), (-0.90, -1.00), (-0.66, -1.38), (-0.16, -1.62)),
        ((-0.52, -0.98), (-0.52, -1.22), (-0.34, -1.48), (-0.06, -1.64)),
        ((-0.05, -1.04), (-0.05, -1.25), (0.0, -1.50), (0.04, -1.64)),
        ((0.46, -1.00), (0.48, -1.24), (0.34, -1.48), (0.12, -1.64)),
        ((0.84, -0.62), (0.90, -1.00), (0.68, -1.38), (0.24, -1.62)),
        ((0.90, -0.20), (1.02, -0.70), (0.92, -1.18), (0.36, -1.62)),
        count=1300,
        layer=top,
        stray=0.008,
    )


def _curly(head: _Head) -> None:
    cloud = ellipse((0, -0.72), (1.42, 1.18))
    head.back.fill(cloud, head.aged(0.42))
    spread = head.rng.uniform(-1, 1, (4200, 2))
    inside = spread[(spread**2).sum(1) < 1.03]
    head.curls(head.back, (inside * (1.42, 1.18) + (0, -0.72)).astype(np.float32), 0.075)
    turn = head.rng.uniform(np.pi * 0.95, np.pi * 2.05, 1900)
    ring = head.rng.uniform(1.0, 1.42, 1900)
    band = np.stack([np.cos(turn) * 0.92 * ring, -0.28 + np.sin(turn) * 0.80 * ring], 1)
    head.curls(head.front, band.astype(np.float32), 0.070)


_STYLES: Mapping[str, Callable[[_Head], None]] = MappingProxyType(
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
    _STYLES[who.looks.hair_style](head)
    return head.back, head.front


def light() -> Floats:
    """How the key light falls over a head of hair, (SIDE, SIDE)."""
    u = (np.arange(SIDE, dtype=np.float32)[None, :] - CENTRE[0]) / UNIT
    v = (np.arange(SIDE, dtype=np.float32)[:, None] - CENTRE[1]) / UNIT
    key = 0.62 * np.exp(-(((u + 0.50) / 0.95) ** 2) - ((v + 1.15) / 0.75) ** 2)
    ring = (
        0.22 * np.exp(-(((np.sqrt((u / 1.0) ** 2 + ((v + 0.2) / 1.25) ** 2) - 0.93) / 0.12) ** 2)) * (v < 0.4)
    )
    edge = 0.20 * np.clip((np.hypot(u / 1.3, (v + 0.3) / 1.6) - 0.8) / 0.3, 0, 1)
    low = 0.22 * np.clip((v - 0.2) / 1.2, 0, 1)
    return np.asarray(0.80 + key + ring * np.clip(0.8 - 0.6 * u, 0.2, 1.4) - edge - low, np.float32)


def shadow(front: Strands) -> Floats:
    """Where the front hair keeps light from the skin, 0..1."""
    alpha = front.layer[..., 3].astype(np.float32) / 255
    soft = cv2.GaussianBlur(alpha, (0, 0), 0.05 * UNIT)
    move = np.array([[1, 0, 0.035 * UNIT], [0, 1, 0.050 * UNIT]], np.float32)
    return np.asarray(cv2.warpAffine(soft, move, (SIDE, SIDE)), np.float32)
