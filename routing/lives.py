"""Clients as they were: what their cards say now, less what the journal says was changed since.

Category, responsible, company, region and all free fields go back; consents and merges are taken as they are now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from routing.facts import ClientFacts
from storage.models import journal

PLAIN = ("kind", "name", "category", "lifecycle", "source", "responsible", "region", "language")


@dataclass(frozen=True, slots=True)
class Amendment:
    """One change of one card: column -> what it was; the columns are those of the table."""

    at: datetime
    client: int
    was: Mapping[str, Any]
    by: str


class Lives:
    """Everything that was amended since an instant."""

    def __init__(self, connection: Connection, since: datetime) -> None:
        columns = journal.c
        query = select(columns.at, columns.subject_id, columns.data, columns.who).where(
            columns.subject == "client", columns.action == "amended", columns.at >= since
        )
        self._of: dict[int, list[Amendment]] = defaultdict(list)
        self.amendments: list[Amendment] = []
        for at, whose, changed, by in connection.execute(query.order_by(columns.at, columns.id)):
            found = Amendment(at, int(whose), {name: before for name, (before, _) in changed.items()}, by)
            self._of[found.client].append(found)
            self.amendments.append(found)

    def as_of(self, card: ClientFacts, at: datetime) -> ClientFacts:
        """A client as he was just after an instant, made from how he is now."""
        for each in self._since(card.id, at):
            card = undo(card, each.was)
        return card

    def before(self, card: ClientFacts, change: Amendment) -> ClientFacts:
        """The client just before one of his amendments, made from how he was after it."""
        return undo(card, change.was)

    def _since(self, client: int, at: datetime) -> Iterator[Amendment]:
        for each in reversed(self._of.get(client, ())):
            if each.at <= at:
                return
            yield each


def undo(card: ClientFacts, was: Mapping[str, Any]) -> ClientFacts:
    """The card before a change."""
    changes: dict[str, Any] = {name: was[name] for name in PLAIN if name in was}
    if "company_id" in was:
        changes["company"] = was["company_id"]
    if "fields" in was:
        fields: Mapping[str, Any] = was["fields"] or {}
        refused = card.opted_out.difference(card.fields.get("opted_out") or ())
        changes |= {"fields": fields, "dates": fields.get("dates") or {}}
        changes["opted_out"] = refused.union(fields.get("opted_out") or ())
    return replace(card, **changes)
