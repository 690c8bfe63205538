"""How people and programs prove who they are: accounts, sessions, one-time links, tokens; and whether they are here."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from storage.models.types import Id, Instant, Json, metadata

account = Table(
    "account",
    metadata,
    Column("operator", String(100), primary_key=True),
    Column("password_hash", Text),
    Column("disabled_at", Instant),
    Column("disabled_by", String(100)),
    Column("signature", Text, nullable=False, default=""),
    Column("preferences", Json, nullable=False, default=dict),
    Column("seen_at", Instant),
)

session = Table(
    "session",
    metadata,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of the cookie"),
    Column("operator", String(100), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("address", String(64)),
    Column("agent", Text),
    Index("ix_session_operator", "operator"),
)

ticket = Table(
    "ticket",
    metadata,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of the one-time link's secret"),
    Column("purpose", String(20), nullable=False, comment="sign_in invitation password_reset proof"),
    Column("subject", String(300), nullable=False, comment="operator, or what the proof was for"),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Index("ix_ticket_expires_at", "expires_at"),
)

token = Table(
    "token",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("role", String(20), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("made_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
)

presence = Table(
    "presence",
    metadata,
    Column("operator", String(100), primary_key=True),
    Column("place", String(80), primary_key=True, comment="desk:N an open desk, phone:X a telephone, own his own word"),
    Column("state", String(20), nullable=False, comment="here on_call away"),
    Column("at", Instant, nullable=False, comment="since when"),
    Column("until", Instant, comment="it counts no longer than this unless it is said again"),
)
