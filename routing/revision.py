"""After an edit of regulations, calendars or teams: open promises are judged by what is in force now.

Walks over the open promises that are judged by something older, in portions: call again with what it answered until
it answers None. Finished ones keep the version they were judged by; pinned ones keep their due.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, or_

from routing.book import RuleBook
from routing.changes import retarget
from routing.decisions import Decision
from routing.engine import cancel
from routing.facts import ClientFacts, Facts, ObligationFacts
from routing.ledger import OBLIGATIONS, OPEN, Ledger, mirror
from routing.people import find_clients, with_companies
from routing.rule import Ended
from storage.models import obligation
from storage.unit import Unit


def revise(unit: Unit, book: RuleBook, after: int = 0, limit: int = 500) -> int | None:
    """Recompute the next portion."""
    query = (
        OBLIGATIONS.where(obligation.c.id > after, obligation.c.state.in_(OPEN), or_(*_outdated(book)))
        .order_by(obligation.c.id)
        .limit(limit)
    )
    if unit.dialect == "postgresql":
        query = query.with_for_update()
    found = [mirror(row) for row in unit.connection.execute(query)]
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
