"""The rule book: every regulation and calendar of the set-up, compiled once, shared by all threads. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from routing.calendar import BadCalendar, Calendar, CalendarSettings, read_settings
from routing.calendar.errors import suggestion
from routing.facts import ClientFacts
from routing.regulations import compile_rule
from routing.roster import Roster
from routing.rule import Rule
from routing.settings import BadRegulation

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS = Calendar.build(
    "always", 0, CalendarSettings.model_validate({"zone": "UTC", "week": {day: ["00:00-24:00"] for day in WEEK}})
)
"""The calendar of who set up none: every hour of every day, in UTC."""
CALL_BACK: Mapping[str, Any] = {
    "title": {
        "ru": "Перезвонить по пропущенному звонку",
        "uk": "Передзвонити за пропущеним дзвінком",
        "pl": "Oddzwonić po nieodebranym połączeniu",
        "en": "Call back who could not get through",
    },
    "kind": "follow_up",
    "after": {"event": "call.missed"},
    "within": "1 working hours",
}
"""The call-back promise of a company that wrote none of its own (`enabled = false` under this key switches it off)."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One stored version of a thing of the set-up, as its table reads."""

    kind: str
    key: str
    version: int
    body: Mapping[str, Any]
    retired: bool = False


@dataclass(slots=True)
class RuleBook:
    """Current regulations in their order, and every version of them and of the calendars by (key, version)."""

    rules: tuple[Rule, ...]
    roster: Roster
    warnings: tuple[str, ...] = ()
    company: Mapping[str, Any] = field(default_factory=dict)
    routes: tuple[Definition, ...] = ()
    _regulations: dict[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    _compiled: dict[tuple[str, int], Rule] = field(default_factory=dict)
    _calendars: dict[tuple[str, int], Calendar | Mapping[str, Any]] = field(default_factory=dict)
    _newest: dict[str, int] = field(default_factory=dict)

    @classmethod
    def build(cls, definitions: Iterable[Definition]) -> RuleBook:
        """From all stored versions, in the order of writing. What is broken is left out and warned of."""
        found = list(definitions)
        current = _current(found)
        bodies = {kind: {d.key: d.body for d in current if d.kind == kind} for kind in ("operator", "team", "company")}
        company = next(iter(bodies["company"].values()), {})
        book = cls((), Roster.build(bodies["operator"], bodies["team"], company.get("languages")), company=company)
        book.routes = tuple(each for each in current if each.kind == "route")
        book._regulations = {(d.key, d.version): d.body for d in found if d.kind == "regulation"}
        book._calendars = {(d.key, d.version): d.body for d in found if d.kind == "calendar"}
        book._newest = {d.key: d.version for d in current if d.kind == "calendar"}
        warnings: list[str] = []
        book.rules = tuple(book._compile([d for d in current if d.kind == "regulation"], warnings))
        warnings += book._check_calendars()
        book.warnings = tuple(warnings)
        return book

    def rule(self, key: str, version: int) -> Rule:
        """One version of a regulation. Raises KeyError for one never stored, BadRegulation for a broken one."""
        found = self._compiled.get((key, version))
        if found is None:
            body = CALL_BACK if (key, version) == ("call-back", 0) else self._regulations[key, version]
            found = self._compiled[key, version] = compile_rule(key, version, body)
        return found

    def current(self, key: str) -> Rule | None:
        """The regulation in force under a key."""
        return next((each for each in self.rules if each.key == key), None)

    def calendar(self, key: str, version: int) -> Calendar:
        """One version of a calendar; round the clock for one that is not there (any more)."""
        found = self._calendars.get((key, version), ALWAYS)
        if not isinstance(found, Calendar):
            try:
                found = Calendar.build(key, version, read_settings(key, found))
            except BadCalendar:
                found = ALWAYS
            self._calendars[key, version] = found
        return found

    def calendar_for(self, key: str | None, team: str | None, *people: ClientFacts | None) -> Calendar:
        """The regulation's calendar, else the client's, else the team's, else the company's, else round the clock.

        A client of another branch names his calendar in the field `calendar`; a person's company may name it for him.
        """
        chosen = self.roster.teams.get(team) if team else None
        his = (calendar_of(each) for each in people)
        for name in (key, *his, chosen.calendar if chosen else None, self.company.get("calendar")):
            if name is not None and (version := self._newest.get(name)) is not None:
                return self.calendar(name, version)
        return ALWAYS

    def _compile(self, current: Sequence[Definition], warnings: list[str]) -> Iterable[Rule]:
        rules: list[Rule] = []
        for order, each in enumerate(current):
            try:
                rule = compile_rule(each.key, each.version, each.body, order)
            except (BadRegulation, BadCalendar) as error:
                warnings.append(str(error))
                continue
            self._compiled[each.key, each.version] = rule
            if rule.common.enabled:
                rules.append(rule)
        if not any(rule.slot == "call_back" for rule in rules) and not any(d.key == "call-back" for d in current):
            rules.append(self.rule("call-back", 0))
        return rules

    def _check_calendars(self) -> list[str]:
        warnings: list[str] = []
        for key, version in self._newest.items():
            body = self._calendars[key, version]
            try:
                if not isinstance(body, Calendar):
                    self._calendars[key, version] = Calendar.build(key, version, read_settings(key, body))
            except BadCalendar as error:
                warnings.append(str(error))
        for rule in self.rules:
            wanted = rule.common.calendar
            if wanted is not None and wanted not in self._newest:
                near = suggestion(wanted, list(self._newest), f"import a set-up with [calendar.{wanted}]")
                said = f'there is no calendar "{wanted}" yet and its team\'s is used; {near}'
                warnings.append(f"regulation.{rule.key}.calendar: {said}")
            elif rule.targets and self.calendar_for(wanted, None) is ALWAYS and not self._teams_have_calendars():
                remedy = "name a calendar in the regulation, its team or [company]"
                warnings.append(f"regulation.{rule.key}: no calendar is set, so it counts every hour, in UTC; {remedy}")
        return warnings

    def _teams_have_calendars(self) -> bool:
        return any(each.calendar for each in self.roster.teams.values())


def calendar_of(person: ClientFacts | None) -> str | None:
    """The calendar that a client's branch keeps, if his card names one."""
    named = person.fields.get("calendar") if person is not None else None
    return named if isinstance(named, str) else None


def _current(found: Sequence[Definition]) -> list[Definition]:
    """The newest version of everything that is not retired, in the order in which the keys first appeared."""
    newest: dict[tuple[str, str], Definition] = {}
    for each in found:
        known = newest.get((each.kind, each.key))
        if known is None or each.version >= known.version:
            newest[each.kind, each.key] = each
    return [each for each in newest.values() if not each.retired]
