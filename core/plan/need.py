"""What a study still needs: which stimuli have their ratings, and how precise they are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import sqrt

from core import tasks
from core.builtin_scales import SAME_IDENTITY
from core.design_rules import LEAST, PAIRS
from core.plan.blocks import rateable
from core.records import Counting, Measure, Places, Spread, Stimulus
from core.scales import bounds
from core.study import Scale, Study

CONFIDENCE = 0.95


def counting(study: Study) -> Counting:
    """How the answers of this study are counted for its next plan."""
    sets = tasks.sets(study)
    first = {each.id: each.scales[0] for each in sets}
    precise = study.trials.assignment == "least-precise"
    numeric = {each.id: _numeric(study, each.scales) for each in sets} if precise else {}
    return Counting(
        first=first | ({PAIRS: SAME_IDENTITY} if study.identity_pairs.per_participant else {}),
        return_min=study.trials.places_return_min,
        languages_apart=study.trials.count_languages == "apart",
        measures={task: found for task, found in numeric.items() if found},
        choices={each.id: each.scales for each in sets if each.id in numeric and not numeric[each.id]},
    )


def is_full(study: Study, stimuli: Sequence[Stimulus], places: Places) -> bool:
    """Whether every stimulus has its ratings in every task set, planned or done.

    The identity pairs are not waited for.
    """
    return all(
        is_done(study, task.id, stimulus.stimulus_id, places)
        for task in tasks.sets(study)
        for stimulus in rateable(study, stimuli)
    )


def is_done(study: Study, task: str, stimulus_id: str, places: Places) -> bool:
    """Whether one stimulus needs no more ratings in one task set."""
    wanted, n = study.trials, places.ratings.get(task, {}).get(stimulus_id, 0)
    if wanted.assignment == "least-filled" or wanted.half_width is None:
        return n >= wanted.ratings_per_stimulus
    if wanted.most_ratings is not None and n >= wanted.most_ratings:
        return True
    width = expected_half_width(task, stimulus_id, places)
    return n >= wanted.ratings_per_stimulus if width is None else width <= wanted.half_width


def missing(study: Study, task: str, stimuli: Sequence[Stimulus], places: Places) -> int:
    """How much one task set still needs: ratings, or with least-precise stimuli that are not done."""
    rated = rateable(study, stimuli)
    if study.trials.assignment == "least-precise":
        return sum(not is_done(study, task, one.stimulus_id, places) for one in rated)
    counts, wanted = places.ratings.get(task, {}), study.trials.ratings_per_stimulus
    return sum(max(0, wanted - counts.get(one.stimulus_id, 0)) for one in rated)


def expected_half_width(task: str, stimulus_id: str, places: Places) -> float | None:
    """The half-width of a stimulus's widest interval once its open trials are answered as those before.

    None while no scale has enough answers.
    """
    spreads = places.spreads.get(task, {}).get(stimulus_id, ())
    widths = [width for spread in spreads if (width := half_width(spread)) is not None]
    if not widths:
        return None
    planned = places.ratings.get(task, {}).get(stimulus_id, 0)
    answered = places.answered.get(task, {}).get(stimulus_id, 0)
    # The width shrinks with the root of the number of answers.
    return max(widths) * sqrt(min(1.0, answered / planned) if planned else 1.0)


def half_width(spread: Spread) -> float | None:
    """Half the width of the 95 % interval: of a mean in canonical units, or of the modal option's share.

    None with fewer than 5 answers. Student's t for a mean; Wilson's score interval for a share.
    """
    if spread.n < LEAST:
        return None
    if spread.mode is not None:
        return share_half_width(spread.mode / spread.n, spread.n)
    mean, squares = spread.mean or 0.0, spread.squares or 0.0
    variance = max(0.0, squares - mean**2) * spread.n / (spread.n - 1)
    return mean_half_width(sqrt(variance), spread.n)


def mean_half_width(sd: float, n: int) -> float:
    """Half the width of the 95 % interval of a mean of n ratings whose standard deviation is sd."""
    return _t(n - 1) * sd / sqrt(n)


def share_half_width(share: float, n: int) -> float:
    """Half the width of Wilson's 95 % interval of a share among n answers."""
    from core.agreement.categorical import wilson

    low, high = wilson(share * n, n, confidence=CONFIDENCE)
    return (high - low) / 2


@cache
def _t(df: int) -> float:
    # scipy is not loaded for the many studies that need none of it here.
    from core.agreement.estimate import t_quantile

    return t_quantile(CONFIDENCE, df)


def _numeric(study: Study, scale_ids: Sequence[str]) -> tuple[Measure, ...]:
    found = ((scale_id, study.scales[scale_id]) for scale_id in scale_ids)
    return tuple(_measure(scale_id, scale) for scale_id, scale in found if scale.kind != "choice")


def _measure(scale_id: str, scale: Scale) -> Measure:
    low, high = bounds(scale)
    zero = low if scale.zero is None else scale.zero
    if scale.polarity == "bipolar":
        return Measure(scale_id, zero, 1 / (zero - low), 1 / (high - zero))
    return Measure(scale_id, zero, 1 / (high - low), 1 / (high - low))
