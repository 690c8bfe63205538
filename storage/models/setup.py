"""The declarative set-up: every line, form, team, operator, calendar and regulation as immutable versions."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, UniqueConstraint

from storage.models.types import Id, Instant, Json, metadata

definition = Table(
    "definition",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(20), nullable=False, comment="company team operator calendar regulation form line route"),
    Column("key", String(100), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Json, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("written_by", String(100), nullable=False),
    Column("retired_at", Instant, comment="set on the newest version when the thing is switched off"),
    UniqueConstraint("kind", "key", "version"),
    Index("ix_definition_kind_key", "kind", "key"),
)
