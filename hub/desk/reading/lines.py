"""How the lines are, and which touches could not be taken in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from storage.models import line_health, set_aside


@dataclass(frozen=True, slots=True)
class Health:
    """`state` is running, will_retry or needs_person."""

    line: str
    state: str
    reason: str
    remedy: str
    since: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class SetAside:
    """A touch that could not be taken in; its raw bytes are kept."""

    id: int
    line: str
    event_key: str
    at: datetime
    error: str


def read_health(connection: Connection) -> dict[str, Health]:
    """By line."""
    rows = connection.execute(select(line_health))
    return {row.line: Health(row.line, row.state, row.reason, row.remedy, row.since, row.seen_at) for row in rows}


def read_set_aside(connection: Connection, limit: int = 100) -> list[SetAside]:
    """Those not settled yet, newest first."""
    query = select(set_aside).where(set_aside.c.settled_at.is_(None)).order_by(set_aside.c.id.desc()).limit(limit)
    return [SetAside(row.id, row.line, row.event_key, row.at, row.error) for row in connection.execute(query)]
