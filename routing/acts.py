"""What people do to promises: pin a due, excuse a breach, acknowledge an alert, hand over, merge and un-merge clients.

Each writes at once, inside the caller's transaction, and leaves its trace in the histories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, select, update

from routing import alerts
from routing.book import RuleBook
from routing.changes import recompute, retarget
from routing.decisions import AcknowledgeBreach, Decision, ExcuseObligation, HandOver, WithdrawAlert
from routing.facts import ClientFacts, Facts, ObligationFacts
from routing.ledger import OBLIGATIONS, OPEN, Ledger, mirror
from routing.merging import merged, unmerged
from routing.people import find_clients, with_companies
from routing.rule import Rule
from routing.timing import length_of
from storage.events import Event
from storage.models import conversation, obligation, task
from storage.unit import Unit


class NotThere(LookupError):
    """There is no such promise."""


class NotOpen(ValueError):
    """The promise is finished; it keeps what it was judged by."""


def pin(unit: Unit, book: RuleBook, number: int, due: datetime | None, by: str) -> None:
    """Set a due by hand: it is never recomputed again. None lets the regulation speak again."""
    found, ledger = _load(unit, book, number)
    if not found.is_open:
        raise NotOpen(f"obligation {number} is {found.state}")
    facts = Facts(unit.now, unit.now, book, book.roster, obligations=(found,), actor=by)
    rule = book.rule(found.regulation, found.version)
    calendar = book.calendar(found.calendar, found.calendar_version)
    out: list[Decision] = []
    length = length_of(found.target) if due is None else None
    changed = replace(found, pinned=due is not None, due=due if due is not None else found.due)
    recompute(changed, rule, calendar, length, "pinned", facts, out, found.started, found.started_by)
    if due is None and (now := book.current(found.regulation)) is not None:
        _catch_up(unit, changed, now, facts, out)
    ledger.apply(out)
    ledger.flush()


def _catch_up(unit: Unit, found: ObligationFacts, rule: Rule, facts: Facts, out: list[Decision]) -> None:
    """What would have moved its due while it was pinned moves it now."""
    people = find_clients(unit.connection, [found.client])
    client = people.get(found.client) or ClientFacts(found.client)
    company = with_companies(unit.connection, [client]).get(client.company or 0)
    anew: list[Decision] = []
    retarget(found, rule, client, replace(facts, company=company), anew, "unpinned")
    if anew:
        out[:] = anew


def excuse(unit: Unit, book: RuleBook, number: int, reason: str, by: str) -> None:
    """Forgive a breach (or a promise that cannot be kept), with a reason; reports show both."""
    _, ledger = _load(unit, book, number)
    ledger.apply((ExcuseObligation(number, unit.now, reason, by), WithdrawAlert(number, unit.now, "excused")))
    ledger.flush()


def acknowledge(unit: Unit, book: RuleBook, alert: int, by: str) -> None:
    """Say of an alert "I have it": its ladder climbs no further. A digest speaks for all it stands for."""
    numbers = sorted(set(alerts.acknowledge(unit, alert, by)))
    query = OBLIGATIONS.where(obligation.c.id.in_(numbers), obligation.c.state.in_(OPEN))
    found = [mirror(row) for row in unit.connection.execute(_locked(unit, query))]
    ledger = Ledger.of(unit, book, found)
    ledger.apply([AcknowledgeBreach(each.id, unit.now, by) for each in found])
    ledger.flush()


def hand_over(
    unit: Unit,
    book: RuleBook,
    operator: str,
    to: str | None,
    by: str,
    cause: str = "hand_over",
    limit: int = 1000,
    *,
    own_too: bool = True,
) -> list[int]:
    """Everything open that an operator owns goes to another (None: to its team). Answers the promises handed over.

    Without `own_too`, what belongs to no team stays with him.
    """
    query = OBLIGATIONS.where(obligation.c.owner == operator, obligation.c.state.in_(OPEN))
    free = and_(task.c.owner == operator, task.c.state == "open")
    if not own_too:
        query, free = query.where(obligation.c.team.is_not(None)), and_(free, task.c.team.is_not(None))
    found = [mirror(row) for row in unit.connection.execute(_locked(unit, query.limit(limit)))]
    ledger = Ledger.of(unit, book, found)
    ledger.load_tasks()
    ledger.apply([HandOver(each.id, unit.now, to, each.team, cause, by) for each in found])
    ledger.flush()
    left = unit.connection.execute(select(task.c.id, task.c.client_id, task.c.team).where(free)).all()
    unit.connection.execute(update(task).where(free).values(owner=to))
    for row in left:
        unit.emit(Event("task", row.id, "handed_over", row.client_id, None, to, row.team))
    return [each.id for each in found]


def give_back(unit: Unit, book: RuleBook, promises: Sequence[int], tasks: Sequence[int], to: str, by: str) -> None:
    """These promises and tasks are his again, since he is back."""
    query = OBLIGATIONS.where(obligation.c.id.in_(promises), obligation.c.state.in_(OPEN))
    found = [mirror(row) for row in unit.connection.execute(_locked(unit, query))]
    ledger = Ledger.of(unit, book, found)
    ledger.load_tasks()
    ledger.apply([HandOver(each.id, unit.now, to, each.team, "returned", by) for each in found])
    ledger.flush()
    free = (task.c.id.in_(tasks), task.c.state == "open", task.c.owner != to)
    left = unit.connection.execute(select(task.c.id, task.c.client_id, task.c.team).where(*free)).all()
    unit.connection.execute(update(task).where(*free).values(owner=to))
    for row in left:
        unit.emit(Event("task", row.id, "handed_over", row.client_id, None, to, row.team))


def merge(unit: Unit, book: RuleBook, survivor: int, other: int, by: str) -> dict[str, Any]:
    """Give the promises of one client to another; of two in one slot the earlier due stays. Answers what to undo.

    Call it before the conversations move: those that are the other's now take along, on undo, what they promised since.
    """
    ledger = Ledger.load(unit, [survivor, other], book, lately=None)
    moved, decisions = merged(
        ledger.obligations_of(survivor), ledger.obligations_of(other), survivor, book, unit.now, by
    )
    ledger.apply(decisions)
    ledger.flush()
    talks = select(conversation.c.id).where(conversation.c.client_id == other).order_by(conversation.c.id)
    return {**moved, "conversations": list(unit.connection.execute(talks).scalars())}


def undo_merge(unit: Unit, book: RuleBook, survivor: int, other: int, moved: Mapping[str, Any], by: str) -> None:
    """Restore what a merge moved and joined."""
    ledger = Ledger.load(unit, [survivor, other], book, lately=None)
    ledger.apply(unmerged(ledger.obligations_of(survivor), other, moved, book, unit.now))
    ledger.flush()


def _locked(unit: Unit, query: Select[Any]) -> Select[Any]:
    """In order of number, as everybody takes them, so that nobody waits in a circle."""
    ordered = query.order_by(obligation.c.id)
    return ordered.with_for_update() if unit.dialect == "postgresql" else ordered


def _load(unit: Unit, book: RuleBook, number: int) -> tuple[ObligationFacts, Ledger]:
    query = OBLIGATIONS.where(obligation.c.id == number)
    row = unit.connection.execute(query.with_for_update() if unit.dialect == "postgresql" else query).one_or_none()
    if row is None:
        raise NotThere(f"there is no obligation {number}")
    found = mirror(row)
    ledger = Ledger.of(unit, book, (found,))
    ledger.load_tasks()
    return found, ledger
