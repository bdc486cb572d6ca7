"""What a study will take: minutes and breaks of a participant, participants, precision and cost."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from core import tasks
from core.builtin_scales import SAME_IDENTITY
from core.design_rules import LEAST, PAIRS
from core.plan import blocks, checks, pairs
from core.plan.draw import most_of_an_emotion
from core.plan.need import mean_half_width, share_half_width
from core.records import Stimulus
from core.scales import bounds, canonical_bounds
from core.study import Scale, Study
from core.study_design import Question, TaskSet

LONG_MIN = 20  # longer studies are answered with less care
SD_SHARE = 0.2  # assumed: standard deviation of one picture's ratings, as a share of the scale's length
MODAL_SHARES = (0.5, 0.8)  # for the interval of a choice: as wide as it gets, and of a clear expression

# Assumed times of a practised participant in seconds; a study's own pilot gives better ones.
PER_SCALE = {"choice": 4.0, "likert": 3.0, "vas": 4.0}
PER_GRID = 5.0  # both axes at once
PER_PICTURE = 2.0  # to look at it and go on
AFTER_EXPOSURE = 1.0  # to go on, where the picture has gone
PER_PAIR = 3.0
PER_INSTRUCTION = 5.0
PER_FEEDBACK = 2.0
PER_STEP = 0.5  # from one scale to the next, one by one
PER_QUESTION = {"number": 5.0, "choice": 5.0, "text": 20.0, "likert": 5.0}  # a likert list: each statement
PAGES = {"consent": 90.0, "instructions": 60.0, "debriefing": 45.0, "end": 15.0, "calibration": 30.0}
PER_BLOCK = 10.0  # what is told before it
PER_BREAK = 20.0


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a participant's time."""

    name: str
    trials: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Need:
    """The participants that one task set needs in each language, or in all of them together.

    ratings: of each picture. finish: participants who do their part to the end. begin: with those who
    are expected not to.
    """

    task: str
    scales: tuple[str, ...]
    ratings: int
    finish: int
    begin: int


