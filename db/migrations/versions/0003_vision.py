"""Faces found once for all raters, embeddings, pictures by raters, and runs outside any study."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add tables and columns; results that are stored stay."""
    _extend_run()
    _create_detection()
    vector: sa.Column[Any] = sa.Column("vector", sa.LargeBinary(), nullable=False)
    content: sa.Column[Any] = sa.Column("content", sa.LargeBinary(), nullable=False)
    _create_of_result("ai_embedding", vector)
    _create_of_result("ai_picture", sa.Column("shows", sa.String(40), nullable=False), content)


def _extend_run() -> None:
    with op.batch_alter_table("ai_run") as batch:
        batch.alter_column("config_hash", existing_type=sa.String(64), nullable=True)
        batch.add_column(sa.Column("settings", sa.JSON(), nullable=False, server_default="{}"))
        batch.add_column(sa.Column("versions", sa.JSON(), nullable=False, server_default="{}"))
        batch.alter_column("detector", type_=sa.String(64), existing_nullable=False)
        batch.drop_column("settings_hash")


def _create_detection() -> None:
    op.create_table(
        "detection",
        sa.Column("served_sha256", sa.String(64), nullable=False),
        sa.Column("detector", sa.String(64), nullable=False),
        sa.Column("detector_version", sa.String(200), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("face", sa.JSON(none_as_null=True)),
        sa.Column("saved_at", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("served_sha256", "detector", "detector_version", name="pk_detection"),
        sa.CheckConstraint("status IN ('ok', 'no_face', 'unreadable')", name="ck_detection_status"),
    )


def _create_of_result(table: str, *columns: sa.Column[Any]) -> None:
    key = ["result_id", *(column.name for column in columns if column.name == "shows")]
    op.create_table(
        table,
        sa.Column("result_id", sa.Integer(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint(*key, name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["result_id"], ["ai_result.result_id"], name=f"fk_{table}_result_id", ondelete="CASCADE"
        ),
    )
