"""Sets of real faces that a study names, to be rated beside its stimuli."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add two tables; nothing that is stored changes."""
    op.create_table(
        "yardstick",
        sa.Column("config_hash", sa.String(64), nullable=False),
        sa.Column("yardstick_id", sa.String(40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("config_hash", "yardstick_id", name="pk_yardstick"),
        sa.ForeignKeyConstraint(
            ["config_hash"], ["study_version.config_hash"], name="fk_yardstick_config_hash"
        ),
    )
    op.create_table(
        "yardstick_picture",
        sa.Column("config_hash", sa.String(64), nullable=False),
        sa.Column("yardstick_id", sa.String(40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("stim_file", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("identity_id", sa.Text()),
        sa.Column("intended_emotion", sa.String(40)),
        sa.Column("reference_file", sa.Text()),
        sa.Column("traits", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("config_hash", "yardstick_id", "position", name="pk_yardstick_picture"),
        sa.ForeignKeyConstraint(
            ["config_hash", "yardstick_id"],
            ["yardstick.config_hash", "yardstick.yardstick_id"],
            name="fk_yardstick_picture_config_hash_yardstick_id",
            ondelete="CASCADE",
        ),
    )
