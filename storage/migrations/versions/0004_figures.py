"""Figures of an interval look at the calls and the conversations of that interval alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CALLS = sa.text("kind = 'call'")


def upgrade() -> None:
    op.create_index("ix_interaction_at_of_calls", "interaction", ["at"], sqlite_where=_CALLS, postgresql_where=_CALLS)
    op.create_index("ix_conversation_opened_at", "conversation", ["opened_at"])
