"""Conversations: interactions that answer each other, and who is looking at or answering one now."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from storage.models.types import Id, Instant, Json, metadata

conversation = Table(
    "conversation",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("client_id", Id, nullable=False),
    Column("state", String(20), nullable=False, default="open", comment="open waiting_client postponed solved junk"),
    Column("subject", Text),
    Column("owner", String(100)),
    Column("team", String(100)),
    Column("channels", Json, nullable=False, default=list),
    Column("opened_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("last_inbound_at", Instant),
    Column("last_inbound_id", Id),
    Column("waiting_since", Instant, comment="oldest unanswered inbound touch; null when answered"),
    Column("waiting_id", Id, comment="that touch's interaction"),
    Column("answered_at", Instant, comment="the latest answer by a human"),
    Column("closed_at", Instant),
    Column("closed_by", String(100)),
    Column("closed_why", String(40), comment="answered, no_answer_needed, junk"),
    Column("postponed_until", Instant),
    Column("version", Integer, nullable=False, default=1),
    Index("ix_conversation_client_id", "client_id"),
    Index("ix_conversation_state_last_at", "state", "last_at"),
    Index("ix_conversation_owner_state", "owner", "state"),
    Index("ix_conversation_postponed_until", "postponed_until"),
    Index("ix_conversation_opened_at", "opened_at"),
)

awaited = Table(
    "awaited",
    metadata,
    Column("id", Id, primary_key=True),
    Column("external_id", String(1000), nullable=False, comment="a message that was spoken of before it came"),
    Column("conversation_id", Id, nullable=False, comment="where it was spoken of"),
    Column("answered", Boolean, nullable=False, comment="whether what speaks of it is our answer to it"),
    Index("ix_awaited_external_id", "external_id"),
)

draft = Table(
    "draft",
    metadata,
    Column("conversation_id", Id, primary_key=True, autoincrement=False),
    Column("operator", String(100), primary_key=True),
    Column("body", Json, nullable=False),
    Column("saved_at", Instant, nullable=False),
)
