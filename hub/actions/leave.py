"""A leave: the deputy has what is open, and who comes back gets back what of it is still open.

Without a deputy it waits for its team, and what belongs to no team stays where it is: its alerts climb to the lead.

What was lent is remembered by number, so that nothing the deputy had before goes along, and nothing that was handed
over by a person meanwhile.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import Connection, Table, select

from hub.actions import conversations
from hub.actions.leaving import OPEN_TALK, HandedOver, move_all, open_of
from hub.actor import Actor
from hub.journal import note
from hub.setup.snapshot import SetUp
from routing import acts
from storage import models
from storage.repositories import bookmarks
from storage.repositories.obligations import OPEN as OPEN_PROMISE
from storage.unit import Unit

_LEAVE = "touchline:leave"
_LENT: Mapping[str, tuple[Table, tuple[str, ...]]] = {
    "conversations": (models.conversation, OPEN_TALK),
    "obligations": (models.obligation, OPEN_PROMISE),
    "tasks": (models.task, ("open",)),
}

Lent = dict[str, dict[str, str | None]]
"""What was lent, by sort, each number with whom it was lent to (None: to its team)."""


def relieve(unit: Unit, setup: SetUp, operator: str, deputy: str | None, actor: Actor) -> HandedOver:
    """While he is on leave his deputy, or else the team, has what is open."""
    own_too = deputy is not None
    known = _read(bookmarks.read(unit.connection, _LEAVE, operator))
    for sort, (table, states) in _LENT.items():
        query = select(table.c.id).where(*open_of(table, operator, states, own_too))
        for number in unit.connection.execute(query).scalars():
            known.setdefault(sort, {})[str(number)] = deputy
    bookmarks.keep(unit, _LEAVE, operator, json.dumps(known))
    return move_all(unit, setup, actor, operator, deputy, "away", own_too=own_too)


def find_lenders(connection: Connection) -> frozenset[str]:
    """Everybody whose work is with a deputy."""
    return frozenset(bookmarks.read_all(connection, _LEAVE))


def give_back(unit: Unit, setup: SetUp, operator: str, actor: Actor) -> HandedOver:
    """He is here again: what his deputy (or the deputy's) still has open is his."""
    everything = {key: _read(value) for key, value in bookmarks.read_all(unit.connection, _LEAVE).items()}
    mine = everything.pop(operator, {})
    holders = {sort: _holders(sort, mine, everything) for sort in _LENT}
    promises = _still_open(unit, "obligations", holders["obligations"])
    tasks = _still_open(unit, "tasks", holders["tasks"])
    talks = _still_open(unit, "conversations", holders["conversations"])
    query = select(models.conversation).where(models.conversation.c.id.in_(talks))
    for row in unit.connection.execute(query.order_by(models.conversation.c.id)).mappings().all():
        conversations.change(unit, setup, dict(row), {"owner": operator}, actor, "handed_over", {"why": "returned"})
    # what belongs to a conversation went along with it
    left = _still_open(unit, "obligations", holders["obligations"])
    acts.give_back(unit, setup.book, left, _still_open(unit, "tasks", holders["tasks"]), operator, str(actor))
    bookmarks.forget(unit, _LEAVE, operator)
    given = HandedOver(len(talks), len(promises), len(tasks))
    if any(given.as_json().values()):
        note(unit, actor, "given_back", "operator", operator, {**given.as_json(), "why": "returned"})
    return given


def _read(value: str | None) -> Lent:
    return json.loads(value) if value else {}


def _holders(sort: str, mine: Lent, others: Mapping[str, Lent]) -> dict[int, set[str | None]]:
    """Who may have each thing that was lent: the deputy, and to whom it went when he left himself."""
    found: dict[int, set[str | None]] = defaultdict(set)
    for number, deputy in mine.get(sort, {}).items():
        found[int(number)] = {deputy} | {
            theirs[sort][number] for theirs in others.values() if number in theirs.get(sort, {})
        }
    return found


def _still_open(unit: Unit, sort: str, holders: Mapping[int, set[str | None]]) -> list[int]:
    table, states = _LENT[sort]
    query = select(table.c.id, table.c.owner).where(table.c.id.in_(sorted(holders)), table.c.state.in_(states))
    return [row.id for row in unit.connection.execute(query.order_by(table.c.id)) if row.owner in holders[row.id]]
