"""The people: operators, teams, who leads them, who is away and who stands for whom. Pure; built from the set-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from routing.calendar import load_zone

RANKS = {"operator": 1, "supervisor": 2, "admin": 3}


@dataclass(frozen=True, slots=True)
class Away:
    """A leave in [start, end) and who stands in."""

    start: datetime
    end: datetime
    deputy: str | None = None


@dataclass(frozen=True, slots=True)
class OperatorFacts:
    """One operator. `limits` caps how many open conversations he takes at once (None: any number)."""

    key: str
    name: str = ""
    email: str | None = None
    role: str = "operator"
    teams: tuple[str, ...] = ()
    language: str = "en"
    languages: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    extension: str | None = None
    capacity: int | None = None
    aways: tuple[Away, ...] = ()


@dataclass(frozen=True, slots=True)
class TeamFacts:
    """One team and the two upper rungs of its ladder."""

    key: str
    calendar: str | None = None
    lead: str | None = None
    director: str | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody, by key. Rebuilt when the set-up changes, shared by all threads."""

    operators: Mapping[str, OperatorFacts]
    teams: Mapping[str, TeamFacts]
    home_language: str = "en"

    @classmethod
    def build(
        cls,
        operators: Mapping[str, Mapping[str, Any]],
        teams: Mapping[str, Mapping[str, Any]],
        languages: Sequence[str] | None = None,
    ) -> Roster:
        """From the tables `[operator.K]` and `[team.K]`. `to` of an `away` names its last day."""
        return cls(
            {key: _operator(key, body) for key, body in operators.items()},
            {
                key: TeamFacts(key, body.get("calendar"), body.get("lead"), body.get("director"))
                for key, body in teams.items()
            },
            languages[0] if languages else "en",
        )

    def is_away(self, operator: str, at: datetime) -> bool:
        """Whether he is on leave at an instant; nobody unknown is ever here."""
        found = self.operators.get(operator)
        return found is None or any(each.start <= at < each.end for each in found.aways)

    def deputy(self, operator: str | None, at: datetime) -> str | None:
        """Who answers for him: himself, his deputy (or the deputy's), or None when nobody does."""
        seen: set[str] = set()
        while operator is not None and operator not in seen:
            seen.add(operator)
            found = self.operators.get(operator)
            if found is None:
                return None
            leave = next((each for each in found.aways if each.start <= at < each.end), None)
            if leave is None:
                return operator
            operator = leave.deputy
        return None

    def stands_for(self, operator: str | None, wanted: str | None, at: datetime) -> bool:
        """Whether what an operator did at an instant counts as done by another: himself or his deputy."""
        return (
            operator is not None and wanted is not None and (operator == wanted or self.deputy(wanted, at) == operator)
        )

    def members(self, team: str | None) -> Sequence[OperatorFacts]:
        """The operators of a team, in the order of the set-up."""
        return [each for each in self.operators.values() if team in each.teams]

    def in_team(self, operator: str | None, team: str | None) -> bool:
        """Whether he may own what belongs to the team (anybody may own what belongs to no team)."""
        found = self.operators.get(operator) if operator else None
        return found is not None and (team is None or team in found.teams)

    def language(self, operator: str | None) -> str:
        """The language he reads; the company's first for nobody."""
        found = self.operators.get(operator) if operator else None
        return found.language if found else self.home_language

    def recipients(self, to: str, owner: str | None, team: str | None, at: datetime) -> tuple[str, ...]:
        """Whom a step's `to` means now: somebody always, as long as there is a supervisor at all."""
        if to == "owner":
            found = self.deputy(owner, at)
            return (found,) if found else self._rung(team, ("lead", "director"), at)
        if to in ("lead", "team-lead", "team_lead"):
            return self._rung(team, ("lead", "director"), at)
        if to == "director":
            return self._rung(team, ("director", "lead"), at)
        if to in self.teams:
            return tuple(each.key for each in self.members(to) if not self.is_away(each.key, at))
        found = self.deputy(to, at) or (to if to in self.operators else None)
        return (found,) if found else self._rung(team, ("lead", "director"), at)

    def _rung(self, team: str | None, names: tuple[str, ...], at: datetime) -> tuple[str, ...]:
        facts = self.teams.get(team) if team else None
        for name in names if facts else ():
            if found := self.deputy(getattr(facts, name), at):
                return (found,)
        return self._chiefs(team, at)

    def _chiefs(self, team: str | None, at: datetime) -> tuple[str, ...]:
        """Supervisors of the team, else all, else admins: a promise without a listener would break in silence."""
        here = [each for each in self.operators.values() if RANKS.get(each.role, 1) > 1]
        present = [each for each in here if not self.is_away(each.key, at)] or here
        for chosen in (
            [each for each in present if each.role == "supervisor" and team in each.teams],
            [each for each in present if each.role == "supervisor"],
            present,
        ):
            if chosen:
                return tuple(each.key for each in chosen)
        return ()


def _operator(key: str, body: Mapping[str, Any]) -> OperatorFacts:
    language = str(body.get("language") or "en")
    zone = load_zone(body["zone"]) if body.get("zone") else UTC
    return OperatorFacts(
        key,
        str(body.get("name") or key),
        body.get("email"),
        str(body.get("role") or "operator"),
        tuple(body.get("teams") or ()),
        language,
        tuple(body.get("languages") or (language,)),
        tuple(body.get("skills") or ()),
        body.get("extension"),
        body.get("capacity"),
        tuple(_away(each, zone) for each in body.get("away") or ()),
    )


def _away(body: Mapping[str, Any], zone: ZoneInfo | Any) -> Away:
    return Away(_instant(body["from"], zone, 0), _instant(body["to"], zone, 1), body.get("deputy"))


def _instant(value: Any, zone: Any, extra_days: int) -> datetime:
    """A day means its local midnight (its end for `to`), an instant itself."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=zone).astimezone(UTC)
    day = date.fromordinal(value.toordinal() + extra_days)
    return datetime.combine(day, time(), zone).astimezone(UTC)
