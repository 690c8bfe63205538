"""Clients as routing sees them, read in portions from the store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, select

from routing.facts import ClientFacts
from storage.models import client


def read_client(row: Row[Any]) -> ClientFacts:
    """The mirror of a row; personal dates live among the free fields, as refusals of mailings may."""
    fields, wishes = row.fields or {}, row.wishes or {}
    return ClientFacts(
        id=row.id,
        kind=row.kind,
        company=row.company_id,
        category=row.category,
        lifecycle=row.lifecycle,
        source=row.source,
        responsible=row.responsible,
        region=row.region,
        language=row.language,
        fields=fields,
        dates=fields.get("dates") or {},
        opted_out=frozenset((*(fields.get("opted_out") or ()), *wishes.get("refused", ()))),
        agreed=frozenset(wishes.get("agreed", ())),
        name=row.name,
    )


def find_clients(connection: Connection, numbers: Iterable[int]) -> dict[int, ClientFacts]:
    """Clients by number."""
    wanted = sorted(set(numbers))
    if not wanted:
        return {}
    return {row.id: read_client(row) for row in connection.execute(select(client).where(client.c.id.in_(wanted)))}


def with_companies(connection: Connection, people: Iterable[ClientFacts]) -> dict[int, ClientFacts]:
    """The companies these persons belong to."""
    return find_clients(connection, (each.company for each in people if each.company is not None))


def next_clients(connection: Connection, after: int, limit: int) -> list[ClientFacts]:
    """The next clients by number; those merged into others are left out."""
    query = select(client).where(client.c.id > after, client.c.merged_into.is_(None)).order_by(client.c.id).limit(limit)
    return [read_client(row) for row in connection.execute(query)]
