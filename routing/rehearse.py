"""A draft regulation over the log of past weeks: what would have been met, breached, alerted. Pure.

rehearsal = Rehearsal(book, {"draft-key"})
for happening in past: rehearsal.see(happening)
report = rehearsal.finish(now)
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import heappop, heappush
from typing import Any

from routing.book import RuleBook
from routing.decisions import Decision, RaiseAlert, StartObligation
from routing.engine import cancel, decide
from routing.explain import utc_text
from routing.facts import (
    ClientFacts,
    ConversationFacts,
    EventFacts,
    Facts,
    InteractionFacts,
    ObligationFacts,
)
from routing.fold import EFFECTS, begun, fold
from routing.regulations.broadcast import Regulation as Broadcast
from routing.rule import Ended
from routing.ticking import tick


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: a touch, a change of a conversation or of a card, or a reported event."""

    at: datetime
    client: ClientFacts
    interaction: InteractionFacts | None = None
    before: InteractionFacts | None = None
    conversation: ConversationFacts | None = None
    conversation_before: ConversationFacts | None = None
    event: EventFacts | None = None
    company: ClientFacts | None = None
    actor: str | None = None
    client_before: ClientFacts | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """An alert that would have been given."""

    at: datetime
    to: str
    obligation: ObligationFacts
    step: str


@dataclass(slots=True)
class Tally:
    """Counts of one row of the report."""

    started: int = 0
    met: int = 0
    breached: int = 0
    cancelled: int = 0
    running: int = 0
    alerts: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain values; `share` is of what was decided either way."""
        judged = self.met + self.breached
        share = round(self.met / judged, 4) if judged else None
        return {
            "started": self.started,
            "met": self.met,
            "breached": self.breached,
            "cancelled": self.cancelled,
            "running": self.running,
            "alerts": self.alerts,
            "share": share,
        }


@dataclass(slots=True)
class Report:
    """What the draft would have done: in all, per regulation, per operator, per local hour of the start."""

    total: Tally = field(default_factory=Tally)
    by_regulation: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_operator: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_hour: dict[int, Tally] = field(default_factory=lambda: defaultdict(Tally))
    worst: list[ObligationFacts] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The whole report as plain values."""

        def table(rows: Mapping[Any, Tally]) -> dict[str, Any]:
            return {str(key): rows[key].as_json() for key in sorted(rows)}

        return {
            "total": self.total.as_json(),
            "regulations": table(self.by_regulation),
            "operators": table(self.by_operator),
            "hours": table(self.by_hour),
            "breaches": [
                {
                    "regulation": each.regulation,
                    "client": each.client,
                    "conversation": each.conversation,
                    "owner": each.owner,
                    "started": utc_text(each.started),
                    "due": utc_text(each.due) if each.due else None,
                    "met_at": utc_text(each.met_at) if each.met_at else None,
                }
                for each in self.worst
            ],
        }


class Rehearsal:
    """A world in memory: promises, their history forgotten, alerts counted. `book` has only what is rehearsed."""

    def __init__(self, book: RuleBook, regulations: Iterable[str] | None = None) -> None:
        wanted = set(regulations) if regulations is not None else None
        self.book = book if wanted is None else replace(book, rules=tuple(r for r in book.rules if r.key in wanted))
        self._state: dict[int, ObligationFacts] = {}
        self._of_client: dict[int, list[int]] = defaultdict(list)
        self._queue: list[tuple[datetime, int]] = []
        self._responsible: dict[int, str | None] = {}
        self.told: list[Told] = []

    @property
    def obligations(self) -> list[ObligationFacts]:
        """Every promise that was made, as it stands."""
        return list(self._state.values())

    def see(self, happening: Happening) -> None:
        """Let time pass until it happened, then judge it."""
        self.advance(happening.at)
        client, company = happening.client, happening.company
        self._responsible[client.id] = client.responsible or (company.responsible if company is not None else None)
        if company is not None:
            self._responsible[company.id] = company.responsible
        numbers = self._of_client[client.id] + (self._of_client[company.id] if company is not None else [])
        facts = Facts(
            now=happening.at,
            at=happening.at,
            book=self.book,
            roster=self.book.roster,
            interaction=happening.interaction,
            before=happening.before,
            event=happening.event,
            client=client,
            client_before=happening.client_before,
            company=company,
            conversation=happening.conversation,
            conversation_before=happening.conversation_before,
            obligations=[self._state[number] for number in numbers],
            actor=happening.actor,
        )
        self._apply(decide(facts), happening.at)

    def advance(self, now: datetime) -> None:
        """Take every step whose time comes before an instant, at its time."""
        while self._queue and self._queue[0][0] < now:
            at, number = heappop(self._queue)
            found = self._state[number]
            if found.next_at == at and self._enough(found, at):
                out: list[Decision] = []
                cancel(found, Ended("reached", "clock"), at, out)
                self._apply(out, at)
            elif found.next_at == at:
                self._apply(tick(found, at, self.book, self.book.roster, self._responsible.get(found.client)), at)

    def _enough(self, found: ObligationFacts, at: datetime) -> bool:
        """Whether enough clients were told of the same event by its due: the rest is then let go."""
        rule = self.book.current(found.regulation)
        if not isinstance(rule, Broadcast) or found.due is None or at <= found.due or found.breached_at is not None:
            return False
        event = (found.regulation, found.details.get("event_id"))
        same = [e for e in self._state.values() if (e.regulation, e.details.get("event_id")) == event]
        counted = [each for each in same if each.state != "cancelled" or each.closed_why == "reached"]
        told = [each for each in counted if each.state == "met" and each.met_at and each.met_at <= (each.due or at)]
        return rule.enough(len(told), len(counted))

    def finish(self, now: datetime) -> Report:
        """Let the rest of the time pass, and count."""
        self.advance(now)
        report = Report()
        alerts = Counter(each.obligation.id for each in self.told)
        for each in self._state.values():
            hour = self.book.calendar(each.calendar, each.calendar_version).wall(each.started).hour
            rows = (report.by_regulation[each.regulation], report.by_operator[each.owner or "-"], report.by_hour[hour])
            for row in (report.total, *rows):
                _count(row, each, alerts[each.id])
        broken = [each for each in self._state.values() if each.breached_at is not None]
        report.worst = sorted(broken, key=lambda each: each.due or now)[:200]
        return report

    def _apply(self, decisions: Iterable[Decision], now: datetime) -> None:
        for decision in decisions:
            if isinstance(decision, StartObligation):
                self._begin(decision)
            elif (effect := EFFECTS.get(type(decision))) is not None:
                before = self._state[decision.obligation]  # type: ignore[union-attr, index]
                self._keep(fold(before, effect(before, decision, now)))
            elif isinstance(decision, RaiseAlert):
                self.told.append(Told(now, decision.to, self._state[decision.obligation], decision.step))

    def _begin(self, decision: StartObligation) -> None:
        found = begun(len(self._state) + 1, decision)
        self._of_client[found.client].append(found.id)
        self._keep(found)

    def _keep(self, found: ObligationFacts) -> None:
        before = self._state.get(found.id)
        self._state[found.id] = found
        if found.next_at is not None and (before is None or before.next_at != found.next_at):
            heappush(self._queue, (found.next_at, found.id))


def _count(row: Tally, each: ObligationFacts, alerts: int) -> None:
    row.started += 1
    row.alerts += alerts
    if each.state == "cancelled":
        row.cancelled += 1
    elif each.breached_at is not None:
        row.breached += 1
    elif each.state == "met":
        row.met += 1
    else:
        row.running += 1
