"""What is stored but not in force: names that nothing answers to, channels that this installation has not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from channels import registry
from hub.setup import blanks
from hub.setup.blanks import FIELD, blanks_of, is_field
from hub.setup.kinds import COMPANY
from hub.setup.lines import Line
from hub.setup.locate import Place
from hub.setup.problem import Problem, suggest
from hub.setup.snapshot import SetUp
from hub.setup.templates import refers_to
from hub.telephony.exchanges import is_exchange, rules_of
from routing.calendar import Calendar
from routing.conditions import KINDS, For
from routing.matching import CHANNEL_GROUPS, NO_MESSENGERS

_HORIZON = timedelta(days=2 * 365)
"""As far as a promise of a year that begins within a year reaches."""
_ATTRIBUTES = {"for": "for_"}
_RUNGS = ("owner", "responsible", "lead", "team-lead", "team_lead", "director")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something of one definition that waits; `below` is the place of its key."""

    kind: str
    key: str
    below: Place
    message: str
    remedy: str

    def problem(self, file: str = "", line: int = 0) -> Problem:
        """For people."""
        name = self.kind if self.kind == COMPANY else f"{self.kind}.{self.key}"
        return Problem(".".join((name, *map(str, self.below))), self.message, self.remedy, file, line)


def crosscheck(setup: SetUp, today: date | None = None) -> list[Notice]:
    """Everything that waits, in the order of the set-up's kinds; what calendars do not know needs a `today`."""
    return [
        *_check_company(setup),
        *(_check_calendars(setup, today) if today is not None else ()),
        *_check_teams(setup),
        *_check_operators(setup),
        *_check_forms(setup),
        *_check_lines(setup),
        *_check_templates(setup),
        *_check_routes(setup),
        *_check_regulations(setup),
        *_check_steps(setup),
        *_check_book(setup),
    ]


def _missing(owner: tuple[str, str], below: Place, kind: str, name: Any, known: Mapping[str, Any]) -> Iterator[Notice]:
    if name is None or name in known:
        return
    near = suggest(str(name), known)
    remedy = near if near.startswith("Did") else f"Import a set-up with [{kind}.{name}]."
    yield Notice(*owner, below, f"not yet in force: there is no {kind} {name!r}", remedy)


def _check_company(setup: SetUp) -> Iterator[Notice]:
    owner = (COMPANY, COMPANY)
    yield from _missing(owner, ("calendar",), "calendar", setup.company.calendar, setup.calendars)
    yield from _missing(owner, ("alert_line",), "line", setup.company.alert_line, setup.lines)


def _check_calendars(setup: SetUp, today: date) -> Iterator[Notice]:
    """Holidays that nobody has decreed yet or that no table has, as far as a long target reaches; the last opening."""
    for key, settings in setup.calendars.items():
        calendar = Calendar("x", 0, settings)
        for warning in calendar.warnings(today, today + _HORIZON):
            message = str(warning).removesuffix(", list own days").removesuffix(": if the office rests")
            remedy = f"List the days on which the office rests below [calendar.{key}.days]."
            yield Notice("calendar", key, ("holidays",), message, remedy)
        if not any(settings.hours) and (last := max(day for day, hours in settings.days.items() if hours)):
            message = f"it opens on its own days only, for the last time on {last}: what is due later is not computed"
            yield Notice("calendar", key, ("week",), message, 'Give a weekday hours: mon = ["09:00-18:00"].')


def _check_teams(setup: SetUp) -> Iterator[Notice]:
    for key, team in setup.teams.items():
        yield from _missing(("team", key), ("calendar",), "calendar", team.calendar, setup.calendars)
        yield from _missing(("team", key), ("lead",), "operator", team.lead, setup.operators)
        yield from _missing(("team", key), ("director",), "operator", team.director, setup.operators)


def _check_operators(setup: SetUp) -> Iterator[Notice]:
    for key, operator in setup.operators.items():
        owner = ("operator", key)
        for index, team in enumerate(operator.teams):
            yield from _missing(owner, ("teams", index), "team", team, setup.teams)
        for index, leave in enumerate(operator.away):
            yield from _missing(owner, ("away", index, "deputy"), "operator", leave.deputy, setup.operators)
        if operator.email and (other := setup.operator_by_email(operator.email)) != key:
            yield Notice(*owner, ("email",), f"operator {other!r} has the same address", "Give each his own.")
        if operator.extension and (other := setup.operator_by_extension(operator.extension)) != key:
            yield Notice(*owner, ("extension",), f"operator {other!r} has the same extension", "Give each his own.")
    yield from _check_deputies(setup)
    roles = {key: operator.role for key, operator in setup.operators.items()}
    if "admin" not in roles.values() and (heads := [key for key, role in roles.items() if role == "supervisor"]):
        remedy = 'Give one operator role = "admin" when people shall be invited at the desk; the commands need none.'
        yield Notice("operator", heads[0], ("role",), "nobody at the desk is an admin", remedy)


def _check_deputies(setup: SetUp) -> Iterator[Notice]:
    """Who stands in for whom in a circle while all of them are away: nobody does."""
    roster = setup.book.roster
    for key, operator in setup.operators.items():
        facts = roster.operators.get(key)
        for index, leave in enumerate(operator.away if facts is not None else ()):
            assert facts is not None
            began = facts.aways[index].start
            here = leave.deputy in setup.operators and roster.is_away(str(leave.deputy), began)
            if here and roster.deputy(key, began) is None:
                message = f"{leave.deputy!r} is away then, too, and nobody stands in for both: it falls to the team"
                yield Notice("operator", key, ("away", index, "deputy"), message, "Name somebody who is there.")


