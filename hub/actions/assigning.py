"""Handing out what waits: to who has become free, to the next when the first has not answered in time."""

from __future__ import annotations

from hub.actions import conversations
from hub.actor import SYSTEM
from hub.giving import load_now, watch
from hub.setup.snapshot import SetUp
from routing.assignment import giving
from routing.decisions import AssignConversation
from storage.repositories import intake as rows
from storage.unit import Unit

MOST = 200
"""How many waiting conversations are looked at at a time."""


def drain(unit: Unit, setup: SetUp) -> int:
    """Give what waits to those who have become free; answers how much was given."""
    found = giving.drain(unit, setup.book, setup.ways, load_now(unit), MOST)
    for decision in found:
        carry_out(unit, setup, decision)
    return len(found)


def pass_on(unit: Unit, setup: SetUp, number: int, operator: str) -> bool:
    """Take a conversation from who has not answered it in time, and give it to the next; True when it moved."""
    decision = giving.pass_on(unit, setup.book, setup.ways, number, operator, load_now(unit))
    if decision is None:
        return False
    carry_out(unit, setup, decision)
    return True


def carry_out(unit: Unit, setup: SetUp, decision: AssignConversation) -> None:
    """A conversation of long ago becomes somebody's; its promises and tasks go along."""
    before = rows.find_conversations(unit, [decision.conversation])[decision.conversation]
    changes = {"owner": decision.operator, "team": decision.team or before["team"]}
    conversations.change(unit, setup, before, changes, SYSTEM, "assigned", {"why": decision.reason})
    watch(unit, decision)
