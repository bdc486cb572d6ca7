"""Simulated raters with known parameters: what they answer is planted, so statistics can be held to it.

Nothing here is a finding about people. The planted values only follow the order that one expects of
acted expressions: happiness is pleasant, fear is confused with surprise, a neutral face is calm.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from core import scales
from core.records import Answer, Evidence, Response, Stimulus, Trial
from core.study import Scale, Study

Shares = Mapping[str, float]

# Of the way from a scale's low to its high end, by intended emotion; valence and arousal in the order of
# the circumplex of Russell (1980), Journal of Personality and Social Psychology 39, 1161-1178.
_PLANTED: Mapping[str, Shares] = MappingProxyType(
    {
        "valence": {
            "angry": 0.22,
            "contempt": 0.32,
            "disgust": 0.24,
            "fear": 0.26,
            "happy": 0.85,
            "neutral": 0.5,
            "sad": 0.2,
            "surprise": 0.56,
        },
        "arousal": {
            "angry": 0.74,
            "contempt": 0.42,
            "disgust": 0.56,
            "fear": 0.78,
            "happy": 0.6,
            "neutral": 0.2,
            "sad": 0.32,
            "surprise": 0.8,
        },
        "intensity": {"neutral": 0.12, "happy": 0.7, "surprise": 0.68, "contempt": 0.45},
        "naturalness": {"neutral": 0.75, "happy": 0.66, "fear": 0.46, "disgust": 0.5},
    }
)
_OTHERWISE: Shares = MappingProxyType({"intensity": 0.6, "naturalness": 0.56})
_OF_A_STIMULUS = 0.08  # stimuli of one emotion differ by up to this share of the range

_RECOGNISED: Shares = MappingProxyType(
    {
        "happy": 0.94,
        "neutral": 0.86,
        "surprise": 0.85,
        "angry": 0.8,
        "sad": 0.78,
        "disgust": 0.72,
        "fear": 0.6,
    }
)
_TAKEN_FOR: Mapping[str, str] = MappingProxyType(
    {
        "angry": "disgust",
        "contempt": "neutral",
        "disgust": "angry",
        "fear": "surprise",
        "happy": "surprise",
        "neutral": "sad",
        "sad": "neutral",
        "surprise": "fear",
    }
)


@dataclass(frozen=True, slots=True)
class Rater:
    """One simulated person.

    bias: by scale, added to every rating, in shares of the scale's range.
    gain: how much of the scale is used: 1 as planted, less stays nearer to its middle.
    noise_sd: standard deviation of a single rating, in shares of the range.
    lapse: the probability that a response is a random point or a random option.
    confusion: by intended emotion, the probability of each response code.
    """

    rater_id: str
    bias: Shares
    gain: float
    noise_sd: float
    lapse: float
    confusion: Mapping[str, Shares]


def raters(n: int, *, seed: int, study: Study) -> tuple[Rater, ...]:
    """Draw n raters who differ in bias, use of the scales, noise, attention and recognition.

    The k-th rater of a seed is the same whatever n is.
    """
    return tuple(_rater(k, random.Random(f"{seed}/{k}"), study) for k in range(1, n + 1))


def planted(stimulus: Stimulus, scale_id: str) -> float:
    """What a stimulus truly shows on a scale: the share 0..1 of the way from its low to its high end.

    It depends on the stimulus and the scale alone, so it is the same for every rater and on every run.
    """
    emotion = stimulus.intended_emotion or ""
    centre = _PLANTED.get(scale_id, {}).get(emotion, _OTHERWISE.get(scale_id, 0.5))
    digest = hashlib.sha256(f"{stimulus.stimulus_id}/{scale_id}".encode()).digest()
    return centre + _OF_A_STIMULUS * (2 * int.from_bytes(digest[:6]) / 2**48 - 1)


def rate(rater: Rater, truth: float, scale_id: str, scale: Scale, *, rng: random.Random) -> float:
    """Rate a planted share on a scale: a whole raw point within the scale's bounds."""
    low, high = scales.bounds(scale)
    if rng.random() < rater.lapse:
        return float(rng.randint(round(low), round(high)))
    # A unipolar scale may mean "none" at its high end.
    share = 1 - truth if scale.polarity == "unipolar" and scale.zero == high else truth
    share = 0.5 + rater.gain * (share - 0.5) + rater.bias.get(scale_id, 0.0) + rng.gauss(0, rater.noise_sd)
    return float(min(max(round(low + share * (high - low)), low), high))


