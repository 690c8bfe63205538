"""Reads alerts: what managers are told, until they say that they have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from storage.models import alert
from storage.repositories.paging import Order, Page, read_page

_BY_NUMBER = Order(alert.c.id, alert.c.id)


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert for one operator."""

    id: int
    obligation_id: int | None
    step: str
    at: datetime
    to: str
    title: str
    data: Mapping[str, Any]
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    withdrawn_at: datetime | None

    @property
    def state(self) -> str:
        """`open`, `acknowledged` or `withdrawn`."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "open" if self.acknowledged_at is None else "acknowledged"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of alerts may be narrowed by. `state` is `open`, `acknowledged` or `withdrawn`."""

    to: str | None = None
    obligation: int | None = None
    state: str | None = None


def find(connection: Connection, number: int) -> Alert | None:
    """One alert."""
    row = connection.execute(select(alert).where(alert.c.id == number)).one_or_none()
    return _read(row) if row is not None else None


def list_page(connection: Connection, wanted: Filter, *, limit: int = 50, cursor: str | None = None) -> Page[Alert]:
    """Alerts, newest first; of a storm only its digest. Raises `BadCursor`."""
    query = select(alert).where(alert.c.digest_id.is_(None))
    if wanted.to is not None:
        query = query.where(alert.c.to == wanted.to)
    if wanted.obligation is not None:
        query = query.where(alert.c.obligation_id == wanted.obligation)
    if wanted.state == "withdrawn":
        query = query.where(alert.c.withdrawn_at.is_not(None))
    elif wanted.state is not None:
        answered = alert.c.acknowledged_at
        query = query.where(
            alert.c.withdrawn_at.is_(None), answered.is_(None) if wanted.state == "open" else answered.is_not(None)
        )
    return read_page(connection, query, _BY_NUMBER, _read, limit=limit, cursor=cursor)


def _read(row: Any) -> Alert:
    return Alert(**{field.name: getattr(row, field.name) for field in fields(Alert)})
