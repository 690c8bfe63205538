"""`recurring`: a client is contacted at least every so often, or on his dates.

`every` counts from the last contact that qualifies, or from when the client came under the regulation. `on_dates` are
names of his personal dates ("birthday") or days of the year ("03-08"); who was born on 29 February is congratulated
on the day `feb_29` names in other years. The promise is the company's when the person belongs to one.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Literal

from pydantic import Field, model_validator

from routing.calendar import Calendar
from routing.conditions import Action, Many, Target
from routing.deadline import rolled
from routing.duration import Duration
from routing.facts import ClientFacts, Facts, ObligationFacts
from routing.matching import compile_action, contact_at
from routing.rule import Ended, Rule, Start, became, comes_after, happened
from routing.settings import Common, TargetTable
from routing.timing import ON

DAY_OF_YEAR = re.compile(r"(?:\d{4}-)?(\d{2})-(\d{2})")
CONTACT = Action(any=("call", "meeting"))
CONGRATULATE = Action(any=("call", "message", "meeting", "letter"), by="responsible")


class Settings(Common):
    """Keys of `kind = "recurring"`."""

    kind: Literal["recurring"]
    every: TargetTable = Field(default_factory=dict)
    on_dates: Many = ()
    feb_29: Literal["02-28", "03-01"] = "02-28"
    ahead: Target = Duration.target("14 days")
    met_by: Action | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Settings:
        if bool(self.every) == bool(self.on_dates):
            raise ValueError('a recurring regulation needs either every = "14 days" or on_dates = ["birthday"]')
        return self


class Regulation(Rule):
    """A contact that comes back."""

    common: Settings
    per_client = True
    pulls_back = False
    many = True

    def prepare(self) -> None:
        """Compile what counts as a contact."""
        self.targets = self.common.every
        self._by_dates = bool(self.common.on_dates)
        self.makes_task = self._by_dates
        self.needs_target = not self._by_dates
        default = CONGRATULATE if self._by_dates else CONTACT
        self._contacts = compile_action(self.common.met_by or default)

    def scope(self, client: int, conversation: int | None, key: str) -> Hashable:
        """One interval runs per client; dates stand beside each other."""
        return ("date", key) if self._by_dates else ("client", client)

    def starts(self, facts: Facts) -> Iterable[Start]:
        """The next interval, or the dates ahead."""
        subject = facts.company or facts.client
        if subject is None:
            return ()
        if self._by_dates:
            return self._dates_ahead(subject, facts)
        owner = self._owner(facts)
        interaction = facts.interaction
        if interaction is not None and became(self._contacts, facts):
            at = contact_at(interaction)
            return (Start(at, f"i{interaction.id}", subject.id, interaction.id, None, owner, self._team(facts)),)
        key = f"c{subject.id}:{facts.now:%Y%m%dT%H%M%S}"
        return (Start(facts.now, key, subject.id, None, None, owner, self._team(facts)),)

    def start(self, facts: Facts) -> Start | None:
        """The first of `starts`."""
        return next(iter(self.starts(facts)), None)

    def _owner(self, facts: Facts) -> str | None:
        for each in (facts.client, facts.company):
            if each is not None and (found := facts.roster.deputy(each.responsible, facts.now)):
                return found
        return None

    def _team(self, facts: Facts) -> str | None:
        owner = facts.roster.operators.get(self._owner(facts) or "")
        return owner.teams[0] if owner and owner.teams else None

    def _dates_ahead(self, subject: ClientFacts, facts: Facts) -> list[Start]:
        team = self._team(facts)
        calendar = facts.book.calendar_for(self.common.calendar, team, facts.client, facts.company)
        today = calendar.date_of(facts.now)
        until = calendar.date_of(facts.now + timedelta(days=self.common.ahead.amount))
        found = []
        for name in self.common.on_dates:
            when = self._next(subject.dates.get(name, name), today)
            if when is not None and when <= until:
                found.append(self._on(when, name, subject, calendar, facts))
        return found

    def _next(self, written: str, today: date) -> date | None:
        found = DAY_OF_YEAR.fullmatch(written)
        if found is None:
            return None
        days = (_day(year, int(found[1]), int(found[2]), self.common.feb_29) for year in (today.year, today.year + 1))
        return next((day for day in days if day >= today), None)

    def _on(self, when: date, name: str, subject: ClientFacts, calendar: Calendar, facts: Facts) -> Start:
        anchor = calendar.at_wall(datetime.combine(when, time()))
        due = rolled(calendar.at_wall(datetime.combine(when + timedelta(days=1), time())), calendar, self.common.roll)
        details = {"date": name, "on": when.isoformat()}
        key = f"c{subject.id}:{name}:{when}"
        anchor = min(anchor, due - timedelta(hours=1))
        return Start(anchor, key, subject.id, None, None, self._owner(facts), self._team(facts), due, details)

    def target_words(self, start: Start) -> str:
        """A date instead of a length."""
        return f"{ON}{start.details['on']}"

    def meets(self, obligation: ObligationFacts, facts: Facts) -> datetime | None:
        """A contact that qualifies, with anybody of the company."""
        interaction = facts.interaction
        if interaction is None or interaction.id == obligation.started_by or not self._contacts(interaction, facts):
            return None
        at: datetime = contact_at(interaction)
        return at if comes_after(interaction, at, obligation) else None

    def ends(self, obligation: ObligationFacts, facts: Facts) -> Ended | None:
        """Only what `cancel_when` says: closing a conversation is not closing a client."""
        table, matches = self.common.cancel_when, self._cancel_when
        if table is not None and matches is not None and happened(table, matches, facts):
            return Ended("no_longer_needed", facts.actor)
        return None


def _day(year: int, month: int, day: int, feb_29: str) -> date:
    """A day of a year; 29 February where there is none is the day the manager chose."""
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, int(feb_29[:2]), int(feb_29[3:]))
