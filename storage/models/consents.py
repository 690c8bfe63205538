"""What clients want to hear from us, by what channel and what for; and how they rated what they got."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from storage.models.types import Id, Instant, Json, metadata

consent = Table(
    "consent",
    metadata,
    Column("id", Id, primary_key=True),
    Column("client_id", Id, nullable=False),
    Column(
        "identity", String(330), comment="scheme:value that said so, or that it is about; null = the client himself"
    ),
    Column("channel", String(40), nullable=False, comment="a channel, or all"),
    Column("purpose", String(20), nullable=False, comment="service, marketing, or all"),
    Column("state", String(10), nullable=False, comment="given or refused"),
    Column("source", String(20), nullable=False, comment="form message channel operator api merge link"),
    Column("by", String(200), nullable=False, comment="line, operator:KEY or token:NAME"),
    Column("text", Text, comment="the very words that were agreed to"),
    Column("version", String(100), comment="of those words"),
    Column("reason", Text),
    Column("interaction_id", Id, comment="the touch that says so"),
    Column("at", Instant, nullable=False),
    Index("ix_consent_client_id", "client_id"),
    Index("ix_consent_identity", "identity"),
    comment="append-only; what holds is the last row of each channel and purpose",
)

rating = Table(
    "rating",
    metadata,
    Column("conversation_id", Id, primary_key=True, autoincrement=False),
    Column("client_id", Id, nullable=False),
    Column("line", String(100), nullable=False),
    Column("operator", String(100), comment="who owned the conversation when it was rated"),
    Column("team", String(100)),
    Column("asked_at", Instant, nullable=False),
    Column("asked_id", Id, nullable=False, comment="the interaction that asks"),
    Column("score", Integer, comment="null until he answers; the last answer counts"),
    Column("most", Integer, nullable=False, comment="the best score there is"),
    Column("rated_at", Instant),
    Column("rated_id", Id, comment="the interaction that answers"),
    Column("history", Json, nullable=False, default=list, comment="[{score, at}] of all answers"),
    Index("ix_rating_client_id", "client_id"),
    Index("ix_rating_rated_at", "rated_at"),
)
