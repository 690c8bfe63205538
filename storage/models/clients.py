"""Clients, the identities they write and call from, and the journal of merges."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, String, Table, Text, UniqueConstraint

from storage.models.types import Id, Instant, Json, metadata

client = Table(
    "client",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("kind", String(10), nullable=False, default="person"),
    Column("name", Text, nullable=False, default=""),
    Column("company_id", Id),
    Column("category", String(20)),
    Column("lifecycle", String(20), nullable=False, default="potential"),
    Column("source", String(200)),
    Column("responsible", String(100)),
    Column("region", String(100)),
    Column("language", String(10)),
    Column("notes", Text, nullable=False, default=""),
    Column("fields", Json, nullable=False, default=dict),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(100)),
    Column("provisional", Boolean, nullable=False, default=False, comment="stands in until candidates are chosen from"),
    Column("merged_into", Id, comment="the surviving client; this row is kept so that the merge can be undone"),
    Column("preferred_channel", String(40)),
    Column("wishes", Json, comment="what his consents come to: {refused: […], agreed: […]}"),
    Index("ix_client_company_id", "company_id"),
    Index("ix_client_responsible", "responsible"),
    Index("ix_client_category", "category"),
)

identity = Table(
    "identity",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("client_id", Id, nullable=False),
    Column("scheme", String(20), nullable=False),
    Column("value", String(300), nullable=False),
    Column("name", Text),
    Column("odd", Boolean, nullable=False, default=False),
    Column("shared", Boolean, nullable=False, default=False, comment="known to serve several people (a switchboard)"),
    Column("bounced_at", Instant, comment="mail to it came back for good"),
    Column("added_at", Instant, nullable=False),
    Column("here_until", Instant, comment="until when he counts as following a live talk; null = never did"),
    UniqueConstraint("value", "scheme", "client_id"),
    Index("ix_identity_client_id", "client_id"),
)

merge = Table(
    "merge",
    metadata,
    Column("id", Id, primary_key=True),
    Column("survivor_id", Id, nullable=False),
    Column("other_id", Id, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(100), nullable=False),
    Column("moved", Json, nullable=False, comment="what it changed, row by row, so that undo is exact"),
    Column("undone_at", Instant),
    Column("undone_by", String(100)),
)
