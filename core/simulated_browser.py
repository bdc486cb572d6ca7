"""What a simulated participant's browser tells beside the answers: times, and how it showed the stimulus."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.records import Evidence, Response
from core.study_design import Exposure

APP = "simulated"  # in place of the build of a page's script, since none ran
FRAME_MS = 1000 / 60
OUT_OF_SIGHT = 0.01  # of trials
CHANGED = 0.1  # of answers


@dataclass(frozen=True, slots=True)
class Device:
    """What a participant answers with."""

    input_device: str
    viewport: str


COMPUTER = Device("mouse", "1280x800@1")
PHONE = Device("touch", "390x844@3")


def timed(responses: Sequence[Response], *, grid: bool, rng: random.Random) -> tuple[Response, ...]:
    """Responses with the times at which each was touched, and sent.

    grid: whether the first two were given with one touch. What does not apply is not touched.
    """
    elapsed_ms = 400.0
    touched: list[float | None] = []
    for at, response in enumerate(responses):
        if response.status == "not_applicable":
            touched.append(None)
            continue
        # Response times are skewed to the right; their logarithm is near normal.
        elapsed_ms += 0 if grid and at == 1 else rng.lognormvariate(6.8, 0.45)
        touched.append(round(elapsed_ms, 1))
    submit_ms = round(elapsed_ms + rng.lognormvariate(6.2, 0.4), 1)
    return tuple(
        replace(
            response,
            rt_first_ms=first,
            rt_submit_ms=submit_ms,
            n_changes=int(first is not None and rng.random() < CHANGED),
        )
        for response, first in zip(responses, touched, strict=True)
    )


def evidence(device: Device, exposure: Exposure | None, *, rng: random.Random) -> Evidence:
    """How the stimulus was shown: in time, and nearly always in sight."""
    hidden = int(rng.random() < OUT_OF_SIGHT)
    return Evidence(
        onset_ok=not hidden,
        decode_ms=round(rng.uniform(2, 12), 1),
        paint_ms=round(rng.uniform(1, FRAME_MS), 1),
        shown_ms=None if exposure is None else _shown_ms(exposure, rng),
        frame_sd_ms=round(rng.uniform(0.2, 1.5), 2),
        blur_count=hidden,
        hidden_count=hidden,
        input_device=device.input_device,
        viewport=device.viewport,
        app=APP,
    )


def _shown_ms(exposure: Exposure, rng: random.Random) -> float:
    """Whole frames, as a screen shows them, and what its clock is off."""
    frames = max(1, round(exposure.duration_ms / FRAME_MS))
    return round(frames * FRAME_MS + rng.uniform(-0.3, 0.3), 1)
