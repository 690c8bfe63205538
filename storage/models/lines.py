"""What lines remember between runs, how they are, and touches that could not be taken in."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text, UniqueConstraint

from storage.models.types import Id, Instant, Json, metadata

bookmark = Table(
    "bookmark",
    metadata,
    Column("line", String(100), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("value", Text, nullable=False),
)

line_health = Table(
    "line_health",
    metadata,
    Column("line", String(100), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("remedy", Text, nullable=False, default=""),
    Column("since", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("holder", String(100), comment="the process that listens on the line now"),
    Column("held_until", Instant),
)

outage = Table(
    "outage",
    metadata,
    Column("id", Id, primary_key=True),
    Column("line", String(100), nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("reason", Text, nullable=False, default=""),
    Index("ix_outage_line_began_at", "line", "began_at"),
)

set_aside = Table(
    "set_aside",
    metadata,
    Column("id", Id, primary_key=True),
    Column("line", String(100), nullable=False),
    Column("event_key", String(300), nullable=False),
    Column("at", Instant, nullable=False),
    Column("error", Text, nullable=False),
    Column("touch", Json, nullable=False),
    Column("raw_id", Id),
    Column("settled_at", Instant),
    UniqueConstraint("line", "event_key"),
)
