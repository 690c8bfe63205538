"""Why an obligation is due when it is: its regulation as it was, its calendar, every day, every pause, its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from hub.broadcasts import Broadcast, find_broadcast
from hub.errors import NotFound
from hub.setup.snapshot import SetUp
from routing.calendar import Calendar
from routing.excuses import Outage, suggest
from routing.explain import Explanation, explain, utc_text
from routing.facts import ObligationFacts
from routing.ledger import read_obligation
from routing.rule import Rule
from routing.sentence import sentence
from routing.settings import BadRegulation
from routing.timing import length_of, stretches
from storage import models


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """One entry of an obligation's history."""

    at: datetime
    noted_at: datetime
    event: str
    data: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The entry as plain JSON values."""
        data = {name: value for name, value in self.data.items() if name != "set"}
        return {"at": utc_text(self.at), "noted_at": utc_text(self.noted_at), "event": self.event, "data": data}


@dataclass(frozen=True, slots=True)
class ObligationExplained:
    """`computed` is None for a promise that names a date, or no time at all; a pinned one may be due otherwise."""

    obligation: ObligationFacts
    title: str
    sentence: str
    calendar: Calendar
    computed: Explanation | None
    history: tuple[ClockEvent, ...]
    excuse: str | None = None
    broadcast: Broadcast | None = None

    def as_json(self) -> dict[str, Any]:
        """For the API and `--json`."""
        one = self.obligation
        return {
            "obligation": one.id,
            "regulation": one.regulation,
            "version": one.version,
            "title": self.title,
            "sentence": self.sentence,
            "calendar": one.calendar,
            "calendar_version": one.calendar_version,
            "zone": self.calendar.zone.key,
            "tzdata": self.calendar.tzdata,
            "state": one.state,
            "owner": one.owner,
            "started": utc_text(one.started),
            "started_by": one.started_by,
            "due": one.due and utc_text(one.due),
            "due_local": one.due and self.calendar.local(one.due).isoformat(),
            "pinned": one.pinned,
            "met_at": one.met_at and utc_text(one.met_at),
            "met_by": one.met_by,
            "suggested_excuse": self.excuse,
            "coverage": self._coverage(),
            "computed": self.computed and self.computed.as_json(),
            "history": [entry.as_json() for entry in self.history],
        }

    def _coverage(self) -> dict[str, Any] | None:
        """How far the broadcast came that it is part of."""
        if self.broadcast is None:
            return None
        found = self.broadcast.coverage
        return {
            "clients": found.clients,
            "told": found.told,
            "coverage": round(found.share, 4),
            "wanted": self.broadcast.wanted,
            "state": self.broadcast.state,
        }


def explain_obligation(connection: Connection, setup: SetUp, number: int, language: str = "en") -> ObligationExplained:
    """Raises `NotFound`."""
    row = connection.execute(select(models.obligation).where(models.obligation.c.id == number)).one_or_none()
    if row is None:
        raise NotFound(f"there is no obligation {number}")
    found = read_obligation(row)
    rule = _rule(setup, found)
    title = rule.common.title_in(language) if rule else found.regulation
    told = sentence(rule, language) if rule else ""
    calendar = setup.book.calendar(found.calendar, found.calendar_version)
    computed = _compute(found, calendar, rule)
    late = found.breached_at is not None and found.excuse is None
    excuse = suggest_excuse(connection, found, found.closed_at or found.breached_at or found.started) if late else None
    history = _history(connection, number)
    broadcast = find_broadcast(connection, setup, found)
    return ObligationExplained(found, title, told, calendar, computed, history, excuse, broadcast)


def _rule(setup: SetUp, found: ObligationFacts) -> Rule | None:
    try:
        return setup.book.rule(found.regulation, found.version)
    except (KeyError, BadRegulation):
        return None


def _compute(found: ObligationFacts, calendar: Calendar, rule: Rule | None) -> Explanation | None:
    length = length_of(found.target)
    if length is None or rule is None:
        return None
    return explain(length, found.started, calendar, stretches(found.pauses), rule.common.roll)


def suggest_excuse(connection: Connection, found: ObligationFacts, now: datetime) -> str | None:
    """A reason that suggests itself: the line by which the client came was down while the promise ran."""
    table, touch = models.outage, models.interaction
    lines = select(touch.c.line).where(touch.c.client_id == found.client, touch.c.at >= found.started).distinct()
    mine = select(touch.c.line).where(touch.c.id == found.started_by)
    wanted = set(connection.execute(lines.limit(20)).scalars()) | set(connection.execute(mine).scalars())
    query = select(table.c.line, table.c.began_at, table.c.ended_at, table.c.reason).where(table.c.line.in_(wanted))
    overlapping = or_(table.c.ended_at.is_(None), table.c.ended_at > found.started)
    outages = [Outage(*row) for row in connection.execute(query.where(overlapping).limit(200))]
    outage = suggest(found, wanted, outages, now)
    if outage is None:
        return None
    until = utc_text(outage.ended_at) if outage.ended_at else "…"
    return f"{outage.line}: {outage.reason} ({utc_text(outage.began_at)} – {until})"


def _history(connection: Connection, number: int) -> tuple[ClockEvent, ...]:
    table = models.clock_event
    query = select(table.c.at, table.c.noted_at, table.c.event, table.c.data).where(table.c.obligation_id == number)
    return tuple(ClockEvent(*row) for row in connection.execute(query.order_by(table.c.id)))
