"""Simulated raters with known parameters: what they answer is planted, so statistics can be held to it.

Nothing here is a finding about people: core.planted says what is planted in the stimuli.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core import planted, scales, tasks
from core import simulated_browser as browser
from core.answers import not_applicable
from core.design_rules import PAIRS
from core.planted import Shares
from core.records import Answer, Expected, Response, Stimulus, Trial
from core.simulated_browser import COMPUTER, PHONE, Device
from core.study import Scale, Study
from core.study_design import Question
from core.study_rules import EMOTION

ON_A_PHONE = 0.3  # of raters
ADULT = (18, 75)  # ages in years


@dataclass(frozen=True, slots=True)
class Rater:
    """One simulated person.

    bias: by scale, added to every rating, in shares of the scale's range.
    gain: how much of the scale is used: 1 as planted, less stays nearer to its middle.
    noise_sd: standard deviation of a single rating, in shares of the range.
    lapse: the probability that a response is a random point or a random option, and that a check is not read.
    confusion: by intended emotion, the probability of each response code.
    stability: how much of a rating comes back when the rater sees the stimulus again: the share of the
        noise's variance that does, and the probability that a choice is the one this rater always makes.
    cannot_tell: the probability of saying so, where the scale allows it.
    taste: what this rater always finds in a stimulus follows from it.
    """

    rater_id: str
    bias: Shares
    gain: float
    noise_sd: float
    lapse: float
    confusion: Mapping[str, Shares]
    stability: float = 0.0
    cannot_tell: float = 0.0
    taste: str = ""
    device: Device = COMPUTER


def raters(n: int, *, seed: int, study: Study) -> tuple[Rater, ...]:
    """Draw n raters who differ in bias, use of the scales, noise, attention and recognition.

    The k-th rater of a seed is the same whatever n is.
    """
    return tuple(_rater(f"{seed}/{k}", k, study) for k in range(1, n + 1))


def rate(
    rater: Rater, truth: float, scale_id: str, scale: Scale, *, rng: random.Random, about: str = ""
) -> float:
    """Rate a planted share on a scale: a whole raw point within the scale's bounds.

    about: names what is rated, for what comes back when it is rated again.
    """
    low, high = scales.bounds(scale)
    if rng.random() < rater.lapse:
        return float(rng.randint(round(low), round(high)))
    # A unipolar scale may mean "none" at its high end.
    share = 1 - truth if scale.polarity == "unipolar" and scale.zero == high else truth
    lasting = _lasting(rater, about, scale_id).gauss(0, math.sqrt(rater.stability))
    noise = rater.noise_sd * (lasting + rng.gauss(0, math.sqrt(1 - rater.stability)))
    share = 0.5 + rater.gain * (share - 0.5) + rater.bias.get(scale_id, 0.0) + noise
    return float(min(max(round(low + share * (high - low)), low), high))


def choose(
    rater: Rater, intended: str | None, options: Sequence[str], *, rng: random.Random, about: str = ""
) -> str:
    """Choose a response code for an intended emotion; at random where the rater has no row for it.

    about: names what is rated, for the choice that the rater always makes of it.
    """
    row = rater.confusion.get(intended or "", {})
    weights = [row.get(code, 0.0) for code in options]
    if rng.random() < rater.lapse or not any(weights):
        return rng.choice(list(options))
    source = _lasting(rater, about, "choice") if rng.random() < rater.stability else rng
    return source.choices(list(options), weights)[0]


def respond(
    rater: Rater, study: Study, trial: Trial, stimuli: Mapping[str, Stimulus], *, rng: random.Random
) -> Answer:
    """Answer every scale that a trial asks, in the order of its task set.

    stimuli: by stimulus_id. A scale that does not apply after the chosen emotion is not touched.
    """
    given: list[Response] = []
    for scale_id, scale in tasks.asked_in(study, trial):
        chosen = next((one for one in given if one.scale_id == EMOTION), None)
        if not_applicable(scale, chosen):
            given.append(Response(scale_id, "not_applicable"))
        else:
            given.append(_given(rater, (scale_id, scale), trial, stimuli, rng))
    responses = browser.timed(given, grid=_is_grid(study, trial) and len(given) > 1, rng=rng)
    evidence = browser.evidence(rater.device, study.display.exposure, rng=rng)
    return Answer(trial.trial_id, 1, responses, evidence)


def said(asked: Sequence[Question], *, rng: random.Random) -> dict[str, str | None]:
    """Answer questions outside the trials at random, as they are typed; texts only where they must be."""
    return {field: text for question in asked for field, text in _fields(question, rng)}


def _given(
    rater: Rater,
    asked: tuple[str, Scale],
    trial: Trial,
    stimuli: Mapping[str, Stimulus],
    rng: random.Random,
) -> Response:
    scale_id, scale = asked
    shown = {one.role: stimuli[one.stimulus_id] for one in trial.shown}
    expected = trial.expected if trial.expected and trial.expected.scale_id == scale_id else None
    if expected and trial.is_attention and rng.random() >= rater.lapse:
        return _as_expected(expected, scale, rng)
    if scale.cannot_tell and rng.random() < rater.cannot_tell:
        return Response(scale_id, "cannot_tell")
    about = "/".join(one.stimulus_id for _, one in sorted(shown.items()))
    target = shown["target"]
    if scale.kind == "choice":
        label = choose(rater, target.intended_emotion, tuple(scale.options), rng=rng, about=about)
        return Response(scale_id, "answered", label=label)
    pair = trial.task == PAIRS
    truth = planted.likeness(target, shown["reference"]) if pair else planted.share(target, scale_id)
    return Response(scale_id, "answered", value=rate(rater, truth, scale_id, scale, rng=rng, about=about))


def _as_expected(expected: Expected, scale: Scale, rng: random.Random) -> Response:
    if expected.label is not None:
        return Response(expected.scale_id, "answered", label=expected.label)
    lowest, highest = scales.bounds(scale)
    low = lowest if expected.low is None else expected.low
    high = highest if expected.high is None else expected.high
    return Response(expected.scale_id, "answered", value=float(rng.randint(math.ceil(low), math.floor(high))))


def _is_grid(study: Study, trial: Trial) -> bool:
    return any(each.affect_grid for each in tasks.sets(study) if each.id == trial.task)


def _fields(question: Question, rng: random.Random) -> Iterator[tuple[str, str | None]]:
    if question.kind == "likert":
        for item in question.items:
            yield f"{question.id}.{item.id}", rng.choice(list(question.options))
    elif question.kind == "choice":
        yield question.id, rng.choice(list(question.options))
    elif question.kind == "number":
        yield question.id, _number(question, rng)
    else:
        yield question.id, browser.APP if question.required else None


def _number(question: Question, rng: random.Random) -> str:
    """A whole number within a question's limits, as an age would be; another where there is none."""
    most = math.inf if question.max is None else question.max
    low = min(ADULT[0], most) if question.min is None else question.min
    high = min(most, max(low, ADULT[1]))
    first, last = math.ceil(low), math.floor(high)
    # Nobody types an exponent.
    return str(rng.randint(first, last)) if first <= last else f"{Decimal(str(rng.uniform(low, high))):f}"


def _lasting(rater: Rater, about: str, scale_id: str) -> random.Random:
    """The part of chance that is the same each time this rater rates the same on the same scale."""
    return random.Random(f"{rater.taste}/{rater.rater_id}/{about}/{scale_id}")


def _rater(taste: str, number: int, study: Study) -> Rater:
    rng = random.Random(taste)
    options = tuple(study.scales[EMOTION].options) if EMOTION in study.scales else ()
    effort = rng.uniform(0.6, 1.4)
    return Rater(
        rater_id=f"simulated-{number:04d}",
        bias={scale_id: rng.gauss(0, 0.06) for scale_id in study.scales},
        gain=min(max(rng.gauss(1, 0.12), 0.6), 1.4),
        noise_sd=rng.uniform(0.06, 0.16),
        lapse=rng.betavariate(1, 40),
        confusion={code: planted.recognition(code, options, effort) for code in study.stimuli.emotions},
        stability=rng.uniform(0.4, 0.8),
        cannot_tell=rng.betavariate(1, 50),
        taste=taste,
        device=PHONE if rng.random() < ON_A_PHONE else COMPUTER,
    )
