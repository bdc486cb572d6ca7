"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table, those first that others point to."""
    _create_study_version()
    _create_blob()
    _create_stimulus()
    _create_link()
    _create_tally()
    _create_session()
    _create_consent_text()
    _create_consent()
    _create_about()
    _create_trial()
    _create_trial_stimulus()
    _create_answer()
    _create_response()
    _create_ai_run()
    _create_ai_result()
    _create_ai_score()
    _create_researcher()
    _create_login()
    _create_login_attempt()
    _create_audit()
    _create_exclusion()


def _create_study_version() -> None:
    op.create_table(
        "study_version",
        sa.Column("config_hash", sa.String(64), nullable=False),
        sa.Column("study_id", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(6), nullable=False),
        sa.Column("phase", sa.String(5), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("source_yaml", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.String(24), nullable=False),
        sa.Column("opened_at", sa.String(24)),
        sa.Column("closed_at", sa.String(24)),
        sa.CheckConstraint("phase IN ('pilot', 'live')", name="ck_study_version_phase"),
        sa.CheckConstraint("state IN ('loaded', 'open', 'closed')", name="ck_study_version_state"),
        sa.PrimaryKeyConstraint("config_hash", name="pk_study_version"),
        sa.UniqueConstraint("study_id", "version", name="uq_study_version_study_id_version"),
    )


def _create_blob() -> None:
    op.create_table(
        "blob",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_blob"),
    )


def _create_stimulus() -> None:
    op.create_table(
        "stimulus",
        sa.Column("config_hash", sa.String(64), nullable=False),
        sa.Column("stimulus_id", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("stim_file", sa.Text(), nullable=False),
        sa.Column("stim_sha256", sa.String(64), nullable=False),
        sa.Column("served_sha256", sa.String(64), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("identity_id", sa.Text(), nullable=False),
        sa.Column("intended_emotion", sa.String(40)),
        sa.Column("reference_file", sa.Text()),
        sa.Column("generator", sa.Text()),
        sa.Column("generator_version", sa.Text()),
        sa.Column("prompt", sa.Text()),
        sa.Column("variant", sa.Text()),
        sa.Column("publishable", sa.Boolean(), nullable=False),
        sa.Column("rated", sa.Boolean(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["config_hash"], ["study_version.config_hash"], name="fk_stimulus_config_hash"
        ),
        sa.ForeignKeyConstraint(["served_sha256"], ["blob.sha256"], name="fk_stimulus_served_sha256"),
        sa.ForeignKeyConstraint(["stim_sha256"], ["blob.sha256"], name="fk_stimulus_stim_sha256"),
        sa.PrimaryKeyConstraint("config_hash", "stimulus_id", name="pk_stimulus"),
        sa.UniqueConstraint("config_hash", "served_sha256", name="uq_stimulus_config_hash_served_sha256"),
    )


def _create_link() -> None:
    op.create_table(
        "link",
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("study_id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(9), nullable=False),
        sa.Column("made_at", sa.String(24), nullable=False),
        sa.CheckConstraint("kind IN ('human', 'simulated', 'preview')", name="ck_link_kind"),
        sa.PrimaryKeyConstraint("token", name="pk_link"),
        sa.UniqueConstraint("study_id", "kind", name="uq_link_study_id_kind"),
    )


def _create_tally() -> None:
    op.create_table(
        "tally",
        sa.Column("config_hash", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(9), nullable=False),
        sa.Column("phase", sa.String(5), nullable=False),
        sa.Column("what", sa.String(8), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('human', 'simulated', 'preview')", name="ck_tally_kind"),
        sa.CheckConstraint("phase IN ('pilot', 'live')", name="ck_tally_phase"),
        sa.CheckConstraint("what IN ('opened', 'declined')", name="ck_tally_what"),
        sa.ForeignKeyConstraint(["config_hash"], ["study_version.config_hash"], name="fk_tally_config_hash"),
        sa.PrimaryKeyConstraint("config_hash", "kind", "phase", "what", name="pk_tally"),
    )


def _create_session() -> None:
    op.create_table(
        "session",
        sa.Column("session_id", sa.String(32), nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("study_id", sa.String(40), nullable=False),
        sa.Column("study_version", sa.Integer(), nullable=False),
        sa.Column("config_hash", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(9), nullable=False),
        sa.Column("phase", sa.String(5), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("option_order", sa.JSON(), nullable=False),
        sa.Column("utc_offset_min", sa.Integer()),
        sa.Column("completion_code", sa.String(16), nullable=False),
        sa.Column("began_at", sa.String(24), nullable=False),
        sa.Column("instructions_at", sa.String(24)),
        sa.Column("last_seen_at", sa.String(24), nullable=False),
        sa.Column("completed_at", sa.String(24)),
        sa.CheckConstraint("kind IN ('human', 'simulated', 'preview')", name="ck_session_kind"),
        sa.CheckConstraint("phase IN ('pilot', 'live')", name="ck_session_phase"),
        sa.ForeignKeyConstraint(
            ["config_hash"], ["study_version.config_hash"], name="fk_session_config_hash"
        ),
        sa.PrimaryKeyConstraint("session_id", name="pk_session"),
        sa.UniqueConstraint("token_sha256", name="uq_session_token_sha256"),
    )
    op.create_index(
        "ix_session_study_id_study_version_began_at_session_id",
        "session",
        ["study_id", "study_version", "began_at", "session_id"],
    )


def _create_consent_text() -> None:
    op.create_table(
        "consent_text",
        sa.Column("text_sha256", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("text_sha256", name="pk_consent_text"),
    )


def _create_consent() -> None:
    op.create_table(
        "consent",
        sa.Column("session_id", sa.String(32), nullable=False),
        sa.Column("item_id", sa.String(40), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("text_sha256", sa.String(64), nullable=False),
        sa.Column("given_at", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["session.session_id"], name="fk_consent_session_id"),
        sa.ForeignKeyConstraint(["text_sha256"], ["consent_text.text_sha256"], name="fk_consent_text_sha256"),
        sa.PrimaryKeyConstraint("session_id", "item_id", name="pk_consent"),
    )


def _create_about() -> None:
    op.create_table(
        "about",
        sa.Column("session_id", sa.String(32), nullable=False),
        sa.Column("question_id", sa.String(40), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("saved_at", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["session.session_id"], name="fk_about_session_id"),
        sa.PrimaryKeyConstraint("session_id", "question_id", name="pk_about"),
    )


def _create_trial() -> None:
    op.create_table(
        "trial",
        sa.Column("trial_id", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(32), nullable=False),
        sa.Column("trial_index", sa.Integer(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("is_practice", sa.Boolean(), nullable=False),
        sa.Column("is_attention", sa.Boolean(), nullable=False),
        sa.Column("is_repeat", sa.Boolean(), nullable=False),
        sa.Column("repeat_of", sa.String(64)),
        sa.ForeignKeyConstraint(["session_id"], ["session.session_id"], name="fk_trial_session_id"),
        sa.PrimaryKeyConstraint("trial_id", name="pk_trial"),
        sa.UniqueConstraint(
            "session_id", "trial_index", "attempt", name="uq_trial_session_id_trial_index_attempt"
        ),
    )


def _create_trial_stimulus() -> None:
    op.create_table(
        "trial_stimulus",
        sa.Column("trial_id", sa.String(64), nullable=False),
        sa.Column("role", sa.String(9), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("config_hash", sa.String(64), nullable=False),
        sa.Column("stimulus_id", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(32), nullable=False),
        sa.Column("is_main", sa.Boolean(), nullable=False),
        sa.CheckConstraint("role IN ('target', 'reference')", name="ck_trial_stimulus_role"),
        sa.ForeignKeyConstraint(
            ["config_hash", "stimulus_id"],
            ["stimulus.config_hash", "stimulus.stimulus_id"],
            name="fk_trial_stimulus_config_hash_stimulus_id",
        ),
        sa.ForeignKeyConstraint(["session_id"], ["session.session_id"], name="fk_trial_stimulus_session_id"),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.trial_id"], name="fk_trial_stimulus_trial_id"),
        sa.PrimaryKeyConstraint("trial_id", "role", name="pk_trial_stimulus"),
    )
    op.create_index(
        "ix_trial_stimulus_plan", "trial_stimulus", ["session_id", "role", "is_main", "stimulus_id"]
    )


def _create_answer() -> None:
    op.create_table(
        "answer",
        sa.Column("trial_id", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body_sha256", sa.String(64), nullable=False),
        sa.Column("onset_ok", sa.Boolean(), nullable=False),
        sa.Column("decode_ms", sa.Double()),
        sa.Column("blur_count", sa.Integer(), nullable=False),
        sa.Column("input_device", sa.String(16)),
        sa.Column("viewport", sa.String(40)),
        sa.Column("saved_at", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.trial_id"], name="fk_answer_trial_id"),
        sa.PrimaryKeyConstraint("trial_id", "revision", name="pk_answer"),
    )


def _create_response() -> None:
    op.create_table(
        "response",
        sa.Column("trial_id", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("scale_id", sa.String(40), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(14), nullable=False),
        sa.Column("value", sa.Double()),
        sa.Column("label", sa.String(40)),
        sa.Column("rt_first_ms", sa.Double()),
        sa.Column("rt_submit_ms", sa.Double()),
        sa.Column("n_changes", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.String(32), nullable=False),
        sa.Column("stimulus_id", sa.String(64), nullable=False),
        sa.Column("study_id", sa.String(40), nullable=False),
        sa.Column("study_version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(9), nullable=False),
        sa.Column("phase", sa.String(5), nullable=False),
        sa.Column("is_main", sa.Boolean(), nullable=False),
        sa.CheckConstraint("status IN ('answered', 'not_applicable')", name="ck_response_status"),
        sa.ForeignKeyConstraint(["session_id"], ["session.session_id"], name="fk_response_session_id"),
        sa.ForeignKeyConstraint(
            ["trial_id", "revision"],
            ["answer.trial_id", "answer.revision"],
            name="fk_response_trial_id_revision",
        ),
        sa.PrimaryKeyConstraint("trial_id", "revision", "scale_id", name="pk_response"),
    )
    op.create_index(
        "ix_response_counts",
        "response",
        [
            "study_id",
            "study_version",
            "kind",
            "phase",
            "current",
            "is_main",
            "scale_id",
            "stimulus_id",
            "status",
            "value",
            "label",
            "session_id",
        ],
    )


def _create_ai_run() -> None:
    op.create_table(
        "ai_run",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("config_hash", sa.String(64), nullable=False),
        sa.Column("raters", sa.JSON(), nullable=False),
        sa.Column("detector", sa.String(40), nullable=False),
        sa.Column("settings_hash", sa.String(64), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.String(24), nullable=False),
        sa.Column("seen_at", sa.String(24), nullable=False),
        sa.Column("finished_at", sa.String(24)),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["config_hash"], ["study_version.config_hash"], name="fk_ai_run_config_hash"),
        sa.PrimaryKeyConstraint("run_id", name="pk_ai_run"),
    )
    op.create_index("ix_ai_run_config_hash", "ai_run", ["config_hash"])


def _create_ai_result() -> None:
    op.create_table(
        "ai_result",
        sa.Column("result_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("served_sha256", sa.String(64), nullable=False),
        sa.Column("rater_id", sa.String(64), nullable=False),
        sa.Column("rater_version", sa.String(64), nullable=False),
        sa.Column("weights_sha256", sa.String(64), nullable=False),
        sa.Column("detector", sa.String(64), nullable=False),
        sa.Column("settings_hash", sa.String(64), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("probabilities", sa.JSON(), nullable=False),
        sa.Column("face", sa.JSON()),
        sa.Column("saved_at", sa.String(24), nullable=False),
        sa.CheckConstraint(
            "status IN ('ok', 'no_face', 'unreadable', 'abstained')", name="ck_ai_result_status"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["ai_run.run_id"], name="fk_ai_result_run_id"),
        sa.PrimaryKeyConstraint("result_id", name="pk_ai_result"),
        sa.UniqueConstraint(
            "served_sha256",
            "rater_id",
            "rater_version",
            "weights_sha256",
            "detector",
            "settings_hash",
            name="uq_ai_result_key",
        ),
    )


def _create_ai_score() -> None:
    op.create_table(
        "ai_score",
        sa.Column("result_id", sa.Integer(), nullable=False),
        sa.Column("scale_id", sa.String(40), nullable=False),
        sa.Column("value", sa.Double()),
        sa.Column("label", sa.String(40)),
        sa.Column("scale_min", sa.Double()),
        sa.Column("scale_max", sa.Double()),
        sa.ForeignKeyConstraint(
            ["result_id"], ["ai_result.result_id"], name="fk_ai_score_result_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("result_id", "scale_id", name="pk_ai_score"),
    )


def _create_researcher() -> None:
    op.create_table(
        "researcher",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_researcher"),
    )


def _create_login() -> None:
    op.create_table(
        "login",
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("began_at", sa.String(24), nullable=False),
        sa.Column("expires_at", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(["name"], ["researcher.name"], name="fk_login_name"),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_login"),
    )


def _create_login_attempt() -> None:
    op.create_table(
        "login_attempt",
        sa.Column("attempt_id", sa.Integer(), nullable=False),
        sa.Column("name_sha256", sa.String(64), nullable=False),
        sa.Column("tried_at", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("attempt_id", name="pk_login_attempt"),
    )
    op.create_index("ix_login_attempt_name_sha256_tried_at", "login_attempt", ["name_sha256", "tried_at"])


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("what", sa.String(80), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_audit"),
    )


def _create_exclusion() -> None:
    op.create_table(
        "exclusion",
        sa.Column("exclusion_id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.String(40), nullable=False),
        sa.Column("target_kind", sa.String(8), nullable=False),
        sa.Column("target_id", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("reverses", sa.Integer()),
        sa.CheckConstraint(
            "target_kind IN ('session', 'trial', 'stimulus')", name="ck_exclusion_target_kind"
        ),
        sa.ForeignKeyConstraint(["reverses"], ["exclusion.exclusion_id"], name="fk_exclusion_reverses"),
        sa.PrimaryKeyConstraint("exclusion_id", name="pk_exclusion"),
        sa.UniqueConstraint("reverses", name="uq_exclusion_reverses"),
    )
    op.create_index("ix_exclusion_study_id", "exclusion", ["study_id"])
