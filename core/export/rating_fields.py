"""The columns of ratings.csv and ai_ratings.csv."""

from __future__ import annotations

from collections.abc import Mapping

from core.export.field import DROPPED, NEW_ID, Field
from core.ratings import AI_KINDS, KINDS, Kind

OF_MODEL = "a model"
NOT_SHOWN = "a model, or not measured"
NO_CHECK = "nothing is expected on this scale"
NO_RIGHT_LABEL = "no code is expected on this scale"
NO_RIGHT_VALUE = "no value is expected on this scale"
ALONE = "a model, or no picture beside it"

_TEXTS: Mapping[str, tuple[str, str, str, str, str]] = {
    # column: description, units, range, missing, public
    "row_id": ("Names this row; no two rows share it.", "", "", "", NEW_ID),
    "study_id": ("The study.", "", "", "outside a study", ""),
    "study_version": ("Number of the study's frozen version.", "", "from 1", "outside a study", ""),
    "config_hash": (
        "SHA-256 over the version's content: questions, scales and stimuli.",
        "",
        "64 hex digits",
        "outside a study",
        "",
    ),
    "subject_id": ("The participant.", "", "", OF_MODEL, NEW_ID),
    "session_id": ("The participant's sitting.", "", "", OF_MODEL, NEW_ID),
    "rater_type": ("Who rated.", "", "human, simulated or model", "", ""),
    "rater_id": ("Who rated: the participant, or the model's name.", "", "", "", "people: the subject_id"),
    "model_version": ("Version of the model.", "", "", "a person", ""),
    "block": ("Block of trials inside the session; 0 is the practice.", "", "from 0", OF_MODEL, ""),
    "trial_id": ("The presentation; its ratings on all scales share it.", "", "", OF_MODEL, NEW_ID),
    "trial_index": ("Place of the trial in the whole session.", "", "from 1", OF_MODEL, ""),
    "is_practice": ("Is the trial practice?", "", "true or false", "", ""),
    "is_attention": ("Is the trial an attention check?", "", "true or false", "", ""),
    "is_repeat": ("Does the trial show a stimulus again, for retest?", "", "true or false", "", ""),
    "repeat_of": ("The trial_id that this trial repeats.", "", "", "no repeat", NEW_ID),
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
        "forced choice, a status without a value, or a model's failure",
        "",
    ),
    "response_label": (
        "The code chosen in a forced choice.",
        "",
        "response codes of the scale",
        "no forced choice, a status without a value, or a model's failure",
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
    "task": (
        "The task set whose scales the trial asks, or identity_pairs.",
        "",
        "ids of the study's task sets",
        OF_MODEL,
        "",
    ),
    "is_foil": (
        "Of a pair: does it show two people? Norms leave such rows out.",
        "",
        "true or false",
        "",
        "",
    ),
    "attempt": (
        "Which showing of the trial: a block or practice that begins again counts on.",
        "",
        "from 1",
        OF_MODEL,
        "",
    ),
    "superseded": (
        "Is there a later attempt at the trial? Norms leave such rows out.",
        "",
        "true or false",
        "",
        "",
    ),
    "revision": (
        "How often the answer was given: above 1 the participant went back and revised.",
        "",
        "from 1",
        OF_MODEL,
        "",
    ),
    "status": (
        "What came of it.",
        "",
        "answered, not_applicable or cannot_tell; of a model ok, no_face, unreadable or abstained",
        "",
        "",
    ),
    "is_instructed": (
        "Of a check: does it say what to choose, or does it look like any trial?",
        "",
        "true or false",
        NO_CHECK,
        "",
    ),
    "expected_label": ("The code that is right.", "", "response codes of the scale", NO_RIGHT_LABEL, ""),
    "expected_low": ("The lowest value that is right.", "scale points", "", NO_RIGHT_VALUE, ""),
    "expected_high": ("The highest value that is right.", "scale points", "", NO_RIGHT_VALUE, ""),
    "check_passed": ("Was the answer right?", "", "true or false", NO_CHECK, ""),
    "reference_stimulus_id": (
        "The picture beside the rated one.",
        "",
        "",
        ALONE,
        "empty where that picture is not publishable",
    ),
    "reference_identity_id": (
        "The person whom the picture beside the rated one shows.",
        "",
        "",
        ALONE,
        "empty where that picture is not publishable",
    ),
    "target_side": ("Where the rated picture stood beside the other.", "", "left or right", ALONE, ""),
    "decode_ms": ("How long the browser took to decode the picture.", "ms", "0 or more", NOT_SHOWN, ""),
    "paint_ms": (
        "From swapping the pictures to the first frame that shows the new one: as Chromium reports it "
        "(Element Timing), elsewhere the next animation frame, which comes later.",
        "ms",
        "0 or more",
        NOT_SHOWN,
        "",
    ),
    "shown_ms": (
        "Of a timed exposure: how long the stimulus was on screen.",
        "ms",
        "0 or more",
        "a model, or the stimulus stayed on screen",
        "",
    ),
    "frame_sd_ms": (
        "Standard deviation of the time between frames in the session so far, sampled for half a second "
        "after each face and through each timed exposure.",
        "ms",
        "0 or more",
        NOT_SHOWN,
        "",
    ),
    "hidden_count": (
        "How often the page was out of sight during the trial.",
        "",
        "0 or more",
        OF_MODEL,
        "",
    ),
    "app": ("The build of the page's script.", "", "", NOT_SHOWN, ""),
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
    Field(
        "weights_sha256",
        "text",
        "SHA-256 of the model's weights.",
        range="64 hex digits",
        missing="the rater reads no weights of its own",
    ),
    Field(
        "reason",
        "text",
        "Why there is no score, which of several faces was rated, or what spoke for the answer.",
        missing="one face, rated, and nothing to add",
    ),
)
