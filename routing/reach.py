"""A broadcast whose due is past, counted again: what was told in time may be logged late.

When that makes its coverage enough, nobody was told too late: the breaches of those who were not told are withdrawn,
as if the due had found so many told.
"""

from __future__ import annotations

from sqlalchemy import select

from routing.book import RuleBook
from routing.decisions import Decision, WithdrawBreach
from routing.engine import cancel
from routing.ledger import Ledger
from routing.regulations.broadcast import Regulation as Broadcast
from routing.rule import Ended
from storage.models import obligation
from storage.repositories import coverage
from storage.repositories.coverage import REACHED
from storage.unit import Unit


def recount(unit: Unit, book: RuleBook, regulation: str, event: str, key: str, limit: int = 500) -> bool:
    """Withdraw what is no breach any more, at most `limit`; true when there may be more. `key` as `coverage.count`."""
    rule = book.current(regulation)
    if not isinstance(rule, Broadcast):
        return False
    found = coverage.count(unit.connection, regulation, event, key)
    if not rule.enough(found.told, found.clients):
        return False
    columns, mine = obligation.c, coverage.of_event(regulation, key)
    late = select(columns.client_id).where(mine, columns.state == "breached").order_by(columns.client_id).limit(limit)
    clients = list(unit.connection.execute(late).scalars())
    ledger = Ledger.load(unit, clients, book)  # locks clients first, as intake does
    for number in clients:
        for each in ledger.obligations_of(number):
            if each.regulation == regulation and each.state == "breached" and each.details.get("event_id") == event:
                out: list[Decision] = [WithdrawBreach(each.id, unit.now, REACHED)]
                cancel(each, Ended(REACHED, "clock"), unit.now, out)
                ledger.apply(out)
    ledger.flush()
    return len(clients) == limit
