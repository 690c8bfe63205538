"""Reads and writes what clients agreed to and refused. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select

from storage.models import consent
from storage.repositories.paging import Order, Page, read_page
from storage.unit import Unit

_BY_NUMBER = Order(consent.c.id, consent.c.id)


@dataclass(frozen=True, slots=True)
class Consent:
    """One row. `channel` and `purpose` may be "all"; `state` is given or refused; `identity` is scheme:value."""

    id: int
    client_id: int
    identity: str | None
    channel: str
    purpose: str
    state: str
    source: str
    by: str
    text: str | None
    version: str | None
    reason: str | None
    interaction_id: int | None
    at: datetime

    @property
    def refused(self) -> bool:
        """Does it say no?"""
        return self.state == "refused"


_COLUMNS = [consent.c[each.name] for each in fields(Consent)]


def find_all(connection: Connection, client: int | None, identities: Iterable[str] = ()) -> list[Consent]:
    """What a client said, and what was said from these identities by whomever; oldest first."""
    said = [consent.c.identity.in_(wanted)] if (wanted := sorted(set(identities))) else []
    whose = [consent.c.client_id == client] if client is not None else []
    if not said and not whose:
        return []
    query = select(*_COLUMNS).where(or_(*whose, *said)).order_by(consent.c.at, consent.c.id)
    return [_read(row) for row in connection.execute(query)]


def list_page(connection: Connection, client: int, *, limit: int, cursor: str | None = None) -> Page[Consent]:
    """A client's rows, newest first."""
    query = select(*_COLUMNS).where(consent.c.client_id == client)
    return read_page(connection, query, _BY_NUMBER, _read, limit=limit, cursor=cursor)


def add(unit: Unit, values: Mapping[str, Any]) -> int:
    """One more row; answers its number."""
    number: int = unit.connection.execute(insert(consent).values(**values)).inserted_primary_key[0]  # type: ignore[index]
    return number


def _read(row: Any) -> Consent:
    return Consent(*(getattr(row, column.name) for column in _COLUMNS))


def find(connection: Connection, number: int) -> Consent | None:
    """One row."""
    row = connection.execute(select(*_COLUMNS).where(consent.c.id == number)).first()
    return _read(row) if row is not None else None
