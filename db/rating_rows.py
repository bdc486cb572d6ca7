"""The rows of ratings: one select over what a response belongs to, and what is added on reading."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import ColumnElement, Select, String, Text, and_, cast, null, select, type_coerce

from db import checks, exclusions
from db.exclusions import Exclusion
from db.schema import answer, response, session, stimulus, trial, trial_stimulus

Value = str | int | float | bool | Sequence[str] | None
Bounds = Mapping[str, tuple[float | None, float | None]]
"""The lowest and highest raw point per scale."""

_other = trial_stimulus.alias("other")  # the picture beside the rated one
_neutral = stimulus.alias("neutral")


_NO_CHECK: Mapping[str, Value] = dict.fromkeys(
    ("is_instructed", "expected_label", "expected_low", "expected_high", "check_passed")
)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The active exclusions: reasons by target."""

    sessions: Mapping[str, str]
    trials: Mapping[str, str]
    stimuli: Mapping[str, str]

    @classmethod
    def of(cls, active: Sequence[Exclusion]) -> LeftOut:
        """Sort a study's active exclusions by what they leave out."""
        return cls(
            exclusions.reasons(active, "session"),
            exclusions.reasons(active, "trial"),
            exclusions.reasons(active, "stimulus"),
        )

    def reason(self, row: Mapping[str, Value]) -> str | None:
        """Say why a rating is left out, None when it is not."""
        found = (
            self.sessions.get(str(row["session_id"])),
            self.trials.get(str(row["trial_id"])),
            self.stimuli.get(str(row["stimulus_id"])),
        )
        return "; ".join(filter(None, found)) or None


def statement() -> Select[tuple[object, ...]]:
    """Select every current response with its answer, trial, session and stimulus, in order."""
    return (
        select(*_columns())
        .select_from(session)
        .join(trial, trial.c.session_id == session.c.session_id)
        .join(response, and_(response.c.trial_id == trial.c.trial_id, response.c.current))
        .join(answer, and_(answer.c.trial_id == trial.c.trial_id, answer.c.revision == response.c.revision))
        .join(stimulus, _is_shown())
        .outerjoin(_other, and_(_other.c.trial_id == trial.c.trial_id, _other.c.role == "reference"))
        .outerjoin(
            _neutral,
            and_(
                _neutral.c.config_hash == session.c.config_hash,
                _neutral.c.stimulus_id == _other.c.stimulus_id,
            ),
        )
        # The order of the indexes, so that no database must sort a million rows before the first.
        .order_by(session.c.study_version, session.c.began_at, session.c.session_id)
        .order_by(trial.c.trial_index, trial.c.attempt, response.c.scale_id)
    )


def complete(row: dict[str, Value], *, bounds: Bounds, left_out: LeftOut) -> dict[str, Value]:
    """Add to a selected row what is known without the database; changes the row."""
    scale_id = str(row["scale_id"])
    row["row_id"] = f"{row['trial_id']}-{scale_id}"
    row["subject_id"] = row["rater_id"] = row["session_id"]
    row["rater_type"] = row["kind"]  # nobody shall take a simulated rating for a person's
    row["scale_min"], row["scale_max"] = bounds.get(scale_id, (None, None))
    row["option_order"] = _option_orders(str(row["option_order"])).get(scale_id)
    row["exclusion_reason"] = left_out.reason(row)
    row["excluded"] = row["exclusion_reason"] is not None
    place = row.pop("reference_position")
    row["target_side"] = None if place is None else "left" if place else "right"
    row |= _checked(row, row.pop("expected"))
    return row


def _checked(row: Mapping[str, Value], wanted: Value) -> Mapping[str, Value]:
    """What the trial wants on this scale, and whether the answer is that; empty where it wants nothing."""
    check = checks.expected(wanted) if isinstance(wanted, str) else None
    if check is None or check.scale_id != row["scale_id"]:
        return _NO_CHECK
    return {
        "is_instructed": check.instructed,
        "expected_label": check.label,
        "expected_low": check.low,
        "expected_high": check.high,
        "check_passed": checks.passed(
            check, status=row["status"], value=row["response"], label=row["response_label"]
        ),
    }


def bounds(content: str) -> Bounds:
    """Read the ends of each scale's raw points from a version's content."""
    return {scale_id: _ends(scale) for scale_id, scale in json.loads(content)["scales"].items()}


def _ends(scale: Mapping[str, object]) -> tuple[float | None, float | None]:
    points = scale.get("points")
    if scale["kind"] == "likert" and isinstance(points, int):
        return 1.0, float(points)
    return (0.0, 100.0) if scale["kind"] == "vas" else (None, None)


# A session's rows follow each other and share one text.
@lru_cache(maxsize=64)
def _option_orders(text: str) -> Mapping[str, tuple[str, ...]]:
    return {scale_id: tuple(codes) for scale_id, codes in json.loads(text).items()}


def _is_shown() -> ColumnElement[bool]:
    return and_(
        stimulus.c.config_hash == session.c.config_hash, stimulus.c.stimulus_id == response.c.stimulus_id
    )


def _columns() -> Sequence[ColumnElement[Value]]:
    of_session = ("study_id", "study_version", "config_hash", "session_id", "kind", "phase", "language")
    of_trial = ("block", "trial_id", "trial_index", "attempt", "superseded", "task", "repeat_of")
    flags = ("is_practice", "is_attention", "is_repeat", "is_foil")
    of_stimulus = ("stimulus_id", "stim_file", "stim_sha256", "identity_id", "intended_emotion")
    of_response = ("scale_id", "revision", "status", "rt_first_ms", "rt_submit_ms", "n_changes")
    of_answer = ("onset_ok", "blur_count", "input_device", "viewport", "hidden_count", "app")
    of_onset = ("decode_ms", "paint_ms", "shown_ms", "frame_sd_ms")
    return [
        *(session.c[name] for name in of_session),
        *(trial.c[name] for name in (*of_trial, *flags)),
        *(stimulus.c[name] for name in of_stimulus),
        *(response.c[name] for name in of_response),
        *(answer.c[name] for name in (*of_answer, *of_onset)),
        response.c.value.label("response"),
        response.c.label.label("response_label"),
        _other.c.position.label("reference_position"),
        _neutral.c.stimulus_id.label("reference_stimulus_id"),
        _neutral.c.identity_id.label("reference_identity_id"),
        cast(trial.c.expected, Text).label("expected"),
        cast(session.c.option_order, Text).label("option_order"),
        # As text: a million times parsing and writing the same moment would double the time.
        type_coerce(answer.c.saved_at, String).label("saved_at_utc"),
        null().label("model_version"),
    ]
