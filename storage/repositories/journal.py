"""Reads and writes the journal: who did what, when, to which thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from storage.models import journal
from storage.repositories.paging import Order, Page, read_page
from storage.unit import Unit

_BY_NUMBER = Order(journal.c.id, journal.c.id)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal."""

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    subject_id: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """What the journal may be narrowed by; `id` only together with `subject`."""

    subject: str | None = None
    id: str | None = None
    who: str | None = None
    action: str | None = None
    since: datetime | None = None


def write(unit: Unit, who: str, action: str, subject: str, number: int | str, data: Mapping[str, Any]) -> None:
    """Add a line."""
    unit.connection.execute(
        insert(journal).values(
            at=unit.now, who=who[:100], action=action, subject=subject, subject_id=str(number)[:120], data=dict(data)
        )
    )


def list_page(connection: Connection, wanted: Filter, *, limit: int = 50, cursor: str | None = None) -> Page[Entry]:
    """The journal, newest first. Raises `BadCursor`."""
    query = select(journal)
    for name, column in (
        ("subject", journal.c.subject),
        ("id", journal.c.subject_id),
        ("who", journal.c.who),
        ("action", journal.c.action),
    ):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(journal.c.at >= wanted.since)
    return read_page(connection, query, _BY_NUMBER, _read, limit=limit, cursor=cursor)


def find(connection: Connection, subject: str, numbers: Iterable[int], action: str) -> list[Entry]:
    """What was done, by this word, to some things; oldest first."""
    wanted = [str(number) for number in numbers]
    if not wanted:
        return []
    query = select(journal).where(
        journal.c.subject == subject, journal.c.subject_id.in_(wanted), journal.c.action == action
    )
    return [_read(row) for row in connection.execute(query.order_by(journal.c.id))]


def has(connection: Connection, subject: str, number: int | str) -> bool:
    """Whether anything is noted about a thing."""
    query = select(journal.c.id).where(journal.c.subject == subject, journal.c.subject_id == str(number)).limit(1)
    return connection.execute(query).first() is not None


def _read(row: Any) -> Entry:
    return Entry(**{field.name: getattr(row, field.name) for field in fields(Entry)})
