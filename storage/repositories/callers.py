"""What is known of a caller before anybody has spoken with him: clients, their talks, and whether he is blocked.

The questions are composed once: somebody hears silence while they are asked.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, or_, select

from storage.models import blocked_number, client, identity, interaction

_LATEST = 50
_SCHEME: BindParameter[str] = bindparam("scheme")
_VALUE: BindParameter[str] = bindparam("value")
_NOW = bindparam("now", type_=client.c.created_at.type)
_CLIENTS = (
    select(client)
    .join(identity, identity.c.client_id == client.c.id)
    .where(identity.c.value == _VALUE, identity.c.scheme == _SCHEME)
    .where(client.c.merged_into.is_(None), client.c.provisional.is_(False))
    .order_by(client.c.id)
    .limit(20)
)
_TALKS = (
    select(interaction.c.operator, interaction.c.call)
    .where(interaction.c.client_id == bindparam("client"), interaction.c.at >= bindparam("since"))
    .where(interaction.c.kind == "call", interaction.c.operator.is_not(None))
    .order_by(interaction.c.at.desc())
    .limit(_LATEST)
)
_BLOCKED = (
    select(blocked_number.c.id)
    .where(blocked_number.c.value == _VALUE, blocked_number.c.scheme == _SCHEME)
    .where(blocked_number.c.lifted_at.is_(None))
    .where(or_(blocked_number.c.expires_at.is_(None), blocked_number.c.expires_at > _NOW))
    .limit(1)
)


def find_clients_of(connection: Connection, scheme: str, value: str) -> list[Row[Any]]:
    """Clients who have this identity; those that only stand in until somebody chooses are left out."""
    return list(connection.execute(_CLIENTS, {"scheme": scheme, "value": value}))


def find_last_talker(connection: Connection, client: int, since: datetime) -> str | None:
    """Which operator really talked with a client on the telephone last."""
    for row in connection.execute(_TALKS, {"client": client, "since": since}):
        if (row.call or {}).get("outcome") == "answered":
            found: str = row.operator
            return found
    return None


def is_blocked(connection: Connection, scheme: str, value: str, now: datetime) -> bool:
    """Whether this number may not call now."""
    return connection.execute(_BLOCKED, {"scheme": scheme, "value": value, "now": now}).first() is not None
