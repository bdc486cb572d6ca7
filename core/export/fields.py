"""What every column of an export holds: the source of codebook.csv, held equal to docs/data.md by a test.

A name with <angle brackets> stands for as many columns as the study has scales, questions and so on.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from core.ratings import AI_KINDS, KINDS, Kind


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its kind of value, units, range and meaning, and what a public export does to it."""

    column: str
    kind: Kind
    description: str
    units: str = ""
    range: str = ""
    missing: str = ""  # what an empty cell means; "" where no cell is empty
    public: str = "as it is"


DROPPED = "empty"
OF_MODEL = "a model"
NOT_SHOWN = "a model, or not measured"

_TEXTS: Mapping[str, tuple[str, str, str, str, str]] = {
    # column: description, units, range, missing, public
    "row_id": ("Names this row; no two rows share it.", "", "", "", "new random id"),
    "study_id": ("The study.", "", "", "outside a study", ""),
    "study_version": ("Number of the study's frozen version.", "", "from 1", "outside a study", ""),
    "config_hash": (
        "SHA-256 over the version's content: questions, scales and stimuli.",
        "",
        "64 hex digits",
        "outside a study",
        "",
    ),
    "subject_id": ("The participant.", "", "", OF_MODEL, "new random id"),
    "session_id": ("The participant's sitting.", "", "", OF_MODEL, "new random id"),
    "rater_type": ("Who rated.", "", "human, simulated or model", "", ""),
    "rater_id": ("Who rated: the participant, or the model's name.", "", "", "", "people: the subject_id"),
    "model_version": ("Version of the model.", "", "", "a person", ""),
    "block": ("Block of trials inside the session.", "", "from 1", OF_MODEL, ""),
    "trial_id": ("The presentation; its ratings on all scales share it.", "", "", OF_MODEL, "new random id"),
    "trial_index": ("Place of the trial in the whole session.", "", "from 1", OF_MODEL, ""),
    "is_practice": ("Is the trial practice?", "", "true or false", "", ""),
    "is_attention": ("Is the trial an attention check?", "", "true or false", "", ""),
    "is_repeat": ("Does the trial show a stimulus again, for retest?", "", "true or false", "", ""),
    "repeat_of": ("The trial_id that this trial repeats.", "", "", "no repeat", "new random id"),
    "stimulus_id": (
        "The rated picture, inside its study version; the start of served_sha256.",
        "",
        "",
        "outside a study",
        "",
    ),
    "stim_file": ("The picture's file name in the stimulus folder.", "", "", "", ""),
    "stim_sha256": ("SHA-256 of the original file.", "", "64 hex digits", "", ""),
    "identity_id": ("The person, real or generated, whom the picture shows.", "", "", "not known", ""),
    "intended_emotion": (
        "The emotion that the picture is meant to show.",
        "",
        "emotion codes",
        "not known",
        "",
    ),
    "scale_id": ("The scale; the rows with a scale_id here say more.", "", "", "a model gave no score", ""),
    "scale_min": ("Lowest value that the scale allows.", "scale points", "", "forced choice", ""),
    "scale_max": ("Highest value that the scale allows.", "scale points", "", "forced choice", ""),
    "response": (
        "The value given, in raw points between scale_min and scale_max.",
        "scale points",
        "",
        "forced choice; not applicable where response_label is empty, too; or a model's failure",
        "",
    ),
    "response_label": (
        "The code chosen in a forced choice.",
        "",
        "response codes of the scale",
        "no forced choice, not applicable, or a model's failure",
        "",
    ),
    "option_order": (
        "The order in which the options of a forced choice stood, joined by vertical bars.",
        "",
        "",
        "no forced choice, or a model",
        "",
    ),
    "rt_first_ms": (
        "From the painted stimulus to the first touch of this scale.",
        "ms",
        "0 or more",
        NOT_SHOWN,
        "",
    ),
    "rt_submit_ms": ("From the painted stimulus to Next.", "ms", "0 or more", NOT_SHOWN, ""),
    "onset_ok": (
        "Was the stimulus decoded before its frame, and the page visible?",
        "",
        "true or false",
        OF_MODEL,
        "",
    ),
    "n_changes": (
        "How often the answer was changed after it was first given.",
        "",
        "0 or more",
        OF_MODEL,
        "",
    ),
    "blur_count": ("How often the page lost the focus during the trial.", "", "0 or more", OF_MODEL, ""),
    "input_device": ("What answered.", "", "keyboard, mouse, touch or pen", NOT_SHOWN, ""),
    "viewport": (
        "Window of the browser, width x height @ pixel ratio.",
        "CSS px",
        "",
        NOT_SHOWN,
        "phone, tablet or desktop",
    ),
    "saved_at_utc": ("When the server stored the answer, UTC.", "ISO 8601", "", OF_MODEL, DROPPED),
    "excluded": (
        "Is the row excluded by the researcher? Norms leave such rows out.",
        "",
        "true or false",
        "",
        "",
    ),
    "exclusion_reason": ("Why it is excluded.", "", "", "not excluded", DROPPED),
}


