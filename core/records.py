"""The records that cross module boundaries: frozen, plain, without behaviour.

Field names are those of the tables and of the CSV headers (docs/data.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the records are plain: whoever makes one with an embedding has numpy loaded
    import numpy as np
    from numpy.typing import NDArray

SessionKind = Literal["human", "simulated", "preview"]
Phase = Literal["pilot", "live"]
VersionState = Literal["loaded", "open", "closed"]
ResponseStatus = Literal["answered", "not_applicable", "cannot_tell"]
Outcome = Literal["complete", "screened_out", "stopped"]
Disclosure = Literal["before", "after"]
Role = Literal["target", "reference"]
AiStatus = Literal["ok", "no_face", "unreadable", "abstained"]


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of one file, known by their SHA-256 (64 hex digits)."""

    sha256: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Stimulus:
    """One picture of a study version; `stimulus_id` is the start of `served_sha256`."""

    stimulus_id: str
    stim_file: str
    stim_sha256: str  # the original bytes
    served_sha256: str  # what participants and AI raters see
    width_px: int
    height_px: int
    identity_id: str
    intended_emotion: str | None  # None only for an unrated reference
    reference_file: str | None = None
    generator: str | None = None
    generator_version: str | None = None
    prompt: str | None = None
    variant: str | None = None
    publishable: bool = True
    rated: bool = True
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """One stimulus of a trial in its named role."""

    role: Role
    stimulus_id: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What an attention check, or a practice trial with a right answer, wants on one scale."""

    scale_id: str
    instructed: bool  # the trial says what to choose, and asks nothing else
    label: str | None = None  # of a choice
    low: float | None = None  # raw points that pass, both ends included
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One presentation, stored when the session begins and never drawn again."""

    trial_id: str
    block: int  # from 1; the practice is block 0
    trial_index: int  # from 1, over the whole session
    shown: tuple[Shown, ...]
    attempt: int = 1
    is_practice: bool = False
    is_attention: bool = False
    is_repeat: bool = False
    repeat_of: str | None = None
    task: str = "all"  # the task set whose scales are asked, or identity_pairs
    is_foil: bool = False  # of a pair: two people
    expected: Expected | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One participant's trials, and the order in which the task sets came."""

    task_order: tuple[str, ...]
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """A numeric scale whose answers are measured: canonical units per raw point on each side of its zero."""

    scale_id: str
    zero: float
    below: float
    above: float


