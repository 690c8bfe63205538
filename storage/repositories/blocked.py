"""The black list: who may not call, until when, and who said so. Rows stay when they are lifted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from storage.models import blocked_number
from storage.repositories.paging import Order, Page, read_page
from storage.unit import Unit

_BY_NUMBER = Order(blocked_number.c.id, blocked_number.c.id)


def add(unit: Unit, values: Mapping[str, Any]) -> int:
    """Write one down; answers its number."""
    made = unit.connection.execute(insert(blocked_number).values(made_at=unit.now, **values))
    key = made.inserted_primary_key
    assert key is not None
    return int(key[0])


def find(connection: Connection, number: int) -> Row[Any] | None:
    """One entry, lifted or not."""
    return connection.execute(select(blocked_number).where(blocked_number.c.id == number)).one_or_none()


def find_standing(connection: Connection, scheme: str, value: str, now: datetime) -> Row[Any] | None:
    """The entry that holds for a number now."""
    columns = blocked_number.c
    query = select(blocked_number).where(columns.scheme == scheme, columns.value == value, _stands(now))
    return connection.execute(query.order_by(columns.id.desc()).limit(1)).one_or_none()


def list_page(connection: Connection, now: datetime, *, limit: int = 50, cursor: str | None = None) -> Page[Row[Any]]:
    """What holds now, newest first. Raises `BadCursor`."""
    query = select(blocked_number).where(_stands(now))
    return read_page(connection, query, _BY_NUMBER, lambda row: row, limit=limit, cursor=cursor)


def lift(unit: Unit, number: int, by: str) -> None:
    """It holds no longer."""
    mine = (blocked_number.c.id == number) & blocked_number.c.lifted_at.is_(None)
    unit.connection.execute(update(blocked_number).where(mine).values(lifted_at=unit.now, lifted_by=by))


def _stands(now: datetime) -> Any:
    columns = blocked_number.c
    return columns.lifted_at.is_(None) & or_(columns.expires_at.is_(None), columns.expires_at > now)
