"""The passing of time: whatever is due is claimed, ticked and applied, reminders and postponed conversations too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, bindparam, func, insert, select, update

from routing.book import RuleBook
from routing.decisions import Decision, FireStep
from routing.engine import cancel, decide
from routing.facts import ConversationFacts, Facts, ObligationFacts
from routing.ledger import OBLIGATIONS, Ledger, mirror
from routing.notices import compose_reminder
from routing.people import find_clients, with_companies
from routing.regulations.broadcast import Regulation as Broadcast
from routing.roster import Roster
from routing.rule import Ended
from routing.settings import BadRegulation
from routing.ticking import tick
from storage.events import Event
from storage.models import conversation, job, obligation, task
from storage.repositories import coverage
from storage.repositories.coverage import REACHED
from storage.unit import Unit

log = structlog.get_logger(__name__)

RETRY = timedelta(hours=1)
"""When to look again at a promise whose regulation cannot be read."""


def sweep(unit: Unit, book: RuleBook, roster: Roster, limit: int = 500) -> int:
    """Do what is due, at most `limit` of each; answers how much was done. Others' claims are passed by."""
    return _sweep_obligations(unit, book, roster, limit) + _remind(unit, book, limit) + _wake(unit, book, roster, limit)


def next_wake(connection: Connection) -> datetime | None:
    """The next instant at which anything is due; three looks into an index, however many promises there are."""
    found = [
        connection.execute(select(func.min(column))).scalar()
        for column in (obligation.c.next_at, task.c.remind_at, conversation.c.postponed_until)
    ]
    return min((each for each in found if each is not None), default=None)


def _sweep_obligations(unit: Unit, book: RuleBook, roster: Roster, limit: int) -> int:
    query = OBLIGATIONS.where(obligation.c.next_at <= unit.now).order_by(obligation.c.next_at).limit(limit)
    if unit.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    found = [mirror(row) for row in unit.connection.execute(query)]
    if not found:
        return 0
    ledger = Ledger.of(unit, book, found)
    responsible = _responsible(unit, book, found)
    reached = _Reached(unit, book)
    for each in found:
        if reached(each):
            out: list[Decision] = []
            cancel(each, Ended(REACHED, "clock"), unit.now, out)
            ledger.apply(out)
            continue
        ledger.apply(_ticked(each, unit.now, book, roster, responsible.get(each.client)))
        after = ledger.obligation(each.id)
        if after.next_at is not None and after.next_at <= unit.now:
            then = unit.now + RETRY if after.next_at == each.next_at and after.due is not None else None
            ledger.apply((FireStep(each.id, "", unit.now, then),))
    ledger.flush()
    return len(found)


class _Reached:
    """Whether enough clients were told of an event by its due; each event is counted once per sweep."""

    def __init__(self, unit: Unit, book: RuleBook) -> None:
        self._unit = unit
        self._rules = {rule.key: rule for rule in book.rules if isinstance(rule, Broadcast)}
        self._known: dict[tuple[str, str], bool] = {}

    def __call__(self, each: ObligationFacts) -> bool:
        rule, event = self._rules.get(each.regulation), str(each.details.get("event_id"))
        if rule is None or each.due is None or self._unit.now <= each.due or each.breached_at is not None:
            return False
        if (known := self._known.get((rule.key, event))) is None:
            found = coverage.count(self._unit.connection, rule.key, event, each.start_key)
            known = self._known[rule.key, event] = rule.enough(found.told, found.clients)
        return known


def _responsible(unit: Unit, book: RuleBook, found: Sequence[ObligationFacts]) -> dict[int, str]:
    """Who answers for the clients (or for their companies), where a step tells him."""
    telling = {rule.key for rule in book.rules if rule.tells_responsible}
    people = find_clients(unit.connection, (each.client for each in found if each.regulation in telling))
    companies = with_companies(unit.connection, people.values()) if people else {}
    named = {key: (one, companies.get(one.company or 0)) for key, one in people.items()}
    return {
        key: next(each.responsible for each in both if each is not None and each.responsible)
        for key, both in named.items()
        if any(each is not None and each.responsible for each in both)
    }


def _ticked(
    each: ObligationFacts, now: datetime, book: RuleBook, roster: Roster, responsible: str | None
) -> Sequence[Decision]:
    try:
        return tick(each, now, book, roster, responsible)
    except (BadRegulation, KeyError, ValueError) as error:
        log.error("promise_not_judged", obligation=each.id, regulation=each.regulation, error=repr(error))
        return (FireStep(each.id, "", now, now + RETRY),)


def _remind(unit: Unit, book: RuleBook, limit: int) -> int:
    query = select(task).where(task.c.remind_at <= unit.now).order_by(task.c.remind_at).limit(limit)
    if unit.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    rows = unit.connection.execute(query).all()
    if not rows:
        return 0
    unit.connection.execute(
        update(task).where(task.c.id == bindparam("number")).values(remind_at=None, reminded_at=bindparam("reminded")),
        [{"number": row.id, "reminded": unit.now} for row in rows],
    )
    jobs = []
    for row in rows:
        if row.state != "open" or row.owner is None:
            continue
        language = book.roster.language(row.owner)
        subject, text = compose_reminder(row.title, row.due, language, book, row.team)
        body = {"operator": row.owner, "task": row.id, "subject": subject, "text": text}
        jobs.append(
            {"kind": "notify", "body": body, "run_at": unit.now, "made_at": unit.now, "attempts": 0, "started": 0}
        )
        unit.emit(Event("task", row.id, "reminder", row.client_id, row.conversation_id, row.owner, row.team))
    if jobs:
        unit.connection.execute(insert(job), jobs)
        unit.emit(Event("job", 0, "notify"))
    return len(rows)


def _wake(unit: Unit, book: RuleBook, roster: Roster, limit: int) -> int:
    """Postponed conversations come back; the clocks that stood still for them run again."""
    due = conversation.c.postponed_until <= unit.now
    pending = unit.connection.execute(select(conversation.c.id, conversation.c.client_id).where(due).limit(limit)).all()
    if not pending:
        return 0
    ledger = Ledger.load(unit, {row.client_id for row in pending}, book)  # locks clients first, as intake does
    query = select(conversation).where(conversation.c.id.in_([row.id for row in pending]), due)
    if unit.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    rows = unit.connection.execute(query).all()
    for row in rows:
        woken = "open" if row.state == "postponed" else row.state
        changes = {"state": woken, "postponed_until": None, "version": row.version + 1}
        unit.connection.execute(update(conversation).where(conversation.c.id == row.id).values(**changes))
        unit.emit(Event("conversation", row.id, "woken", row.client_id, row.id, row.owner, row.team))
        after = ConversationFacts(row.id, row.client_id, woken, row.owner, row.team, row.opened_at, row.waiting_since)
        facts = Facts(
            now=unit.now,
            at=row.postponed_until,
            book=book,
            roster=roster,
            conversation=after,
            conversation_before=replace(after, state=row.state),
            obligations=ledger.obligations_of(row.client_id),
            actor="clock",
        )
        ledger.apply(decide(facts), facts)
    ledger.flush()
    return len(rows)
