"""The columns of the files beside the ratings: participants, questionnaires, stimuli and norms."""

from __future__ import annotations

from core.export.field import DROPPED, Field
from core.export.rating_fields import RATINGS

OF_QUESTIONS = (
    "numbers and choices suppressed where fewer than 5 share them; age in bands; texts and sensitive "
    "questions left out"
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
    Field("completed", "boolean", "Did the session come to its regular end?", range="true or false"),
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
        "task_order",
        "list",
        "The order in which the task sets came, joined by vertical bars.",
        missing="begun before there were task sets",
    ),
    Field(
        "disclosure",
        "text",
        "When the participant was told that the faces are AI-made.",
        range="before or after",
    ),
    Field(
        "outcome",
        "text",
        "How the session ended.",
        range="complete, screened_out or stopped",
        missing="still running, or left without a word",
    ),
    Field("ended_at_utc", "time", "When it ended, UTC.", "ISO 8601", "", "not ended", DROPPED),
    Field(
        "returns",
        "integer",
        "How often the participant came back after an absence.",
        range="0 or more",
    ),
    Field("n_checks", "integer", "Attention checks that were answered.", "checks", "0 or more"),
    Field("n_checks_passed", "integer", "How many of them were answered as expected.", "checks", "0 or more"),
    Field(
        "practice_attempts",
        "integer",
        "How often the practice was tried.",
        range="0 or more; 0 where there was none",
    ),
    Field(
        "catalogue_sha256",
        "text",
        "SHA-256 of the words on screen.",
        range="64 hex digits",
        missing="not stored",
        public=DROPPED,
    ),
    Field("app", "text", "The build of the pages with which the session began.", missing="not stored"),
    Field(
        "px_per_cm",
        "number",
        "Of the screen, as the participant calibrated it.",
        "CSS px per cm",
        "",
        "not calibrated",
        DROPPED,
    ),
    Field(
        "external_id",
        "text",
        "The participant's id on the platform that sent them; only where it is asked for.",
        missing="none, or forgotten",
        public="left out",
    ),
    Field(
        "about_<question>",
        "text",
        "The answer to this question about the participant, or to a line of a Likert list.",
        missing="not answered, or suppressed in a public export",
        public=OF_QUESTIONS,
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

QUESTIONNAIRES = (
    *(field for field in RATINGS if field.column in ("subject_id", "session_id")),
    *(field for field in RATINGS if field.column in ("study_id", "study_version", "config_hash")),
    Field("questionnaire_id", "text", "The page of questions."),
    Field("question_id", "text", "The question; the rows with a question_id here say more."),
    Field("item_id", "text", "Of a Likert list: its line.", missing="no Likert list"),
    Field(
        "value",
        "text",
        "The answer: a number, the code of an option, or what was written.",
        missing="passed over, or suppressed in a public export",
        public=OF_QUESTIONS,
    ),
    *(field for field in RATINGS if field.column == "saved_at_utc"),
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
        "<scale>_n_cannot_tell",
        "integer",
        "People who said that they cannot tell.",
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