@dataclass(frozen=True, slots=True)
class Counting:
    """How answers and open trials are counted for the next plan.

    first: by task, a scale that each of its trials asks: an answer on it is an answered trial.
    return_min: after so many minutes without a sign of life the open trials of a session count no more.
    languages_apart: whether only sessions in the language of the new one count.
    measures: by task, the numeric scales whose precision is wanted; none to count alone.
    choices: by task, the choices whose precision is wanted.
    """

    first: Mapping[str, str] = field(default_factory=dict)
    return_min: int = 120
    languages_apart: bool = False
    measures: Mapping[str, tuple[Measure, ...]] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spread:
    """The answers about one stimulus on one scale.

    mean, squares: of the canonical values, and the mean of their squares; None for a choice.
    mode: of a choice, how many chose what was chosen most often; None for a numeric scale.
    """

    n: int
    mean: float | None = None
    squares: float | None = None
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """What is planned or done so far in one version of a study, for drawing the next plan.

    ratings: by task set (or identity_pairs) and stimulus, how many main trials are answered, or still
        open in sessions that are alive. A missing entry is 0.
    answered: the same without the open ones.
    orders: by order of the task sets, how many sessions that are complete or alive have it.
    spreads: by task set and stimulus, the answers on the scales whose precision is wanted.
    """

    ratings: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    answered: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    orders: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    spreads: Mapping[str, Mapping[str, tuple[Spread, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """What one trial yielded on one scale, in raw scale points or as a response code."""

    scale_id: str
    status: ResponseStatus
    value: float | None = None  # raw points; None for a forced choice
    label: str | None = None  # the chosen code of a forced choice
    rt_first_ms: float | None = None  # onset to the first touch of this scale
    rt_submit_ms: float | None = None  # onset to Next
    n_changes: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """How the browser presented a trial."""

    onset_ok: bool
    decode_ms: float | None = None
    paint_ms: float | None = None  # from the swap of the pictures to the first frame that shows them
    shown_ms: float | None = None  # of a timed exposure: how long the face was on screen
    frame_sd_ms: float | None = None  # of the intervals between frames in this session so far
    blur_count: int = 0
    hidden_count: int = 0  # times that the page was out of sight
    input_device: str | None = None  # keyboard, mouse, touch or pen
    viewport: str | None = None  # for instance 375x667@2, the pixel ratio last
    app: str | None = None  # the build of the page's script


@dataclass(frozen=True, slots=True)
class Answer:
    """One revision of a trial's responses."""

    trial_id: str
    revision: int  # from 1
    responses: tuple[Response, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """One answered consent item with the text that the participant saw."""

    item_id: str
    required: bool
    agreed: bool
    language: str
    version: str
    text: str


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a session began under, beside its plan."""

    disclosure: Disclosure = "before"
    catalogue_sha256: str | None = None  # of the words on screen
    app: str | None = None  # the build of the pages


@dataclass(frozen=True, slots=True)
class Session:
    """One participant's sitting."""

    session_id: str
    study_id: str
    config_hash: str
    kind: SessionKind
    phase: Phase
    language: str
    option_order: Mapping[str, tuple[str, ...]]
    instructions_read: bool
    completion_code: str
    began_at: datetime
    completed_at: datetime | None
    last_seen_at: datetime
    task_order: tuple[str, ...] = ()
    disclosure: Disclosure = "before"
    outcome: Outcome | None = None  # None while it runs
    ended_at: datetime | None = None
    debriefed_at: datetime | None = None
    px_per_cm: float | None = None  # of the screen, where a lab calibrated it
    returns: int = 0  # how often the participant came back after an absence
    resume_due: bool = False  # came back, and was not let on yet
    utc_offset_min: int | None = None  # of the browser's clock when it began


@dataclass(frozen=True, slots=True)
class StudyVersion:
    """One frozen content of a study; `content` is the study as canonical JSON."""

    study_id: str
    version: int  # from 1
    config_hash: str
    state: VersionState
    phase: Phase
    title: str
    content: str
    source_yaml: str
    loaded_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Participant:
    """One session and what the participant said outside of trials."""

    session_id: str
    study_id: str
    study_version: int
    config_hash: str
    kind: SessionKind
    phase: Phase
    language: str
    utc_offset_min: int | None
    began_at: datetime
    completed_at: datetime | None
    about: Mapping[str, str | float | None]  # by question
    consents: Mapping[str, bool]  # by item
    excluded: bool
    exclusion_reason: str | None
    completion_code: str | None = None  # None until the session is complete
    task_order: tuple[str, ...] = ()
    disclosure: Disclosure = "before"
    outcome: Outcome | None = None
    ended_at: datetime | None = None
    returns: int = 0  # how often the participant came back after an absence
    catalogue_sha256: str | None = None
    app: str | None = None
    px_per_cm: float | None = None
    n_checks: int = 0  # attention checks that were answered
    n_checks_passed: int = 0
    practice_attempts: int = 0


@dataclass(frozen=True, slots=True)
class QuestionnaireAnswer:
    """One answer in a questionnaire; of a Likert list, one line of it."""

    session_id: str
    study_id: str
    study_version: int
    config_hash: str
    questionnaire_id: str
    question_id: str
    item_id: str | None  # of a Likert list
    value: str | float | None  # None where the question was passed over
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class StudyStimulus:
    """One stimulus of one version of a study."""

    study_id: str
    study_version: int
    config_hash: str
    stimulus: Stimulus
    excluded: bool
    exclusion_reason: str | None


@dataclass(frozen=True, slots=True)
class Face:
    """One detected face in pixels of the served picture, points in image order left to right.

    points: right eye, left eye, nose tip, right and left mouth corner (the subject's
    right first, as YuNet gives them); empty where the detector gives none.
    """

    x: float
    y: float
    width: float
    height: float
    score: float | None
    points: tuple[tuple[float, float], ...]
    detector: str
    detector_version: str
    rule: str  # how this face was chosen, for instance "largest of 2"
    n_faces: int


@dataclass(frozen=True, slots=True)
class Detection:
    """What a detector found in one picture: the face that is rated, or the reason why there is none."""

    served_sha256: str
    detector: str
    detector_version: str
    status: AiStatus
    reason: str = ""  # why there is no face, or what to know of the one that was chosen
    face: Face | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """What an AI rater says of one stimulus on one scale, in the units that the rater declares."""

    scale_id: str
    value: float | None = None
    label: str | None = None
    scale_min: float | None = None
    scale_max: float | None = None


@dataclass(frozen=True, slots=True)
class RaterKey:
    """What else than the picture and the settings decides a result: another one of these is another rater."""

    rater_id: str
    rater_version: str
    weights_sha256: str
    detector: str


@dataclass(frozen=True, slots=True)
class AiResult:
    """One AI rater's result for one stimulus; "no face" is a result, too."""

    served_sha256: str
    rater_id: str
    rater_version: str
    weights_sha256: str
    detector: str
    status: AiStatus
    reason: str  # why there is no score, or which of several faces it is about
    scores: tuple[Score, ...] = ()
    probabilities: Mapping[str, float] = field(default_factory=dict)
    face: Face | None = None
    embedding: NDArray[np.float32] | None = field(default=None, compare=False)  # of length 1
    pictures: Mapping[str, bytes] = field(default_factory=dict)  # encoded, by what they show
