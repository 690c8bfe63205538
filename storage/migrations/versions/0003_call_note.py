"""What an operator notes down during a call, before it is written into the log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.models.types import Id, Instant, Json

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_note",
        sa.Column("interaction_id", Id, autoincrement=False, nullable=False),
        sa.Column("operator", sa.String(length=100), nullable=False, comment="who talks, and fills in what came of it"),
        sa.Column("body", Json, nullable=False, comment="{text, disposition, fields, …} as last typed"),
        sa.Column("opened_at", Instant, nullable=False),
        sa.Column("saved_at", Instant, nullable=False),
        sa.Column(
            "finished_at",
            Instant,
            nullable=True,
            comment="when it went into the log; null while it may still be typed at",
        ),
        sa.PrimaryKeyConstraint("interaction_id", "operator", name=op.f("pk_call_note")),
    )
    op.create_index("ix_call_note_operator_finished_at", "call_note", ["operator", "finished_at"])
