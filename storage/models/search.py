"""The folded words of interactions and clients, which both databases index for full-text search.

On PostgreSQL these are plain tables with a GIN index over to_tsvector('simple', words). On SQLite the migration makes
FTS5 tables of the same names, whose rowid is the id.
"""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from storage.models.types import Id, metadata

interaction_words = Table(
    "interaction_words",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("words", Text, nullable=False),
    info={"fts": True},
)

client_words = Table(
    "client_words",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("words", Text, nullable=False),
    info={"fts": True},
)
