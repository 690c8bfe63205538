"""Reads tasks: what operators are asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from storage.models import task
from storage.repositories.paging import Order, Page, read_page

STATES = ("open", "done", "cancelled")

_BY_NUMBER = Order(task.c.id, task.c.id)


@dataclass(frozen=True, slots=True)
class Task:
    """One task, as `storage.models.task` describes it."""

    id: int
    title: str
    client_id: int | None
    conversation_id: int | None
    obligation_id: int | None
    interaction_id: int | None
    owner: str | None
    team: str | None
    due: datetime | None
    remind_at: datetime | None
    state: str
    made_at: datetime
    made_by: str
    closed_at: datetime | None
    closed_by: str | None
    note: str
    met_by: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of tasks may be narrowed by."""

    state: str | None = None
    owner: str | None = None
    team: str | None = None
    client: int | None = None
    conversation: int | None = None
    obligation: int | None = None


def find(connection: Connection, number: int) -> Task | None:
    """One task."""
    row = connection.execute(select(task).where(task.c.id == number)).one_or_none()
    return _read(row) if row is not None else None


def list_page(connection: Connection, wanted: Filter, *, limit: int = 50, cursor: str | None = None) -> Page[Task]:
    """Tasks, newest first. Raises `BadCursor`."""
    query = select(task)
    for name, column in (
        ("state", task.c.state),
        ("owner", task.c.owner),
        ("team", task.c.team),
        ("client", task.c.client_id),
        ("conversation", task.c.conversation_id),
        ("obligation", task.c.obligation_id),
    ):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(column == value)
    return read_page(connection, query, _BY_NUMBER, _read, limit=limit, cursor=cursor)


def open_of(connection: Connection, owner: str, *, limit: int = 200) -> tuple[Task, ...]:
    """What one operator has to do, nearest due first; tasks without a due come last."""
    query = (
        select(task)
        .where(task.c.owner == owner, task.c.state == "open")
        .order_by(task.c.due.is_(None), task.c.due, task.c.id)
        .limit(limit)
    )
    return tuple(_read(row) for row in connection.execute(query))


def _read(row: Any) -> Task:
    return Task(**{field.name: getattr(row, field.name) for field in fields(Task)})
