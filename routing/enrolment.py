"""What concerns every client: intervals and dates that begin without a touch, and events that belong to nobody alone.

Walks over the clients in portions: call again with what it answered until it answers None.
"""

from __future__ import annotations

from datetime import timedelta

from routing.book import RuleBook
from routing.engine import decide
from routing.facts import EventFacts, Facts
from routing.ledger import Ledger
from routing.past import touches_since
from routing.people import next_clients, with_companies
from storage.unit import Unit

LATE = timedelta(minutes=1)
"""Of an event that is reported later than this somebody may have been told already."""


def enrol(unit: Unit, book: RuleBook, after: int = 0, limit: int = 500) -> int | None:
    """Begin what recurring regulations promise clients whom no touch brought under them; daily, and after imports."""
    if not any(rule.many for rule in book.rules):
        return None
    return _walk(unit, book, None, after, limit)


def announce(unit: Unit, book: RuleBook, event: EventFacts, after: int = 0, limit: int = 500) -> int | None:
    """Let the regulations of every client see an event that names no client."""
    return _walk(unit, book, event, after, limit)


def _walk(unit: Unit, book: RuleBook, event: EventFacts | None, after: int, limit: int) -> int | None:
    people = next_clients(unit.connection, after, limit)
    if not people:
        return None
    companies = with_companies(unit.connection, people)
    ledger = Ledger.load(unit, [each.id for each in people] + list(companies), book)
    late = event is not None and unit.now - event.at > LATE
    since = touches_since(unit.connection, [each.id for each in people], event.at) if late and event else {}
    for person in people:
        facts = Facts(
            now=unit.now,
            at=event.at if event else unit.now,
            book=book,
            roster=book.roster,
            client=person,
            company=companies.get(person.company or 0),
            event=event,
            obligations=ledger.obligations_of(person.id, person.company),
            later=since.get(person.id, ()),
        )
        ledger.apply(decide(facts), facts)
    ledger.flush()
    return people[-1].id