def _check_forms(setup: SetUp) -> Iterator[Notice]:
    for key, form in setup.forms.items():
        yield from _missing(("form", key), ("team",), "team", form.team, setup.teams)
        yield from _missing(("form", key), ("regulation",), "regulation", form.regulation, setup.regulations)


def _check_lines(setup: SetUp) -> Iterator[Notice]:
    for key, line in setup.lines.items():
        yield from _missing(("line", key), ("team",), "team", line.team, setup.teams)
        yield from _check_exchange(setup, key, line)
        if not line.known:
            message = f"not yet in force: this installation has no channel {line.channel!r}"
            yield Notice("line", key, ("channel",), message, "It is kept, for a version that has it.")


def _check_templates(setup: SetUp) -> Iterator[Notice]:
    fields = {field.name for form in setup.forms.values() for field in form.fields}
    for key, template in setup.templates.items():
        yield from _missing(("template", key), ("team",), "team", template.team, setup.teams)
        asked = {name for text in template.every_text() for name, _ in blanks_of(text) if is_field(name)}
        for name in sorted(one.removeprefix(FIELD) for one in asked):
            if name not in fields:
                message = f"no form has a field {name!r}: it is looked for on the client's card"
                yield Notice("template", key, ("text",), message, suggest(name, fields))
    for key, line in setup.lines.items():
        for name, title in (("acknowledge", line.acknowledge), ("rate", line.rate)):
            yield from _missing(("line", key), (name,), "template", refers_to(title), setup.templates)
            named = setup.templates.get(refers_to(title) or "")
            for text in named.every_text() if named else ():
                try:
                    blanks.check(text, automatic=True)
                except ValueError as error:
                    yield Notice("line", key, (name,), f"goes out only when nothing is missing: {error}", "")


def _check_exchange(setup: SetUp, key: str, line: Line) -> Iterator[Notice]:
    """What a telephone line says of teams."""
    if not is_exchange(line):
        return
    rules = rules_of(line)
    for table, teams in (("queues", rules.queues), ("dids", rules.dids), ("areas", rules.areas)):
        for name, team in teams.items():
            yield from _missing(("line", key), (table, name), "team", team or None, setup.teams)


def _check_routes(setup: SetUp) -> Iterator[Notice]:
    for key, route in setup.routes.items():
        yield from _missing(("route", key), ("team",), "team", route.team, setup.teams)
        yield from _check_names(setup, ("route", key), "when", route.when)
        if route.skills and not any(set(route.skills) <= set(each.skills) for each in setup.operators.values()):
            message = "not yet in force: no operator has all of these skills; work waits for the team"
            yield Notice("route", key, ("skills",), message, "")


def _check_regulations(setup: SetUp) -> Iterator[Notice]:
    for key, waiting in setup.waiting.items():
        message = f"not yet in force: this version has no regulations of kind {waiting.kind!r}"
        yield Notice("regulation", key, ("kind",), message, "It is kept, for a version that has them.")
    for key, regulation in setup.regulations.items():
        if regulation.for_ is not None:
            yield from _check_names(setup, ("regulation", key), "for", regulation.for_)
        for table in ("for", "after", "cancel_when", "action", "met_by"):
            yield from _check_channels(key, table, getattr(regulation, _ATTRIBUTES.get(table, table), None))


def _check_channels(key: str, table: str, about: Any) -> Iterator[Notice]:
    """Channels that a table names: of this installation, groups of them, or (for `send`) kinds of contact."""
    channels = {*registry.names(), *CHANNEL_GROUPS, *NO_MESSENGERS, "messenger"}
    for name, known in (("channel", channels), ("send", {*channels, *KINDS})):
        for index, channel in enumerate(getattr(about, name, ())):
            if channel not in known:
                message = f"not yet in force: this installation has no channel {channel!r}"
                yield Notice("regulation", key, (table, name, index), message, suggest(channel, known))


def _check_names(setup: SetUp, owner: tuple[str, str], table: str, about: For) -> Iterator[Notice]:
    """What a `for` or `when` table names."""
    for kind, names, known in (
        ("team", about.team, setup.teams),
        ("line", about.line, {**setup.lines, **setup.forms}),
        ("form", about.form, setup.forms),
    ):
        for name in names:
            yield from _missing(owner, (table, kind), kind, name, known)


def _check_steps(setup: SetUp) -> Iterator[Notice]:
    people = {**setup.operators, **setup.teams, **dict.fromkeys(_RUNGS)}
    for key, regulation in setup.regulations.items():
        for name in ("warn", "remind", "steps", "escalate"):
            for index, step in enumerate(getattr(regulation, name)):
                for to in step.to:
                    if to not in people:
                        message = f"not yet in force: {to!r} is no operator, team or rung; the team's lead is told"
                        yield Notice("regulation", key, (name, index, "to"), message, suggest(to, people))


def _check_book(setup: SetUp) -> Iterator[Notice]:
    """What routing noticed when it put the whole together: `calendar.RU.days: …`."""
    for warning in setup.book.warnings:
        place, _, message = warning.partition(": ")
        kind, key, *below = place.split(".")
        message, _, remedy = message.partition("; ")
        yield Notice(kind, key, tuple(below), message, f"{remedy[:1].upper()}{remedy[1:]}." if remedy else "")
