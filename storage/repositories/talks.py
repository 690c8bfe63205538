"""What was said with one identity on one line, for somebody who follows it live from outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from storage.models import attachment, conversation, delivery, draft, identity, interaction
from storage.unit import Unit

Row = dict[str, Any]

MOST = 200
_OUT = frozenset({"sent", "delivered", "read"})
_STILL_WRITING = timedelta(seconds=50)
"""A reply box says every 20 seconds that it is open."""


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of messages, oldest first, each with its delivery's `state` and its `files`; and whose they are."""

    rows: tuple[Row, ...] = ()
    clients: frozenset[int] = frozenset()
    conversations: frozenset[int] = frozenset()


def read_talk(connection: Connection, line: str, scheme: str, value: str) -> Found:
    """The newest messages with an identity: what it wrote, and what of ours is out.

    A client may have several identities of a scheme (two browsers of one person): each has a talk of its own.
    """
    clients = clients_of(connection, scheme, value)
    if not clients:
        return Found()
    query = (
        select(interaction, delivery.c.state)
        .outerjoin(delivery, delivery.c.interaction_id == interaction.c.id)
        .where(
            interaction.c.client_id.in_(clients),
            interaction.c.line == line,
            interaction.c.kind == "message",
            interaction.c.direction.in_(("inbound", "outbound")),
        )
        .order_by(interaction.c.at.desc(), interaction.c.id.desc())
        .limit(MOST)
    )
    whole = f"{scheme}:{value}"
    rows = [
        dict(row)
        for row in connection.execute(query).mappings()
        if any(one["identity"] == whole for one in row["party"])
        and (row["direction"] == "inbound" or row["state"] in _OUT)
    ]
    files = _files_of(connection, [row["id"] for row in rows if row["has_files"]])
    talks = frozenset(row["conversation_id"] for row in rows if row["conversation_id"] is not None)
    return Found(tuple({**row, "files": files.get(row["id"], [])} for row in reversed(rows)), clients, talks)


def clients_of(connection: Connection, scheme: str, value: str) -> frozenset[int]:
    """Whose it is, or may be; a number below zero is one that a merge has put aside."""
    query = select(identity.c.client_id).where(
        identity.c.scheme == scheme, identity.c.value == value, identity.c.client_id > 0
    )
    return frozenset(connection.execute(query).scalars())


def _files_of(connection: Connection, interactions: list[int]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    if interactions:
        query = select(attachment).where(attachment.c.interaction_id.in_(interactions)).order_by(attachment.c.id)
        for row in connection.execute(query).mappings():
            found.setdefault(row["interaction_id"], []).append(dict(row))
    return found


def is_written_to(connection: Connection, conversations: frozenset[int], now: datetime) -> bool:
    """Has somebody of ours words in an open reply box of these conversations, and is still at it?"""
    if not conversations:
        return False
    query = (
        select(draft.c.body)
        .join(conversation, conversation.c.id == draft.c.conversation_id)
        .where(draft.c.conversation_id.in_(conversations), draft.c.saved_at > now - _STILL_WRITING)
    )
    return any(body.get("open") and body.get("text", "").strip() for body in connection.execute(query).scalars())


def note_here(unit: Unit, scheme: str, value: str, until: datetime) -> list[int]:
    """Write until when somebody counts as following his talk; the clients for whom that changes whether he is here."""
    mine = (identity.c.scheme == scheme) & (identity.c.value == value)
    known = unit.connection.execute(select(identity.c.client_id, identity.c.here_until).where(mine)).all()
    if known:
        unit.connection.execute(update(identity).where(mine).values(here_until=until))
    comes = until > unit.now
    return [row.client_id for row in known if (row.here_until is not None and row.here_until > unit.now) != comes]
