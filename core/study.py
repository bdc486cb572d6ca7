"""A study as data: the models of the YAML file, its reading and its hash.

docs/studies.md describes each setting.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from core import builtin_scales, design_rules, located, study_messages, study_rules
from core.codes import EMOTIONS, listed
from core.errors import StudyError
from core.given import Data, Problems
from core.records import Stimulus
from core.study_base import Code, Language, Model, Options, Slug, Text, Words
from core.study_design import (
    Attention,
    Display,
    Erasure,
    IdentityPairs,
    Practice,
    Question,
    Questionnaire,
    Recruitment,
    Repeats,
    Resume,
    Tasks,
    Trials,
    Yardstick,
)
from core.study_rules import EMOTION, Declared

RATINGS_FOR_AN_INTERVAL = 10
_BLANK = re.compile(r"\[[^\]\n]+\](?!\()")  # [name of the board], but not a Markdown link


class ConsentItem(Model):
    """One box that a participant ticks, or must tick."""

    id: Code
    required: bool = True
    sensitive: bool = False  # without it the sensitive about-you questions are not asked
    shares: bool = False  # it asks whether answers may be shared: public exports hold only who agreed
    text: Text


class Consent(Model):
    """What a participant is told and asked before a session begins."""

    version: Words
    intro: Text  # Markdown
    items: tuple[ConsentItem, ...] = Field(strict=False, min_length=1)

    @classmethod
    def rules(cls, data: Data, known: Declared) -> Problems:
        """Each item once, and one that is required."""
        return study_rules.consent(data)


class Anchors(Model):
    """The words at the ends of a scale, and in the middle where there are any."""

    low: Text
    high: Text
    middle: Text | None = None


class Scale(Model):
    """One question about a stimulus, with the way it is answered."""

    kind: Literal["choice", "likert", "vas"]
    question: Text
    instruction: Text | None = None
    asks: Literal["displayed", "felt", "image"] = "displayed"
    source: Words
    status: Literal["published", "back-translated", "draft"]
    # choice
    options: Options = Field(default={})
    option_order: Literal["fixed", "random"] = "fixed"  # random keeps neutral and other last
    # likert: 1..points; vas: 0..100
    points: int | None = Field(default=None, ge=2, le=11)
    polarity: Literal["unipolar", "bipolar"] | None = None
    zero: float | None = None  # the raw point that means "none" or "neither"
    anchors: Anchors | None = None
    of: Literal["emotion", "overall"] | None = None  # intensity: of the chosen emotion, or of the face
    not_applicable_after: tuple[Code, ...] = Field(default=(), strict=False)  # with of: emotion
    look: Literal["plain", "sam-valence", "sam-arousal", "sam-dominance"] = "plain"  # likert: manikins
    cannot_tell: bool = False  # may the participant say so instead?
    cannot_tell_text: Text | None = None  # the words of it; the catalogue's by default

    @classmethod
    def rules(cls, data: Data, known: Declared) -> Problems:
        """The settings of its kind, a zero in its range, and what is not applicable."""
        return study_rules.scale(data, known)


class StimuliSource(Model):
    """Where the pictures are, relative to the study file."""

    folder: Words
    manifest: Words | None = None  # CSV inside the folder, or ...
    pattern: Words | None = None  # ... such as "{identity}_{emotion}.png"
    emotions: tuple[Code, ...] = Field(strict=False, min_length=1)  # the intended ones

    @classmethod
    def rules(cls, data: Data, known: Declared) -> Problems:
        """One way to know the pictures, with known emotions."""
        return study_rules.stimuli(data)


class Study(Model):
    """A whole study as its YAML file states it."""

    study: Slug
    title: Text
    description: Text | None = None
    contact: Words
    languages: tuple[Language, ...] = Field(strict=False, min_length=1)
    minimum_age: int = Field(default=18, ge=0, le=120)
    consent: Consent
    about_you: tuple[Question, ...] = Field(default=(), strict=False)
    instructions: Text | None = None  # Markdown; the catalogue's words by default
    scales: dict[Code, Scale] = Field(min_length=1)
    ask: tuple[Code, ...] = Field(strict=False, min_length=1)  # the scales that are on, in order
    stimuli: StimuliSource
    tasks: Tasks = Tasks()
    trials: Trials
    practice: Practice = Practice()
    attention: Attention = Attention()
    repeats: Repeats = Repeats()
    identity_pairs: IdentityPairs = IdentityPairs()
    display: Display = Display()
    disclosure: Literal["before", "after"] = "before"  # when are participants told that faces are AI-made?
    debriefing: Text | None = None  # Markdown; needed by disclosure: after
    questionnaires: tuple[Questionnaire, ...] = Field(default=(), strict=False)
    recruitment: Recruitment = Recruitment()
    resume: Resume = Resume()
    erasure: Erasure = Erasure()
    yardsticks: tuple[Yardstick, ...] = Field(default=(), strict=False)
    seed: int = Field(default=0, ge=0, le=2**53)

    @classmethod
    def rules(cls, data: Data, known: Declared) -> Problems:
        """Languages, questions and asked scales, and what the parts need of each other."""
        yield from study_rules.study(data, known)
        yield from design_rules.study(data, known)


def parse(text: str, *, path: str) -> Study:
    """Read a study's YAML; `path` is its name in messages.

    Raises StudyError with one line "path:line: found; needed; mend" per error.
    """
    found = located.read(text, path=path)
    problems = list(found.problems)
    study = None
    try:
        study = _validate(builtin_scales.added(found.data))
    except ValidationError as error:
        problems += study_messages.lines(error, Study, found)
    if study is None or problems:
        unique = sorted(dict.fromkeys(problems))
        raise StudyError("\n".join(f"{path}:{line}: {text}" for line, text in unique))
    return study


def read(path: Path) -> Study:
    """Read a study file; raises StudyError when it cannot be read or is not a valid study."""
    return parse(decode(content_of(path), path=str(path)), path=str(path))


def content_of(path: Path) -> bytes:
    """The bytes of a study file; StudyError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise StudyError(f"{path}: found {error.strerror}; needed a study file; correct the path") from error


