"""A portrait from a person and Action Unit intensities.

Skin is a height field under a soft light; eyes, brows, lips and hair are drawn over it.
The same person and units give the same picture on the same machine.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

from core.faces import anatomy
from core.faces.canvas import Floats, Patch, shade
from core.faces.identity import Identity
from core.faces.parts import beard, body, brows, eyes, glasses, hair, mouth, nose, skin
from core.faces.relief import lit

VERSION = "1.2"

Pixels = npt.NDArray[np.uint8]


def face(who: Identity, action_units: Mapping[int, float], *, size: int = 512) -> Pixels:
    """The portrait of a person with some Action Units (0..1) in action.

    Returns RGB values of shape (size, size, 3).
    """
    return Sitter(who).portrait(action_units, size=size)


class Sitter:
    """A person sitting for several portraits: what expressions do not change is drawn once."""

    def __init__(self, who: Identity) -> None:
        self.who = who
        rest = anatomy.build(who, {})
        rng = np.random.default_rng(who.seed)
        self._texture = skin.texture(rest, rng)
        self._complexion = skin.base_colour(rest, rng)
        back, self._front = hair.build(who)
        self._light = hair.light()
        self._shadow = hair.shadow(self._front)
        self._behind = body.backdrop(who)
        back.over(self._behind, self._light)
        throat = body.neck(self._behind, who)
        self._trunk = throat, body.clothes(self._behind, who, throat)
        body.ears(self._behind, who)

    def portrait(self, action_units: Mapping[int, float], *, size: int = 512) -> Pixels:
        """One portrait; see `face`."""
        form = anatomy.build(self.who, action_units)
        picture = self._behind.copy()
        body.under_chin(picture, form.outline, self._trunk)
        self._skin(picture, form)
        nose.draw(picture, form)
        mouth.draw(picture, form)
        eyes.draw(picture, form)
        brows.draw(picture, form)
        beard.draw(picture, form)
        self._front.over(picture, self._light)
        glasses.draw(picture, form)
        small = cv2.resize(np.clip(picture, 0, 1), (size, size), interpolation=cv2.INTER_AREA)
        return np.round(small * 255).astype(np.uint8)

    def _skin(self, picture: Floats, form: anatomy.Anatomy) -> None:
        relief = skin.relief(form)
        relief.z += relief.cut(self._texture)
        colours = lit(relief.z, skin.colour(form, self._complexion), gloss=skin.gloss(self.who))
        patch = relief.lay(picture, colours, form.outline, 0.006)
        shut = self._shadow[patch.rows, patch.columns] * patch.mask
        shade(picture, Patch(patch.rows, patch.columns, shut), (0.58, 0.45, 0.42))
