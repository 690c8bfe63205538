"""Reads how lines are, and what could not be taken in from them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, func, select

from storage.models import line_health, set_aside


@dataclass(frozen=True, slots=True)
class LineHealth:
    """What the listener last reported about a line."""

    line: str
    state: str
    reason: str
    remedy: str
    since: datetime
    seen_at: datetime


def read_health(connection: Connection) -> dict[str, LineHealth]:
    """All lines that a listener has ever started: line -> health."""
    rows = connection.execute(select(line_health))
    found = (LineHealth(**{field.name: getattr(row, field.name) for field in fields(LineHealth)}) for row in rows)
    return {one.line: one for one in found}


def count_set_aside(connection: Connection) -> dict[str, int]:
    """Touches that could not be taken in and wait for a person: line -> how many."""
    query = select(set_aside.c.line, func.count()).where(set_aside.c.settled_at.is_(None)).group_by(set_aside.c.line)
    return {line: count for line, count in connection.execute(query)}
