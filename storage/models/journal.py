"""Who changed what: the audit trail of everything that people do."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table

from storage.models.types import Id, Instant, Json, metadata

journal = Table(
    "journal",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("who", String(100), nullable=False, comment="operator:K, token:NAME, regulation:K or system"),
    Column("action", String(60), nullable=False),
    Column("subject", String(40), nullable=False),
    Column("subject_id", String(120), nullable=False),
    Column("data", Json, nullable=False, default=dict),
    Index("ix_journal_subject_subject_id", "subject", "subject_id"),
)