def choose(rater: Rater, intended: str | None, options: Sequence[str], *, rng: random.Random) -> str:
    """Choose a response code for an intended emotion; at random where the rater has no row for it."""
    row = rater.confusion.get(intended or "", {})
    weights = [row.get(code, 0.0) for code in options]
    if rng.random() < rater.lapse or not any(weights):
        return rng.choice(list(options))
    return rng.choices(list(options), weights)[0]


def respond(
    rater: Rater, study: Study, trial: Trial, stimuli: Mapping[str, Stimulus], *, rng: random.Random
) -> Answer:
    """Answer every asked scale about the trial's target, in the study's order.

    stimuli: by stimulus_id. A scale that does not apply after the chosen emotion is not touched.
    """
    target = next(shown.stimulus_id for shown in trial.shown if shown.role == "target")
    given: list[tuple[str, float | str | None]] = []
    for scale_id in study.ask:
        chosen = dict(given).get("emotion")
        given.append((scale_id, _given(rater, study, stimuli[target], scale_id, chosen, rng)))
    return Answer(trial.trial_id, 1, _timed(given, rng), _evidence(rng))


def _given(
    rater: Rater,
    study: Study,
    stimulus: Stimulus,
    scale_id: str,
    chosen: float | str | None,
    rng: random.Random,
) -> float | str | None:
    scale = study.scales[scale_id]
    if chosen in scale.not_applicable_after:
        return None
    if scale.kind == "choice":
        return choose(rater, stimulus.intended_emotion, tuple(scale.options), rng=rng)
    return rate(rater, planted(stimulus, scale_id), scale_id, scale, rng=rng)


def _timed(given: Sequence[tuple[str, float | str | None]], rng: random.Random) -> tuple[Response, ...]:
    elapsed_ms = 400.0
    first_ms: list[float | None] = []
    for _, answer in given:
        # Response times are skewed to the right; their logarithm is near normal.
        elapsed_ms += 0 if answer is None else rng.lognormvariate(6.8, 0.45)
        first_ms.append(None if answer is None else round(elapsed_ms, 1))
    submit_ms = round(elapsed_ms + rng.lognormvariate(6.2, 0.4), 1)
    return tuple(
        _response(scale_id, answer, first, submit_ms, rng)
        for (scale_id, answer), first in zip(given, first_ms, strict=True)
    )


def _response(
    scale_id: str, answer: float | str | None, first_ms: float | None, submit_ms: float, rng: random.Random
) -> Response:
    return Response(
        scale_id=scale_id,
        status="not_applicable" if answer is None else "answered",
        value=answer if isinstance(answer, float) else None,
        label=answer if isinstance(answer, str) else None,
        rt_first_ms=first_ms,
        rt_submit_ms=submit_ms,
        n_changes=int(answer is not None and rng.random() < 0.1),
    )


def _evidence(rng: random.Random) -> Evidence:
    decode_ms = round(rng.uniform(2, 12), 1)
    return Evidence(onset_ok=True, decode_ms=decode_ms, input_device="mouse", viewport="1280x800@1")


def _rater(number: int, rng: random.Random, study: Study) -> Rater:
    options = study.scales["emotion"].options if "emotion" in study.scales else {}
    effort = rng.uniform(0.6, 1.4)
    return Rater(
        rater_id=f"simulated-{number:04d}",
        bias={scale_id: rng.gauss(0, 0.06) for scale_id in study.scales},
        gain=min(max(rng.gauss(1, 0.12), 0.6), 1.4),
        noise_sd=rng.uniform(0.06, 0.16),
        lapse=rng.betavariate(1, 40),
        confusion={code: _recognition(code, tuple(options), effort) for code in study.stimuli.emotions},
    )


def _recognition(emotion: str, options: Sequence[str], effort: float) -> Shares:
    """Response probabilities: the emotion itself, the one it is taken for, then all others alike."""
    wrong = min(0.95, effort * (1 - _RECOGNISED.get(emotion, 0.5)))
    taken = _TAKEN_FOR.get(emotion, "")
    weights = {code: wrong / 2 / max(1, len(options)) for code in options}
    if taken in weights:
        weights[taken] += wrong / 2
    if emotion in weights:
        weights[emotion] += 1 - wrong
    total = sum(weights.values())
    return {code: weight / total for code, weight in weights.items()}
