"""How many of the clients whom an event concerns were told of it in time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from storage.models import obligation

REACHED = "reached"
"""Why the rest is cancelled when enough were told by the due."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """One event as one regulation tells it: `told` of `clients` in time; the exempt are not among them."""

    regulation: str
    event: str
    name: str
    started: datetime
    due: datetime | None
    clients: int
    told: int

    @property
    def share(self) -> float:
        """The part that was told; 1 where nobody was to be told."""
        return self.told / self.clients if self.clients else 1.0


_EVENT = obligation.c.details["event_id"].as_string()
_NAME = obligation.c.details["event"].as_string()
_TOLD = and_(obligation.c.state == "met", or_(obligation.c.due.is_(None), obligation.c.met_at <= obligation.c.due))
_COUNTED = or_(obligation.c.state != "cancelled", obligation.c.closed_why == REACHED)


def count(connection: Connection, regulation: str, event: str, key: str) -> Coverage:
    """One event; `key` is the start key of any of its promises, by which the others are found without a walk."""
    columns = obligation.c
    query = select(
        func.count(), func.sum(case((_TOLD, 1), else_=0)), func.min(columns.started), func.max(columns.due),
        func.min(_NAME),
    ).where(of_event(regulation, key), _COUNTED)  # fmt: skip
    clients, told, started, due, name = connection.execute(query).one()
    return Coverage(regulation, event, name or "", started, due, clients, int(told or 0))


def of_event(regulation: str, key: str) -> ColumnElement[bool]:
    """All promises of the event to which the promise of this start key belongs."""
    prefix, columns = key.rpartition(":")[0], obligation.c
    return and_(columns.regulation == regulation, columns.start_key >= f"{prefix}:", columns.start_key < f"{prefix};")


def list_events(connection: Connection, regulations: Collection[str], limit: int = 200) -> tuple[Coverage, ...]:
    """The newest events that these regulations tell of."""
    columns = obligation.c
    began = func.min(columns.started)
    query = (
        select(
            columns.regulation,
            _EVENT,
            func.min(_NAME),
            began,
            func.max(columns.due),
            func.count(),
            func.sum(case((_TOLD, 1), else_=0)),
        )
        .where(columns.regulation.in_(regulations), _COUNTED)
        .group_by(columns.regulation, _EVENT)
        .order_by(began.desc(), columns.regulation)
        .limit(limit)
    )
    return tuple(
        Coverage(key, event or "", name or "", started, due, clients, int(told or 0))
        for key, event, name, started, due, clients, told in connection.execute(query)
    )
