"""Gives what came in to somebody: routing chooses by the set-up's routes, the hub carries it out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.presence import read_presence
from hub.setup.snapshot import SetUp
from routing.assignment import Desk, assign
from routing.assignment.giving import UNANSWERED, given, last_operator, load_desk
from routing.decisions import AssignConversation
from routing.facts import Facts, InteractionFacts
from storage.repositories import jobs
from storage.unit import Unit


class Giver:
    """One per transaction: who is at work is read once, when the first conversation is to be given."""

    def __init__(self, unit: Unit, setup: SetUp) -> None:
        self._unit = unit
        self._setup = setup
        self._desk: Desk | None = None
        self.sees = bool(setup.ways)

    def give(self, facts: Facts) -> AssignConversation | None:
        """Whose an unowned conversation becomes by this touch, if anybody's."""
        if not self.sees or not _asks(facts.interaction) or facts.client is None:
            return None
        if self._desk is None:
            self._desk = load_now(self._unit)
        last = last_operator(self._unit, facts.client.id) if self._setup.sticks else None
        decision = assign(self._setup.ways, facts, self._desk.knowing(last))
        if decision is not None:
            self._desk = given(self._desk, decision)
            watch(self._unit, decision)
        return decision


def load_now(unit: Unit) -> Desk:
    """Who is at work now."""
    presence = read_presence(unit.connection, unit.now)
    return load_desk(unit, presence.present, presence.on_call | presence.away)


def watch(unit: Unit, decision: AssignConversation) -> None:
    """See to it that somebody looks later whether it was answered."""
    at: datetime | None = decision.pass_on_at
    if at is not None and decision.operator is not None:
        body: dict[str, Any] = {"conversation": decision.conversation, "operator": decision.operator}
        jobs.add(unit, UNANSWERED, body, at)


def _asks(touch: InteractionFacts | None) -> bool:
    """Of calls only missed ones wait for somebody: who talks has it already, who rings is the PBX's to distribute."""
    if touch is None or touch.kind == "note":
        return False
    return touch.kind != "call" or (touch.call is not None and touch.call.outcome == "missed")
