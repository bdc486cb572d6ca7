"""A study as data: the models of the YAML file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["en", "ko", "ja"]
Text = dict[Language, str]  # one entry per language of the study
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Model(BaseModel):
    """Base of the study's models: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ConsentItem(Model):
    """One box that a participant ticks, or must tick."""

    id: Code
    required: bool = True
    text: Text


class Consent(Model):
    """What a participant is told and asked before a session begins."""

    version: str
    intro: Text
    items: tuple[ConsentItem, ...]


class Question(Model):
    """One question about the participant."""

    id: Code
    kind: Literal["number", "choice", "text"]
    text: Text
    required: bool = False
    sensitive: bool = False
    enabled: bool = True
    min: float | None = None
    max: float | None = None
    options: dict[Code, Text] = {}


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
    source: str
    status: Literal["published", "back-translated", "draft"]
    # choice
    options: dict[Code, Text] = {}
    option_order: Literal["fixed", "random"] = "fixed"  # random keeps neutral and other last
    # likert: 1..points; vas: 0..100
    points: int | None = None
    polarity: Literal["unipolar", "bipolar"] | None = None
    zero: float | None = None  # the raw point that means "none" or "neither"
    anchors: Anchors | None = None
    of: Literal["emotion", "overall"] | None = None  # intensity: of the chosen emotion, or of the face
    not_applicable_after: tuple[Code, ...] = ()  # with of: emotion


class StimuliSource(Model):
    """Where the pictures are, relative to the study file."""

    folder: str
    manifest: str | None = None  # CSV inside the folder, or ...
    pattern: str | None = None  # ... such as "{identity}_{emotion}.png"
    emotions: tuple[Code, ...]  # the intended ones


class Trials(Model):
    """How much one participant rates."""

    per_participant: int = Field(ge=1)
    ratings_per_stimulus: int = Field(ge=1)
    show: tuple[Literal["target", "reference"], ...] = ("target",)
    back: bool = False  # may the participant go back and revise?


class Display(Model):
    """How a stimulus is presented, the same for everybody."""

    size_px: int = Field(default=400, ge=64, le=1200)  # CSS pixels of a face on a large screen
    surround: str = Field(default="#808080", pattern=r"^#[0-9a-fA-F]{6}$")


class Study(Model):
    """A whole study as its YAML file states it."""

    study: Slug
    title: Text
    description: Text | None = None
    contact: str
    languages: tuple[Language, ...] = Field(min_length=1)
    minimum_age: int = Field(default=18, ge=0)
    consent: Consent
    about_you: tuple[Question, ...] = ()
    instructions: Text | None = None  # Markdown; the catalogue's words by default
    scales: dict[Code, Scale]
    ask: tuple[Code, ...] = Field(min_length=1)  # the scales that are on, in order
    stimuli: StimuliSource
    trials: Trials
    display: Display = Display()
    seed: int = 0
