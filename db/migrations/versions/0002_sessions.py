"""Task sets, pairs, checks, evidence, recruitment, questionnaires and the ends of a session."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_KINDS = "kind IN ('human', 'simulated', 'preview')"
_WHATS = "what IN ('opened', 'declined', 'full', 'erased')"
_STATUSES = "status IN ('answered', 'not_applicable', 'cannot_tell')"


def upgrade() -> None:
    """Add columns and tables; what is stored stays as it is."""
    _extend_session()
    _extend_trial()
    _extend_answer()
    _replace_check("tally", "what", _WHATS)
    _replace_check("response", "status", _STATUSES)
    _widen_about()
    _create_questionnaire()
    _create_external()
    _create_code()


def _extend_session() -> None:
    for column in (
        sa.Column("task_order", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("disclosure", sa.String(6), nullable=False, server_default="before"),
        sa.Column("outcome", sa.String(12)),
        sa.Column("ended_at", sa.String(24)),
        sa.Column("debriefed_at", sa.String(24)),
        sa.Column("erase_code_sha256", sa.String(64)),
        sa.Column("catalogue_sha256", sa.String(64)),
        sa.Column("app", sa.String(64)),
        sa.Column("returns", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("resume_due", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("px_per_cm", sa.Double()),
        sa.Column("open_page", sa.String(40)),
        sa.Column("newest_request", sa.Integer(), nullable=False, server_default="0"),
    ):
        op.add_column("session", column)
    op.create_index("ix_session_erase_code_sha256", "session", ["erase_code_sha256"])
    complete = "UPDATE session SET outcome = 'complete', ended_at = completed_at"
    op.execute(f"{complete} WHERE completed_at IS NOT NULL")


def _extend_trial() -> None:
    for column in (
        sa.Column("task", sa.String(40), nullable=False, server_default="all"),
        sa.Column("is_foil", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("expected", sa.JSON()),
        sa.Column("superseded", sa.Boolean(), nullable=False, server_default=sa.false()),
    ):
        op.add_column("trial", column)
    task = sa.Column("task", sa.String(40), nullable=False, server_default="all")
    op.add_column("trial_stimulus", task)
    op.drop_index("ix_trial_stimulus_plan", "trial_stimulus")
    columns = ["session_id", "role", "is_main", "task", "stimulus_id", "trial_id"]
    op.create_index("ix_trial_stimulus_plan", "trial_stimulus", columns)


def _extend_answer() -> None:
    for column in (
        sa.Column("paint_ms", sa.Double()),
        sa.Column("shown_ms", sa.Double()),
        sa.Column("frame_sd_ms", sa.Double()),
        sa.Column("hidden_count", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("app", sa.String(64)),
    ):
        op.add_column("answer", column)


def _replace_check(table: str, name: str, text: str) -> None:
    # SQLite changes no constraint of a table: Alembic writes it anew there.
    with op.batch_alter_table(table) as batch:
        batch.drop_constraint(f"ck_{table}_{name}", type_="check")
        batch.create_check_constraint(f"ck_{table}_{name}", text)


def _widen_about() -> None:
    with op.batch_alter_table("about") as batch:
        batch.alter_column("question_id", type_=sa.String(81), existing_nullable=False)


def _create_questionnaire() -> None:
    op.create_table(
        "questionnaire",
        sa.Column("session_id", sa.String(32), nullable=False),
        sa.Column("questionnaire_id", sa.String(40), nullable=False),
        sa.Column("question_id", sa.String(81), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("saved_at", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "questionnaire_id", "question_id", name="pk_questionnaire"),
        sa.ForeignKeyConstraint(["session_id"], ["session.session_id"], name="fk_questionnaire_session_id"),
    )


def _create_external() -> None:
    op.create_table(
        "external",
        sa.Column("session_id", sa.String(32), nullable=False),
        sa.Column("study_id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(9), nullable=False),
        sa.Column("external_id", sa.String(200), nullable=False),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("paid_at", sa.String(24)),
        sa.PrimaryKeyConstraint("session_id", name="pk_external"),
        sa.ForeignKeyConstraint(["session_id"], ["session.session_id"], name="fk_external_session_id"),
        sa.UniqueConstraint("study_id", "kind", "external_id", name="uq_external_study_id_kind_external_id"),
        sa.CheckConstraint(_KINDS, name="ck_external_kind"),
    )


def _create_code() -> None:
    op.create_table(
        "code",
        sa.Column("study_id", sa.String(40), nullable=False),
        sa.Column("code", sa.String(80), nullable=False),
        sa.Column("session_id", sa.String(32)),
        sa.Column("given_at", sa.String(24)),
        sa.PrimaryKeyConstraint("study_id", "code", name="pk_code"),
        sa.UniqueConstraint("session_id", name="uq_code_session_id"),
    )