@dataclass(frozen=True, slots=True)
class Width:
    """The expected half-width of a picture's 95 % interval on one scale.

    half_width: of a mean in canonical units, of a choice as a share. points: the same in raw points.
    assumed: the standard deviation in raw points, or the share of the modal option.
    """

    task: str
    scale_id: str
    ratings: int
    half_width: float
    points: float | None
    assumed: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What participants are paid, and all of it with the platform's fee."""

    currency: str
    each: float
    total: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a study will take.

    minutes: of the participant with the longest plan. breaks: between and within blocks.
    pictures, repeats, checks, practice, pairs, foils: trials of one participant; foils are pairs, too.
    needs: by task set, for each group of languages. languages: groups that are counted apart.
    finish, begin: participants of all task sets and languages.
    pair_ratings: expected of each edit in the identity pairs, in one group of languages.
    """

    minutes: int
    breaks: int
    parts: tuple[Part, ...]
    pictures: int
    repeats: int
    checks: int
    practice: int
    pairs: int
    foils: int
    n_stimuli: int
    needs: tuple[Need, ...]
    languages: tuple[tuple[str, ...], ...]
    finish: int
    begin: int
    widths: tuple[Width, ...]
    pair_ratings: float
    cost: Cost | None


def forecast(study: Study, stimuli: Sequence[Stimulus], *, sd_share: float = SD_SHARE) -> Forecast:
    """Say what a study will take, on the assumptions above.

    sd_share: of one picture's ratings, the standard deviation as a share of the scale's length.
    """
    n_pairs, n_foils = pairs.count(study, stimuli)
    ways = [_Way(study, done, n_pairs + n_foils) for done in _ways(study)]
    longest = max(ways, key=lambda way: way.seconds)
    n = len(blocks.rateable(study, stimuli))
    needs = tuple(_need(study, task, stimuli, sd_share) for task in tasks.sets(study))
    languages = _languages(study)
    finish = _together(study, [need.finish for need in needs]) * len(languages)
    n_edits = pairs.n_edits(study, stimuli)
    return Forecast(
        minutes=_minutes(longest.seconds),
        breaks=longest.breaks,
        parts=tuple(longest.parts()),
        pictures=sum(load.main for load in longest.loads),
        repeats=sum(load.repeats for load in longest.loads),
        checks=sum(load.checks for load in longest.loads),
        practice=len(study.practice.files),
        pairs=n_pairs + n_foils,
        foils=n_foils,
        n_stimuli=n,
        needs=needs,
        languages=languages,
        finish=finish,
        begin=_together(study, [need.begin for need in needs]) * len(languages),
        widths=tuple(width for need in needs for width in _widths(study, need, sd_share)),
        pair_ratings=finish / len(languages) * n_pairs / n_edits if n_edits else 0.0,
        cost=_cost(study, ways, needs, len(languages)),
    )


def minutes(study: Study, stimuli: Sequence[Stimulus]) -> int:
    """How long the study takes the participant with the longest plan."""
    n_pairs = sum(pairs.count(study, stimuli))
    return _minutes(max(_Way(study, done, n_pairs).seconds for done in _ways(study)))


def warnings(study: Study, stimuli: Sequence[Stimulus]) -> Iterator[str]:
    """What a study takes that may be too much."""
    found = forecast(study, stimuli).minutes
    if found > LONG_MIN:
        yield (
            f"a participant needs about {found} minutes: after {LONG_MIN} people answer with less care; "
            "lower trials.per_participant, or write 'tasks: design: between'"
        )


def _minutes(seconds: float) -> int:
    return max(1, round(seconds / 60))


def _ways(study: Study) -> list[tuple[TaskSet, ...]]:
    """The task sets that one participant does: all, or one or another."""
    found = tasks.sets(study)
    return [found] if study.tasks.design == "within" else [(task,) for task in found]


class _Way:
    """One participant who does these task sets."""

    def __init__(self, study: Study, done: Sequence[TaskSet], n_pairs: int) -> None:
        self._study, self._done, self._n_pairs = study, done, n_pairs
        instructed = blocks.instructed(study, done, tie=lambda _task: 0.0)
        self.loads = [blocks.load(study, task, instructed=instructed[task.id]) for task in done]

    @property
    def seconds(self) -> float:
        return sum(part.seconds for part in self.parts())

    @property
    def breaks(self) -> int:
        lengths = [*(load.trials for load in self.loads), *([self._n_pairs] if self._n_pairs else [])]
        every = self._study.trials.break_every
        return len(lengths) - 1 + sum((length - 1) // every for length in lengths if every)

    def parts(self) -> Iterator[Part]:
        """Each part with its trials and seconds."""
        study = self._study
        if n := len(study.practice.files):
            task = next((task for task in self._done if "emotion" in task.scales), self._done[0])
            each = _of_trial(study, task) + (PER_FEEDBACK if study.practice.feedback else 0.0)
            yield Part("practice", n, PER_BLOCK + n * each)
        for task, load in zip(self._done, self.loads, strict=True):
            usual = load.trials - load.instructed
            seconds = usual * _of_trial(study, task) + load.instructed * PER_INSTRUCTION
            yield Part(task.id, load.trials, PER_BLOCK + seconds)
        if self._n_pairs:
            each = PER_PAIR + PER_SCALE[study.scales[SAME_IDENTITY].kind]
            yield Part(PAIRS, self._n_pairs, PER_BLOCK + self._n_pairs * each)
        yield Part("breaks", 0, self.breaks * PER_BREAK)
        yield Part("questions", 0, sum(map(_of_question, _questions(study))))
        yield Part("pages", 0, _of_pages(study))


def _of_trial(study: Study, task: TaskSet) -> float:
    exposure = study.display.exposure
    looking = PER_PICTURE
    if exposure is not None:
        looking = (exposure.fixation_ms + exposure.duration_ms + exposure.mask_ms) / 1000 + AFTER_EXPOSURE
    scales = [PER_SCALE[study.scales[name].kind] for name in task.scales]
    if task.affect_grid:
        scales = [PER_GRID, *scales[2:]]
    steps = len(scales) - 1 if study.trials.layout == "one-by-one" else 0
    return looking + sum(scales) + steps * PER_STEP


def _questions(study: Study) -> Iterator[Question]:
    yield from (question for question in study.about_you if question.enabled)
    for page in study.questionnaires:
        yield from (question for question in page.questions if question.enabled)


def _of_question(question: Question) -> float:
    return PER_QUESTION[question.kind] * max(1, len(question.items))


def _of_pages(study: Study) -> float:
    names = ["consent", "instructions", "end"]
    names += ["debriefing"] if study.debriefing is not None else []
    names += ["calibration"] if study.display.size_deg is not None else []
    return sum(PAGES[name] for name in names)


def _languages(study: Study) -> tuple[tuple[str, ...], ...]:
    if study.trials.count_languages == "apart":
        return tuple((language,) for language in study.languages)
    return (study.languages,)


def _need(study: Study, task: TaskSet, stimuli: Sequence[Stimulus], sd_share: float) -> Need:
    ratings = _ratings(study, task, sd_share)
    finish = max(ceil(ratings * n / most) for n, most in _shares(study, task, stimuli) if most > 0)
    # Rounded first: 10 / (1 - 0.9) is a little more than 100 in binary.
    begin = ceil(round(finish / (1 - study.recruitment.dropout), 9))
    return Need(task.id, task.scales, ratings, finish, begin)


def _shares(study: Study, task: TaskSet, stimuli: Sequence[Stimulus]) -> Iterator[tuple[int, int]]:
    """How many pictures there are, and of each identity and emotion, with the most that a block can rate."""
    rated, trials = blocks.rateable(study, stimuli), study.trials
    load = max(blocks.possible_loads(study, task), key=lambda each: each.trials)
    gold = checks.gold_of(load, stimuli)
    yield len(rated), load.main
    apart = ceil(load.trials / (trials.identity_gap + 1))
    yield from _of_each(
        [one.identity_id for one in rated],
        [one.identity_id for one in gold],
        most=min(trials.most_per_identity or apart, apart),
    )
    yield from _of_each(
        [one.intended_emotion for one in rated],
        [one.intended_emotion for one in gold],
        most=most_of_an_emotion(trials.most_emotion_run, load.trials),
    )


def _of_each(
    rated: Sequence[str | None], gold: Sequence[str | None], *, most: int
) -> Iterator[tuple[int, int]]:
    taken = Counter(gold)
    return ((n, most - taken[name]) for name, n in Counter(rated).items())


def _ratings(study: Study, task: TaskSet, sd_share: float) -> int:
    """How many ratings of each picture the task set will need."""
    wanted = study.trials
    if wanted.assignment == "least-filled" or wanted.half_width is None:
        return wanted.ratings_per_stimulus
    numeric = [scale for name in task.scales if (scale := study.scales[name]).kind != "choice"]
    most = wanted.most_ratings or 100_000
    if not numeric:
        return _first(wanted.half_width, most, lambda n: share_half_width(MODAL_SHARES[-1], n))
    sd = max(sd_share * _length(scale) for scale in numeric)
    return _first(wanted.half_width, most, lambda n: mean_half_width(sd, n))


def _first(half_width: float, most: int, width: Callable[[int], float]) -> int:
    """The fewest ratings that give an interval no wider, or the most that are allowed."""
    return LEAST + bisect_left(range(LEAST, most), True, key=lambda n: width(n) <= half_width)


def _together(study: Study, numbers: Sequence[int]) -> int:
    """Participants of all task sets: the same people, or others for each."""
    return max(numbers) if study.tasks.design == "within" else sum(numbers)


def _widths(study: Study, need: Need, sd_share: float) -> Iterator[Width]:
    for scale_id in need.scales:
        scale = study.scales[scale_id]
        if scale.kind == "choice":
            for share in MODAL_SHARES:
                width = share_half_width(share, need.ratings)
                yield Width(need.task, scale_id, need.ratings, width, None, share)
        elif need.ratings > 1:
            low, high = bounds(scale)
            width = mean_half_width(sd_share * _length(scale), need.ratings)
            points = width * (high - low) / _length(scale)
            yield Width(need.task, scale_id, need.ratings, width, points, sd_share * (high - low))


def _length(scale: Scale) -> float:
    low, high = canonical_bounds(scale)
    return high - low


def _cost(study: Study, ways: Sequence[_Way], needs: Sequence[Need], n_languages: int) -> Cost | None:
    """What those who finish are paid by the minutes that their plan takes."""
    paid = study.recruitment
    if paid.pay_per_hour is None:
        return None
    each = [paid.pay_per_hour * _minutes(way.seconds) / 60 for way in ways]
    people = [need.finish for need in needs] if len(ways) > 1 else [max(need.finish for need in needs)]
    total = sum(pay * n for pay, n in zip(each, people, strict=True)) * n_languages
    return Cost(paid.currency, max(each), total * (1 + paid.fee))
