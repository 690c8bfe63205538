"""Until when somebody counts as following a live talk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.models.types import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "identity",
        sa.Column(
            "here_until",
            Instant(),
            nullable=True,
            comment="until when he counts as following a live talk; null = never did",
        ),
    )


def downgrade() -> None:
    op.drop_column("identity", "here_until")
