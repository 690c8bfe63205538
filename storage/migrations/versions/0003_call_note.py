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
        sa.Column("operator", sa.String(length=100), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("opened_at", Instant, nullable=False),
        sa.Column("saved_at", Instant, nullable=False),
        sa.Column("finished_at", Instant, nullable=True),
        sa.PrimaryKeyConstraint("interaction_id", "operator", name=op.f("pk_call_note")),
    )
    op.create_index("ix_call_note_operator_finished_at", "call_note", ["operator", "finished_at"])
