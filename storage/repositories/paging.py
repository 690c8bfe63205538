"""Pages of a list: newest first, continued by a cursor that names the last row seen, never by counting rows."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, and_, literal, or_, select
from sqlalchemy.sql import Select

MOST = 200

T = TypeVar("T")


class BadCursor(ValueError):
    """The cursor is none of ours."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items, and the cursor under which the list goes on (None at its end)."""

    items: tuple[T, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """Newest first by `key` (an instant or the row number itself); the row number breaks ties."""

    key: Column[Any]
    number: Column[int]

    @property
    def by(self) -> tuple[ColumnElement[Any], ...]:
        """For ORDER BY."""
        return (self.key.desc(),) if self.key is self.number else (self.key.desc(), self.number.desc())

    def after(self, cursor: str) -> ColumnElement[bool]:
        """The condition that leaves only what comes after the cursor. Raises `BadCursor`."""
        number, key = _read(cursor)
        if self.key is self.number:
            return self.number < number
        if key is None:
            raise BadCursor(cursor)
        at = literal(key, self.key.type)
        return and_(self.key <= at, or_(self.key < at, self.number < number))

    def cursor(self, row: Any) -> str:
        """The cursor that names a row."""
        key = None if self.key is self.number else row._mapping[self.key].isoformat()
        text = json.dumps([row._mapping[self.number], key], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[int, datetime | None]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        number, key = json.loads(text)
        at = datetime.fromisoformat(key) if key is not None else None
    except (ValueError, binascii.Error, TypeError, RecursionError) as error:
        raise BadCursor(cursor) from error
    if type(number) is not int or not 0 <= number < 2**63 or (at is not None and at.tzinfo is None):
        raise BadCursor(cursor)
    return number, at


def read_page(
    connection: Connection,
    wanted: Select[Any],
    order: Order,
    read: Callable[[Any], T],
    *,
    limit: int,
    cursor: str | None,
) -> Page[T]:
    """One page of the rows of one table. The rows are found by an index alone and only then read."""
    most = max(1, min(limit, MOST))
    numbers = wanted.with_only_columns(order.number)
    if cursor:
        numbers = numbers.where(order.after(cursor))
    numbers = numbers.order_by(*order.by).limit(most + 1)
    table = order.number.table
    found = connection.execute(
        select(table).where(order.number.in_(numbers.scalar_subquery())).order_by(*order.by)
    ).all()
    rows = found[:most]
    last = order.cursor(rows[-1]) if len(found) > most else None
    return Page(tuple(read(row) for row in rows), last)
