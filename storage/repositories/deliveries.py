"""Reads deliveries: how far our own messages came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from storage.models import delivery
from storage.repositories.paging import Order, Page, read_page

STATES = ("pending", "sent", "delivered", "read", "failed", "unknown")

_BY_NUMBER = Order(delivery.c.id, delivery.c.id)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One outbound message on its way, as `storage.models.delivery` describes it."""

    id: int
    interaction_id: int
    conversation_id: int | None
    line: str
    reference: str
    external_id: str | None
    state: str
    recipients: Any
    options: Mapping[str, Any]
    reason: str | None
    attempts: int
    made_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    postponed_until: datetime | None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of deliveries may be narrowed by."""

    state: str | None = None
    interaction: int | None = None


def find(connection: Connection, number: int) -> Delivery | None:
    """One delivery."""
    row = connection.execute(select(delivery).where(delivery.c.id == number)).one_or_none()
    return _read(row) if row is not None else None


def list_page(connection: Connection, wanted: Filter, *, limit: int = 50, cursor: str | None = None) -> Page[Delivery]:
    """Deliveries, newest first. Raises `BadCursor`."""
    query = select(delivery)
    if wanted.state is not None:
        query = query.where(delivery.c.state == wanted.state)
    if wanted.interaction is not None:
        query = query.where(delivery.c.interaction_id == wanted.interaction)
    return read_page(connection, query, _BY_NUMBER, _read, limit=limit, cursor=cursor)


def of_interactions(connection: Connection, numbers: Iterable[int]) -> dict[int, Delivery]:
    """The latest delivery of several interactions: interaction -> delivery."""
    wanted = list(numbers)
    if not wanted:
        return {}
    query = select(delivery).where(delivery.c.interaction_id.in_(wanted)).order_by(delivery.c.id)
    return {row.interaction_id: _read(row) for row in connection.execute(query)}


def _read(row: Any) -> Delivery:
    return Delivery(**{field.name: getattr(row, field.name) for field in fields(Delivery)})
