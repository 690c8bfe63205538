"""How long telephones were talked on, ready, paused and in wrap-up: what occupancy is made of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.models.types import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "phone_time",
        sa.Column("line", sa.String(100), nullable=False),
        sa.Column("extension", sa.String(40), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("operator", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False, comment="talk wrap_up ready pause"),
        sa.Column("seconds", sa.Float, nullable=False, comment="never beyond the quarter of an hour in which it began"),
        sa.PrimaryKeyConstraint("line", "extension", "since", name=op.f("pk_phone_time")),
    )
    op.create_index("ix_phone_time_since", "phone_time", ["since", "operator", "kind", "seconds"])


def downgrade() -> None:
    op.drop_table("phone_time")
