"""Reads conversations: who waits, whose it is, over which channels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from storage.models import conversation
from storage.repositories.paging import Order, Page, read_page

STATES = ("open", "waiting_client", "postponed", "solved", "junk")

_BY_NUMBER = Order(conversation.c.id, conversation.c.id)
_BY_LAST = Order(conversation.c.last_at, conversation.c.id)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Interactions that answer each other, as `storage.models.conversation` describes it."""

    id: int
    client_id: int
    state: str
    subject: str | None
    owner: str | None
    team: str | None
    channels: tuple[str, ...]
    opened_at: datetime
    last_at: datetime
    last_inbound_at: datetime | None
    last_inbound_id: int | None
    waiting_since: datetime | None
    waiting_id: int | None
    answered_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    closed_why: str | None
    postponed_until: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of conversations may be narrowed by. `states` empty = all."""

    states: tuple[str, ...] = ()
    client: int | None = None
    owner: str | None = None
    team: str | None = None
    unowned: bool = False


def find(connection: Connection, number: int) -> Conversation | None:
    """One conversation."""
    return find_many(connection, [number]).get(number)


def find_many(connection: Connection, numbers: Iterable[int]) -> dict[int, Conversation]:
    """Several conversations by id."""
    wanted = list(numbers)
    if not wanted:
        return {}
    rows = connection.execute(select(conversation).where(conversation.c.id.in_(wanted)))
    return {row.id: _read(row) for row in rows}


def list_page(
    connection: Connection, wanted: Filter, *, limit: int = 50, cursor: str | None = None
) -> Page[Conversation]:
    """Conversations: all of them newest first, narrowed ones by their latest touch. Raises `BadCursor`."""
    query = select(conversation)
    if wanted.states:
        query = query.where(conversation.c.state.in_(wanted.states))
    for name, column in (
        ("client", conversation.c.client_id),
        ("owner", conversation.c.owner),
        ("team", conversation.c.team),
    ):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(column == value)
    if wanted.unowned:
        query = query.where(conversation.c.owner.is_(None))
    order = _BY_NUMBER if wanted == Filter() else _BY_LAST
    return read_page(connection, query, order, _read, limit=limit, cursor=cursor)


def of_client(connection: Connection, client: int, *, limit: int = 50) -> tuple[Conversation, ...]:
    """The latest conversations with one client."""
    return list_page(connection, Filter(client=client), limit=limit).items


def _read(row: Any) -> Conversation:
    values = {field.name: getattr(row, field.name) for field in fields(Conversation)}
    values["channels"] = tuple(values["channels"] or ())
    return Conversation(**values)
