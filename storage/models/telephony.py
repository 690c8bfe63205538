"""Telephones as they are now, what is asked of an exchange, who works after a call, and who may not call."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, String, Table, Text

from storage.models.types import Id, Instant, Json, metadata

phone = Table(
    "phone",
    metadata,
    Column("line", String(100), primary_key=True),
    Column("extension", String(40), primary_key=True),
    Column("operator", String(100)),
    Column("state", String(20), nullable=False, comment="free ringing talking paused offline"),
    Column("since", Instant, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("queues", Json, nullable=False),
    Index("ix_phone_operator", "operator"),
)

phone_time = Table(
    "phone_time",
    metadata,
    Column("line", String(100), primary_key=True),
    Column("extension", String(40), primary_key=True),
    Column("since", Instant, primary_key=True),
    Column("operator", String(100), nullable=False),
    Column("kind", String(10), nullable=False, comment="talk wrap_up ready pause"),
    Column("seconds", Float, nullable=False, comment="never beyond the quarter of an hour in which it began"),
    Index("ix_phone_time_since", "since", "operator", "kind", "seconds"),
)

phone_queue = Table(
    "phone_queue",
    metadata,
    Column("line", String(100), primary_key=True),
    Column("queue", String(100), primary_key=True),
    Column("waiting", Integer, nullable=False),
    Column("longest_since", Instant),
)

wrap_up = Table(
    "wrap_up",
    metadata,
    Column("operator", String(100), primary_key=True),
    Column("line", String(100), nullable=False),
    Column("extension", String(40), nullable=False),
    Column("interaction_id", Id, nullable=False, comment="the call that it follows"),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False, comment="it ends by itself"),
)

phone_order = Table(
    "phone_order",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("line", String(100), nullable=False),
    Column("action", String(40), nullable=False),
    Column("arguments", Json, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, comment="whoever has not begun by then leaves it alone"),
    Column("taken_by", String(100), comment="the process that carries it out; null = nobody has begun"),
    Column("answer", Json, comment="{result} or {error, reason, remedy}"),
    Index("ix_phone_order_expires_at", "expires_at"),
)

blocked_number = Table(
    "blocked_number",
    metadata,
    Column("id", Id, primary_key=True),
    Column("scheme", String(20), nullable=False),
    Column("value", String(300), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("made_at", Instant, nullable=False),
    Column("made_by", String(100), nullable=False),
    Column("expires_at", Instant, comment="null = until somebody takes it off"),
    Column("lifted_at", Instant),
    Column("lifted_by", String(100)),
    Index("ix_blocked_number_scheme_value", "scheme", "value"),
)

call_note = Table(
    "call_note",
    metadata,
    Column("interaction_id", Id, primary_key=True, autoincrement=False),
    Column("operator", String(100), primary_key=True, comment="who talks, and fills in what came of it"),
    Column("body", Json, nullable=False, comment="{text, disposition, fields, …} as last typed"),
    Column("opened_at", Instant, nullable=False),
    Column("saved_at", Instant, nullable=False),
    Column("finished_at", Instant, comment="when it went into the log; null while it may still be typed at"),
    Index("ix_call_note_operator_finished_at", "operator", "finished_at"),
)
