"""Small things that are remembered between runs, by subject and key."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.models import bookmark
from storage.unit import Unit


def read(connection: Connection, subject: str, key: str) -> str | None:
    """What is remembered."""
    query = select(bookmark.c.value).where(bookmark.c.line == subject, bookmark.c.key == key)
    found: str | None = connection.execute(query).scalar()
    return found


def keep(unit: Unit, subject: str, key: str, value: str) -> None:
    """Remember it."""
    insert = postgresql.insert if unit.dialect == "postgresql" else sqlite.insert
    statement = insert(bookmark).values(line=subject, key=key, value=value)
    unit.connection.execute(statement.on_conflict_do_update(index_elements=["line", "key"], set_={"value": value}))


def read_all(connection: Connection, subject: str) -> dict[str, str]:
    """Everything that is remembered about a subject, by key."""
    query = select(bookmark.c.key, bookmark.c.value).where(bookmark.c.line == subject)
    return {row.key: row.value for row in connection.execute(query)}


def forget(unit: Unit, subject: str, key: str) -> None:
    """It is of no use any more."""
    unit.connection.execute(delete(bookmark).where(bookmark.c.line == subject, bookmark.c.key == key))
