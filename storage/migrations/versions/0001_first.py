"""The first tables."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text
from sqlalchemy.schema import CreateSequence, Sequence

from storage.models import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBERED = (
    "raw",
    "touch",
    "interaction",
    "client",
    "identity",
    "conversation",
    "obligation",
    "clock_event",
    "task",
)
WORDS = ("interaction_words", "client_words")


def upgrade() -> None:
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        metadata.create_all(bind, tables=[table for table in metadata.sorted_tables if table.name not in WORDS])
        for name in WORDS:
            bind.execute(text(f"CREATE VIRTUAL TABLE {name} USING fts5(words, tokenize='unicode61', detail=none)"))
        return
    metadata.create_all(bind)
    for name in NUMBERED:
        bind.execute(CreateSequence(Sequence(f"{name}_ids")))
    for name in WORDS:
        bind.execute(text(f"CREATE INDEX ix_{name}_words ON {name} USING gin (to_tsvector('simple', words))"))
