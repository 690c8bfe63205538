"""The set-up as the hub obeys it: one frozen snapshot of everything that is in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from hub.setup.company import Company
from hub.setup.definition import Version, newest, read_versions
from hub.setup.kinds import COMPANY, READERS, read_body
from hub.setup.lines import Line
from hub.setup.people import Operator, Team
from hub.setup.problem import Problem
from hub.setup.regulations import Waiting
from hub.setup.routes import Route
from hub.setup.templates import Template
from routing import assignment, book
from routing.book import RuleBook
from routing.calendar import CalendarSettings, load_zone
from routing.settings import Common
from webforms.settings import FormSettings


@dataclass(frozen=True, slots=True)
class SetUp:
    """Everything by its key. What cannot be read is left out and stands in `problems`.

    `waiting` are regulations of kinds that this version has not; `book` is what the engine obeys,
    `ways` are the routes, compiled.
    """

    revision: int = 0
    company: Company = field(default_factory=Company)
    teams: Mapping[str, Team] = field(default_factory=dict)
    operators: Mapping[str, Operator] = field(default_factory=dict)
    lines: Mapping[str, Line] = field(default_factory=dict)
    forms: Mapping[str, FormSettings] = field(default_factory=dict)
    calendars: Mapping[str, CalendarSettings] = field(default_factory=dict)
    regulations: Mapping[str, Common] = field(default_factory=dict)
    routes: Mapping[str, Route] = field(default_factory=dict)
    templates: Mapping[str, Template] = field(default_factory=dict)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    book: RuleBook = field(default_factory=lambda: RuleBook.build(()))
    ways: tuple[assignment.Route, ...] = ()
    versions: tuple[Version, ...] = ()
    problems: tuple[Problem, ...] = ()
    _by_email: Mapping[str, str] = field(default_factory=dict)
    _by_extension: Mapping[str, str] = field(default_factory=dict)
    _members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def sticks(self) -> bool:
        """Whether any route wants to know who spoke with the client last."""
        return any("sticky" in each.settings.strategy for each in self.ways)

    def operator_by_email(self, address: str) -> str | None:
        """Key of the operator with this address."""
        return self._by_email.get(address.strip().lower())

    def operator_by_extension(self, extension: str) -> str | None:
        """Key of the operator with this telephone extension."""
        return self._by_extension.get(extension)

    def members(self, team: str) -> tuple[str, ...]:
        """Keys of the operators of a team."""
        return self._members.get(team, ())

    def calendar_of(self, operator: str | None = None, team: str | None = None) -> str | None:
        """Key of the calendar that holds for an operator or a team, else the company's."""
        known = self.operators.get(operator or "")
        for each in (*((team,) if team else ()), *(known.teams if known else ())):
            if (found := self.teams.get(each)) and found.calendar in self.calendars:
                return found.calendar
        return self.company.calendar if self.company.calendar in self.calendars else None

    def zone_of(self, operator: str | None = None, team: str | None = None) -> tzinfo:
        """The time zone of that calendar, UTC without one."""
        calendar = self.calendar_of(operator, team)
        return load_zone(self.calendars[calendar].zone) if calendar else UTC

    def language_of(self, operator: str) -> str:
        """In which language an operator is told things."""
        found = self.operators.get(operator)
        return (found.language if found else None) or self.company.languages[0]

    def is_away(self, operator: str, at: datetime) -> bool:
        """Whether an operator is on leave at an instant."""
        return self.book.roster.is_away(operator, at)

    def stand_in(self, operator: str, at: datetime) -> str | None:
        """Who works for this operator at an instant: himself, his deputy, the deputy's deputy; None if all are away."""
        return self.book.roster.deputy(operator, at)


def load_setup(connection: Connection) -> SetUp:
    """What is stored. A row that this version of the program cannot read is reported, and never breaks the rest."""
    return build_setup(read_versions(connection))


def build_setup(versions: Iterable[Version]) -> SetUp:
    """Fold versions, oldest first, into what is in force."""
    kept = tuple(versions)
    found: dict[str, dict[str, Any]] = {kind: {} for kind in READERS}
    problems: list[Problem] = []
    for (kind, key), last in newest(kept).items():
        if last.retired:
            continue
        if kind not in READERS:
            problems.append(Problem(f"{kind}.{key}", "this version of Touchline does not know such a thing"))
            continue
        value, faults = read_body(kind, last.body)
        name = last.definition.name
        problems += [Problem(f"{name}.{fault.key}", fault.message, fault.remedy) for _, fault in faults]
        if not faults:
            found[kind][key] = value
    return assemble(kept[-1].id if kept else 0, found, kept, problems)


def assemble(
    revision: int, found: Mapping[str, Mapping[str, Any]], versions: tuple[Version, ...], problems: Iterable[Problem]
) -> SetUp:
    """Put settings objects, by kind and key, together."""
    operators: Mapping[str, Operator] = found["operator"]
    members: dict[str, list[str]] = {}
    for key, operator in sorted(operators.items()):
        for team in operator.teams:
            members.setdefault(team, []).append(key)
    waiting = {key: each for key, each in found["regulation"].items() if isinstance(each, Waiting)}
    setup = SetUp(
        revision=revision,
        company=found[COMPANY].get(COMPANY) or Company(),
        teams=MappingProxyType(dict(found["team"])),
        operators=MappingProxyType(dict(operators)),
        lines=MappingProxyType(dict(found["line"])),
        forms=MappingProxyType(dict(found["form"])),
        calendars=MappingProxyType(dict(found["calendar"])),
        regulations=MappingProxyType({key: each for key, each in found["regulation"].items() if key not in waiting}),
        waiting=MappingProxyType(waiting),
        routes=MappingProxyType(dict(found["route"])),
        templates=MappingProxyType(dict(found["template"])),
        versions=versions,
        problems=tuple(problems),
        _by_email={each.email.lower(): key for key, each in operators.items() if each.email},
        _by_extension={each.extension: key for key, each in operators.items() if each.extension},
        _members={team: tuple(keys) for team, keys in members.items()},
    )
    obeyed = build_book(setup, found)
    return replace(setup, book=obeyed, ways=assignment.compile_routes(obeyed))


def build_book(setup: SetUp, found: Mapping[str, Mapping[str, Any]]) -> RuleBook:
    """What routing obeys: all versions of regulations and calendars, else what is current and readable."""
    last = newest(setup.versions)
    definitions = []
    for each in setup.versions:
        if each.kind in {"regulation", "calendar"}:
            if each.key not in setup.waiting or each.kind == "calendar":
                definitions.append(book.Definition(each.kind, each.key, each.version, each.body, each.retired))
        elif last[each.kind, each.key] is each and each.key in found.get(each.kind, {}):
            body = _told_of_operator(setup, each.key, each.body) if each.kind == "operator" else each.body
            definitions.append(book.Definition(each.kind, each.key, each.version, body))
    return RuleBook.build(definitions)


def _told_of_operator(setup: SetUp, key: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The zone in which his leave counts, and his language, are known here only."""
    return {**body, "zone": str(setup.zone_of(key)), "language": setup.language_of(key)}
