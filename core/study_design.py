"""The parts of a study that say how it is run: tasks, checks, pairs, questionnaires, recruitment, leaving.

docs/studies.md describes each setting.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from core import design_rules
from core.given import Data, Problems
from core.study_base import Code, Model, Options, Text, Words
from core.study_rules import Declared

Share = Annotated[float, Field(ge=0, le=1)]
Url = Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=2000)]


class TaskSet(Model):
    """Scales that are asked together, in one block."""

    id: Code
    scales: tuple[Code, ...] = Field(strict=False, min_length=1)
    stage: int = Field(default=1, ge=1, le=20)  # sets of a later stage come later
    affect_grid: bool = False  # the first two scales are the x and the y of one square


class Tasks(Model):
    """Which scales are asked together, and in which order."""

    design: Literal["within", "between"] = "within"  # every participant does all sets, or one of them
    order: Literal["fixed", "shuffled", "latin-square"] = "latin-square"  # of the sets of one stage
    sets: tuple[TaskSet, ...] = Field(default=(), strict=False)  # none: core.tasks.sets() groups `ask`

    @classmethod
    def rules(cls, data: Data, known: Declared) -> Problems:
        """Every asked scale in exactly one set, and two like scales in an affect grid."""
        return design_rules.tasks(data, known)


class Trials(Model):
    """How much one participant rates, and in which order."""

    per_participant: int = Field(ge=1, le=10_000)  # stimuli of each task set
    ratings_per_stimulus: int = Field(ge=1, le=100_000)  # and task set
    show: tuple[Literal["target", "reference"], ...] = Field(default=("target",), strict=False)
    back: bool = False  # may the participant go back and revise?
    layout: Literal["together", "one-by-one"] = "together"  # of the scales of a trial
    break_every: int = Field(default=60, ge=0, le=10_000)  # trials; 0 for no breaks within a block
    assignment: Literal["least-filled", "least-precise"] = "least-filled"
    half_width: float | None = Field(default=None, gt=0, le=1)  # canonical units, of the 95 % interval
    most_ratings: int | None = Field(default=None, ge=2, le=100_000)  # with least-precise: of a stimulus
    count_languages: Literal["together", "apart"] = "together"
    places_return_min: int = Field(default=120, ge=5, le=43_200)
    identity_gap: int = Field(default=1, ge=0, le=1000)  # trials between two faces of one identity
    most_per_identity: int | None = Field(default=None, ge=1, le=1000)
    most_emotion_run: int | None = Field(default=None, ge=1, le=1000)

    @classmethod
    def rules(cls, data: Data, known: Declared) -> Problems:
        """Each role once with the target among them, and what the assignment needs."""
        return design_rules.trials(data)


class Practice(Model):
    """Trials before the first block; their pictures are not rated otherwise."""

    files: tuple[Words, ...] = Field(default=(), strict=False)  # of the manifest
    feedback: bool = False  # is the intended emotion told after each?
    pass_share: Share | None = None  # of correct emotions that lets the participant go on
    attempts: int = Field(default=2, ge=1, le=10)

    @classmethod
    def rules(cls, data: Data, known: Declared) -> Problems:
        """Feedback and passing need files and the scale emotion."""
        return design_rules.practice(data, known)


class Gold(Model):
    """A stimulus whose emotion nobody who looks can miss."""

    file: Words  # of the manifest; not rated otherwise
    answer: Code


class Attention(Model):
    """Checks among the trials: never first, never two in a row."""

    instructed: int = Field(default=1, ge=0, le=100)  # trials that say what to choose, per participant
    gold: tuple[Gold, ...] = Field(default=(), strict=False)

    @classmethod
    def rules(cls, data: Data, known: Declared) -> Problems:
        """Gold answers are options of the scale emotion."""
        return design_rules.attention(data, known)


class Repeats(Model):
    """Trials shown a second time, for retest reliability."""

    share: Share = 0.1  # of the trials of each block
    gap: int = Field(default=10, ge=1, le=1000)  # trials between the two; fewer where a block is short


class IdentityPairs(Model):
    """A neutral beside an edit: is it the same person? Half are foils: another person's edit."""

    per_participant: int = Field(default=12, ge=0, le=1000)  # at most; as many as the stimuli allow
    match: tuple[Words, ...] = Field(default=("gender", "age_group", "ethnicity"), strict=False)
    crop: Literal["none", "oval"] = "none"
    oval_width: float = Field(default=0.6, gt=0, le=1)  # share of the picture's width
    oval_height: float = Field(default=0.8, gt=0, le=1)