def _fields(
    texts: Mapping[str, tuple[str, str, str, str, str]], kinds: Mapping[str, Kind]
) -> tuple[Field, ...]:
    return tuple(
        Field(column, kinds[column], text, units, span, missing, public or "as it is")
        for column, (text, units, span, missing, public) in texts.items()
    )


RATINGS = _fields(_TEXTS, KINDS)

AI_RATINGS = (
    *RATINGS,
    *(
        Field(
            column,
            "number",
            f"Probability that the model gives to {column.removeprefix('probability_')}.",
            "probability",
            "0 to 1",
            "the model has no such class, or failed",
        )
        for column in AI_KINDS
        if column.startswith("probability_")
    ),
    Field("detector", "text", "What found the face in the picture."),
    Field("weights_sha256", "text", "SHA-256 of the model's weights.", range="64 hex digits"),
    Field("status", "text", "What came of it.", range="ok, no_face, unreadable or abstained"),
    Field(
        "reason",
        "text",
        "Why there is no score, or which of several faces was rated.",
        missing="one face, rated",
    ),
)

PARTICIPANTS = (
    *(field for field in RATINGS if field.column in ("subject_id", "session_id")),
    *(field for field in RATINGS if field.column in ("study_id", "study_version", "config_hash")),
    Field("kind", "text", "What the session is.", range="human, simulated or preview"),
    Field("phase", "text", "The phase of the study.", range="pilot or live"),
    Field(
        "language",
        "text",
        "The language in which the session was held.",
        range="en, ko or ja",
        missing="suppressed in a public export",
        public="suppressed where fewer than 5 share it",
    ),
    Field("completed", "boolean", "Was every trial answered?", range="true or false"),
    Field("began_at_utc", "time", "When the session began, UTC.", "ISO 8601", public=DROPPED),
    Field(
        "completed_at_utc", "time", "When it was completed, UTC.", "ISO 8601", "", "not completed", DROPPED
    ),
    Field(
        "completion_code",
        "text",
        "The code that the participant was shown at the end.",
        missing="not completed",
        public=DROPPED,
    ),
    Field(
        "utc_offset_min",
        "integer",
        "Offset of the browser's clock from UTC.",
        "minutes",
        "",
        "not told",
        DROPPED,
    ),
    Field("excluded", "boolean", "Is the session excluded by the researcher?", range="true or false"),
    Field("exclusion_reason", "text", "Why it is excluded.", missing="not excluded", public=DROPPED),
    Field(
        "about_<question>",
        "text",
        "The answer to this question about the participant.",
        missing="not answered, or suppressed in a public export",
        public="suppressed where fewer than 5 share it; age in bands; texts and sensitive questions left out",
    ),
    Field(
        "consent_<item>",
        "boolean",
        "Was this item of the consent agreed to?",
        range="true or false",
        missing="not asked",
        public="left out",
    ),
)

STIMULI = (
    *(field for field in RATINGS if field.column in ("study_id", "study_version", "config_hash")),
    *(field for field in RATINGS if field.column in ("stimulus_id", "stim_file", "stim_sha256")),
    Field("served_sha256", "text", "SHA-256 of what people and models saw.", range="64 hex digits"),
    Field("width_px", "integer", "Width of the served picture.", "px", "from 1"),
    Field("height_px", "integer", "Height of the served picture.", "px", "from 1"),
    *(field for field in RATINGS if field.column in ("identity_id", "intended_emotion")),
    Field(
        "reference_file",
        "text",
        "stim_file of the picture from which this one was edited.",
        missing="none",
        public="empty where that picture is not publishable",
    ),
    Field("generator", "text", "What made the picture.", missing="not told"),
    Field("generator_version", "text", "Its version.", missing="not told"),
    Field("prompt", "text", "The words that it was given.", missing="not told"),
    Field("variant", "text", "Which of several pictures of this identity and emotion.", missing="not told"),
    Field("publishable", "boolean", "May the picture be published?", range="true or false"),
    Field("rated", "boolean", "Is it rated, or shown only as a reference?", range="true or false"),
    Field("excluded", "boolean", "Is the stimulus excluded by the researcher?", range="true or false"),
    Field("exclusion_reason", "text", "Why it is excluded.", missing="not excluded", public=DROPPED),
    Field("extra_<column>", "text", "A further column of the manifest.", missing="empty there"),
)

