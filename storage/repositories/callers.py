"""What is known of a caller before anybody has spoken with him: clients, their talks, and whether he is blocked."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, or_, select

from storage.models import blocked_number, client, identity, interaction

_LATEST = 50


def find_clients_of(connection: Connection, scheme: str, value: str) -> list[int]:
    """Clients who have this identity; those that only stand in until somebody chooses are left out."""
    query = (
        select(client.c.id)
        .join(identity, identity.c.client_id == client.c.id)
        .where(identity.c.value == value, identity.c.scheme == scheme)
        .where(client.c.merged_into.is_(None), client.c.provisional.is_(False))
        .order_by(client.c.id)
        .limit(20)
    )
    return list(connection.execute(query).scalars())


def find_last_talker(connection: Connection, clients: Collection[int], since: datetime) -> str | None:
    """Which operator really talked with them on the telephone last."""
    columns = interaction.c
    query = (
        select(columns.operator, columns.call)
        .where(columns.client_id.in_(sorted(clients)), columns.at >= since)
        .where(columns.kind == "call", columns.operator.is_not(None))
        .order_by(columns.at.desc())
        .limit(_LATEST)
    )
    for row in connection.execute(query):
        if (row.call or {}).get("outcome") == "answered":
            found: str = row.operator
            return found
    return None


def is_blocked(connection: Connection, scheme: str, value: str, now: datetime) -> bool:
    """Whether this number may not call now."""
    columns = blocked_number.c
    query = select(columns.id).where(
        columns.scheme == scheme,
        columns.value == value,
        columns.lifted_at.is_(None),
        or_(columns.expires_at.is_(None), columns.expires_at > now),
    )
    return connection.execute(query.limit(1)).first() is not None
