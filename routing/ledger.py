"""The promises and tasks of the clients at hand: loaded once, changed in memory, written once by `apply.py`.

A second touch of the same client in the same batch sees what the first one did.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import BindParameter, Row, Table, and_, bindparam, or_, select

from routing import decisions as d
from routing.apply import Harvest, HistoryEntry, write
from routing.book import RuleBook
from routing.facts import Facts, ObligationFacts, TaskFacts
from routing.fold import COLUMNS, EFFECTS, beginning, begun, decoded, encoded, fold
from storage.among import among, one_of
from storage.models import client, obligation, task
from storage.prepared import Prepared
from storage.repositories.coverage import REACHED
from storage.unit import Unit

LATELY = timedelta(days=45)
"""Finished promises older than this are not looked at again: bounces and late touches come sooner."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
OPEN = ("running", "paused", "breached")

_RENAMED_IN_TASKS = {name: f"{name}_id" for name in ("client", "conversation", "obligation", "interaction")}
_RENAMED = {"client": "client_id", "conversation": "conversation_id"}
OBLIGATIONS = select(obligation.c.id, *(obligation.c[_RENAMED.get(name, name)] for name in COLUMNS))
"""Obligations column by column as their mirror has them: reading a thousand of them counts."""
_SINCE: BindParameter[datetime] = bindparam("since", type_=obligation.c.closed_at.type)
_LATELY = or_(one_of(obligation.c.state, OPEN), obligation.c.closed_at >= _SINCE)
_CLIENTS_LOCKED = Prepared(select(client.c.id).where(among(client.c.id)).order_by(client.c.id), locking=True)
_PROMISED = Prepared(OBLIGATIONS.where(among(obligation.c.client_id), _LATELY).order_by(obligation.c.id), locking=True)
_TASK = select(*(task.c[_RENAMED_IN_TASKS.get(one.name, one.name)] for one in fields(TaskFacts)))
"""Tasks column by column as `TaskFacts` has them."""
_MINDS = or_(task.c.obligation_id.is_not(None), task.c.met_by.is_not(None))
_RECENT = or_(task.c.state == "open", and_(_MINDS, task.c.closed_at >= _SINCE))
_TASKS = Prepared(_TASK.where(among(task.c.obligation_id)).order_by(task.c.id))
_TASKS_OF_CLIENTS = Prepared(_TASK.where(among(task.c.client_id), _RECENT).order_by(task.c.id))
_TASKS_OF_PROMISES = Prepared(_TASK.where(among(task.c.obligation_id), _RECENT).order_by(task.c.id))
_PAUSES, _STEPS = COLUMNS.index("pauses") + 1, COLUMNS.index("steps_done") + 1


