"""The tables, as the newest migration leaves them (a test holds the two equal).

Names are those of the records and of the CSV headers. Times are UTC text, ISO 8601 with
milliseconds and `Z`, so that they sort as they read on every database.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

KINDS = "kind IN ('human', 'simulated', 'preview')"
PHASES = "phase IN ('pilot', 'live')"
WHATS = "what IN ('opened', 'declined', 'full', 'erased')"
STATUSES = "status IN ('answered', 'not_applicable', 'cannot_tell')"


def time_text(moment: datetime) -> str:
    """Write a moment as the tables keep it: UTC, milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class UtcText(TypeDecorator[datetime]):
    """A moment kept as text."""

    impl = String(24)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write the moment in UTC."""
        return None if value is None else time_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Read the moment back, aware of its zone."""
        return None if value is None else datetime.fromisoformat(value)


study_version = Table(
    "study_version",
    metadata,
    Column("config_hash", String(64), primary_key=True),
    Column("study_id", String(40), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(6), nullable=False),
    Column("phase", String(5), nullable=False),
    Column("title", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("source_yaml", Text, nullable=False),
    Column("loaded_at", UtcText, nullable=False),
    Column("opened_at", UtcText),
    Column("closed_at", UtcText),
    UniqueConstraint("study_id", "version"),
    CheckConstraint("state IN ('loaded', 'open', 'closed')", name="state"),
    CheckConstraint(PHASES, name="phase"),
)

blob = Table(
    "blob",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("media_type", String(40), nullable=False),
    Column("content", LargeBinary, nullable=False),
)

stimulus = Table(
    "stimulus",
    metadata,
    Column("config_hash", ForeignKey("study_version.config_hash"), primary_key=True),
    Column("stimulus_id", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("stim_file", Text, nullable=False),
    Column("stim_sha256", ForeignKey("blob.sha256"), nullable=False),
    Column("served_sha256", ForeignKey("blob.sha256"), nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("identity_id", Text, nullable=False),
    Column("intended_emotion", String(40)),
    Column("reference_file", Text),
    Column("generator", Text),
    Column("generator_version", Text),
    Column("prompt", Text),
    Column("variant", Text),
    Column("publishable", Boolean, nullable=False),
    Column("rated", Boolean, nullable=False),
    Column("extra", JSON, nullable=False),
    UniqueConstraint("config_hash", "served_sha256"),
)

link = Table(
    "link",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("study_id", String(40), nullable=False),
    Column("kind", String(9), nullable=False),
    Column("made_at", UtcText, nullable=False),
    UniqueConstraint("study_id", "kind"),
    CheckConstraint(KINDS, name="kind"),
)

tally = Table(
    "tally",
    metadata,
    Column("config_hash", ForeignKey("study_version.config_hash"), primary_key=True),
    Column("kind", String(9), primary_key=True),
    Column("phase", String(5), primary_key=True),
    Column("what", String(8), primary_key=True),
    Column("n", Integer, nullable=False),
    CheckConstraint(KINDS, name="kind"),
    CheckConstraint(PHASES, name="phase"),
    CheckConstraint(WHATS, name="what"),
)

session = Table(
    "session",
    metadata,
    Column("session_id", String(32), primary_key=True),
    Column("token_sha256", String(64), nullable=False),
    Column("study_id", String(40), nullable=False),
    Column("study_version", Integer, nullable=False),
    Column("config_hash", ForeignKey("study_version.config_hash"), nullable=False),
    Column("kind", String(9), nullable=False),
    Column("phase", String(5), nullable=False),
    Column("language", String(2), nullable=False),
    Column("option_order", JSON, nullable=False),
    Column("utc_offset_min", Integer),
    Column("completion_code", String(16), nullable=False),
    Column("began_at", UtcText, nullable=False),
    Column("instructions_at", UtcText),
    Column("last_seen_at", UtcText, nullable=False),
    Column("completed_at", UtcText),
    Column("task_order", JSON, nullable=False, server_default="[]"),
    Column("disclosure", String(6), nullable=False, server_default="before"),
    Column("outcome", String(12)),
    Column("ended_at", UtcText),  # complete, stopped or screened out
    Column("debriefed_at", UtcText),
    Column("erase_code_sha256", String(64)),
    Column("catalogue_sha256", String(64)),  # of the words on screen
    Column("app", String(64)),  # the build that began it
    Column("returns", Integer, nullable=False, server_default="0"),
    Column("resume_due", Boolean, nullable=False, server_default=false()),  # came back, not let on yet
    Column("px_per_cm", Double),
    Column("open_page", String(40)),  # of questions, until Continue; empty: those about the participant
    Column("newest_request", Integer, nullable=False, server_default="0"),  # with answers to questions
    UniqueConstraint("token_sha256"),
    Index(None, "erase_code_sha256"),
    CheckConstraint(KINDS, name="kind"),
    CheckConstraint(PHASES, name="phase"),
    # Leads the stream of ratings: sessions of a study in the order in which they began.
    Index(None, "study_id", "study_version", "began_at", "session_id"),
)

consent_text = Table(
    "consent_text",
    metadata,
    Column("text_sha256", String(64), primary_key=True),
    Column("text", Text, nullable=False),
)

consent = Table(
    "consent",
    metadata,
    Column("session_id", ForeignKey("session.session_id"), primary_key=True),
    Column("item_id", String(40), primary_key=True),
    Column("required", Boolean, nullable=False),
    Column("agreed", Boolean, nullable=False),
    Column("language", String(2), nullable=False),
    Column("version", Text, nullable=False),
    Column("text_sha256", ForeignKey("consent_text.text_sha256"), nullable=False),
    Column("given_at", UtcText, nullable=False),
)

about = Table(
    "about",
    metadata,
    Column("session_id", ForeignKey("session.session_id"), primary_key=True),
    Column("question_id", String(81), primary_key=True),  # of a Likert list: question.item
    Column("value", JSON, nullable=False),
    Column("saved_at", UtcText, nullable=False),
)

questionnaire = Table(
    "questionnaire",
    metadata,
    Column("session_id", ForeignKey("session.session_id"), primary_key=True),
    Column("questionnaire_id", String(40), primary_key=True),
    Column("question_id", String(81), primary_key=True),  # of a Likert list: question.item
    Column("value", JSON, nullable=False),
    Column("saved_at", UtcText, nullable=False),
)

external = Table(
    "external",  # the only place of ids that others gave
    metadata,
    Column("session_id", ForeignKey("session.session_id"), primary_key=True),
    Column("study_id", String(40), nullable=False),
    Column("kind", String(9), nullable=False),
    Column("external_id", String(200), nullable=False),
    Column("salt", String(32), nullable=False),  # the session's token follows from it; destroyed with the id
    Column("parameters", JSON, nullable=False),  # the kept URL parameters
    Column("paid_at", UtcText),
    UniqueConstraint("study_id", "kind", "external_id"),
    CheckConstraint(KINDS, name="kind"),
)

code = Table(
    "code",  # completion codes that a platform gave, each for one session
    metadata,
    Column("study_id", String(40), primary_key=True),
    Column("code", String(80), primary_key=True),
    Column("session_id", String(32)),
    Column("given_at", UtcText),
    UniqueConstraint("session_id"),
)

trial = Table(
    "trial",
    metadata,
    Column("trial_id", String(64), primary_key=True),
    Column("session_id", ForeignKey("session.session_id"), nullable=False),
    Column("trial_index", Integer, nullable=False),
    Column("block", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("is_practice", Boolean, nullable=False),
    Column("is_attention", Boolean, nullable=False),
    Column("is_repeat", Boolean, nullable=False),
    Column("repeat_of", String(64)),
    Column("task", String(40), nullable=False, server_default="all"),
    Column("is_foil", Boolean, nullable=False, server_default=false()),
    Column("expected", JSON(none_as_null=True)),
    Column("superseded", Boolean, nullable=False, server_default=false()),  # a later attempt counts
    UniqueConstraint("session_id", "trial_index", "attempt"),
)

trial_stimulus = Table(
    "trial_stimulus",
    metadata,
    Column("trial_id", ForeignKey("trial.trial_id"), primary_key=True),
    Column("role", String(9), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("config_hash", String(64), nullable=False),
    Column("stimulus_id", String(64), nullable=False),
    # What follows is known from the trial; it is here for the index that counts plans.
    Column("session_id", ForeignKey("session.session_id"), nullable=False),
    # Neither practice nor attention check nor repeat nor foil, and of the last attempt.
    Column("is_main", Boolean, nullable=False),
    Column("task", String(40), nullable=False, server_default="all"),
    ForeignKeyConstraint(["config_hash", "stimulus_id"], ["stimulus.config_hash", "stimulus.stimulus_id"]),
    CheckConstraint("role IN ('target', 'reference')", name="role"),
    Index("ix_trial_stimulus_plan", "session_id", "role", "is_main", "task", "stimulus_id", "trial_id"),
)

answer = Table(
    "answer",
    metadata,
    Column("trial_id", ForeignKey("trial.trial_id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("body_sha256", String(64), nullable=False),
    Column("onset_ok", Boolean, nullable=False),
    Column("decode_ms", Double),
    Column("blur_count", Integer, nullable=False),
    Column("input_device", String(16)),
    Column("viewport", String(40)),
    Column("saved_at", UtcText, nullable=False),
    Column("paint_ms", Double),
    Column("shown_ms", Double),
    Column("frame_sd_ms", Double),
    Column("hidden_count", Integer, nullable=False, server_default="0"),
    Column("app", String(64)),
)

response = Table(
    "response",
    metadata,
    Column("trial_id", String(64), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("scale_id", String(40), primary_key=True),
    Column("current", Boolean, nullable=False),  # of the newest revision
    Column("status", String(14), nullable=False),
    Column("value", Double),
    Column("label", String(40)),
    Column("rt_first_ms", Double),
    Column("rt_submit_ms", Double),
    Column("n_changes", Integer, nullable=False),
    # What follows is known from the trial and its session; it is here for the index that counts.
    Column("session_id", ForeignKey("session.session_id"), nullable=False),
    Column("stimulus_id", String(64), nullable=False),
    Column("study_id", String(40), nullable=False),
    Column("study_version", Integer, nullable=False),
    Column("kind", String(9), nullable=False),
    Column("phase", String(5), nullable=False),
    Column("is_main", Boolean, nullable=False),
    ForeignKeyConstraint(["trial_id", "revision"], ["answer.trial_id", "answer.revision"]),
    CheckConstraint(STATUSES, name="status"),
    # Holds all that tables.counts() reads, in the order in which it groups.
    Index(
        "ix_response_counts",
        *("study_id", "study_version", "kind", "phase", "current", "is_main"),
        *("scale_id", "stimulus_id", "status", "value", "label", "session_id"),
    ),
)

ai_run = Table(
    "ai_run",
    metadata,
    Column("run_id", Integer, primary_key=True),
    Column("config_hash", ForeignKey("study_version.config_hash")),  # null: files outside any study
    Column("raters", JSON, nullable=False),
    Column("detector", String(64), nullable=False),
    Column("who", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("began_at", UtcText, nullable=False),
    Column("seen_at", UtcText, nullable=False),
    Column("finished_at", UtcText),
    Column("problem", Text, nullable=False),
    Column("settings", JSON, nullable=False, server_default="{}"),
    Column("versions", JSON, nullable=False, server_default="{}"),
    Index(None, "config_hash"),
)

# The face of a picture, found once for all raters.
detection = Table(
    "detection",
    metadata,
    Column("served_sha256", String(64), primary_key=True),
    Column("detector", String(64), primary_key=True),
    Column("detector_version", String(200), primary_key=True),
    Column("status", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("face", JSON(none_as_null=True)),
    Column("saved_at", UtcText, nullable=False),
    CheckConstraint("status IN ('ok', 'no_face', 'unreadable')", name="status"),
)

ai_result = Table(
    "ai_result",
    metadata,
    Column("result_id", Integer, primary_key=True),
    Column("run_id", ForeignKey("ai_run.run_id"), nullable=False),
    Column("served_sha256", String(64), nullable=False),
    Column("rater_id", String(64), nullable=False),
    Column("rater_version", String(64), nullable=False),
    Column("weights_sha256", String(64), nullable=False),
    Column("detector", String(64), nullable=False),
    Column("settings_hash", String(64), nullable=False),
    Column("status", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("probabilities", JSON, nullable=False),
    Column("face", JSON(none_as_null=True)),
    Column("saved_at", UtcText, nullable=False),
    UniqueConstraint(
        *("served_sha256", "rater_id", "rater_version", "weights_sha256", "detector", "settings_hash"),
        name="uq_ai_result_key",
    ),
    CheckConstraint("status IN ('ok', 'no_face', 'unreadable', 'abstained')", name="status"),
)

ai_score = Table(
    "ai_score",
    metadata,
    Column("result_id", ForeignKey("ai_result.result_id", ondelete="CASCADE"), primary_key=True),
    Column("scale_id", String(40), primary_key=True),
    Column("value", Double),
    Column("label", String(40)),
    Column("scale_min", Double),
    Column("scale_max", Double),
)

ai_embedding = Table(
    "ai_embedding",
    metadata,
    Column("result_id", ForeignKey("ai_result.result_id", ondelete="CASCADE"), primary_key=True),
    Column("vector", LargeBinary, nullable=False),  # float32, little-endian
)

ai_picture = Table(
    "ai_picture",
    metadata,
    Column("result_id", ForeignKey("ai_result.result_id", ondelete="CASCADE"), primary_key=True),
    Column("shows", String(40), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

researcher = Table(
    "researcher",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("changed_at", UtcText, nullable=False),
)

login = Table(
    "login",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("name", ForeignKey("researcher.name"), nullable=False),
    Column("began_at", UtcText, nullable=False),
    Column("expires_at", UtcText, nullable=False),
)

login_attempt = Table(
    "login_attempt",
    metadata,
    Column("attempt_id", Integer, primary_key=True),
    # A hash: people type passwords into the wrong field.
    Column("name_sha256", String(64), nullable=False),
    Column("tried_at", UtcText, nullable=False),
    Index(None, "name_sha256", "tried_at"),
)

audit = Table(
    "audit",
    metadata,
    Column("entry_id", Integer, primary_key=True),
    Column("at", UtcText, nullable=False),
    Column("who", String(80), nullable=False),
    Column("what", String(80), nullable=False),
    Column("detail", Text, nullable=False),
)

exclusion = Table(
    "exclusion",
    metadata,
    Column("exclusion_id", Integer, primary_key=True),
    Column("study_id", String(40), nullable=False),
    Column("target_kind", String(8), nullable=False),
    Column("target_id", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", String(80), nullable=False),
    Column("at", UtcText, nullable=False),
    Column("reverses", ForeignKey("exclusion.exclusion_id")),
    UniqueConstraint("reverses"),
    CheckConstraint("target_kind IN ('session', 'trial', 'stimulus')", name="target_kind"),
    Index(None, "study_id"),
)

# A set of real faces that a study names. Its pictures stay where the lab keeps them.
yardstick = Table(
    "yardstick",
    metadata,
    Column("config_hash", ForeignKey("study_version.config_hash"), primary_key=True),
    Column("yardstick_id", String(40), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("manifest", Text, nullable=False),
    Column("loaded_at", UtcText, nullable=False),
)

yardstick_picture = Table(
    "yardstick_picture",
    metadata,
    Column("config_hash", String(64), primary_key=True),
    Column("yardstick_id", String(40), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("stim_file", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("identity_id", Text),
    Column("intended_emotion", String(40)),
    Column("reference_file", Text),
    Column("traits", JSON, nullable=False),
    ForeignKeyConstraint(
        ["config_hash", "yardstick_id"],
        ["yardstick.config_hash", "yardstick.yardstick_id"],
        ondelete="CASCADE",
    ),
)
