"""Obligations with their history, tasks, and alerts, as the desk shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select

from storage.models import alert, client, clock_event, identity, obligation, task
from storage.prepared import Prepared

OPEN = ("running", "paused", "breached")
_OPEN_ONES = Prepared(
    select(obligation)
    .where(obligation.c.client_id == bindparam("client"), or_(*(obligation.c.state == state for state in OPEN)))
    .limit(100)
)


@dataclass(frozen=True, slots=True)
class Promise:
    """One obligation."""

    id: int
    regulation: str
    version: int
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
    due: datetime | None
    pinned: bool
    pauses: tuple[Any, ...]
    breached_at: datetime | None
    met_at: datetime | None
    met_by: int | None
    closed_why: str | None
    excuse: dict[str, Any] | None
    details: dict[str, Any]
    calendar_version: int


@dataclass(frozen=True, slots=True)
class Tick:
    """One event of an obligation's history."""

    at: datetime
    event: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """What an operator is asked to do."""

    id: int
    title: str
    client_id: int | None
    client: str | None
    conversation_id: int | None
    obligation_id: int | None
    interaction_id: int | None
    owner: str | None
    team: str | None
    due: datetime | None
    state: str
    made_at: datetime
    made_by: str
    closed_at: datetime | None
    closed_by: str | None
    note: str
    remind_at: datetime | None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """An alert to a manager."""

    id: int
    step: str
    at: datetime
    title: str
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    withdrawn_at: datetime | None
    conversation_id: int | None
    client_id: int | None
    client: str | None
    due: datetime | None
    obligation_state: str | None
    data: dict[str, Any] = field(default_factory=dict)
    obligation_id: int | None = None


def read_promises(connection: Connection, conversation_id: int | None, client_id: int) -> list[Promise]:
    """The open obligations of a client, those of the conversation first; and those it has settled."""
    found = {row.id: _promise(row) for row in _OPEN_ONES.records(connection, client=client_id)}
    if conversation_id is not None:
        settled = (
            select(obligation)
            .where(obligation.c.conversation_id == conversation_id)
            .order_by(obligation.c.id.desc())
            .limit(20)
        )
        found |= {row.id: _promise(row) for row in connection.execute(settled)}
    return sorted(found.values(), key=lambda one: (one.state not in OPEN, one.due is None, one.due or one.started))


def read_promise(connection: Connection, number: int) -> Promise | None:
    """One obligation."""
    row = connection.execute(select(obligation).where(obligation.c.id == number)).first()
    return _promise(row) if row else None


def read_ticks(connection: Connection, number: int) -> list[Tick]:
    """The history of one obligation, oldest first."""
    query = select(clock_event).where(clock_event.c.obligation_id == number).order_by(clock_event.c.id)
    return [Tick(row.at, row.event, row.data or {}) for row in connection.execute(query)]


def read_tasks(
    connection: Connection,
    *,
    owners: Iterable[str] = (),
    teams: Iterable[str] = (),
    state: str = "open",
    limit: int = 200,
) -> list[Task]:
    """Tasks of some operators, or of nobody yet in some teams; open ones nearest due first, others newest first."""
    owner = task.c.owner.in_(list(owners))
    of_team = task.c.owner.is_(None) & task.c.team.in_(list(teams))
    query = _tasks().where(or_(owner, of_team), task.c.state == state)
    if state == "open":
        query = query.order_by(task.c.due.is_(None), task.c.due)
    else:
        query = query.order_by(task.c.closed_at.desc())
    return [_task(row) for row in connection.execute(query.limit(limit))]


def read_client_tasks(connection: Connection, client_id: int) -> list[Task]:
    """A client's open tasks."""
    return [_task(row) for row in _client_tasks().records(connection, client=client_id)]


def read_task(connection: Connection, number: int) -> Task | None:
    """One task."""
    row = connection.execute(_tasks().where(task.c.id == number)).first()
    return _task(row) if row else None


