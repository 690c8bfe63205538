"""Reads obligations and the history of their clocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from storage.models import clock_event, obligation
from storage.repositories.paging import Order, Page, read_page

OPEN = ("running", "paused", "breached")
STATES = (*OPEN, "met", "cancelled")

_BY_NUMBER = Order(obligation.c.id, obligation.c.id)


@dataclass(frozen=True, slots=True)
class Obligation:
    """One running or finished promise, as `storage.models.obligation` describes it."""

    id: int
    regulation: str
    version: int
    start_key: str
    slot: str
    client_id: int
    conversation_id: int | None
    started_by: int | None
    owner: str | None
    team: str | None
    state: str
    started: datetime
    target: str
    calendar: str
    calendar_version: int
    due: datetime | None
    pinned: bool
    pauses: tuple[Any, ...]
    steps_done: tuple[str, ...]
    next_at: datetime | None
    breached_at: datetime | None
    met_at: datetime | None
    met_by: int | None
    closed_why: str | None
    excuse: Mapping[str, Any] | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """One entry of an obligation's history."""

    id: int
    obligation_id: int
    at: datetime
    noted_at: datetime
    event: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of obligations may be narrowed by. `states` empty = all."""

    states: tuple[str, ...] = ()
    client: int | None = None
    conversation: int | None = None
    owner: str | None = None
    team: str | None = None
    regulation: str | None = None


def find(connection: Connection, number: int) -> Obligation | None:
    """One obligation."""
    row = connection.execute(select(obligation).where(obligation.c.id == number)).one_or_none()
    return _read(row) if row is not None else None


def list_page(
    connection: Connection, wanted: Filter, *, limit: int = 50, cursor: str | None = None
) -> Page[Obligation]:
    """Obligations, newest first. Raises `BadCursor`."""
    query = select(obligation)
    if wanted.states:
        query = query.where(obligation.c.state.in_(wanted.states))
    for name, column in (
        ("client", obligation.c.client_id),
        ("conversation", obligation.c.conversation_id),
        ("owner", obligation.c.owner),
        ("team", obligation.c.team),
        ("regulation", obligation.c.regulation),
    ):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(column == value)
    return read_page(connection, query, _BY_NUMBER, _read, limit=limit, cursor=cursor)


def open_of_conversations(connection: Connection, numbers: Iterable[int]) -> dict[int, list[Obligation]]:
    """The open obligations of several conversations, nearest due first."""
    wanted = list(numbers)
    if not wanted:
        return {}
    query = (
        select(obligation)
        .where(obligation.c.conversation_id.in_(wanted), obligation.c.state.in_(OPEN))
        .order_by(obligation.c.due.is_(None), obligation.c.due, obligation.c.id)
    )
    found: dict[int, list[Obligation]] = {}
    for row in connection.execute(query):
        found.setdefault(row.conversation_id, []).append(_read(row))
    return found


def open_of_client(connection: Connection, client: int) -> tuple[Obligation, ...]:
    """What we owe one client now, nearest due first."""
    query = (
        select(obligation)
        .where(obligation.c.client_id == client, obligation.c.state.in_(OPEN))
        .order_by(obligation.c.due.is_(None), obligation.c.due, obligation.c.id)
    )
    return tuple(_read(row) for row in connection.execute(query))


def touching(connection: Connection, client: int, interaction: int) -> tuple[Obligation, ...]:
    """The promises to a client that one interaction of his started or met."""
    query = select(obligation).where(
        obligation.c.client_id == client,
        (obligation.c.started_by == interaction) | (obligation.c.met_by == interaction),
    )
    return tuple(_read(row) for row in connection.execute(query.order_by(obligation.c.id)))


def history(connection: Connection, number: int) -> tuple[ClockEvent, ...]:
    """Everything that happened to the clock of one obligation, in the order it was noted."""
    query = select(clock_event).where(clock_event.c.obligation_id == number).order_by(clock_event.c.id)
    return tuple(
        ClockEvent(**{field.name: getattr(row, field.name) for field in fields(ClockEvent)})
        for row in connection.execute(query)
    )


def count_by_state(connection: Connection) -> dict[str, int]:
    """How many promises there are in each open state (of the finished ones there is no end)."""
    query = select(obligation.c.state, func.count()).where(obligation.c.state.in_(OPEN)).group_by(obligation.c.state)
    found = {state: count for state, count in connection.execute(query)}
    return {state: found.get(state, 0) for state in OPEN}


def _read(row: Any) -> Obligation:
    values = {field.name: getattr(row, field.name) for field in fields(Obligation)}
    values["pauses"] = tuple(values["pauses"] or ())
    values["steps_done"] = tuple(values["steps_done"] or ())
    return Obligation(**values)
