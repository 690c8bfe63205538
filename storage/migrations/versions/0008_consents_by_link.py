"""A consent may come by the link in a mailing, and the column says so (SQLite keeps no comments)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BEFORE = "form message channel operator api merge"


def upgrade() -> None:
    _say(f"{_BEFORE} link", _BEFORE)


def downgrade() -> None:
    _say(_BEFORE, f"{_BEFORE} link")


def _say(comment: str, before: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column(
            "consent",
            "source",
            existing_type=sa.String(20),
            existing_nullable=False,
            comment=comment,
            existing_comment=before,
        )
