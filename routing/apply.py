"""The only writer of what regulations want: promises, their history, tasks, alerts. One statement per table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, update

from routing.alerts import raise_alerts, withdraw_alerts
from routing.book import RuleBook
from routing.decisions import RaiseAlert
from routing.facts import ObligationFacts, TaskFacts
from routing.fold import COLUMNS, encoded
from storage.bulk import insert_rows
from storage.events import Event
from storage.models import clock_event, obligation, task
from storage.prepared import PreparedChange
from storage.repositories import jobs
from storage.unit import Unit

_RENAMED = {"client": "client_id", "conversation": "conversation_id"}
_MUTABLE = (
    "version",
    "client",
    "started_by",
    "owner",
    "team",
    "state",
    "started",
    "target",
    "calendar",
    "calendar_version",
    "due",
    "next_at",
    "pinned",
    "breached_at",
    "met_at",
    "met_by",
    "closed_at",
    "closed_why",
    "excuse",
    "details",
)
_OBLIGATION_COLUMNS = ("id", *(_RENAMED.get(name, name) for name in COLUMNS))
_obligation_values = attrgetter("id", *COLUMNS)
_CHANGE = PreparedChange(
    update(obligation)
    .where(obligation.c.id == bindparam("number"))
    .values({_RENAMED.get(name, name): bindparam(f"new_{name}") for name in (*_MUTABLE, "pauses", "steps_done")})
)
_TASK_COLUMNS = ("state", "owner", "team", "due", "closed_at", "closed_by", "remind_at", "client")
_CHANGE_TASK = PreparedChange(
    update(task)
    .where(task.c.id == bindparam("number"))
    .values({_RENAMED.get(name, name): bindparam(f"new_{name}") for name in _TASK_COLUMNS})
)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One row of a promise's history, on its way."""

    obligation: int
    at: datetime
    event: str
    data: Mapping[str, Any]


@dataclass(slots=True)
class Harvest:
    """What a transaction's decisions changed so far."""

    started: list[int] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)
    history: list[HistoryEntry] = field(default_factory=list)
    made: list[int] = field(default_factory=list)
    changed_tasks: set[int] = field(default_factory=set)
    alerts: list[RaiseAlert] = field(default_factory=list)
    withdrawn: dict[int, str] = field(default_factory=dict)
    recount: set[tuple[str, str, str]] = field(default_factory=set)
    """Broadcasts that somebody was told of in time after all: regulation, event, and a start key."""


def write(
    unit: Unit,
    book: RuleBook,
    harvest: Harvest,
    obligations: Mapping[int, ObligationFacts],
    tasks: Mapping[int, TaskFacts],
) -> None:
    """Write what changed, and tell open desks after the commit."""
    connection = unit.connection
    if harvest.started:
        insert_rows(connection, obligation, [obligation_row(obligations[number]) for number in harvest.started])
    if harvest.changed:
        _CHANGE.make(connection, [_changed_row(obligations[number]) for number in sorted(harvest.changed)])
    if harvest.history:
        _write_history(unit, harvest.history)
    if harvest.made:
        insert_rows(connection, task, [_task_row(tasks[number]) for number in harvest.made])
    if harvest.changed_tasks:
        _CHANGE_TASK.make(connection, [_changed_task(tasks[number]) for number in sorted(harvest.changed_tasks)])
    if harvest.withdrawn:
        withdraw_alerts(unit, book, harvest.withdrawn)
    if harvest.alerts:
        raise_alerts(unit, book, harvest.alerts, obligations)
    for regulation, event, key in sorted(harvest.recount):
        jobs.add(unit, "recount", {"regulation": regulation, "event": event, "key": key})
    _tell(unit, harvest, obligations, tasks)


def _write_history(unit: Unit, history: list[HistoryEntry]) -> None:
    ids = unit.take_ids(clock_event, len(history))
    rows = [
        {
            "id": number,
            "obligation_id": entry.obligation,
            "at": entry.at,
            "noted_at": unit.now,
            "event": entry.event,
            "data": entry.data,
        }
        for number, entry in zip(ids, history, strict=True)
    ]
    insert_rows(unit.connection, clock_event, rows)


def obligation_row(o: ObligationFacts) -> dict[str, Any]:
    """A promise as its row."""
    row = dict(zip(_OBLIGATION_COLUMNS, _obligation_values(o), strict=True))
    row["pauses"] = encoded("pauses", o.pauses)
    row["steps_done"] = list(o.steps_done)
    return row


def _changed_row(o: ObligationFacts) -> dict[str, Any]:
    row = {f"new_{name}": getattr(o, name) for name in _MUTABLE}
    row |= {"number": o.id, "new_pauses": encoded("pauses", o.pauses), "new_steps_done": list(o.steps_done)}
    return row


def _task_row(t: TaskFacts) -> dict[str, Any]:
    return {
        "id": t.id,
        "title": t.title,
        "client_id": t.client,
        "conversation_id": t.conversation,
        "obligation_id": t.obligation,
        "interaction_id": t.interaction,
        "owner": t.owner,
        "team": t.team,
        "due": t.due,
        "remind_at": t.remind_at,
        "state": t.state,
        "made_at": t.made_at,
        "made_by": t.made_by,
        "closed_at": t.closed_at,
        "closed_by": t.closed_by,
        "met_by": t.met_by,
    }


def _changed_task(t: TaskFacts) -> dict[str, Any]:
    return {"number": t.id, **{f"new_{name}": getattr(t, name) for name in _TASK_COLUMNS}}


def _tell(
    unit: Unit, harvest: Harvest, obligations: Mapping[int, ObligationFacts], tasks: Mapping[int, TaskFacts]
) -> None:
    for number, what in _each(harvest.started, harvest.changed):
        o = obligations[number]
        unit.emit(Event("obligation", number, what, o.client, o.conversation, o.owner, o.team))
    for number, what in _each(harvest.made, harvest.changed_tasks):
        t = tasks[number]
        unit.emit(Event("task", number, what, t.client, t.conversation, t.owner, t.team))


def _each(fresh: Iterable[int], changed: Iterable[int]) -> Iterable[tuple[int, str]]:
    yield from ((number, "new") for number in fresh)
    yield from ((number, "changed") for number in sorted(changed))
