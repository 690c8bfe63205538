"""Choosing one operator of a team. Pure: what is known of the desk comes in, one decision comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from routing import deadline
from routing.assignment.route import Route
from routing.decisions import AssignConversation
from routing.facts import Facts
from routing.matching import human
from routing.roster import OperatorFacts, Roster

CLOSED = frozenset({"solved", "junk"})


@dataclass(frozen=True, slots=True)
class Desk:
    """What is known of the people at work now.

    `present` are those signed in (None: nobody keeps track, all count as present); `busy` how many open conversations
    each has; `turn` when (or at which number) each was given one last; `on_call` who is on the telephone; `last` who
    spoke with the client last.
    """

    present: frozenset[str] | None = None
    busy: Mapping[str, int] = field(default_factory=dict)
    turn: Mapping[str, int] = field(default_factory=dict)
    on_call: frozenset[str] = frozenset()
    last: str | None = None

    def knowing(self, last: str | None) -> Desk:
        """The same desk, for a client with whom this operator spoke last."""
        return replace(self, last=last)


def assign(routes: Sequence[Route], facts: Facts, desk: Desk) -> AssignConversation | None:
    """Give an unowned conversation in which a client waits to somebody; to his team alone when nobody is free."""
    conversation, touch = facts.conversation, facts.interaction
    if conversation is None or conversation.owner is not None or conversation.state in CLOSED:
        return None
    if touch is not None and (touch.direction != "inbound" or not human(touch)):
        return None
    route = next((each for each in routes if each.fits(facts)), None)
    return choose(route, facts, desk) if route is not None else None


def choose(route: Route, facts: Facts, desk: Desk, without: frozenset[str] = frozenset()) -> AssignConversation | None:
    """Whom the route gives the conversation to. `without` are those who had it and did not answer."""
    assert facts.conversation is not None
    settings = route.settings
    free = [each for each in _free(route, facts, desk) if each.key not in without]
    for strategy in settings.strategy:
        free = NARROWED[strategy](free, route, facts, desk)
    reason = f"route:{route.key}:{'+'.join(settings.strategy)}"
    if not free:
        waits = facts.conversation.team == settings.team
        return None if waits else AssignConversation(facts.conversation.id, None, settings.team, reason)
    chosen = min(free, key=lambda each: (desk.turn.get(each.key, 0), each.key))
    after, calendar = settings.pass_on_after, facts.book.calendar_for(None, settings.team)
    later = deadline.compute(after, facts.now, calendar) if after is not None else None
    return AssignConversation(facts.conversation.id, chosen.key, settings.team, reason, later)


def _free(route: Route, facts: Facts, desk: Desk) -> list[OperatorFacts]:
    """Members who are at work: not on leave, signed in, not on the telephone, below what they can take."""
    roster = facts.roster
    return [each for each in roster.members(route.settings.team) if at_work(each, facts.now, roster, desk)]


def at_work(operator: OperatorFacts, now: datetime, roster: Roster, desk: Desk) -> bool:
    """Whether he can be given one more now."""
    absent = desk.present is not None and operator.key not in desk.present
    full = operator.capacity is not None and desk.busy.get(operator.key, 0) >= operator.capacity
    return not (absent or full or operator.key in desk.on_call or roster.is_away(operator.key, now))


def anybody(team: str, now: datetime, roster: Roster, desk: Desk) -> bool:
    """Whether anybody of a team can be given one more now."""
    return any(at_work(each, now, roster, desk) for each in roster.members(team))


Narrowing = Callable[[list[OperatorFacts], Route, Facts, Desk], list[OperatorFacts]]


def _by_turn(free: list[OperatorFacts], route: Route, facts: Facts, desk: Desk) -> list[OperatorFacts]:
    return free


def _least_busy(free: list[OperatorFacts], route: Route, facts: Facts, desk: Desk) -> list[OperatorFacts]:
    least = min((desk.busy.get(each.key, 0) for each in free), default=0)
    return [each for each in free if desk.busy.get(each.key, 0) == least]


def _skilled(free: list[OperatorFacts], route: Route, facts: Facts, desk: Desk) -> list[OperatorFacts]:
    """Who has every skill the route asks for; among them, who speaks the client's language, if anybody does."""
    skilled = [each for each in free if set(route.settings.skills) <= set(each.skills)]
    language = facts.interaction.language if facts.interaction else None
    language = language or (facts.client.language if facts.client else None)
    speaking = [each for each in skilled if language in each.languages]
    return speaking or skilled


def _roomy(free: list[OperatorFacts], route: Route, facts: Facts, desk: Desk) -> list[OperatorFacts]:
    most = route.settings.capacity
    return [each for each in free if most is None or desk.busy.get(each.key, 0) < most]


def _sticky(free: list[OperatorFacts], route: Route, facts: Facts, desk: Desk) -> list[OperatorFacts]:
    return [each for each in free if each.key == desk.last] or _responsible(free, route, facts, desk)


def _responsible(free: list[OperatorFacts], route: Route, facts: Facts, desk: Desk) -> list[OperatorFacts]:
    """The client's responsible (or his deputy) when he is free, else everybody."""
    people = (facts.client, facts.company)
    wanted = next((each.responsible for each in people if each is not None and each.responsible), None)
    standing = facts.roster.deputy(wanted, facts.now)
    return [each for each in free if each.key == standing] or free


NARROWED: Mapping[str, Narrowing] = {
    "round_robin": _by_turn,
    "least_busy": _least_busy,
    "skills": _skilled,
    "capacity": _roomy,
    "sticky": _sticky,
    "responsible": _responsible,
}