def count_tasks(connection: Connection, owner: str, now: datetime) -> tuple[int, int]:
    """How many of his tasks are open, and how many of them are overdue."""
    mine = select(func.count()).where(task.c.owner == owner, task.c.state == "open")
    late = mine.where(task.c.due < now)
    return connection.execute(mine).scalar_one(), connection.execute(late).scalar_one()


def read_alerts(
    connection: Connection, operator: str, *, settled: bool = False, digest: int | None = None, limit: int = 200
) -> list[Warned]:
    """What he was told and has not acknowledged yet; with `settled`, what he has. A digest stands for its alerts.

    With `digest`, the alerts that one stands for, settled or not.
    """
    query = (
        select(
            alert,
            obligation.c.conversation_id,
            obligation.c.client_id,
            obligation.c.due,
            obligation.c.state.label("obligation_state"),
            client.c.name.label("client_name"),
        )
        .outerjoin_from(alert, obligation, obligation.c.id == alert.c.obligation_id)
        .outerjoin(client, client.c.id == obligation.c.client_id)
        .where(alert.c.to == operator)
    )
    waiting = alert.c.acknowledged_at.is_(None) & alert.c.withdrawn_at.is_(None)
    if digest is None:
        query = query.where(~waiting if settled else waiting, alert.c.digest_id.is_(None))
    else:
        query = query.where(alert.c.digest_id == digest)
    query = query.order_by(alert.c.id.desc()).limit(limit)
    return [_warned(row) for row in connection.execute(query)]


def count_alerts(connection: Connection, operator: str) -> int:
    """How many alerts wait for his acknowledgement; of a storm only its digest."""
    query = select(func.count()).where(
        alert.c.to == operator,
        alert.c.acknowledged_at.is_(None),
        alert.c.withdrawn_at.is_(None),
        alert.c.digest_id.is_(None),
    )
    return connection.execute(query).scalar_one()


@cache
def _client_tasks() -> Prepared:
    """Asked whenever a telephone rings: put together once."""
    query = _tasks().where(task.c.client_id == bindparam("client"), task.c.state == "open")
    return Prepared(query.order_by(task.c.due.is_(None), task.c.due))


def _tasks() -> Any:
    phone = (
        select(identity.c.value)
        .where(identity.c.client_id == task.c.client_id, identity.c.scheme == "phone", identity.c.odd.is_(False))
        .order_by(identity.c.id)
        .limit(1)
        .scalar_subquery()
    )
    return select(task, client.c.name.label("client_name"), phone.label("phone")).outerjoin_from(
        task, client, client.c.id == task.c.client_id
    )


def _task(row: Any) -> Task:
    return Task(
        row.id,
        row.title,
        row.client_id,
        row.client_name,
        row.conversation_id,
        row.obligation_id,
        row.interaction_id,
        row.owner,
        row.team,
        row.due,
        row.state,
        row.made_at,
        row.made_by,
        row.closed_at,
        row.closed_by,
        row.note,
        row.remind_at,
        row.phone,
    )


def _warned(row: Any) -> Warned:
    return Warned(
        row.id,
        row.step,
        row.at,
        row.title,
        row.acknowledged_at,
        row.acknowledged_by,
        row.withdrawn_at,
        row.conversation_id,
        row.client_id,
        row.client_name,
        row.due,
        row.obligation_state,
        row.data or {},
        row.obligation_id,
    )


def _promise(row: Any) -> Promise:
    return Promise(
        id=row.id,
        regulation=row.regulation,
        version=row.version,
        slot=row.slot,
        client_id=row.client_id,
        conversation_id=row.conversation_id,
        started_by=row.started_by,
        owner=row.owner,
        team=row.team,
        state=row.state,
        started=row.started,
        target=row.target,
        calendar=row.calendar,
        due=row.due,
        pinned=bool(row.pinned),
        pauses=tuple(row.pauses or ()),
        breached_at=row.breached_at,
        met_at=row.met_at,
        met_by=row.met_by,
        closed_why=row.closed_why,
        excuse=row.excuse,
        details=row.details or {},
        calendar_version=row.calendar_version,
    )