NORMS = (
    *(
        field
        for field in RATINGS
        if field.column in ("stimulus_id", "stim_file", "stim_sha256", "identity_id", "intended_emotion")
    ),
    Field("<scale>_n", "integer", "People who answered on this scale.", "people", "0 or more"),
    Field(
        "<scale>_n_not_applicable",
        "integer",
        "People for whom the scale did not apply.",
        "people",
        "0 or more",
    ),
    Field(
        "<scale>_proportion_<code>",
        "number",
        "Share of answers that chose this code.",
        "proportion",
        "0 to 1",
        "no answer",
    ),
    Field(
        "<scale>_hits",
        "integer",
        "Answers that chose the intended emotion.",
        "people",
        "0 or more",
        "no option",
    ),
    Field(
        "<scale>_h",
        "number",
        "Share of answers that chose the intended emotion.",
        "proportion",
        "0 to 1",
        "no answer, or no option",
    ),
    Field(
        "<scale>_h_low",
        "number",
        "Lower end of its 95 % interval (Wilson).",
        "proportion",
        "0 to 1",
        "no answer, or no option",
    ),
    Field("<scale>_h_high", "number", "Upper end of it.", "proportion", "0 to 1", "no answer, or no option"),
    Field("<scale>_mode", "text", "The code chosen most often.", "", "response codes", "no answer"),
    Field(
        "<scale>_mode_ties",
        "integer",
        "How many codes share the highest count; 1 where none ties.",
        "codes",
        "0 or more",
    ),
    Field(
        "<scale>_entropy_bits",
        "number",
        "Spread of the answers over the codes.",
        "bits",
        "0 or more",
        "no answer",
    ),
    Field("<scale>_m", "number", "Mean.", "scale points", "", "no answer"),
    Field(
        "<scale>_sd",
        "number",
        "Standard deviation (n - 1).",
        "scale points",
        "0 or more",
        "fewer than 2 answers",
    ),
    Field(
        "<scale>_se",
        "number",
        "Standard error of the mean.",
        "scale points",
        "0 or more",
        "fewer than 2 answers",
    ),
    Field(
        "<scale>_low",
        "number",
        "Lower end of the mean's 95 % interval (Student's t).",
        "scale points",
        "",
        "fewer than 2 answers",
    ),
    Field("<scale>_high", "number", "Upper end of it.", "scale points", "", "fewer than 2 answers"),
    Field("<scale>_median", "number", "Median.", "scale points", "", "no answer"),
)

FILES: Mapping[str, tuple[Field, ...]] = {
    "ratings.csv": RATINGS,
    "norms.csv": NORMS,
    "participants.csv": PARTICIPANTS,
    "stimuli.csv": STIMULI,
    "ai_ratings.csv": AI_RATINGS,
}


def kinds(file: str) -> dict[str, Kind]:
    """The columns of a file that every study has, in order, with their kinds."""
    return {field.column: field.kind for field in FILES[file] if "<" not in field.column}


def of(file: str, column: str, scales: Collection[str]) -> Field | None:
    """The field that describes a column of a file, by its name or its pattern; None for an unknown one.

    scales: the study's, without which `artificial_proportion_n` could be the `n` of a scale
    `artificial_proportion` as well as the proportion of an option `n`.
    """
    return next((field for field in FILES[file] if _names(field, column, scales)), None)


def _names(field: Field, column: str, scales: Collection[str]) -> bool:
    scale = "|".join(map(re.escape, scales))
    pattern = re.escape(field.column).replace("<scale>", f"(?:{scale})")
    return re.fullmatch(re.sub(r"<\w+>", ".+", pattern), column) is not None
