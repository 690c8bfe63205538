"""Telephones: how they are now, orders to the exchange, wrap-up, and the black list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.models.types import Id, Instant, Json

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blocked_number",
        sa.Column("id", Id, nullable=False),
        sa.Column("scheme", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=300), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("made_by", sa.String(length=100), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True, comment="null = until somebody takes it off"),
        sa.Column("lifted_at", Instant(), nullable=True),
        sa.Column("lifted_by", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocked_number")),
    )
    op.create_index("ix_blocked_number_scheme_value", "blocked_number", ["scheme", "value"], unique=False)
    op.create_table(
        "phone",
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column("extension", sa.String(length=40), nullable=False),
        sa.Column("operator", sa.String(length=100), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False, comment="free ringing talking paused offline"),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("queues", Json, nullable=False),
        sa.PrimaryKeyConstraint("line", "extension", name=op.f("pk_phone")),
    )
    op.create_index("ix_phone_operator", "phone", ["operator"], unique=False)
    op.create_table(
        "phone_order",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("arguments", Json, nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False, comment="whoever has not begun by then leaves it alone"),
        sa.Column(
            "taken_by",
            sa.String(length=100),
            nullable=True,
            comment="the process that carries it out; null = nobody has begun",
        ),
        sa.Column("answer", Json, nullable=True, comment="{result} or {error, reason, remedy}"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_order")),
    )
    op.create_index("ix_phone_order_expires_at", "phone_order", ["expires_at"], unique=False)
    op.create_table(
        "phone_queue",
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column("queue", sa.String(length=100), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("longest_since", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("line", "queue", name=op.f("pk_phone_queue")),
    )
    op.create_table(
        "wrap_up",
        sa.Column("operator", sa.String(length=100), nullable=False),
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column("extension", sa.String(length=40), nullable=False),
        sa.Column("interaction_id", Id, nullable=False, comment="the call that it follows"),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False, comment="it ends by itself"),
        sa.PrimaryKeyConstraint("operator", name=op.f("pk_wrap_up")),
    )
