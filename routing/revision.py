"""After an edit of regulations, calendars or teams: open promises are judged by what is in force now.

Walks over the open promises that are judged by something older, in portions: call again with what it answered until
it answers None. Finished ones keep the version they were judged by; pinned ones keep their due. `refresh` does the same
when not the set-up but the tables behind it are new: the world's time zones, the holidays of a country.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, or_

from routing.book import RuleBook
from routing.changes import recompute, retarget
from routing.decisions import Decision
from routing.engine import SEEMED_KEPT, cancel
from routing.facts import ClientFacts, Facts, ObligationFacts
from routing.ledger import OBLIGATIONS, OPEN, Ledger, mirror
from routing.people import find_clients, with_companies
from routing.rule import Ended
from routing.settings import BadRegulation
from routing.timing import due_of, length_of
from storage.models import obligation
from storage.unit import Unit


def revise(unit: Unit, book: RuleBook, after: int = 0, limit: int = 500) -> int | None:
    """Recompute the next portion."""
    query = (
        OBLIGATIONS.where(obligation.c.id > after, obligation.c.state.in_(OPEN), or_(*_outdated(book)))
        .order_by(obligation.c.id)
        .limit(limit)
    )
    found = _read(unit, query)
    if not found:
        return None
    people = find_clients(unit.connection, (each.client for each in found))
    companies = with_companies(unit.connection, people.values())
    ledger = Ledger.of(unit, book, found)
    ledger.load_tasks()
    for each in found:
        person = people.get(each.client)
        company = companies.get(person.company or 0) if person else None
        ledger.apply(_revised(each, person, company, unit, book))
    ledger.flush()
    return found[-1].id


def refresh(unit: Unit, book: RuleBook, after: int = 0, limit: int = 500) -> int | None:
    """Compute the next portion of dues anew, each by the versions that it is judged by; only what moved changes."""
    query = OBLIGATIONS.where(obligation.c.id > after, obligation.c.state.in_(OPEN))
    found = _read(unit, query.order_by(obligation.c.id).limit(limit))
    if not found:
        return None
    ledger = Ledger.of(unit, book, found)
    ledger.load_tasks()
    for each in found:
        ledger.apply(_refreshed(each, unit, book))
    ledger.flush()
    return found[-1].id


def _refreshed(each: ObligationFacts, unit: Unit, book: RuleBook) -> list[Decision]:
    out: list[Decision] = []
    length = length_of(each.target)
    doubled = each.breached_at is not None and any(pause.why == SEEMED_KEPT for pause in each.pauses)
    if length is None or each.due is None or each.pinned or each.standing or doubled:
        return out
    try:
        rule = book.rule(each.regulation, each.version)
        calendar = book.calendar(each.calendar, each.calendar_version)
        moved = (
            rule.common.on_change != "keep" and due_of(rule, calendar, length, each.started, each.pauses) != each.due
        )
    except (BadRegulation, KeyError, ValueError):
        return out
    if moved:
        facts = Facts(unit.now, unit.now, book, book.roster, obligations=(each,), actor="setup")
        recompute(each, rule, calendar, length, "tables", facts, out, each.started, each.started_by)
    return out


def _read(unit: Unit, query: Select[Any]) -> list[ObligationFacts]:
    locked = query.with_for_update() if unit.dialect == "postgresql" else query
    return [mirror(row) for row in unit.connection.execute(locked)]


def _outdated(book: RuleBook) -> list[Any]:
    """Everything that is not judged by the regulation and the calendar that hold now."""
    columns = obligation.c
    conditions: list[Any] = [columns.regulation.not_in([rule.key for rule in book.rules] or [""])]
    teams = [None, *book.roster.teams]
    for rule in book.rules:
        mine = columns.regulation == rule.key
        conditions.append(and_(mine, columns.version != rule.version))
        for team in teams:
            calendar = book.calendar_for(rule.common.calendar, team)
            held = or_(columns.calendar != calendar.key, columns.calendar_version != calendar.version)
            whose = columns.team.is_(None) if team is None else columns.team == team
            conditions.append(and_(mine, whose, held))
    return conditions


def _revised(
    each: ObligationFacts, person: ClientFacts | None, company: ClientFacts | None, unit: Unit, book: RuleBook
) -> list[Decision]:
    out: list[Decision] = []
    rule = book.current(each.regulation)
    if rule is None:
        cancel(each, Ended("regulation_retired", "setup"), unit.now, out)
        return out
    facts = Facts(
        unit.now, unit.now, book, book.roster, client=person, company=company, obligations=(each,), actor="setup"
    )
    if rule.per_client and not rule.applies(facts):
        cancel(each, Ended("no_longer_applies", "setup"), unit.now, out)
        return out
    cause = "regulation" if rule.version != each.version else "calendar"
    retarget(each, rule, person or ClientFacts(each.client), facts, out, cause)
    return out
