"""Outbound messages on their way, and the jobs that must happen: rows first, doorbells after."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from storage.models.types import Id, Instant, Json, metadata

delivery = Table(
    "delivery",
    metadata,
    Column("id", Id, primary_key=True),
    Column("interaction_id", Id, nullable=False),
    Column("conversation_id", Id),
    Column("line", String(100), nullable=False),
    Column("reference", String(64), nullable=False, unique=True),
    Column("external_id", String(1000)),
    Column("state", String(12), nullable=False, default="pending", comment="or sent delivered read failed unknown"),
    Column("recipients", Json, nullable=False),
    Column("options", Json, nullable=False, default=dict),
    Column("reason", Text),
    Column("attempts", Integer, nullable=False, default=0),
    Column("made_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("settled_at", Instant),
    Column("postponed_until", Instant, comment="quiet hours, or a server's patience"),
    Index("ix_delivery_interaction_id", "interaction_id"),
    Index("ix_delivery_external_id", "external_id"),
    Index("ix_delivery_state", "state"),
    Index("ix_delivery_made_at", "made_at"),
)

receipt = Table(
    "receipt",
    metadata,
    Column("id", Id, primary_key=True),
    Column("line", String(100), nullable=False),
    Column("external_id", String(1000), nullable=False),
    Column("state", String(12), nullable=False),
    Column("at", Instant, nullable=False),
    Column("recipient", String(300)),
    Column("reason", Text),
    Column("permanent", Boolean, nullable=False, default=True),
    Column("delivery_id", Id, comment="null while unknown: it may precede the answer to the send"),
    Index("ix_receipt_external_id", "external_id"),
    Index("ix_receipt_delivery_id", "delivery_id"),
)

job = Table(
    "job",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("body", Json, nullable=False, default=dict),
    Column("run_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("claimed_by", String(100)),
    Column("claimed_until", Instant, comment="a worker that died lets go at this time"),
    Column("started", Integer, nullable=False, default=0, comment="1 once the outside world may have been touched"),
    Column("error", Text),
    Column("made_at", Instant, nullable=False),
    Index("ix_job_run_at", "run_at"),
    sqlite_autoincrement=True,
    comment="numbers are never used twice: messages to our own people are known by them",
)
