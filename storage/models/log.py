"""The log: touches as they came (append-only), the interactions that are their fold, raw bytes and attachments."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from storage.models.types import Id, Instant, Json, metadata

_CALLS = text("kind = 'call'")


def _index_of_given(name: str, *columns: str, given: str) -> Index:
    """An index over the rows that have a value at all: most rows cost nothing, and IS NULL is never sought in it."""
    condition = text(f"{given} IS NOT NULL")
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


raw = Table(
    "raw",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("media_type", String(200), nullable=False),
    Column("size", Integer, nullable=False, comment="bytes before compression"),
    Column("data", LargeBinary, comment="zlib; null when kept as a file"),
    Column("path", String(200), comment="file under the home's files/, for large ones"),
)

touch = Table(
    "touch",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("line", String(100), nullable=False),
    Column("event_key", String(300), nullable=False),
    Column("interaction_id", Id, nullable=False),
    Column("at", Instant, nullable=False, comment="when it happened at its source"),
    Column("received_at", Instant, nullable=False),
    Column("phase", String(40)),
    Column("body", Json, nullable=False, comment="the touch as parsed, without its texts"),
    Column("text", Text, nullable=False, default=""),
    Column("full_text", Text),
    Column("html", Text),
    Column("raw_id", Id, ForeignKey("raw.id")),
    UniqueConstraint("event_key", "line"),
    Index("ix_touch_interaction_id", "interaction_id"),
)

interaction = Table(
    "interaction",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("kind", String(20), nullable=False),
    Column("channel", String(40), nullable=False),
    Column("line", String(100), nullable=False),
    Column("direction", String(10), nullable=False),
    Column("at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("client_id", Id, comment="null while quarantined or while several clients are candidates"),
    Column("conversation_id", Id),
    Column("operator", String(100)),
    Column("team", String(100)),
    Column("subject", Text),
    Column("text", Text, nullable=False, default=""),
    Column("content_id", Id, comment="the touch whose text is shown (the latest edit)"),
    Column("fields", Json, nullable=False, default=dict),
    Column("field_marks", Json, nullable=False, default=dict),
    Column("origin", Json, nullable=False, default=dict),
    Column("party", Json, nullable=False, default=list, comment="[{identity, name, odd}] of the other side"),
    Column("candidates", Json, comment="[{client, reason}] when no single client is certain"),
    Column("automatic", String(20)),
    Column("suspicion", Text),
    Column("quarantined_at", Instant),
    Column("again_of", Id, comment="the interaction that this one repeats"),
    Column("repeat_key", String(64)),
    Column("external_id", String(1000)),
    Column("same_as", String(300)),
    Column("call", Json),
    Column("disposition", String(100)),
    Column("language", String(10)),
    Column("has_files", Boolean, nullable=False, default=False),
    Column("remarks", Json),
    Index("ix_interaction_client_id_at", "client_id", "at"),
    Index("ix_interaction_conversation_id_at", "conversation_id", "at"),
    Index("ix_interaction_at", "at"),
    Index("ix_interaction_at_of_calls", "at", sqlite_where=_CALLS, postgresql_where=_CALLS),
    _index_of_given("ix_interaction_line_external_id", "line", "external_id", given="external_id"),
    _index_of_given("ix_interaction_external_id", "external_id", given="external_id"),
    _index_of_given("ix_interaction_same_as", "same_as", given="same_as"),
    _index_of_given("ix_interaction_repeat_key", "repeat_key", "at", given="repeat_key"),
    _index_of_given("ix_interaction_quarantined_at", "quarantined_at", given="quarantined_at"),
)

attachment = Table(
    "attachment",
    metadata,
    Column("id", Id, primary_key=True),
    Column("interaction_id", Id),
    Column("name", Text, nullable=False),
    Column("media_type", String(200), nullable=False),
    Column("size", Integer, nullable=False),
    Column("content_id", String(300)),
    Column("path", String(200), nullable=False, comment="file under the home's files/, named by its SHA-256"),
    Column("uploaded_by", String(100), comment="operator whose draft it still belongs to"),
    Column("uploaded_at", Instant),
    Index("ix_attachment_interaction_id", "interaction_id"),
)