def decode(content: bytes, *, path: str) -> str:
    """The text of a study file, with or without a byte-order mark; StudyError when it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StudyError(
            f"{path}: found byte {error.start}, which is not UTF-8; needed UTF-8; save it as UTF-8"
        ) from error


def from_json(content: str) -> Study:
    """The study of `to_json`."""
    try:
        data = json.loads(content)
        return _validate(_as_before(data))
    except ValueError as error:
        raise StudyError(f"found a stored study that this program cannot read: {error}") from error


def to_json(study: Study) -> str:
    """The study as canonical JSON: sorted keys, no spaces; options are pairs, which keeps their order."""
    return _canonical(study.model_dump(mode="json"))


def config_hash(study: Study, stimuli: Sequence[Stimulus]) -> str:
    """SHA-256 (64 hex digits) of a study and its stimuli, wherever the files lie and in any order.

    Yardsticks are no part of it: they change nothing for participants, whose ratings count on.
    """
    places = {"folder": True, "manifest": True, "pattern": True}
    content = study.model_dump(mode="json", exclude={"stimuli": places, "yardsticks": True})
    rows = [dataclasses.asdict(stimulus) for stimulus in stimuli]
    rows.sort(key=lambda row: str(row["served_sha256"]))
    return hashlib.sha256(_canonical({"study": content, "stimuli": rows}).encode()).hexdigest()


def asked(study: Study) -> tuple[tuple[str, Scale], ...]:
    """The scales that are on, with their ids, in the order in which they are listed; pairs come last."""
    ids = [*study.ask, *([builtin_scales.SAME_IDENTITY] if study.identity_pairs.per_participant else [])]
    return tuple((scale_id, study.scales[scale_id]) for scale_id in ids)


def ends_with_trials(study: Study) -> bool:
    """Whether nothing is asked or told after the last trial: no questionnaire and no debriefing."""
    return study.debriefing is None and all(each.when == "before" for each in study.questionnaires)


def warnings(study: Study) -> tuple[str, ...]:
    """What a valid study should still think about, one sentence each."""
    return (*_wording(study), *_labels(study), *_numbers(study))


def _wording(study: Study) -> Iterator[str]:
    drafts = [scale_id for scale_id, scale in asked(study) if scale.status == "draft"]
    if drafts:
        yield (
            f"scales {listed(drafts)}: the wording is a draft, and wording is the instrument; "
            "have it translated back or use a published one"
        )
    for language in study.languages:
        texts = [study.consent.intro[language], *(item.text[language] for item in study.consent.items)]
        blanks = [blank for text in texts for blank in _BLANK.findall(text)]
        if blanks:
            yield f"consent ({language}): {len(blanks)} blanks are still to be filled in, such as {blanks[0]}"


def _labels(study: Study) -> Iterator[str]:
    emotion = study.scales.get(EMOTION)
    if EMOTION not in study.ask or emotion is None or emotion.kind != "choice":
        return
    for code in emotion.options:
        if code not in EMOTIONS:
            yield f"scale emotion: {code!r} is none of {listed(EMOTIONS)}: no stimulus or model can match it"
    for code in study.stimuli.emotions:
        if code not in emotion.options:
            yield f"stimuli.emotions: {code!r} is no option of the scale emotion: nobody can answer it"


def _numbers(study: Study) -> Iterator[str]:
    wanted = study.trials.ratings_per_stimulus
    if wanted < RATINGS_FOR_AN_INTERVAL:
        yield (
            f"trials.ratings_per_stimulus is {wanted}: under {RATINGS_FOR_AN_INTERVAL}, "
            "intervals around a stimulus's mean say little"
        )
    if study.minimum_age < 18:
        yield f"minimum_age is {study.minimum_age}: minors need a guardian's consent, which is not asked here"
    if not any(question.enabled for question in study.about_you):
        yield "about_you asks nothing: the sample cannot be described"


def _as_before(data: object) -> object:
    """A study that was stored before there were tasks, as it was run: one block, nothing added."""
    if not isinstance(data, dict) or "ask" not in data or "tasks" in data:
        return data
    return {
        **data,
        "tasks": {"order": "fixed", "sets": [{"id": "all", "scales": data["ask"]}]},
        "attention": {"instructed": 0},
        "repeats": {"share": 0},
        "identity_pairs": {"per_participant": 0},
    }


def _validate(data: object) -> Study:
    return Study.model_validate(data, context=study_rules.declared(data))


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