class Exposure(Model):
    """A timed presentation: fixation cross, face, mask, then the scales."""

    fixation_ms: int = Field(default=500, ge=0, le=10_000)
    duration_ms: int = Field(ge=17, le=60_000)
    mask_ms: int = Field(default=0, ge=0, le=10_000)


class Display(Model):
    """How a stimulus is presented, the same for everybody."""

    size_px: int = Field(default=400, ge=64, le=1200)  # CSS pixels of a face on a large screen
    size_deg: float | None = Field(default=None, gt=0, le=40)  # visual angle instead; needs calibration
    distance_cm: float = Field(default=57, ge=20, le=300)
    surround: str = Field(default="#808080", pattern=r"^#[0-9a-fA-F]{6}$")
    exposure: Exposure | None = None  # none: the face stays while it is rated


class Statement(Model):
    """One line of a Likert list."""

    id: Code
    text: Text


class Question(Model):
    """One question outside the trials."""

    id: Code
    kind: Literal["number", "choice", "text", "likert"]
    text: Text
    required: bool = False
    sensitive: bool = False
    enabled: bool = Field(default_factory=lambda given: not given.get("sensitive"))
    min: float | None = None
    max: float | None = None
    options: Options = Field(default={})
    items: tuple[Statement, ...] = Field(default=(), strict=False)  # of a likert list, all on `options`

    @classmethod
    def rules(cls, data: Data, known: Declared) -> Problems:
        """Options for a choice and a Likert list, items for that alone, limits for a number alone."""
        return design_rules.question(data)


class Questionnaire(Model):
    """A page of questions before or after the trials."""

    id: Code
    when: Literal["before", "after"]
    title: Text
    intro: Text | None = None  # Markdown
    questions: tuple[Question, ...] = Field(strict=False, min_length=1)

    @classmethod
    def rules(cls, data: Data, known: Declared) -> Problems:
        """Each question once."""
        return design_rules.questionnaire(data)


class Yardstick(Model):
    """A set of faces that the lab holds, such as photographs of real people, which the same raters rate."""

    id: Code
    title: Text | None = None
    manifest: Words  # CSV, relative to the study file; its files are relative to itself


class Recruitment(Model):
    """Where participants come from and return to, and what their work costs."""

    route: Literal["plain", "prolific", "sona", "mturk", "panel", "codes", "lab"] = "plain"
    external_id: Words | None = None  # the URL parameter of a participant's id; by default the route's
    keep: tuple[Words, ...] = Field(default=(), strict=False)  # further URL parameters to store
    complete_url: Url | None = None  # may hold {external_id}, {code} and the kept parameters
    screen_out_url: Url | None = None
    quota_url: Url | None = None
    code: Literal["personal", "fixed", "pool"] = "personal"
    fixed_code: Words | None = None
    device: Literal["any", "computer", "phone"] = "any"  # recommended
    payment: Text | None = None  # how who stops is paid
    forget_ids_after_days: int = Field(default=30, ge=0, le=3650)  # after payment
    pay_per_hour: float | None = Field(default=None, ge=0)
    currency: str = Field(default="", max_length=10)
    fee: float = Field(default=0, ge=0, le=10)  # the platform's, as a share of the pay
    dropout: float = Field(default=0.2, ge=0, lt=1)  # expected share

    @classmethod
    def rules(cls, data: Data, known: Declared) -> Problems:
        """The addresses and codes that a route needs, with known {parameters}."""
        return design_rules.recruitment(data)


class Resume(Model):
    """What happens when a participant comes back to a session."""

    policy: Literal["resume", "restart-block", "refuse"] = "resume"
    max_age_h: int = Field(default=336, ge=1, le=8760)  # hours since the session began
    grace_s: int = Field(default=120, ge=0, le=86_400)  # a shorter absence is none


class Erasure(Model):
    """Until when participants can delete their answers with their personal code."""

    days: int = Field(default=30, ge=0, le=3650)  # after the end of the session