class Ledger:
    """One per transaction. Load, then any number of `apply`, then `flush` once."""

    def __init__(self, unit: Unit, book: RuleBook) -> None:
        self._unit = unit
        self._book = book
        self._obligations: dict[int, ObligationFacts] = {}
        self._tasks: dict[int, TaskFacts] = {}
        self._of_client: dict[int, list[int]] = defaultdict(list)
        self._tasks_of_client: dict[int, list[int]] = defaultdict(list)
        self._tasks_of: dict[int, list[int]] = defaultdict(list)
        self._harvest = Harvest()
        self._ids: dict[str, Iterator[int]] = {}
        self._chunk = 1

    @classmethod
    def load(
        cls,
        unit: Unit,
        clients: Iterable[int],
        book: RuleBook,
        *,
        lately: timedelta | None = LATELY,
        fresh: Collection[int] = (),
    ) -> Ledger:
        """Read the clients' open promises and tasks and those closed lately (None: ever). PostgreSQL locks them.

        `fresh` are clients made in this very transaction: nobody can have promised them anything yet.
        """
        wanted = sorted(set(clients).difference(fresh))
        ledger = cls(unit, book)
        ledger._chunk = max(len(wanted) + len(fresh), 1)
        if wanted:
            ledger._read(wanted, unit.now - lately if lately is not None else BEGINNING)
        return ledger

    @classmethod
    def of(cls, unit: Unit, book: RuleBook, obligations: Iterable[ObligationFacts]) -> Ledger:
        """For promises that are at hand (and locked) already; their tasks are not looked at."""
        ledger = cls(unit, book)
        for each in obligations:
            ledger._know(each)
        ledger._chunk = max(len(ledger._obligations), 1)
        return ledger

    def _read(self, wanted: Sequence[int], since: datetime) -> None:
        connection = self._unit.connection
        if self._unit.dialect == "postgresql":
            _CLIENTS_LOCKED.rows(connection, keys=wanted)
        for row in _PROMISED.rows(connection, keys=wanted, since=since):
            self._know(mirror(row))
        rows = _TASKS_OF_CLIENTS.rows(connection, keys=wanted, since=since)
        if self._obligations:
            rows += _TASKS_OF_PROMISES.rows(connection, keys=list(self._obligations), since=since)
        for row in sorted({row[0]: row for row in rows}.values(), key=itemgetter(0)):
            self._know_task(TaskFacts(*row))

    def load_tasks(self) -> None:
        """Look at the tasks of the promises at hand, too."""
        numbers = list(self._obligations)
        if numbers:
            for row in _TASKS.rows(self._unit.connection, keys=numbers):
                self._know_task(TaskFacts(*row))

    def _know(self, found: ObligationFacts) -> None:
        self._obligations[found.id] = found
        self._of_client[found.client].append(found.id)

    def _know_task(self, found: TaskFacts) -> None:
        self._tasks[found.id] = found
        if found.client is not None:
            self._tasks_of_client[found.client].append(found.id)
        if found.obligation is not None:
            self._tasks_of[found.obligation].append(found.id)

    def obligations_of(self, client_id: int, company: int | None = None) -> tuple[ObligationFacts, ...]:
        """The client's promises as they stand now, with his company's."""
        numbers = self._of_client.get(client_id, [])
        if company is not None:
            numbers = numbers + self._of_client.get(company, [])
        return tuple(self._obligations[number] for number in numbers)

    def obligation(self, number: int) -> ObligationFacts:
        """One promise as it stands now. Raises KeyError for one that is not at hand."""
        return self._obligations[number]

    def tasks_of(self, client_id: int) -> tuple[TaskFacts, ...]:
        """The client's tasks as they stand now."""
        return tuple(self._tasks[number] for number in self._tasks_of_client.get(client_id, ()))

    def apply(self, decisions: Sequence[d.Decision], facts: Facts | None = None) -> tuple[d.Decision, ...]:
        """Change the working set; answers the decisions that are not about promises, tasks or alerts."""
        left: list[d.Decision] = []
        for decision in decisions:
            effect = EFFECTS.get(type(decision))
            if effect is not None:
                self._change(decision, effect)
            elif (act := ACTS.get(type(decision))) is not None:
                act(self, decision)
            else:
                left.append(decision)
        return tuple(left)

    def flush(self) -> None:
        """Write what was decided: one statement per table. Events go out after the commit."""
        write(self._unit, self._book, self._harvest, self._obligations, self._tasks)
        self._harvest = Harvest()

    def _take_id(self, table: Table) -> int:
        ids = self._ids.get(table.name)
        number = next(ids, None) if ids is not None else None
        if number is None:
            ids = self._ids[table.name] = iter(self._unit.take_ids(table, self._chunk))
            number = next(ids)
        return number

    def _change(self, decision: Any, effect: Callable[[ObligationFacts, Any, datetime], Any]) -> None:
        before = self._obligations[decision.obligation]
        change = effect(before, decision, self._unit.now)
        after = fold(before, change)
        self._obligations[after.id] = after
        if after.client != before.client:
            self._of_client[before.client].remove(after.id)
            self._of_client[after.client].append(after.id)
        data = {"set": {name: encoded(name, value) for name, value in change.set.items()}, **change.data}
        self._harvest.history.append(HistoryEntry(after.id, change.at, change.event, data))
        if after.id not in self._harvest.started:
            self._harvest.changed.add(after.id)
        if isinstance(decision, d.WithdrawBreach) and decision.cause != REACHED and "event_id" in after.details:
            key = (after.regulation, str(after.details["event_id"]), after.start_key)
            self._harvest.recount = {each for each in self._harvest.recount if each[:2] != key[:2]} | {key}
        self._follow(before, after)

    def _follow(self, before: ObligationFacts, after: ObligationFacts) -> None:
        """Open tasks go along with their promise: its due, its owner, its client."""
        moved = {
            name: getattr(after, name)
            for name in ("due", "owner", "team", "client")
            if getattr(before, name) != getattr(after, name) and (name != "due" or after.due is not None)
        }
        for number in self._tasks_of.get(after.id, ()) if moved else ():
            found = self._tasks[number]
            if found.state == "open":
                taken = found.owner not in (before.owner, None)
                mine = {name: value for name, value in moved.items() if name != "owner" or not taken}
                self._change_task(found, **mine)

    def _change_task(self, before: TaskFacts, **changes: Any) -> None:
        self._tasks[before.id] = replace(before, **changes)
        if before.id not in self._harvest.made:
            self._harvest.changed_tasks.add(before.id)

    def _start(self, decision: d.StartObligation) -> None:
        number = self._take_id(obligation)
        found = begun(number, decision)
        self._know(found)
        self._harvest.started.append(number)
        data = {"set": beginning(found), "cause": decision.cause}
        self._harvest.history.append(HistoryEntry(number, found.started, "applied", data))
        if decision.task is not None:
            self._make_task(decision.task, number)
        if decision.met is not None:
            at, by = decision.met
            if found.due is not None and at > found.due:
                self.apply((d.BreachObligation(number, found.due, self._unit.now, "met_late", None),))
            self.apply(
                (d.MeetObligation(number, at, by, "late"), d.CloseTask(at, f"interaction:{by}", obligation=number))
            )

    def _make_task(self, decision: d.MakeTask, number: int | None = None) -> None:
        made = TaskFacts(
            self._take_id(task),
            decision.title,
            "open",
            decision.client,
            decision.conversation,
            decision.obligation if number is None else number,
            decision.interaction,
            decision.owner,
            decision.team,
            decision.due,
            decision.remind_at,
            self._unit.now,
            decision.made_by,
        )
        self._know_task(made)
        self._harvest.made.append(made.id)

    def _close_task(self, decision: d.CloseTask) -> None:
        numbers = self._tasks_of.get(decision.obligation, ()) if decision.obligation is not None else ()
        for number in numbers if decision.task is None else (decision.task,):
            found = self._tasks.get(number)
            if found is not None and found.state == "open":
                self._change_task(
                    found, state=decision.state, closed_at=decision.at, closed_by=decision.by, remind_at=None
                )

    def _reopen_task(self, decision: d.ReopenTask) -> None:
        numbers = self._tasks_of.get(decision.obligation, ()) if decision.obligation is not None else ()
        for number in numbers if decision.task is None else (decision.task,):
            found = self._tasks.get(number)
            if found is not None and found.state != "open" and not (found.closed_by or "").startswith("operator:"):
                owner = self._obligations.get(found.obligation or 0)
                due = owner.due if owner is not None and owner.due is not None else found.due
                self._change_task(found, state="open", closed_at=None, closed_by=None, due=due)

    def _raise_alert(self, decision: d.RaiseAlert) -> None:
        self._harvest.alerts.append(decision)

    def _withdraw_alert(self, decision: d.WithdrawAlert) -> None:
        self._harvest.withdrawn[decision.obligation] = decision.cause
        self._harvest.alerts = [each for each in self._harvest.alerts if each.obligation != decision.obligation]


ACTS: Mapping[type, Callable[[Ledger, Any], None]] = {
    d.StartObligation: Ledger._start,
    d.MakeTask: Ledger._make_task,
    d.CloseTask: Ledger._close_task,
    d.ReopenTask: Ledger._reopen_task,
    d.RaiseAlert: Ledger._raise_alert,
    d.WithdrawAlert: Ledger._withdraw_alert,
}


def read_obligation(row: Row[Any]) -> ObligationFacts:
    """The mirror of a row, whatever the order of its columns."""
    return ObligationFacts(row.id, **{name: decoded(name, getattr(row, _RENAMED.get(name, name))) for name in COLUMNS})


def mirror(row: Sequence[Any]) -> ObligationFacts:
    """The mirror of a row of `OBLIGATIONS`."""
    values = list(row)
    values[_PAUSES] = decoded("pauses", values[_PAUSES])
    values[_STEPS] = tuple(values[_STEPS])
    return ObligationFacts(*values)
